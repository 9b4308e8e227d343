"""An order followed live by its access token: what is pushed, from where on, and to whom."""

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from gqlstock.rules import orders as order_rules
from gqlstock.rules.scopes import SYSTEM, Scope
from gqlstock.rules.settings import BackorderMode
from gqlstock.services import cancel_order, list_orders, order_tokens, receive, ship
from gqlstock.services.cancel_order import CancelOrderRequest
from gqlstock.services.receive import AnnounceStockRequest
from gqlstock.services.ship import CreateShipmentRequest
from gqlstock.services.stock_edits import StockLine
from gqlstock.store import outbox
from support import shop_builders as make
from support.settled_news import settled
from support.statement_counter import Statements
from support.subscriptions import Shop, open_shop

MINE = """subscription ($token: String!, $after: String) {
  orderChangesByToken(token: $token, after: $after) { cursor changedAt order { number status } }
}"""
MY_ORDER_CHANGES = """subscription MyOrderChanges($token: String!, $after: String) {
  orderChangesByToken(token: $token, after: $after) { cursor order { status expectedAt lines { expectedAt shipped } } }
}"""
ALL = "subscription ($after: String) { orderChanges(after: $after) { cursor order { number status } } }"


@pytest.fixture
async def shop(db: None) -> AsyncIterator[Shop]:
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=100)
    await settled()
    async with open_shop() as opened:
        yield opened


async def placed(quantity: int = 2) -> tuple[str, str]:
    """An order's number and access token."""
    order_id = await make.order("MUG", quantity)
    (order,) = (await list_orders.by_id([order_id])).values()
    (token,) = await order_tokens.tokens([order])
    await settled()
    return order_rules.number(order_id), token


async def cancel(number: str) -> None:
    await cancel_order.cancel(SYSTEM, CancelOrderRequest(number))


async def test_the_shopper_follows_the_page_of_their_order(shop: Shop) -> None:
    await make.setting(product="MUG", backorders=BackorderMode.ALLOW)
    number, token = await placed(101)
    soon = datetime(2099, 12, 3, tzinfo=UTC)

    async with shop.subscribed(MY_ORDER_CHANGES, token=token) as pushes:
        await receive.announce(SYSTEM, AnnounceStockRequest("BERLIN", (StockLine("MUG", Decimal(5)),), soon))
        dated = (await pushes.next())["order"]
        await make.stock("MUG", on_hand=10)
        there = (await pushes.next())["order"]
        packed = await ship.create(SYSTEM, CreateShipmentRequest(number, "BERLIN"))
        await pushes.next()
        await ship.ship(SYSTEM, f"S{100_000 + packed.ids['shipment'][0]}", None, None)
        gone = (await pushes.next())["order"]

    told = "2099-12-03T00:00:00Z"
    assert dated == {"status": "PLACED", "expectedAt": told, "lines": [{"expectedAt": told, "shipped": 0}]}
    assert there == {"status": "PLACED", "expectedAt": None, "lines": [{"expectedAt": None, "shipped": 0}]}
    assert gone == {"status": "SHIPPED", "expectedAt": None, "lines": [{"expectedAt": None, "shipped": 101}]}


async def test_only_changes_of_that_order_are_pushed(shop: Shop) -> None:
    (mine, token), (other, _) = await placed(), await placed()

    async with shop.subscribed(MINE, token=token) as pushes:
        await cancel(other)
        await placed()
        await cancel(mine)

        assert (await pushes.next())["order"] == {"number": mine, "status": "CANCELED"}
        assert await pushes.nothing()


async def test_a_client_that_comes_back_misses_nothing_and_sees_nothing_twice(shop: Shop) -> None:
    number, token = await placed()
    start = await outbox.latest()
    async with shop.subscribed(MINE, token=token) as pushes:
        await ship.create(SYSTEM, CreateShipmentRequest(number, "BERLIN"))
        cursor = (await pushes.next())["cursor"]
    await cancel(number)
    await placed()

    async with shop.subscribed(MINE, token=token, after=cursor) as pushes:
        missed = await pushes.next()
        assert missed["order"] == {"number": number, "status": "CANCELED"}
        assert await pushes.nothing()
    async with shop.subscribed(MINE, token=token, after=missed["cursor"]) as pushes:
        assert await pushes.nothing()
    assert await outbox.latest() > start


