"""Webhook endpoints and deliveries through the API: what is shown, and what is refused with nothing written."""

import json
import re

import pytest

from gqlstock.delivery.dispatcher import Dispatcher
from gqlstock.graphql.relay import nodes
from gqlstock.rules.retries import WorkState
from gqlstock.store.webhooks import WebhookDelivery, WebhookEndpoint
from support import shop_builders as make
from support.settled_news import settled

URL = "https://hooks.shop.example/gqlstock?shop=1"
DELIVERIES = """query ($endpoint: ID, $state: WebhookDeliveryState) {
  webhookDeliveries(endpoint: $endpoint, state: $state) {
    totalCount
    nodes { id endpoint { id url active } topic attempts state lastStatusCode lastError createdAt deliveredAt }
  }
}"""


async def made(client, *topics, url=URL):
    """The id of an endpoint."""
    payload = await client.done("createWebhookEndpoint", "endpoint { id }", url=url, topics=topics or ["ORDER_PLACED"])
    return payload["endpoint"]["id"]


async def dispatched():
    await settled()
    while await Dispatcher().step():
        pass


async def test_an_endpoint_is_made_and_its_secret_told_once(client):
    payload = await client.done(
        "createWebhookEndpoint",
        "endpoint { id url topics active createdAt } secret",
        url=f" {URL} ",
        topics=["ORDER_UPDATED", "ORDER_PLACED", "ORDER_UPDATED"],
    )

    endpoint = payload["endpoint"]
    assert (endpoint["url"], endpoint["active"]) == (URL, True)
    assert endpoint["topics"] == ["ORDER_PLACED", "ORDER_UPDATED"]
    assert payload["secret"].startswith("whsec_")
    found = await client.admin("{ webhookEndpoints { nodes { id url topics active } totalCount } }")
    assert found["webhookEndpoints"]["totalCount"] == 1
    assert found["webhookEndpoints"]["nodes"][0]["id"] == endpoint["id"]
    changed = await client.done("updateWebhookEndpoint", "secret endpoint { url }", id=endpoint["id"], active=False)
    assert changed == {"secret": None, "endpoint": {"url": URL}, "userErrors": []}


async def test_an_endpoint_is_changed_in_what_is_given(client):
    endpoint = await made(client)

    payload = await client.done(
        "updateWebhookEndpoint",
        "endpoint { url topics active }",
        id=endpoint,
        url="https://other.example/",
        topics=["LOW_INVENTORY"],
        active=None,
    )

    assert payload["endpoint"] == {"url": "https://other.example/", "topics": ["LOW_INVENTORY"], "active": True}


async def test_a_deleted_endpoint_is_in_no_list_and_its_deliveries_still_name_it(client):
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG")
    endpoint = await made(client)
    await make.order("MUG")
    await dispatched()

    payload = await client.done("deleteWebhookEndpoint", "deletedId", id=endpoint)

    assert payload["deletedId"] == endpoint
    found = await client.admin("{ webhookEndpoints { nodes { id } } }")
    assert found["webhookEndpoints"]["nodes"] == []
    (delivery,) = (await client.admin(DELIVERIES))["webhookDeliveries"]["nodes"]
    assert delivery["endpoint"] == {"id": endpoint, "url": URL, "active": False}
    assert (delivery["state"], delivery["lastError"]) == ("FAILED", "The endpoint was deleted.")
    gone = [("NOT_FOUND", ["id"])]
    assert await client.refused("deleteWebhookEndpoint", id=endpoint) == gone
    assert await client.refused("updateWebhookEndpoint", id=endpoint, active=True) == gone
    assert await client.refused("redeliverWebhook", id=delivery["id"]) == [("INVALID_STATE", ["id"])]


