"""docs/webhooks.md is true: its mutation runs, its table is the rules', its example is what is really sent."""

import json
import re
from datetime import timedelta
from pathlib import Path

import make
from gqlstock.delivery.dispatcher import Dispatcher
from gqlstock.graphql.context import Context
from gqlstock.graphql.schema import build
from gqlstock.rules import retries, webhooks
from gqlstock.rules.scopes import SYSTEM
from gqlstock.store.webhooks import WebhookDelivery
from news import settled
from test_readme import Silent

PAGE = (Path(__file__).parent.parent / "docs" / "webhooks.md").read_text()
(MUTATION,) = re.findall(r"```graphql\n(.*?)```", PAGE, re.DOTALL)
(EXAMPLE,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)


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
    result = await build().execute(MUTATION, context_value=Context(feed=Silent(), storefront=Silent(), caller=SYSTEM))
    assert result.errors is None
    assert result.data["createWebhookEndpoint"]["userErrors"] == []
    await make.order("MUG", 2)
    await settled()
    await Dispatcher().step()

    (row,) = await WebhookDelivery.all()
    assert shape(json.loads(row.body)) == shape(json.loads(EXAMPLE))


def test_the_table_has_every_topic_under_the_name_that_it_is_sent_with():
    rows = re.findall(r"^\| `([A-Z_]+)` \| `([a-z_.]+)` \|", PAGE, re.MULTILINE)

    assert rows == [(topic.value, told) for topic, told in webhooks.TYPES.items()]


def test_the_pauses_are_those_that_are_promised():
    (told,) = re.findall(r"after about\s+(.*?); then", PAGE, re.DOTALL)
    units = {"s": "seconds", "min": "minutes", "h": "hours"}

    promised = [timedelta(**{units[unit]: int(count)}) for count, unit in re.findall(r"(\d+) (s|min|h)\b", told)]
    assert tuple(promised) == retries.PAUSES