async def test_a_cursor_of_the_feed_will_do_as_well(shop: Shop) -> None:
    number, token = await placed()
    async with shop.subscribed(ALL, Scope.ORDERS_READ) as pushes:
        await placed()
        cursor = (await pushes.next())["cursor"]
    await cancel(number)

    async with shop.subscribed(MINE, token=token, after=cursor) as mine:
        assert (await mine.next())["order"] == {"number": number, "status": "CANCELED"}


async def test_a_shoppers_cursor_tells_nothing_and_is_for_that_order_alone(shop: Shop) -> None:
    (number, token), (_, other) = await placed(), await placed()
    async with shop.subscribed(MINE, token=token) as mine, shop.subscribed(ALL, Scope.ORDERS_READ) as every:
        await cancel(number)
        cursor, open_cursor = (await mine.next())["cursor"], (await every.next())["cursor"]

    place = base64.urlsafe_b64decode(open_cursor).decode().split(":")[1:]
    assert len(cursor) == 64
    assert not any(part.encode() in base64.urlsafe_b64decode(cursor) for part in place if len(part) > 2)
    for query, given in ((MINE, {"token": other}), (ALL, {})):
        scopes = [] if given else [Scope.ORDERS_READ]
        async with shop.subscribed(query, *scopes, after=cursor, **given) as pushes:
            assert await pushes.error() == "INVALID_CURSOR"


@pytest.mark.parametrize("wrong", ["", "x", "A" * 64, "B" * 100_000])
async def test_a_wrong_token_is_refused_at_once(shop: Shop, wrong: str) -> None:
    async with shop.subscribed(MINE, token=wrong) as pushes:
        assert await pushes.error() == "BAD_USER_INPUT"


async def test_a_wrong_cursor_is_refused(shop: Shop) -> None:
    _, token = await placed()

    async with shop.subscribed(MINE, token=token, after="MQ==") as pushes:
        assert await pushes.error() == "INVALID_CURSOR"


async def test_a_subscription_shows_nothing_more_once_its_token_is_not_valid_any_more(shop: Shop) -> None:
    number, token = await placed()

    async with shop.subscribed(MINE, token=token) as pushes:
        await order_tokens.renew()
        await cancel(number)

        assert await pushes.error() == "BAD_USER_INPUT"


FULL = """subscription ($token: String!) { orderChangesByToken(token: $token) { order {
  accessToken movements { totalCount } lines { allocations { quantity } } shipments { state } } } }"""


async def test_a_push_shows_the_shopper_what_their_order_shows_them_and_staff_no_more_than_their_scopes(
    shop: Shop,
) -> None:
    number, token = await placed()

    async with (
        shop.subscribed(FULL, token=token) as shopper,
        shop.subscribed(FULL, Scope.CATALOG_READ, token=token) as catalog,
        shop.subscribed(FULL, Scope.ORDERS_READ, Scope.INVENTORY_READ, token=token) as staff,
    ):
        await ship.create(SYSTEM, CreateShipmentRequest(number, "BERLIN"))
        seen = [(await one.next())["order"] for one in (shopper, catalog, staff)]

    hidden = {"accessToken": None, "movements": None, "lines": [{"allocations": []}], "shipments": [{"state": "READY"}]}
    assert seen[:2] == [hidden, hidden]
    assert seen[2] == {
        "accessToken": token,
        "movements": {"totalCount": 1},
        "lines": [{"allocations": [{"quantity": 2}]}],
        "shipments": [{"state": "READY"}],
    }


async def test_those_who_follow_one_order_share_its_pushes(shop: Shop) -> None:
    number, token = await placed()

    async with shop.subscribed(MINE, token=token) as one, shop.subscribed(MINE, token=token) as two:
        await cancel(number)
        assert await one.next() == await two.next()

    assert shop.pushes.executed == 1


async def test_the_traffic_of_other_orders_costs_those_who_follow_theirs_no_statement(
    shop: Shop, statements: Statements
) -> None:
    async def cost(*tokens: str) -> int:
        subscriptions: list[Any] = [shop.subscribed(MINE, token=token) for token in tokens]
        for one in subscriptions:
            await one.__aenter__()
        with statements.counted() as sent:
            for other in others:
                await cancel(other)
                await settled()
        reads = [one for one in sent if "customer_order" in one and one.lstrip("(\"'").startswith("SELECT")]
        for one in subscriptions:
            await one.__aexit__(None, None, None)
        return len(reads)

    mine = [(await placed())[1] for _ in range(5)]
    others = [(await placed())[0] for _ in range(3)]
    with_followers = await cost(*mine)
    others = [(await placed())[0] for _ in range(3)]
    without = await cost()

    assert with_followers == without > 0