async def test_deliveries_are_listed_by_endpoint_and_state_newest_first(client):
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG")
    one, two = await made(client), await made(client, "INVENTORY_CHANGED")
    await make.order("MUG")
    await make.order("MUG")
    await dispatched()
    await WebhookDelivery.filter(id=1).update(state=WorkState.DELIVERED)

    every = (await client.admin(DELIVERIES))["webhookDeliveries"]
    of_one = (await client.admin(DELIVERIES, endpoint=one))["webhookDeliveries"]
    pending = (await client.admin(DELIVERIES, endpoint=two, state="PENDING"))["webhookDeliveries"]
    nobodys = (await client.admin(DELIVERIES, endpoint="nonsense"))["webhookDeliveries"]

    ids = [nodes.row_id("WebhookDelivery", row["id"]) for row in every["nodes"]]
    assert ids == sorted(ids, reverse=True)
    assert (every["totalCount"], of_one["totalCount"], nobodys["totalCount"]) == (4, 2, 0)
    assert {row["topic"] for row in of_one["nodes"]} == {"ORDER_PLACED"}
    assert {row["state"] for row in pending["nodes"]} == {"PENDING"}
    shown = await client.admin("query ($id: ID!) { node(id: $id) { __typename id } }", id=every["nodes"][0]["id"])
    assert shown["node"] == {"__typename": "WebhookDelivery", "id": every["nodes"][0]["id"]}


async def test_a_failed_delivery_is_pending_again(client):
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG")
    await made(client)
    await make.order("MUG")
    await dispatched()
    await WebhookDelivery.filter(id=1).update(state=WorkState.FAILED, due_at=None, attempts=8)

    payload = await client.done(
        "redeliverWebhook", "delivery { state attempts }", id=nodes.global_id("WebhookDelivery", 1)
    )

    assert payload["delivery"] == {"state": "PENDING", "attempts": 8}
    assert (await WebhookDelivery.get(id=1)).due_at is not None


@pytest.mark.parametrize(
    ("given", "path", "told"),
    [
        ({"url": "ftp://shop.example/"}, ["url"], "ftp://shop.example/ is not a valid URL"),
        ({"url": "shop.example"}, ["url"], "shop.example is not a valid URL"),
        ({"url": "https:///x"}, ["url"], "https:///x is not a valid URL"),
        ({"url": "https://shop.example:99999/"}, ["url"], "https://shop.example:99999/ is not a valid URL"),
        ({"url": "https://a b.example/"}, ["url"], "contains a space"),
        ({"url": "https://u:p@shop.example/"}, ["url"], "must not contain a user or a fragment"),
        ({"url": "https://shop.example/#x"}, ["url"], "must not contain a user or a fragment"),
        ({"url": f"https://shop.example/{'x' * 2000}"}, ["url"], "the maximum is 2000"),
        ({"url": "http://127.0.0.1/"}, ["url"], "http://127.0.0.1/ is a private address"),
        ({"url": "http://localhost:8000/"}, ["url"], "is a private address"),
        ({"url": "http://2130706433/"}, ["url"], "is a private address"),
        ({"url": "http://0177.0.0.1/"}, ["url"], "is a private address"),
        ({"url": "http://[::ffff:10.0.0.1]/"}, ["url"], "is a private address"),
        ({"url": "http://169.254.169.254/latest"}, ["url"], "is a private address"),
        ({"url": "http://127.0.0.1/"}, ["url"], "unless GQLSTOCK_WEBHOOK_PRIVATE_ADDRESSES is true"),
        (
            {"url": "http://shop.example/"},
            ["url"],
            "http:// requires GQLSTOCK_WEBHOOK_PRIVATE_ADDRESSES=true",
        ),
        ({"warehouses": []}, ["warehouses"], "The list of warehouses is empty"),
        ({"topics": []}, ["topics"], "An endpoint needs at least one topic: LOW_INVENTORY, OUT_OF_STOCK"),
    ],
)
async def test_what_an_endpoint_cannot_be_is_refused_and_nothing_is_written(client, given, path, told):
    endpoint = await made(client)
    wanted = {"url": URL, "topics": ["ORDER_PLACED"]}

    assert await client.refused("createWebhookEndpoint", **wanted | given) == [("INVALID_INPUT", path)]
    assert await client.refused("updateWebhookEndpoint", id=endpoint, **given) == [("INVALID_INPUT", path)]
    payload = await client.change("updateWebhookEndpoint", id=endpoint, **given)
    assert told in payload["userErrors"][0]["message"]
    (row,) = await WebhookEndpoint.all()
    assert (row.url, row.stored_topics) == (URL, ["ORDER_PLACED"])


