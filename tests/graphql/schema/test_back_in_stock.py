"""Waiting for an item through the API: what the public is told, and what it cannot find out."""

import asyncio

import pytest

from gqlstock.rules.back_in_stock import BackInStockState
from gqlstock.rules.catalog import InventoryStatus
from gqlstock.rules.settings import BackorderMode
from gqlstock.services import catalog
from gqlstock.store.back_in_stock import BackInStockSubscription
from support import shop_builders as make
from support.graphql_client import codes

ANNA = "Anna@shoppers.example"
SUBSCRIBE = """mutation ($input: SubscribeToBackInStockInput!) {
  subscribeToBackInStock(input: $input) {
    subscription { id sku email state createdAt notifiedAt website { code name } }
    userErrors { __typename code message path }
  }
}"""


@pytest.fixture
async def shop(client):
    """MUG is out of stock, CUP is not."""
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=0)
    await make.product("CUP")
    await make.stock("CUP", on_hand=3)


async def asks(client, email=ANNA, sku="MUG", **more):
    """What the public is answered."""
    answer = await client.public(SUBSCRIBE, input={"sku": sku, "email": email, **more})
    return answer["subscribeToBackInStock"]


async def test_anybody_may_leave_an_address(client, shop):
    payload = await asks(client, website="shop")

    assert payload["userErrors"] == []
    found = payload["subscription"]
    assert (found["sku"], found["email"], found["state"], found["notifiedAt"]) == ("MUG", ANNA, "WAITING", None)
    assert found["website"] == {"code": "shop", "name": "Shop"}
    assert await BackInStockSubscription.all().count() == 1


async def test_asking_again_is_one_subscription_and_looks_like_asking(client, shop):
    first = (await asks(client))["subscription"]
    again = (await asks(client, email="aNNa@Shoppers.example"))["subscription"]

    assert again["id"] == first["id"]
    assert again["createdAt"] > first["createdAt"]
    assert again | {"createdAt": "", "email": ""} == first | {"createdAt": "", "email": ""}
    assert await BackInStockSubscription.all().count() == 1


async def test_one_address_that_asks_many_times_at_once_is_one_subscription(client, shop):
    answers = await asyncio.gather(*(asks(client) for _ in range(8)))

    assert len({answer["subscription"]["id"] for answer in answers}) == 1
    assert await BackInStockSubscription.all().count() == 1


async def test_ids_do_not_tell_who_came_first(client, shop):
    ids = [(await asks(client, email=f"s{n}@shoppers.example"))["subscription"]["id"] for n in range(12)]
    rows = {row.email: row.id for row in await BackInStockSubscription.all()}

    in_turn = [rows[f"s{n}@shoppers.example"] for n in range(12)]
    assert len(set(ids)) == 12
    assert in_turn != sorted(in_turn)
    assert min(in_turn) > 2**40


@pytest.mark.parametrize("state", [BackInStockState.NOTIFIED, BackInStockState.CANCELED])
async def test_after_the_mail_or_a_cancellation_a_new_one_may_be_made(client, shop, state):
    first = (await asks(client))["subscription"]
    await BackInStockSubscription.filter(sku="MUG").update(state=state)

    again = (await asks(client))["subscription"]

    assert again["id"] != first["id"]
    assert again["state"] == "WAITING"
    assert await BackInStockSubscription.all().count() == 2


async def unpublish():
    await catalog.update_product("MUG", {"published": False})


async def discontinue():
    await catalog.update_product("MUG", {"inventory_status": InventoryStatus.DISCONTINUED})


async def switch_off():
    await make.setting(product="MUG", allow_back_in_stock_subscriptions=False)


async def take_backorders():
    await make.setting(product="MUG", backorders=BackorderMode.ALLOW)


async def delete():
    await catalog.delete_product("MUG")


