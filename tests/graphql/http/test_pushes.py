"""A push for equal subscriptions is executed and encoded once, and never reaches a caller who may see something else."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gqlstock.graphql.http.pushes import Push
from gqlstock.graphql.http.turns import Turns
from gqlstock.rules.scopes import Scope
from gqlstock.services import catalog
from gqlstock.stock.reading import Reading
from gqlstock.store.db.outages import Unavailable
from support import shop_builders as make
from support.settled_news import settled
from support.statement_counter import Statements
from support.subscriptions import Pushes, Shop, open_shop

SHELF = """subscription Shelf($skus: [String!]!, $full: Boolean = true) {
  availabilityChanges(skus: $skus) { sku orderable visible salableQuantity item { id name @include(if: $full) } }
}"""
LEVELS = """subscription ($skus: [String!]) {
  inventoryChanges(skus: $skus) { level { onHand item { sku } } movement { quantity reference } }
}"""
ALERTS = "subscription { lowInventoryAlerts { alert { sku state item { name } } } }"
ORDERS = "subscription { orderChanges { order { number lines { sku quantity } } } }"


@pytest.fixture
async def shop(db: None) -> AsyncIterator[Shop]:
    """MUG and CUP, 10 of each in BERLIN, the quantity shown to nobody who may not see it."""
    await make.shop()
    for sku in ("MUG", "CUP"):
        await make.product(sku)
        await make.stock(sku, on_hand=10)
    await make.setting(notify_below=5)
    await settled()
    async with open_shop() as opened:
        yield opened


@contextlib.asynccontextmanager
async def many(shop: Shop, count: int, query: str, *scopes: Scope, **variables: Any) -> AsyncIterator[list[Pushes]]:
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(shop.subscribed(query, *scopes, **variables)) for _ in range(count)]


async def told(subscribers: list[Pushes]) -> list[Any]:
    return [await one.next() for one in subscribers]


@pytest.mark.parametrize(
    ("query", "scope"),
    [
        (SHELF, None),
        (LEVELS, Scope.INVENTORY_READ),
        (ALERTS, Scope.INVENTORY_READ),
        (ORDERS, Scope.ORDERS_READ),
    ],
)
async def test_a_push_for_equal_subscriptions_is_executed_once(shop: Shop, query: str, scope: Scope | None) -> None:
    scopes = [scope] if scope else []
    variables = {"skus": ["MUG"]} if "$skus" in query else {}
    async with many(shop, 20, query, *scopes, **variables) as all_20:
        if scope is None:
            await told(all_20)
        before = shop.pushes.executed
        await make.order("MUG", 10)
        pushed = await told(all_20)

        assert shop.pushes.executed == before + 1
    assert all(one == pushed[0] for one in pushed)


async def test_what_a_push_reads_is_read_once_for_all(shop: Shop, statements: Statements) -> None:
    cost = {}
    for count in (1, 20):
        async with many(shop, count, ORDERS, Scope.ORDERS_READ) as subscribers:
            with statements.counted() as sent:
                await make.order("MUG", 1)
                await told(subscribers)
            cost[count] = len(sent)

    assert cost[20] <= cost[1] + 2


async def test_variables_that_only_choose_the_events_do_not_keep_a_push_from_being_shared(shop: Shop) -> None:
    async with (
        shop.subscribed(SHELF, skus=["MUG"]) as one,
        shop.subscribed(SHELF, skus=["CUP", "MUG"]) as other,
        shop.subscribed(SHELF, skus=["MUG"], full=False) as short,
    ):
        await told([one, other, other, short])
        before = shop.pushes.executed
        await make.stock("MUG", on_hand=0)
        pushed = await told([one, other, short])

        assert shop.pushes.executed == before + 2
    assert [("name" in one["item"]) for one in pushed] == [True, True, False]


@pytest.mark.parametrize("the_public_comes_first", [True, False])
async def test_what_one_caller_may_see_is_pushed_to_no_other(shop: Shop, the_public_comes_first: bool) -> None:
    clerk: tuple[Scope, ...] = (Scope.INVENTORY_READ,)
    one, other = ((), clerk) if the_public_comes_first else (clerk, ())
    async with (
        shop.subscribed(SHELF, *one, skus=["MUG"]) as first,
        shop.subscribed(SHELF, *other, skus=["MUG"]) as then,
    ):
        await told([first, then])
        await make.stock("MUG", on_hand=0)
        await told([first, then])
        await make.stock("MUG", on_hand=7)
        seen = [push["salableQuantity"] for push in await told([first, then])]

    assert seen == ([None, 7] if the_public_comes_first else [7, None])


@pytest.mark.parametrize("the_wider_comes_first", [True, False])
async def test_a_token_of_other_scopes_or_warehouses_gets_a_push_of_its_own(
    shop: Shop, the_wider_comes_first: bool
) -> None:
    reads = Scope.INVENTORY_READ
    of_orders = [(reads, Scope.ORDERS_READ), (reads,)]
    if not the_wider_comes_first:
        of_orders.reverse()
    munich = await make.warehouse("MUNICH")
    async with (
        shop.subscribed(LEVELS, *of_orders[0]) as one,
        shop.subscribed(LEVELS, *of_orders[1]) as other,
        shop.subscribed(LEVELS, reads, within=[munich]) as elsewhere,
    ):
        before = shop.pushes.executed
        await make.order("MUG", 1)
        await told([one, other])
        assert await elsewhere.nothing()

        assert shop.pushes.executed == before + 2


async def test_callers_who_may_see_the_same_share_a_push_that_names_neither(shop: Shop) -> None:
    async with many(shop, 2, LEVELS, Scope.INVENTORY_READ) as subscribers:
        before = shop.pushes.executed
        await make.stock("MUG", on_hand=7)
        pushed = await told(subscribers)

    assert shop.pushes.executed == before + 1
    assert pushed[0] == pushed[1]


async def test_an_item_that_is_taken_down_is_one_push_for_all_who_were_shown_it(shop: Shop) -> None:
    async with many(shop, 20, SHELF, skus=["MUG"]) as subscribers:
        await told(subscribers)
        before = shop.pushes.executed
        await catalog.update_product("MUG", {"published": False})
        pushed = await told(subscribers)

        assert shop.pushes.executed == before + 1
    assert {(one["visible"], one["orderable"]) for one in pushed} == {(False, False)}


async def test_a_push_is_its_text() -> None:
    push = Push(None, {"field": {"name": 'Mug "blue"', "price": 1.5, "list": [None, True]}}, None)

    assert json.loads(push.encoded) == {"data": push.data}
    assert push.data == {"field": {"name": 'Mug "blue"', "price": 1.5, "list": [None, True]}}


async def test_others_get_the_event_loop_between_the_turns_of_many() -> None:
    turns = Turns()
    taken: list[int] = []

    async def work(number: int) -> None:
        for _ in range(10):
            await turns.wait()
            taken.append(number)

    working = [asyncio.create_task(work(number)) for number in range(500)]
    most, last = 0, 0
    while not all(task.done() for task in working):
        await asyncio.sleep(0)
        most, last = max(most, len(taken) - last), len(taken)

    assert len(taken) == 5_000
    assert most <= 2 * 64
    # Who came last had its first turn before those who came first had had more than a round each.
    assert taken.index(499) < 500 + 64


async def test_whoever_goes_away_while_it_waits_for_a_turn_keeps_nobody_from_theirs() -> None:
    turns = Turns()

    async def work() -> None:
        for _ in range(100):
            await turns.wait()

    working = [asyncio.create_task(work()) for _ in range(50)]
    await asyncio.sleep(0)
    for task in working[:25]:
        task.cancel()
    async with asyncio.timeout(10):
        await asyncio.gather(*working[25:])


async def test_an_outage_during_a_push_ends_the_subscription_which_goes_on_from_its_last_cursor_without_a_gap(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = """subscription ($after: String) { inventoryChanges(after: $after) {
        cursor movement { quantity } level { movements(first: 1) { nodes { id } } }
    } }"""

    async def away(*_: Any) -> Any:
        raise Unavailable("the database is unavailable")

    async with shop.subscribed(query, Scope.INVENTORY_READ) as heard:
        await make.stock("MUG", on_hand=11)
        first = await heard.next()
        await make.stock("MUG", on_hand=13)
        await heard.next()
        with monkeypatch.context() as patched:
            # Pushes are executed within a read.
            patched.setattr(Reading, "fetch", away)
            await make.stock("MUG", on_hand=16)
            results = await heard.until_end()
    await make.stock("MUG", on_hand=20)
    async with shop.subscribed(query, Scope.INVENTORY_READ, after=first["cursor"]) as heard:
        missed = [(await heard.next())["movement"]["quantity"] for _ in range(3)]

    assert [(result.data, [error.extensions for error in result.errors]) for result in results] == [
        (None, [{"code": "INTERNAL", "retryAfter": 2}])
    ]
    assert (first["movement"]["quantity"], missed) == (1, [2, 3, 4])