WAREHOUSES = "endpoint { warehouses { code name } topics } secret"


async def test_an_endpoint_is_for_some_warehouses_or_for_all(client):
    for code in ("BERLIN", "LYON"):
        await make.warehouse(code)
    some = await client.done(
        "createWebhookEndpoint", "endpoint { id warehouses { code } }", url=URL, topics=["TEST"], warehouses=["LYON"]
    )
    every = await client.done("createWebhookEndpoint", "endpoint { warehouses { code } }", url=URL, topics=["TEST"])

    assert some["endpoint"]["warehouses"] == [{"code": "LYON"}]
    assert every["endpoint"]["warehouses"] is None
    endpoint = some["endpoint"]["id"]
    left_out = await client.done("updateWebhookEndpoint", WAREHOUSES, id=endpoint, topics=["ORDER_PLACED"])
    both = await client.done("updateWebhookEndpoint", WAREHOUSES, id=endpoint, warehouses=["LYON", "BERLIN", "LYON"])
    found = await client.admin("{ webhookEndpoints { nodes { warehouses { code } } } }")
    null = await client.done("updateWebhookEndpoint", WAREHOUSES, id=endpoint, warehouses=None)

    assert left_out["endpoint"] == {"warehouses": [{"code": "LYON", "name": "Lyon"}], "topics": ["ORDER_PLACED"]}
    assert [one["code"] for one in both["endpoint"]["warehouses"]] == ["BERLIN", "LYON"]
    assert [one["warehouses"] for one in found["webhookEndpoints"]["nodes"]] == [
        [{"code": "BERLIN"}, {"code": "LYON"}],
        None,
    ]
    assert null["endpoint"]["warehouses"] is None


async def test_an_unknown_warehouse_is_refused_at_its_place_and_nothing_is_written(client):
    await make.warehouse("BERLIN")
    endpoint = await made(client)
    refused = [("NOT_FOUND", ["warehouses", "1"]), ("NOT_FOUND", ["warehouses", "2"])]
    codes = ["BERLIN", "OSLO", "ROME"]

    new = {"url": URL, "topics": ["ORDER_PLACED"], "warehouses": codes}
    assert await client.refused("createWebhookEndpoint", **new) == refused
    assert await client.refused("updateWebhookEndpoint", id=endpoint, active=False, warehouses=codes) == refused
    payload = await client.change("createWebhookEndpoint", **new)
    assert [one["message"] for one in payload["userErrors"]] == [
        "There is no warehouse OSLO.",
        "There is no warehouse ROME.",
    ]
    (row,) = await WebhookEndpoint.all()
    assert (row.active, row.warehouses) == (True, None)


async def test_what_was_sent_can_be_read_afterwards(client):
    await make.shop()
    await make.product("MUG")
    await make.setting(quantity_uses_decimals=True)
    await make.stock("MUG", on_hand="7.25")
    await made(client, "ORDER_PLACED")
    await make.order("MUG", "0.1")
    await dispatched()

    found = await client.admin("{ webhookDeliveries { nodes { topic payload } } }")

    (delivery,) = found["webhookDeliveries"]["nodes"]
    (row,) = await WebhookDelivery.all()
    assert delivery == {"topic": "ORDER_PLACED", "payload": json.loads(row.body)}
    assert delivery["payload"]["type"] == "order.placed"
    assert delivery["payload"]["data"]["order"]["lines"][0]["quantity"] == 0.1


