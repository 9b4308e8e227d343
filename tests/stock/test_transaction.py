"""Commands that arrive at the same time are decided as if they had come one after the other."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tortoise.exceptions import OperationalError

from gqlstock.rules.ledger import Change, MovementKind
from gqlstock.rules.order_request import OrderRequest, RequestedLine
from gqlstock.rules.refusals import Code, Refused
from gqlstock.rules.scopes import SYSTEM, Caller
from gqlstock.rules.settings import BackorderMode
from gqlstock.services import adjust_stock, count_stock, place_order, transfer_stock, verification
from gqlstock.services.adjust_stock import AdjustStockRequest, StockAdjustment
from gqlstock.services.count_stock import CountStockRequest, StockCount
from gqlstock.services.stock_edits import StockLine
from gqlstock.services.transfer_stock import TransferStockRequest
from gqlstock.stock import transaction
from gqlstock.stock.command import Changes, LedgerEntry, Names, Result
from gqlstock.stock.snapshot import NotLoaded, Snapshot
from gqlstock.store.alerts import LowInventoryAlert
from gqlstock.store.db import clock, transactions
from gqlstock.store.db.outages import Unavailable
from gqlstock.store.idempotency import KeptAnswer
from gqlstock.store.inventory import InventoryLevel, StockMovement
from gqlstock.store.orders import Order
from gqlstock.store.outbox import OutboxEntry
from support import order_life as life
from support import shop_builders as make
from support.statement_counter import Statements


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
    return await place_order.place(SYSTEM, OrderRequest((RequestedLine(sku, Decimal(units)),)), **more)


async def adjust(sku: str, delta: int, warehouse: str = "BERLIN", **more: Any) -> Result:
    return await adjust_stock.adjust(
        SYSTEM, AdjustStockRequest((StockAdjustment(sku, warehouse, Decimal(delta)),)), **more
    )


async def at_once(*calls: Any) -> list[Any]:
    """The answers of calls made at the same time: the first runs alone, the others are the next batch."""
    return await asyncio.gather(*calls, return_exceptions=True)


async def on_hand(sku: str, warehouse: str = "BERLIN") -> Decimal:
    return (await InventoryLevel.get(item__sku=sku, warehouse__code=warehouse)).on_hand


def codes(answer: Any) -> list[Code]:
    assert isinstance(answer, Refused)
    return [refusal.code for refusal in answer.refusals]


async def test_of_more_orders_than_there_are_units_as_many_are_placed_as_there_are(shop: None) -> None:
    answers = await at_once(*(place("MUG", 3) for _ in range(8)))

    assert [isinstance(one, Result) for one in answers] == [True] * 3 + [False] * 5
    assert [codes(one) for one in answers[3:]] == [[Code.INSUFFICIENT_STOCK]] * 5
    assert await on_hand("MUG") == 1
    assert await Order.all().count() == 3
    assert await StockMovement.filter(kind="SALE").count() == 3
    assert await verification.verify() == []


async def test_each_has_an_outcome_of_its_own(shop: None) -> None:
    answers = await at_once(
        place("CUP"),
        place("MUG", 4),
        place("NONE"),
        place("MUG", 7),
        adjust("MUG", 2),
        adjust("MUG", -50),
        place("MUG", 8),
        adjust_stock.adjust(SYSTEM, AdjustStockRequest((StockAdjustment("MUG", "NOWHERE", Decimal(1)),))),
        place_order.place(SYSTEM, OrderRequest((RequestedLine("MUG", Decimal(1)),), website="none")),
    )

    assert [isinstance(one, Result) for one in answers] == [True, True, False, False, True, False, True, False, False]
    assert [codes(answers[place]) for place in (2, 3, 5, 7, 8)] == [
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


async def test_refusals_keep_no_answer_and_write_no_news(shop: None) -> None:
    await place("CUP")
    news = await OutboxEntry.all().count()

    answers = await at_once(*(place("MUG", 11, key=f"k{number}") for number in range(4)))

    assert [codes(one) for one in answers] == [[Code.INSUFFICIENT_STOCK]] * 4
    assert await KeptAnswer.filter(refused=False).count() == 0
    assert await OutboxEntry.all().count() == news


async def test_keys_of_those_that_were_done_are_kept_beside_those_that_were_refused(shop: None) -> None:
    first = await at_once(place("CUP", key="a"), place("MUG", 9, key="b"), place("MUG", 9, key="c"))

    again = await at_once(place("CUP", key="a"), place("MUG", 9, key="b"), place("MUG", 1, key="c"))

    assert again[:2] == first[:2]
    assert isinstance(again[2], Result)
    assert await Order.all().count() == 3
    assert sorted(await KeptAnswer.all().values_list("key", flat=True)) == ["a", "b", "c"]


@dataclass
class AddOne:
    """A command that adds a unit to MUG in BERLIN, as wrong as it is told to be."""

    fails: bool = False
    breaks_the_batch: bool = False
    finds_locks: bool = False
    asks_for: tuple[NotLoaded, ...] = ()
    caller: Caller = SYSTEM
    key: None = None
    names: Names = Names(skus=frozenset({"MUG"}))
    size: int = 1
    decided: int = 0

    def items(self, found: Snapshot) -> Collection[int]:
        return {found.by_sku["MUG"].id}

    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        self.decided += 1
        if self.fails:
            raise LookupError("a bug")
        if self.finds_locks:
            raise OperationalError("database is locked")
        if self.decided <= len(self.asks_for):
            raise self.asks_for[self.decided - 1]
        item_id, warehouse_id = snapshot.by_sku["MUG"].id, snapshot.network.codes["BERLIN"]
        # No warehouse has that id: the rows of the whole batch cannot be written.
        at = 0 if self.breaks_the_batch else warehouse_id
        entry = LedgerEntry(item_id, at, Change(on_hand=Decimal(1), kind=MovementKind.ADJUSTMENT), SYSTEM)
        return Changes(lambda written: Result({"level": [written.level(entry.key).id]}), entries=[entry])


async def test_a_command_that_fails_touches_no_other(shop: None) -> None:
    answers = await at_once(
        place("CUP"), place("MUG", 4), transaction.run(AddOne(fails=True)), place("MUG", 5), adjust("CUP", 1)
    )

    assert [type(one) for one in answers] == [Result, Result, LookupError, Result, Result]
    assert (await on_hand("MUG"), await on_hand("CUP")) == (1, 10)
    assert await verification.verify() == []


async def test_commands_of_a_batch_that_cannot_be_written_run_one_by_one(shop: None) -> None:
    answers = await at_once(
        place("CUP"), place("MUG", 4), transaction.run(AddOne(breaks_the_batch=True)), place("MUG", 5)
    )

    assert [isinstance(one, Result) for one in answers] == [True, True, False, True]
    assert isinstance(answers[2], Exception)
    assert not isinstance(answers[2], Refused)
    assert await on_hand("MUG") == 1
    assert await Order.all().count() == 3
    assert await verification.verify() == []


async def test_commands_of_a_batch_that_others_hold_up_are_tried_together_and_refused_together(shop: None) -> None:
    commands = [AddOne(finds_locks=number == 1) for number in range(3)]

    answers = await at_once(*map(transaction.run, commands))

    assert [type(one) for one in answers] == [Unavailable, Unavailable, Unavailable]
    # The first is decided before the second fails.
    assert [one.decided for one in commands] == [8, 8, 0]
    assert await on_hand("MUG") == 10


async def test_a_batch_is_decided_again_with_what_a_command_needs_besides(shop: None) -> None:
    level = await InventoryLevel.get(item__sku="MUG", warehouse__code="BERLIN")
    asking = AddOne(asks_for=(NotLoaded(queues=frozenset({level.id})), NotLoaded(arriving=frozenset({level.item_id}))))

    answers = await at_once(place("CUP"), place("MUG", 4), transaction.run(asking), place("MUG", 7))

    assert [type(one) for one in answers] == [Result] * 4
    assert asking.decided == 3
    assert await on_hand("MUG") == 0
    assert await Order.all().count() == 3


async def test_a_command_that_never_has_enough_fails_after_seven_rounds(shop: None) -> None:
    level = await InventoryLevel.get(item__sku="MUG", warehouse__code="BERLIN")
    asking = AddOne(asks_for=(NotLoaded(queues=frozenset({level.id})),) * 100)

    with pytest.raises(RuntimeError, match="7 rounds"):
        await transaction.run(asking)

    assert asking.decided == 7
    assert await on_hand("MUG") == 10


async def test_stock_for_the_queues_of_many_items_needs_no_more_rounds_than_for_one(shop: None) -> None:
    """Each item's queue is found to be needed, in one call and in calls of one batch."""
    await make.setting(backorders=BackorderMode.ALLOW)
    skus = [f"PEN-{number}" for number in range(12)]
    for sku in skus:
        await make.product(sku)
        await make.stock(sku, on_hand=0)
        await place(sku, 2)

    rows = tuple(StockAdjustment(sku, "BERLIN", Decimal(1)) for sku in skus)
    await adjust_stock.adjust(SYSTEM, AdjustStockRequest(rows))
    answers = await at_once(place("CUP"), *(adjust(sku, 1) for sku in skus))

    assert [type(one) for one in answers] == [Result] * 13
    assert await InventoryLevel.filter(backordered__gt=Decimal(0)).count() == 0
    assert await verification.verify() == []


