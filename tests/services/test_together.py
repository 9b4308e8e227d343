"""What orders and stock changes of one moment do to each other: nothing but what they would one after the other."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

import life
import make
from asking import Statements
from gqlstock.rules.refusals import Code, Refused
from gqlstock.rules.scopes import SYSTEM, Caller
from gqlstock.rules.settings import BackorderMode
from gqlstock.services import orders, stock, together, verification
from gqlstock.services.availability import Stockroom
from gqlstock.services.orders import Asked, OrderLine
from gqlstock.services.stock import Adjustment, Counting, StockCount, StockDelta, StockLine, Transfer
from gqlstock.services.together import Stock
from gqlstock.stock.command import Result
from gqlstock.store import database
from gqlstock.store.alerts import LowInventoryAlert
from gqlstock.store.catalog import Item
from gqlstock.store.idempotency import KeptAnswer, Ticket
from gqlstock.store.inventory import InventoryLevel, StockMovement
from gqlstock.store.orders import Order
from gqlstock.store.outbox import OutboxEntry


@pytest.fixture
async def shop(db: None) -> None:
    """MUG and CUP, 10 of each in BERLIN and none in HAMBURG; the website shop sells from both."""
    await make.warehouse("BERLIN")
    await make.warehouse("HAMBURG")
    await make.website("shop", warehouses=["BERLIN", "HAMBURG"])
    for sku in ("MUG", "CUP"):
        await make.product(sku)
        await make.stock(sku, on_hand=10)
        await make.stock(sku, "HAMBURG", on_hand=0)


async def place(sku: str = "MUG", units: int = 1, **more: Any) -> Result:
    return await orders.place(SYSTEM, Asked((OrderLine(sku, Decimal(units)),)), **more)


async def adjust(sku: str, delta: int, warehouse: str = "BERLIN", **more: Any) -> Result:
    return await stock.adjust(SYSTEM, Adjustment((StockDelta(sku, warehouse, Decimal(delta)),)), **more)


async def at_once(*calls: Any) -> list[Any]:
    """What calls of one moment are told: the first begins alone, the others are its next group."""
    return await asyncio.gather(*calls, return_exceptions=True)


async def on_hand(sku: str, warehouse: str = "BERLIN") -> Decimal:
    return (await InventoryLevel.get(item__sku=sku, warehouse__code=warehouse)).on_hand


def codes(told: Any) -> list[Code]:
    assert isinstance(told, Refused)
    return [refusal.code for refusal in told.refusals]


async def test_of_more_orders_than_there_are_units_as_many_are_placed_as_there_are(shop: None) -> None:
    told = await at_once(*(place("MUG", 3) for _ in range(8)))

    assert [isinstance(one, Result) for one in told] == [True] * 3 + [False] * 5
    assert [codes(one) for one in told[3:]] == [[Code.INSUFFICIENT_STOCK]] * 5
    assert await on_hand("MUG") == 1
    assert await Order.all().count() == 3
    assert await StockMovement.filter(kind="SALE").count() == 3
    assert await verification.verify() == []


async def test_each_has_an_outcome_of_its_own(shop: None) -> None:
    told = await at_once(
        place("CUP"),
        place("MUG", 4),
        place("NONE"),
        place("MUG", 7),
        adjust("MUG", 2),
        adjust("MUG", -50),
        place("MUG", 8),
        stock.adjust(SYSTEM, Adjustment((StockDelta("MUG", "NOWHERE", Decimal(1)),))),
        orders.place(SYSTEM, Asked((OrderLine("MUG", Decimal(1)),), website="none")),
    )

    assert [isinstance(one, Result) for one in told] == [True, True, False, False, True, False, True, False, False]
    assert [codes(told[place]) for place in (2, 3, 5, 7, 8)] == [
        [Code.NOT_FOUND],
        [Code.INSUFFICIENT_STOCK],
        [Code.INSUFFICIENT_STOCK],
        [Code.NOT_FOUND],
        [Code.NOT_FOUND],
    ]
    assert await on_hand("MUG") == 0
    movements = await StockMovement.filter(level__item__sku="MUG", level__warehouse__code="BERLIN").order_by("id")
    assert [(one.kind.value, one.quantity, one.on_hand_after) for one in movements[1:]] == [
        ("SALE", -4, 6),
        ("ADJUSTMENT", 2, 8),
        ("SALE", -8, 0),
    ]
    assert await verification.verify() == []


async def test_what_is_refused_keeps_no_key_and_tells_no_news(shop: None) -> None:
    await place("CUP")
    news = await OutboxEntry.all().count()

    told = await at_once(*(place("MUG", 11, key=f"k{number}") for number in range(4)))

    assert [codes(one) for one in told] == [[Code.INSUFFICIENT_STOCK]] * 4
    assert await KeptAnswer.all().count() == 0
    assert await OutboxEntry.all().count() == news


async def test_keys_of_those_that_were_done_are_kept_beside_those_that_were_refused(shop: None) -> None:
    first = await at_once(place("CUP", key="a"), place("MUG", 9, key="b"), place("MUG", 9, key="c"))

    again = await at_once(place("CUP", key="a"), place("MUG", 9, key="b"), place("MUG", 1, key="c"))

    assert again[:2] == first[:2]
    assert isinstance(again[2], Result)
    assert await Order.all().count() == 3
    assert sorted(await KeptAnswer.all().values_list("key", flat=True)) == ["a", "b", "c"]


@dataclass
class Broken:
    """A call that nobody foresaw to fail, after it has changed stock."""

    caller: Caller = SYSTEM
    ticket: Ticket | None = None
    skus: Collection[str] = ("MUG",)

    def claims(self, items: Mapping[str, Item], room: Stockroom) -> Mapping[int, Item]:
        return {item.id: item for item in items.values() if item.sku == "MUG"}

    async def decide(self, stock: Stock) -> Callable[[], Result]:
        for level in stock.claim.levels(stock.items["MUG"].id):
            await InventoryLevel.filter(id=level.id).update(on_hand=Decimal(777))
            level.on_hand = Decimal(777)
        raise LookupError("nobody foresaw this")


async def test_a_failure_of_one_touches_no_other(shop: None) -> None:
    told = await at_once(place("CUP"), place("MUG", 4), together.do(Broken()), place("MUG", 5), adjust("CUP", 1))

    assert [type(one) for one in told] == [Result, Result, LookupError, Result, Result]
    assert (await on_hand("MUG"), await on_hand("CUP")) == (1, 10)
    assert await verification.verify() == []


async def test_stock_that_comes_with_orders_that_wait_for_it_goes_to_them_first(shop: None) -> None:
    await make.setting(backorders=BackorderMode.ALLOW)

    told = await at_once(place("CUP"), place("MUG", 12), adjust("MUG", 5), place("MUG", 4))

    waited, late = told[1].ids["order"][0], told[3].ids["order"][0]
    assert await life.units(waited) == [("BERLIN", 10, "ON_HAND"), ("BERLIN", 2, "ON_HAND")]
    assert await life.units(late) == [("BERLIN", 3, "ON_HAND"), ("BERLIN", 1, "BACKORDERED")]
    assert await on_hand("MUG") == -1
    assert await verification.verify() == []


async def test_a_late_count_undoes_nothing_of_what_is_asked_for_at_the_same_moment(shop: None) -> None:
    moment, before = database.now() - timedelta(seconds=1), database.now() - timedelta(days=1)

    async def made_earlier() -> None:
        await InventoryLevel.filter(on_hand=Decimal(10)).update(counted_at=before)
        await StockMovement.filter(quantity=Decimal(10)).update(created_at=before, seal=None)

    await database.transaction(made_earlier)
    count = Counting((StockCount("MUG", "BERLIN", Decimal(20), counted_at=moment),))

    told = await at_once(place("CUP"), place("MUG", 4), adjust("MUG", 1), stock.count(SYSTEM, count))

    assert [type(one) for one in told] == [Result] * 4
    assert await on_hand("MUG") == 20 - 4 + 1
    assert await verification.verify() == []


async def test_one_fall_of_many_orders_raises_one_alert(shop: None) -> None:
    await make.setting(notify_below=5)

    await at_once(place("CUP"), *(place("MUG", 2) for _ in range(4)))

    (alert,) = await LowInventoryAlert.filter(sku="MUG")
    assert (alert.quantity_left, alert.state.value) == (4, "RAISED")


async def test_a_fall_and_what_ends_it_are_two_pieces_of_news(shop: None) -> None:
    await make.setting(notify_below=5)

    await at_once(place("CUP"), place("MUG", 6), adjust("MUG", 20))

    (alert,) = await LowInventoryAlert.filter(sku="MUG")
    assert (alert.quantity_left, alert.state.value) == (4, "RESOLVED")
    assert [one.data["state"] for one in await OutboxEntry.filter(topic="ALERT").order_by("id")] == [
        "RAISED",
        "RESOLVED",
    ]


async def test_moves_between_warehouses_see_what_those_before_them_left(shop: None) -> None:
    moves = [Transfer("BERLIN", "HAMBURG", (StockLine("MUG", Decimal(4)),)) for _ in range(3)]

    told = await at_once(place("CUP"), *(stock.transfer(SYSTEM, move) for move in moves), place("MUG", 10))

    assert [type(one) for one in told] == [Result, Result, Result, Refused, Result]
    assert (await on_hand("MUG"), await on_hand("MUG", "HAMBURG")) == (0, 0)
    assert await verification.verify() == []


async def test_websites_share_what_they_sell_from_the_same_warehouse(shop: None) -> None:
    await make.website("outlet", warehouses=["BERLIN"])

    told = await at_once(
        place("CUP"),
        *(
            orders.place(SYSTEM, Asked((OrderLine("MUG", Decimal(4)),), website=website))
            for website in ("shop", "outlet", "shop", "outlet")
        ),
    )

    assert [type(one) for one in told] == [Result, Result, Result, Refused, Refused]
    assert await on_hand("MUG") == 2


async def test_a_level_that_is_missing_is_made_once(shop: None) -> None:
    await make.product("BOWL")

    await at_once(place("CUP"), *(adjust("BOWL", units) for units in (1, 2, 3)), place("BOWL", 5))

    assert await on_hand("BOWL") == 1
    assert await verification.verify() == []


async def test_many_orders_cost_few_statements_more_than_one(shop: None) -> None:
    statements = Statements()
    await place("MUG")
    with statements.counted() as alone:
        await place("MUG")
    one = len(alone)

    with statements.counted() as sent:
        await at_once(*(place("MUG") for _ in range(8)))

    assert await on_hand("MUG") == 0
    # Two groups: the first one alone, and the others.
    assert len(sent) <= 2 * one