@pytest.mark.parametrize(
    ("given", "change", "code", "path"),
    [
        ({"sku": "CUP"}, None, "INVALID_STATE", "sku"),
        ({}, take_backorders, "INVALID_STATE", "sku"),
        ({}, discontinue, "INVALID_STATE", "sku"),
        ({}, switch_off, "INVALID_STATE", "sku"),
        ({}, unpublish, "NOT_FOUND", "sku"),
        ({}, delete, "NOT_FOUND", "sku"),
        ({"sku": "NOPE"}, None, "NOT_FOUND", "sku"),
        ({"website": "nope"}, None, "NOT_FOUND", "website"),
        ({"email": "anna at home"}, None, "INVALID_INPUT", "email"),
        ({"email": "anna@shop.example\r\nBcc: x@y.example"}, None, "INVALID_INPUT", "email"),
    ],
)
async def test_what_nobody_can_wait_for_is_refused_and_nothing_is_written(client, shop, given, change, code, path):
    if change is not None:
        await change()

    wanted = {"sku": "MUG", "email": ANNA} | given
    assert await client.refused("subscribeToBackInStock", **wanted) == [(code, [path])]
    assert await BackInStockSubscription.all().count() == 0


async def test_an_unpublished_item_looks_like_one_that_does_not_exist(client, shop):
    await unpublish()

    (hidden,) = (await asks(client))["userErrors"]
    (missing,) = (await asks(client, sku="NOPE"))["userErrors"]

    assert hidden["message"].replace("MUG", "NOPE") == missing["message"]
    assert hidden | {"message": ""} == missing | {"message": ""}


async def test_what_can_be_waited_for_is_what_says_so(client, shop):
    await make.product("SHIRT", options={"Size": ["S", "M"]})
    await make.stock("SHIRT-S", on_hand=0)
    for sku, expected in (("MUG", True), ("CUP", False), ("SHIRT", True), ("SHIRT-S", True), ("SHIRT-M", True)):
        found = await client.public(
            "query ($sku: String!) { availabilities(skus: [$sku]) { canSubscribeBackInStock } }", sku=sku
        )
        assert found["availabilities"][0]["canSubscribeBackInStock"] is expected, sku
        assert ((await asks(client, sku=sku))["userErrors"] == []) is expected, sku


async def test_the_public_learns_nothing_of_warehouses_from_the_website_that_it_waits_on(client, shop):
    query = SUBSCRIBE.replace("code name", "code warehouses { warehouse { code address { city } } }")

    answer = await client.ask(query, {"input": {"sku": "MUG", "email": ANNA}})

    assert codes(answer) == []
    found = answer["data"]["subscribeToBackInStock"]
    assert found["userErrors"] == []
    assert found["subscription"]["website"] == {"code": "shop", "warehouses": []}


async def test_who_waits_is_for_those_who_may_read_orders(client, shop):
    made = (await asks(client))["subscription"]["id"]
    await asks(client, email="ben@shoppers.example")
    await BackInStockSubscription.filter(email="ben@shoppers.example").update(state=BackInStockState.NOTIFIED)
    listed = "{ backInStockSubscriptions(%s) { totalCount nodes { email } } }"
    node = "query ($id: ID!) { node(id: $id) { ... on BackInStockSubscription { email } } }"

    found = await client.scoped("orders:read", listed % 'sku: "MUG", state: WAITING')
    every = await client.scoped("orders:read", listed % "first: 5")
    none = await client.scoped("orders:read", listed % 'sku: "CUP"')
    shown = await client.scoped("orders:read", node, id=made)
    public = await client.ask(node, {"id": made})

    assert found["data"]["backInStockSubscriptions"] == {"totalCount": 1, "nodes": [{"email": ANNA}]}
    assert [one["email"] for one in every["data"]["backInStockSubscriptions"]["nodes"]] == [
        "ben@shoppers.example",
        ANNA,
    ]
    assert none["data"]["backInStockSubscriptions"]["totalCount"] == 0
    assert shown["data"]["node"] == {"email": ANNA}
    assert codes(public) == [("UNAUTHENTICATED", ["node"])]


async def test_an_unknown_token_is_not_found_and_nothing_is_written(client, shop):
    await asks(client)

    assert await client.refused("unsubscribeFromBackInStock", token="guessed") == [("NOT_FOUND", ["token"])]
    assert await client.refused("unsubscribeFromBackInStock", token="") == [("NOT_FOUND", ["token"])]
    (row,) = await BackInStockSubscription.all()
    assert row.state is BackInStockState.WAITING
