"""docs/webhooks.md is true: its table is the rules', its example is what is really sent, its code checks that."""

import json
import os
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from gqlstock.adapters import signature
from gqlstock.delivery.dispatcher import Dispatcher
from gqlstock.rules import retries, webhooks
from gqlstock.rules.scopes import SYSTEM
from gqlstock.services import combinations, ship
from gqlstock.services.ship import CreateShipmentRequest
from gqlstock.store.webhooks import WebhookDelivery, WebhookEndpoint
from support import shop_builders as make
from support.documentation_pages import HOME, blocks, reader
from support.settled_news import settled
from support.webhook_deliveries import endpoint, messages

FILE = HOME / "docs" / "webhooks.md"
PAGE = FILE.read_text()
MUTATION, TRY, ROTATE = (block for block in blocks(FILE) if block.language == "graphql")
ORDER, SHIPMENT, PRODUCT = (block.text for block in blocks(FILE) if block.kind == "sent")
(CHECK,) = (block.text for block in blocks(FILE) if block.language == "python")
(CHECK_IN_JAVASCRIPT,) = (block.text for block in blocks(FILE) if block.language == "js")
SECRET, OTHER = "whsec_c2VjcmV0IG9mIHRoZSBzaG9w", "whsec_bm90IHRoZSBzZWNyZXQgYXQgYWxs"
PACKAGES = HOME / "tests" / "clients" / "node_modules"


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
    assert shape(json.loads(row.body)) == shape(json.loads(ORDER))


async def test_the_other_examples_are_what_is_sent(db):
    await make.shop()
    await make.product("MUG", name="Mug")
    await make.stock("MUG", on_hand=5)
    await make.product("TEE", options={"Size": ["S"]}, combinations=False)
    await make.order("MUG", 2)
    await ship.create(SYSTEM, CreateShipmentRequest("100001", "BERLIN"))
    await endpoint(
        "https://shop.example/webhooks", webhooks.WebhookTopic.SHIPMENT_UPDATED, webhooks.WebhookTopic.PRODUCT_UPDATED
    )
    await ship.ship(SYSTEM, "S100001", "JD-1", "DHL")
    await combinations.generate("TEE")

    assert [shape(one) for one in await messages()] == [shape(json.loads(one)) for one in (SHIPMENT, PRODUCT)]


async def test_the_endpoint_is_tried_and_its_secret_rotated(db):
    async with reader() as one:
        await one.tries(MUTATION)
        await one.tries(TRY)
        await one.tries(ROTATE)

    (row,) = await WebhookDelivery.all()
    assert row.topic == "TEST"
    (changed,) = await WebhookEndpoint.all()
    assert changed.previous_secret not in (None, changed.secret)


def signed(*secrets):
    """The headers of the example of an order that is signed with each of these secrets now."""
    sent = datetime.now(UTC)
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(sent.timestamp())),
        "webhook-signature": " ".join(signature.sign(secret, "msg_1", sent, ORDER) for secret in secrets),
    }


@pytest.mark.parametrize("secrets", [(SECRET,), (OTHER, SECRET)])
def test_the_code_checks_what_is_sent(secrets):
    found = {"secret": SECRET, "body": ORDER, "headers": signed(*secrets)}

    exec(CHECK, found)

    assert found["event"]["type"] == "order.placed"
    with pytest.raises(WebhookVerificationError):
        exec(CHECK, found | {"headers": signed(OTHER)})


@pytest.mark.skipif(
    "CI" not in os.environ and not (shutil.which("node") and (PACKAGES / "standardwebhooks").is_dir()),
    reason="needs node and its packages",
)
def test_the_code_in_javascript_checks_what_is_sent(tmp_path):
    (tmp_path / "node_modules").symlink_to(PACKAGES)
    given = "const { secret, body, headers } = JSON.parse(process.argv[2]);"
    (tmp_path / "check.mjs").write_text(f"{given}\n{CHECK_IN_JAVASCRIPT}\nconsole.log(event.type);")

    def printed(*secrets):
        told = json.dumps({"secret": SECRET, "body": ORDER, "headers": signed(*secrets)})
        done = subprocess.run(["node", tmp_path / "check.mjs", told], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    assert printed(SECRET) == printed(OTHER, SECRET) == (0, "order.placed\n")
    assert printed(OTHER) == (1, "")


def test_the_table_has_every_topic_under_the_name_that_it_is_sent_with():
    rows = re.findall(r"^\| `([A-Z_]+)` \| `([a-z_.]+)` \|", PAGE, re.MULTILINE)

    assert rows == [(topic.value, told) for topic, told in webhooks.TYPES.items()]


def test_the_pauses_are_those_that_are_promised():
    (told,) = re.findall(r"after about\s+(.*?); then", PAGE, re.DOTALL)
    units = {"s": "seconds", "min": "minutes", "h": "hours"}

    promised = [timedelta(**{units[unit]: int(count)}) for count, unit in re.findall(r"(\d+) (s|min|h)\b", told)]
    assert tuple(promised) == retries.PAUSES