async def test_a_test_is_queued_at_once_whatever_the_topics_are_and_can_be_looked_up(client):
    endpoint = await made(client, "ORDER_PLACED")

    payload = await client.done(
        "testWebhookEndpoint", "delivery { id topic state attempts payload endpoint { id } }", id=endpoint
    )

    delivery = payload["delivery"]
    assert (delivery["topic"], delivery["state"], delivery["attempts"]) == ("TEST", "PENDING", 0)
    assert delivery["endpoint"] == {"id": endpoint}
    assert (delivery["payload"]["type"], delivery["payload"]["data"]) == ("test", {"endpoint": {"id": endpoint}})
    (row,) = await WebhookDelivery.all()
    assert row.due_at is not None
    shown = await client.admin(
        "query ($id: ID!) { node(id: $id) { ... on WebhookDelivery { state } } }", id=delivery["id"]
    )
    assert shown["node"] == {"state": "PENDING"}
    await client.done("updateWebhookEndpoint", id=endpoint, active=False)
    assert await client.refused("testWebhookEndpoint", id=endpoint) == [("INVALID_STATE", ["id"])]


async def test_a_rotated_secret_is_shown_once_and_is_another_one(client):
    payload = await client.done("createWebhookEndpoint", "endpoint { id } secret", url=URL, topics=["ORDER_PLACED"])
    endpoint, first = payload["endpoint"]["id"], payload["secret"]

    rotated = await client.done("rotateWebhookSecret", "endpoint { id url active } secret", id=endpoint)

    assert rotated["endpoint"] == {"id": endpoint, "url": URL, "active": True}
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", rotated["secret"])
    assert rotated["secret"] != first
    (row,) = await WebhookEndpoint.all()
    assert (row.secret, row.previous_secret) == (rotated["secret"], first)
    later = await client.done("updateWebhookEndpoint", "secret", id=endpoint, active=False)
    assert later["secret"] is None
    # An inactive one may be rotated: it is what a leaked secret calls for.
    assert (await client.done("rotateWebhookSecret", "secret", id=endpoint))["secret"] is not None


async def test_a_token_for_some_warehouses_makes_no_endpoint_not_even_for_its_own(client):
    await make.warehouse("BERLIN")
    endpoint = await made(client)

    limited = client.within("BERLIN")
    for mutation, given in (
        ("createWebhookEndpoint", 'url: "https://shop.example/", topics: [TEST], warehouses: ["BERLIN"]'),
        ("updateWebhookEndpoint", f'id: "{endpoint}", warehouses: ["BERLIN"]'),
        ("testWebhookEndpoint", f'id: "{endpoint}"'),
        ("rotateWebhookSecret", f'id: "{endpoint}"'),
    ):
        query = f"mutation {{ {mutation}(input: {{ {given} }}) {{ userErrors {{ message }} }} }}"
        wrong = await limited.scoped("admin", query)
        assert [error["extensions"]["code"] for error in wrong["errors"]] == ["FORBIDDEN"], mutation
    (row,) = await WebhookEndpoint.all()
    assert (row.warehouses, row.previous_secret, await WebhookDelivery.all().count()) == (None, None, 0)


@pytest.mark.parametrize(
    "mutation",
    [
        "updateWebhookEndpoint",
        "deleteWebhookEndpoint",
        "testWebhookEndpoint",
        "rotateWebhookSecret",
        "redeliverWebhook",
    ],
)
@pytest.mark.parametrize("told", ["nonsense", nodes.global_id("Order", 1), nodes.global_id("WebhookEndpoint", 77)])
async def test_an_id_of_nothing_is_not_found(client, mutation, told):
    assert await client.refused(mutation, id=told) == [("NOT_FOUND", ["id"])]


async def test_a_node_of_webhooks_is_for_those_who_may_see_the_list(client):
    endpoint = await made(client)
    query = "query ($id: ID!) { node(id: $id) { id } }"

    wrong = await client.scoped("inventory:read orders:read settings:write", query, id=endpoint)
    right = await client.scoped("webhooks:write", query, id=endpoint)

    assert wrong["data"] == {"node": None}
    assert [error["extensions"]["code"] for error in wrong["errors"]] == ["FORBIDDEN"]
    assert right == {"data": {"node": {"id": endpoint}}}
