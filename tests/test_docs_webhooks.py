"""docs/webhooks.md is true: its table is the rules', its example is what is really sent, its code checks that."""

import json
import re
from datetime import UTC, datetime, timedelta

from gqlstock.adapters import signature
from gqlstock.delivery.dispatcher import Dispatcher
from gqlstock.rules import retries, webhooks
from gqlstock.store.webhooks import WebhookDelivery
from support import shop_builders as make
from support.documentation_pages import HOME, blocks, reader
from support.settled_news import settled

FILE = HOME / "docs" / "webhooks.md"
PAGE = FILE.read_text()
(MUTATION,) = (block for block in blocks(FILE) if block.language == "graphql")
(EXAMPLE,) = (block.text for block in blocks(FILE) if block.kind == "sent")
(CHECK,) = (block.text for block in blocks(FILE) if block.language == "python")


def shape(value):
    """What kinds of values stand where; moments are told from other texts."""
    if isinstance(value, dict):
        return {name: shape(one) for name, one in value.items()}
    if isinstance(value, list):
        return [shape(one) for one in value]
    return "moment" if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT.*Z$", value) else value


async def test_the_example_is_what_is_sent_to_the_endpoint_that_the_mutation_makes(db):
    await make.shop()
    await make.product("MUG", name="Mug")
    await make.stock("MUG", on_hand=5)
    async with reader() as one:
        await one.tries(MUTATION)
    await make.order("MUG", 2)
    await settled()
    await Dispatcher().step()

    (row,) = await WebhookDelivery.all()
    assert shape(json.loads(row.body)) == shape(json.loads(EXAMPLE))


def test_the_code_checks_what_is_sent():
    secret, sent = "whsec_c2VjcmV0IG9mIHRoZSBzaG9w", datetime.now(UTC)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(sent.timestamp())),
        "webhook-signature": signature.sign(secret, "msg_1", sent, EXAMPLE),
    }
    found = {"secret": secret, "body": EXAMPLE, "headers": headers}

    exec(CHECK, found)

    assert found["told"]["type"] == "order.placed"


def test_the_table_has_every_topic_under_the_name_that_it_is_sent_with():
    rows = re.findall(r"^\| `([A-Z_]+)` \| `([a-z_.]+)` \|", PAGE, re.MULTILINE)

    assert rows == [(topic.value, told) for topic, told in webhooks.TYPES.items()]


def test_the_pauses_are_those_that_are_promised():
    (told,) = re.findall(r"after about\s+(.*?); then", PAGE, re.DOTALL)
    units = {"s": "seconds", "min": "minutes", "h": "hours"}

    promised = [timedelta(**{units[unit]: int(count)}) for count, unit in re.findall(r"(\d+) (s|min|h)\b", told)]
    assert tuple(promised) == retries.PAUSES