async def test_nothing_is_committed_where_every_command_is_refused(shop: None) -> None:
    statements = Statements()
    with statements.counted() as sent:
        answers = await at_once(*(place("MUG", 11) for _ in range(5)))

    assert [codes(one) for one in answers] == [[Code.INSUFFICIENT_STOCK]] * 5
    assert [one for one in sent if one.startswith(("INSERT", "UPDATE", "DELETE"))] == []


async def test_stock_that_comes_with_orders_that_wait_for_it_goes_to_them_first(shop: None) -> None:
    await make.setting(backorders=BackorderMode.ALLOW)

    answers = await at_once(place("CUP"), place("MUG", 12), adjust("MUG", 5), place("MUG", 4))

    waited, late = answers[1].ids["order"][0], answers[3].ids["order"][0]
    assert await life.units(waited) == [("BERLIN", 10, "ON_HAND"), ("BERLIN", 2, "ON_HAND")]
    assert await life.units(late) == [("BERLIN", 3, "ON_HAND"), ("BERLIN", 1, "BACKORDERED")]
    assert await on_hand("MUG") == -1
    assert await verification.verify() == []


async def test_a_late_count_undoes_nothing_of_what_is_asked_for_at_the_same_moment(shop: None) -> None:
    moment, before = clock.now() - timedelta(seconds=1), clock.now() - timedelta(days=1)

    async def made_earlier() -> None:
        await InventoryLevel.filter(on_hand=Decimal(10)).update(counted_at=before)
        await StockMovement.filter(quantity=Decimal(10)).update(created_at=before, seal=None)

    await transactions.run(made_earlier)
    count = CountStockRequest((StockCount("MUG", "BERLIN", Decimal(20), counted_at=moment),))

    answers = await at_once(place("CUP"), place("MUG", 4), adjust("MUG", 1), count_stock.count(SYSTEM, count))

    assert [type(one) for one in answers] == [Result] * 4
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
    moves = [TransferStockRequest("BERLIN", "HAMBURG", (StockLine("MUG", Decimal(4)),)) for _ in range(3)]

    answers = await at_once(place("CUP"), *(transfer_stock.transfer(SYSTEM, move) for move in moves), place("MUG", 10))

    assert [type(one) for one in answers] == [Result, Result, Result, Refused, Result]
    assert (await on_hand("MUG"), await on_hand("MUG", "HAMBURG")) == (0, 0)
    assert await verification.verify() == []


async def test_websites_share_what_they_sell_from_the_same_warehouse(shop: None) -> None:
    await make.website("outlet", warehouses=["BERLIN"])

    answers = await at_once(
        place("CUP"),
        *(
            place_order.place(SYSTEM, OrderRequest((RequestedLine("MUG", Decimal(4)),), website=website))
            for website in ("shop", "outlet", "shop", "outlet")
        ),
    )

    assert [type(one) for one in answers] == [Result, Result, Result, Refused, Refused]
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
    # Two batches: the first one alone, and the others.
    assert len(sent) <= 2 * one


async def test_statements_do_not_grow_with_the_orders_of_a_batch(shop: None) -> None:
    await make.stock("MUG", on_hand=100)
    statements = Statements()

    async def statements_of(count: int) -> int:
        with statements.counted() as sent:
            await at_once(*(place("MUG") for _ in range(1 + count)))
        return len(sent)

    assert await statements_of(4) == await statements_of(4)
    assert await statements_of(40) == await statements_of(4)
