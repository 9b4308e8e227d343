import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gqlstock.rules.catalog import InventoryTracking, new_product
from gqlstock.rules.events import Topic
from gqlstock.rules.ledger import MovementKind
from gqlstock.rules.refusals import Code, InsufficientStock, Refusal, Refused, StaleQuantity
from gqlstock.rules.scopes import SYSTEM, Caller
from gqlstock.rules.settings import BackorderMode, InventoryDecrement
from gqlstock.services import adjust_stock, catalog, count_stock, delete_level, transfer_stock
from gqlstock.services.adjust_stock import AdjustStockRequest, StockAdjustment
from gqlstock.services.count_stock import CountStockRequest, StockCount
from gqlstock.services.stock_edits import StockLine
from gqlstock.services.transfer_stock import TransferStockRequest
from gqlstock.stock.command import Result
from gqlstock.store import catalog as catalog_rows
from gqlstock.store.db import clock, transactions
from gqlstock.store.db.fields import Total
from gqlstock.store.inventory import InventoryLevel, StockMovement
from gqlstock.store.ledger import on_hand_at
from gqlstock.store.orders import Allocation, Order
from gqlstock.store.outbox import OutboxEntry
from support import importing, settable_clock
from support import shop_builders as make

MOST = "99999999999.9999"


@pytest.fixture
async def shop(db: None) -> None:
    """BERLIN and HAMBURG, the website shop that sells from both, the product MUG without stock."""
    await make.warehouse("BERLIN")
    await make.warehouse("HAMBURG")
    await make.website("shop", warehouses=["BERLIN", "HAMBURG"])
    await make.product("MUG")


def q(value: float | str) -> Decimal:
    return Decimal(str(value))


async def level(sku: str = "MUG", warehouse: str = "BERLIN") -> InventoryLevel:
    return await InventoryLevel.get(item__sku=sku, item__deleted_at=None, warehouse__code=warehouse)


async def on_hand(sku: str = "MUG", warehouse: str = "BERLIN") -> Decimal:
    return (await level(sku, warehouse)).on_hand


async def ledger(sku: str = "MUG", warehouse: str = "BERLIN") -> list[tuple[str, Decimal, Decimal]]:
    """Each movement's kind, quantity and what was on hand after it, oldest first."""
    found = await StockMovement.filter(level_id=(await level(sku, warehouse)).id).order_by("id")
    return [(one.kind.value, one.quantity, one.on_hand_after) for one in found]


async def adjust(*rows: tuple[str, float | str], warehouse: str = "BERLIN", partial: bool = False) -> Result:
    changes = tuple(StockAdjustment(sku, warehouse, q(delta)) for sku, delta in rows)
    return await adjust_stock.adjust(SYSTEM, AdjustStockRequest(changes, partial=partial))


async def count(
    units: float | str,
    sku: str = "MUG",
    *,
    warehouse: str = "BERLIN",
    expected: float | str | None = None,
    at: datetime | None = None,
) -> Result:
    row = StockCount(sku, warehouse, q(units), None if expected is None else q(expected), at)
    return await count_stock.count(SYSTEM, CountStockRequest((row,)))


async def transfer(units: float | str, sku: str = "MUG", *, source: str = "BERLIN", target: str = "HAMBURG") -> Result:
    return await transfer_stock.transfer(SYSTEM, TransferStockRequest(source, target, (StockLine(sku, q(units)),)))


def told(error: pytest.ExceptionInfo[Refused]) -> list[tuple[Code, tuple[str | int, ...]]]:
    return [(refusal.code, refusal.path) for refusal in error.value.refusals]


def only(error: pytest.ExceptionInfo[Refused]) -> Refusal:
    (refusal,) = error.value.refusals
    return refusal


async def ledgers_add_up() -> bool:
    """Whether every level has on hand what its movements add up to."""
    sums = {
        row["level_id"]: row["total"]
        for row in await StockMovement.all()
        .annotate(total=Total("quantity"))
        .group_by("level_id")
        .values("level_id", "total")
    }
    return all(one.on_hand == sums.get(one.id, Decimal(0)) for one in await InventoryLevel.all())


# ── adjusting


async def test_an_adjustment_adds_and_takes_away(shop: None) -> None:
    await adjust(("MUG", 5))
    kept = await adjust(("MUG", -2))

    assert await on_hand() == 3
    assert await ledger() == [("ADJUSTMENT", q(5), q(5)), ("ADJUSTMENT", q(-2), q(3))]
    assert kept.ids["levels"] == [(await level()).id]
    assert len(kept.ids["movements"]) == 1


async def test_an_adjustment_cannot_take_more_than_is_on_hand(shop: None) -> None:
    await adjust(("MUG", 5))

    with pytest.raises(Refused) as error:
        await adjust(("MUG", -6))

    refusal = only(error)
    assert isinstance(refusal, InsufficientStock)
    assert (refusal.code, refusal.path) == (Code.INSUFFICIENT_STOCK, ("changes", 0, "delta"))
    assert (refusal.sku, refusal.requested, refusal.salable) == ("MUG", 6, 5)
    assert await on_hand() == 5


async def test_an_adjustment_may_go_under_what_is_claimed(shop: None) -> None:
    await make.stock("MUG", on_hand=5)
    await make.setting(decrement_inventory=InventoryDecrement.ON_SHIPMENT)
    await make.order("MUG", 4)

    await adjust(("MUG", -3))

    found = await level()
    assert (found.on_hand, found.reserved, found.available) == (2, 4, -2)


async def test_an_adjustment_never_takes_a_level_further_below_zero(shop: None) -> None:
    await make.setting(backorders=BackorderMode.ALLOW)
    await make.stock("MUG", on_hand=0)
    await make.order("MUG", 5)

    with pytest.raises(Refused) as error:
        await adjust(("MUG", -1))

    refusal = only(error)
    assert isinstance(refusal, InsufficientStock)
    assert (refusal.code, refusal.salable) == (Code.INSUFFICIENT_STOCK, 0)
    assert await on_hand() == -5


async def test_an_adjustment_upwards_may_leave_a_level_below_zero(shop: None) -> None:
    await make.setting(backorders=BackorderMode.ALLOW)
    await make.stock("MUG", on_hand=0)
    await make.order("MUG", 5)

    await adjust(("MUG", 2))

    assert await on_hand() == -3
    assert (await level()).backordered == 3


async def test_a_delta_of_zero_is_refused(shop: None) -> None:
    with pytest.raises(Refused) as error:
        await adjust(("MUG", 0))

    assert told(error) == [(Code.INVALID_INPUT, ("changes", 0, "delta"))]


async def test_rows_of_one_level_follow_each_other(shop: None) -> None:
    await adjust(("MUG", 5))

    with pytest.raises(Refused) as error:
        await adjust(("MUG", -3), ("MUG", -3))
    await adjust(("MUG", -3), ("MUG", -2), ("MUG", 4))

    assert told(error) == [(Code.INSUFFICIENT_STOCK, ("changes", 1, "delta"))]
    assert await on_hand() == 4
    assert await ledger() == [
        ("ADJUSTMENT", q(5), q(5)),
        ("ADJUSTMENT", q(-3), q(2)),
        ("ADJUSTMENT", q(-2), q(0)),
        ("ADJUSTMENT", q(4), q(4)),
    ]


# ── rows, all or nothing and in part


async def test_one_bad_row_leaves_all_unwritten_and_every_bad_one_is_told(shop: None) -> None:
    await make.product("CUP")
    news = await OutboxEntry.all().count()

    with pytest.raises(Refused) as error:
        await adjust(("MUG", 5), ("NONE", 1), ("CUP", -1), ("CUP", 2))

    assert told(error) == [
        (Code.NOT_FOUND, ("changes", 1, "sku")),
        (Code.INSUFFICIENT_STOCK, ("changes", 2, "delta")),
    ]
    assert await StockMovement.all().count() == 0
    assert await InventoryLevel.all().count() == 0
    assert await OutboxEntry.all().count() == news


async def test_in_part_the_good_rows_are_written_and_the_bad_ones_told(shop: None) -> None:
    kept = await adjust(("MUG", 5), ("NONE", 1), ("MUG", -9), ("MUG", 2), partial=True)

    assert [(r.code, r.path) for r in kept.refusals] == [
        (Code.NOT_FOUND, ("changes", 1, "sku")),
        (Code.INSUFFICIENT_STOCK, ("changes", 2, "delta")),
    ]
    assert await on_hand() == 7
    assert kept.ids["levels"] == [(await level()).id]


async def test_in_part_with_no_good_row_nothing_is_written(shop: None) -> None:
    kept = await adjust(("NONE", 1), partial=True)

    assert kept.ids == {"levels": [], "movements": []}
    assert [refusal.code for refusal in kept.refusals] == [Code.NOT_FOUND]


async def test_a_thousand_rows_are_one_call(shop: None) -> None:
    at = clock.now()
    made = [replace(new_product(f"S{n}", "x", at), slug=f"s{n}") for n in range(1_000)]
    await catalog_rows.insert(made)

    kept = await adjust(*((f"S{n}", n + 1) for n in range(1_000)))

    assert len(kept.ids["levels"]) == len(set(kept.ids["movements"])) == 1_000
    assert await on_hand("S0") == 1
    assert await on_hand("S999") == 1_000
    assert await ledgers_add_up()


@pytest.mark.parametrize("rows", [1_001, 5_000])
async def test_more_than_a_thousand_rows_are_too_many(shop: None, rows: int) -> None:
    with pytest.raises(Refused) as error:
        await adjust(*[("MUG", 1)] * rows)

    assert told(error) == [(Code.TOO_MANY, ("changes",))]


async def test_no_rows_are_refused_wherever_there_must_be_some(shop: None) -> None:
    with pytest.raises(Refused) as adjusting:
        await adjust()
    with pytest.raises(Refused) as counting:
        await count_stock.count(SYSTEM, CountStockRequest(()))
    with pytest.raises(Refused) as moving:
        await transfer_stock.transfer(SYSTEM, TransferStockRequest("BERLIN", "HAMBURG", ()))

    assert told(adjusting) == [(Code.INVALID_INPUT, ("changes",))]
    assert told(counting) == [(Code.INVALID_INPUT, ("counts",))]
    assert told(moving) == [(Code.INVALID_INPUT, ("lines",))]


async def test_an_unknown_warehouse_is_told_at_its_row(shop: None) -> None:
    with pytest.raises(Refused) as error:
        await adjust(("MUG", 1), warehouse="PARIS")

    assert told(error) == [(Code.NOT_FOUND, ("changes", 0, "warehouse"))]


# ── counting


async def test_setting_a_count_of_20_over_5_writes_a_movement_of_15(shop: None) -> None:
    await count(5)
    await count(20)

    assert await ledger() == [("COUNT", q(5), q(5)), ("COUNT", q(15), q(20))]


async def test_a_count_equal_to_what_is_on_hand_writes_no_movement_and_is_no_news(shop: None) -> None:
    await count(5)
    news = await OutboxEntry.all().count()

    kept = await count(5)

    assert await ledger() == [("COUNT", q(5), q(5))]
    assert kept.ids == {"levels": [(await level()).id], "movements": []}
    # No feed tells of this topic: it only drops what is kept of countedAt and updatedAt.
    assert [one.topic for one in (await OutboxEntry.all().order_by("id"))[news:]] == [Topic.LEVEL_ROW]


async def test_20_over_minus_5_writes_25_and_fills_the_five_backorders(shop: None) -> None:
    await make.setting(backorders=BackorderMode.ALLOW)
    await count(0)
    await make.order("MUG", 5)
    assert await on_hand() == -5

    await count(20)

    found = await level()
    assert await ledger() == [("SALE", q(-5), q(-5)), ("COUNT", q(25), q(20))]
    assert (found.on_hand, found.backordered, found.available) == (20, 0, 20)
    assert [a.state.value for a in await Allocation.all()] == ["ON_HAND"]


async def test_a_count_below_zero_is_refused(shop: None) -> None:
    with pytest.raises(Refused) as error:
        await count(-1)

    assert told(error) == [(Code.INVALID_INPUT, ("counts", 0, "onHand"))]


@pytest.mark.parametrize("again", ["MUG", " MUG ", "\u200bMUG"])
async def test_a_level_is_counted_once_in_a_call(shop: None, again: str) -> None:
    with pytest.raises(Refused) as error:
        await count_stock.count(
            SYSTEM,
            CountStockRequest((StockCount("MUG", "BERLIN", Decimal(20)), StockCount(again, "BERLIN", Decimal(20)))),
        )

    assert told(error) == [(Code.INVALID_INPUT, ("counts", 1, "sku"))]
    assert await InventoryLevel.all().count() == 0


async def test_in_part_the_second_count_of_a_level_is_refused(shop: None) -> None:
    counts = tuple(StockCount("MUG", "BERLIN", Decimal(units)) for units in (20, 30))

    done = await count_stock.count(SYSTEM, CountStockRequest(counts, partial=True))

    assert [(one.code, one.path) for one in done.refusals] == [(Code.INVALID_INPUT, ("counts", 1, "sku"))]
    assert await ledger() == [("COUNT", 20, 20)]


async def test_an_expected_quantity_that_is_no_longer_there_is_stale(shop: None) -> None:
    await count(5)

    with pytest.raises(Refused) as error:
        await count(20, expected=6)

    refusal = only(error)
    assert isinstance(refusal, StaleQuantity)
    assert (refusal.code, refusal.path) == (Code.STALE_QUANTITY, ("counts", 0, "expectedOnHand"))
    assert (refusal.sku, refusal.warehouse, refusal.expected, refusal.actual) == ("MUG", "BERLIN", 6, 5)
    assert await on_hand() == 5


async def test_an_expected_quantity_that_is_there_lets_the_count_through(shop: None) -> None:
    await count(5, expected=0)
    await count(20, expected=5)

    assert await on_hand() == 20


async def test_of_two_counts_that_expect_the_same_one_is_stale(shop: None) -> None:
    await count(5)

    results = await asyncio.gather(count(20, expected=5), count(30, expected=5), return_exceptions=True)

    refused = [r for r in results if isinstance(r, Refused)]
    assert [r.refusals[0].code for r in refused] == [Code.STALE_QUANTITY]
    assert await on_hand() in (20, 30)


async def test_a_late_erp_count_does_not_erase_the_nights_sales(shop: None) -> None:
    """Counted in the evening, sold in the night, told in the morning."""
    await count(10)
    evening = clock.now()
    await make.order("MUG", 3)
    await adjust(("MUG", 1))

    await count(9, at=evening)

    assert await on_hand() == 7
    assert (await ledger())[-1] == ("COUNT", q(-1), q(7))


async def test_a_second_late_count_does_not_repeat_what_the_first_one_corrected(shop: None) -> None:
    """Two counts of the same evening that come in after the night's sales: both have found 8 where 10 were thought."""
    await count(10)
    evening = clock.now()
    later = clock.now()
    await make.order("MUG", 3)

    await count(8, at=evening)
    assert await on_hand() == 5
    await count(8, at=later)

    assert await on_hand() == 5


async def test_a_late_count_after_an_import_adds_what_moved_and_not_what_the_import_corrected(shop: None) -> None:
    await count(10)
    lines = ["sku,warehouse,on_hand", "MUG,BERLIN,8"]
    await importing.levels(lines)
    moment = clock.now()
    await make.order("MUG", 3)

    await count(7, at=moment)

    assert await on_hand() == 4


@pytest.mark.parametrize("found", [8, 0])
async def test_a_count_older_than_an_import_is_stale(shop: None, found: int) -> None:
    evening = clock.now()
    await importing.levels(["sku,warehouse,on_hand", f"MUG,BERLIN,{found}"])

    with pytest.raises(Refused) as error:
        await count(5, at=evening)

    assert told(error) == [(Code.STALE_QUANTITY, ("counts", 0, "countedAt"))]
    assert await on_hand() == found


async def test_a_late_count_may_leave_less_than_nothing(shop: None) -> None:
    await count(10)
    evening = clock.now()
    await make.order("MUG", 8)

    await count(5, at=evening)

    assert await on_hand() == -3


async def test_a_count_of_the_future_is_refused(shop: None) -> None:
    with pytest.raises(Refused) as error:
        await count(5, at=clock.now() + timedelta(minutes=1))

    assert told(error) == [(Code.INVALID_INPUT, ("counts", 0, "countedAt"))]


async def test_a_count_older_than_the_latest_one_is_stale(shop: None) -> None:
    evening = clock.now()
    await count(10)

    with pytest.raises(Refused) as error:
        await count(5, at=evening)

    assert told(error) == [(Code.STALE_QUANTITY, ("counts", 0, "countedAt"))]
    assert await on_hand() == 10


async def test_a_count_older_than_a_late_one_is_stale_and_a_younger_one_is_not(shop: None) -> None:
    await count(10)
    first, second, third = (clock.now() for _ in range(3))
    await count(10, at=second)

    with pytest.raises(Refused) as error:
        await count(5, at=first)
    await count(10, at=third)

    assert told(error) == [(Code.STALE_QUANTITY, ("counts", 0, "countedAt"))]
    assert await on_hand() == 10


async def test_a_count_equal_to_what_is_there_still_makes_older_ones_stale(shop: None) -> None:
    await count(5)
    between = clock.now()
    await count(5)

    with pytest.raises(Refused) as error:
        await count(9, at=between)

    assert told(error) == [(Code.STALE_QUANTITY, ("counts", 0, "countedAt"))]


async def test_a_count_of_a_level_that_nobody_counted_may_be_old(shop: None) -> None:
    await adjust(("MUG", 4))

    await count(10, at=datetime(2020, 1, 1, tzinfo=UTC))

    assert await on_hand() == 14


# ── moving


async def test_a_transfer_leaves_one_warehouse_and_reaches_the_other(shop: None) -> None:
    await count(5)

    kept = await transfer(3)

    assert (await on_hand("MUG", "BERLIN"), await on_hand("MUG", "HAMBURG")) == (2, 3)
    assert (await ledger("MUG", "BERLIN"))[-1] == ("TRANSFER_OUT", q(-3), q(2))
    assert await ledger("MUG", "HAMBURG") == [("TRANSFER_IN", q(3), q(3))]
    assert kept.ids["levels"] == [(await level("MUG", "BERLIN")).id, (await level("MUG", "HAMBURG")).id]
    assert len(kept.ids["movements"]) == 2


async def test_a_transfer_moves_at_most_what_is_available(shop: None) -> None:
    await make.setting(decrement_inventory=InventoryDecrement.ON_SHIPMENT)
    await count(5)
    await make.order("MUG", 2)

    with pytest.raises(Refused) as error:
        await transfer(4)
    await transfer(3)

    refusal = only(error)
    assert isinstance(refusal, InsufficientStock)
    assert refusal.path == ("lines", 0, "quantity")
    assert (refusal.requested, refusal.salable) == (4, 3)
    assert (await level("MUG", "BERLIN")).available == 0


async def test_a_transfer_to_the_same_warehouse_is_refused(shop: None) -> None:
    await count(5)

    with pytest.raises(Refused) as error:
        await transfer(1, target="BERLIN")

    assert told(error) == [(Code.INVALID_INPUT, ("to",))]


@pytest.mark.parametrize(
    ("ends", "path"), [({"source": "PARIS"}, "from"), ({"target": "PARIS"}, "to")], ids=["from", "to"]
)
async def test_a_transfer_names_warehouses_that_there_are(shop: None, ends: dict[str, str], path: str) -> None:
    with pytest.raises(Refused) as error:
        await transfer(1, **ends)

    assert told(error) == [(Code.NOT_FOUND, (path,))]


@pytest.mark.parametrize("units", [0, -1])
async def test_a_transfer_of_nothing_is_refused(shop: None, units: int) -> None:
    await count(5)

    with pytest.raises(Refused) as error:
        await transfer(units)

    assert told(error) == [(Code.INVALID_INPUT, ("lines", 0, "quantity"))]


async def test_a_transfer_from_where_there_never_was_any_makes_no_level(shop: None) -> None:
    with pytest.raises(Refused) as error:
        await transfer(1)

    assert told(error) == [(Code.INSUFFICIENT_STOCK, ("lines", 0, "quantity"))]
    assert await InventoryLevel.all().count() == 0


async def test_lines_of_one_item_share_what_is_available(shop: None) -> None:
    await count(5)

    with pytest.raises(Refused) as error:
        await transfer_stock.transfer(
            SYSTEM, TransferStockRequest("BERLIN", "HAMBURG", (StockLine("MUG", q(3)), StockLine("MUG", q(3))))
        )

    assert told(error) == [(Code.INSUFFICIENT_STOCK, ("lines", 1, "quantity"))]
    assert await on_hand() == 5


async def test_a_transfer_fills_the_backorders_of_where_it_arrives(shop: None) -> None:
    await count(0, warehouse="HAMBURG")
    await make.setting(level=("MUG", "HAMBURG"), backorders=BackorderMode.ALLOW)
    await make.order("MUG", 4)
    await count(9)

    await transfer(3)

    hamburg = await level("MUG", "HAMBURG")
    assert (hamburg.on_hand, hamburg.backordered) == (-1, 1)
    assert sorted((a.state.value, a.quantity) for a in await Allocation.all()) == [("BACKORDERED", 1), ("ON_HAND", 3)]


# ── what can be counted


async def test_an_item_that_is_not_tracked_has_no_stock(shop: None) -> None:
    await make.product("GIFT", tracking=InventoryTracking.DO_NOT_TRACK)

    with pytest.raises(Refused) as error:
        await adjust(("GIFT", 1))

    assert told(error) == [(Code.NOT_TRACKED, ("changes", 0, "sku"))]


async def test_a_product_tracked_with_options_cannot_be_written_its_combinations_can(shop: None) -> None:
    await make.product("SHIRT", options={"Size": ["S", "M"]})

    with pytest.raises(Refused) as error:
        await adjust(("SHIRT", 1))
    await adjust(("SHIRT-S", 1))

    assert told(error) == [(Code.NOT_TRACKED, ("changes", 0, "sku"))]
    assert await on_hand("SHIRT-S") == 1


async def test_a_combination_of_a_product_tracked_without_options_cannot_be_written_the_product_can(
    shop: None,
) -> None:
    await make.product("SHIRT", options={"Size": ["S", "M"]}, tracking=InventoryTracking.TRACK_WITHOUT_OPTIONS)

    with pytest.raises(Refused) as counting:
        await count(1, "SHIRT-S")
    with pytest.raises(Refused) as moving:
        await transfer(1, "SHIRT-S")
    await count(1, "SHIRT")

    assert told(counting) == [(Code.NOT_TRACKED, ("counts", 0, "sku"))]
    assert told(moving) == [(Code.NOT_TRACKED, ("lines", 0, "sku"))]
    assert await on_hand("SHIRT") == 1


async def test_stock_that_is_not_managed_is_still_recorded(shop: None) -> None:
    await make.setting(product="MUG", manage_stock=False)

    await adjust(("MUG", 3))

    assert await on_hand() == 3


async def test_a_deleted_product_has_no_stock_to_change(shop: None) -> None:
    await catalog.delete_product("MUG")

    with pytest.raises(Refused) as error:
        await adjust(("MUG", 1))

    assert told(error) == [(Code.NOT_FOUND, ("changes", 0, "sku"))]


# ── decimals and the range


async def test_parts_of_a_unit_are_refused_while_decimals_are_off(shop: None) -> None:
    await count(5)

    with pytest.raises(Refused) as adjusting:
        await adjust(("MUG", "0.5"))
    with pytest.raises(Refused) as counting:
        await count("2.5")
    with pytest.raises(Refused) as moving:
        await transfer("1.5")

    assert told(adjusting) == [(Code.INVALID_INPUT, ("changes", 0, "delta"))]
    assert told(counting) == [(Code.INVALID_INPUT, ("counts", 0, "onHand"))]
    assert told(moving) == [(Code.INVALID_INPUT, ("lines", 0, "quantity"))]


async def test_parts_of_a_unit_are_counted_exactly_where_decimals_are_on(shop: None) -> None:
    await make.setting(product="MUG", quantity_uses_decimals=True)

    await count("0.1")
    await adjust(("MUG", "0.2"))
    await transfer("0.0001")

    assert await on_hand() == q("0.2999")
    assert await on_hand("MUG", "HAMBURG") == q("0.0001")
    assert (await ledger())[:2] == [("COUNT", q("0.1"), q("0.1")), ("ADJUSTMENT", q("0.2"), q("0.3"))]


async def test_one_level_may_take_parts_of_a_unit_where_another_does_not(shop: None) -> None:
    await count(5)
    await count(5, warehouse="HAMBURG")
    await make.setting(level=("MUG", "BERLIN"), quantity_uses_decimals=True)

    await adjust(("MUG", "0.5"))
    with pytest.raises(Refused) as elsewhere:
        await adjust(("MUG", "0.5"), warehouse="HAMBURG")
    with pytest.raises(Refused) as moving:
        await transfer("0.5")

    assert told(elsewhere) == [(Code.INVALID_INPUT, ("changes", 0, "delta"))]
    assert told(moving) == [(Code.INVALID_INPUT, ("lines", 0, "quantity"))]
    assert await on_hand() == q("5.5")


async def test_a_level_holds_the_largest_quantity_and_not_a_ten_thousandth_more(shop: None) -> None:
    await make.setting(quantity_uses_decimals=True)
    await count(MOST)

    with pytest.raises(Refused) as error:
        await adjust(("MUG", "0.0001"))

    assert await on_hand() == q(MOST)
    assert told(error) == [(Code.INVALID_INPUT, ("changes", 0))]


async def test_a_movement_larger_than_any_quantity_is_refused(shop: None) -> None:
    await make.setting(backorders=BackorderMode.ALLOW)
    await count(0)
    await make.order("MUG", 99_999_999_999)

    with pytest.raises(Refused) as error:
        await count(99_999_999_999)

    assert [refusal.code for refusal in error.value.refusals] == [Code.INVALID_INPUT]
    assert await on_hand() == -99_999_999_999


# ── levels that come and go


@pytest.mark.parametrize("units", [0, 3])
async def test_a_count_makes_the_level_that_is_missing(shop: None, units: int) -> None:
    await count(units)

    assert await on_hand() == units


async def test_a_level_is_taken_out_of_use_and_keeps_its_ledger(shop: None) -> None:
    await count(5)
    await count(0)

    deleted = await delete_level.delete(SYSTEM, "MUG", "BERLIN")

    found = await level()
    assert (found.id, found.deleted_at is not None) == (deleted, True)
    assert await ledger() == [("COUNT", q(5), q(5)), ("COUNT", q(-5), q(0))]


async def test_a_deleted_level_comes_back_with_its_ledger(shop: None) -> None:
    await count(5)
    await count(0)
    deleted = await delete_level.delete(SYSTEM, "MUG", "BERLIN")

    await adjust(("MUG", 2))

    found = await level()
    assert (found.id, found.deleted_at, found.on_hand) == (deleted, None, 2)
    assert len(await ledger()) == 3


async def test_a_deleted_level_comes_back_by_the_receiving_end_of_a_transfer(shop: None) -> None:
    await count(0, warehouse="HAMBURG")
    await delete_level.delete(SYSTEM, "MUG", "HAMBURG")
    await count(5)

    await transfer(2)

    found = await level("MUG", "HAMBURG")
    assert (found.deleted_at, found.on_hand) == (None, 2)


async def test_a_level_with_units_is_not_deleted(shop: None) -> None:
    await count(5)

    with pytest.raises(Refused) as error:
        await delete_level.delete(SYSTEM, "MUG", "BERLIN")

    assert only(error).code is Code.INVALID_STATE
    assert only(error).message == "The level is in use: on hand 5."
    assert (await level()).deleted_at is None


async def test_a_level_that_an_order_waits_for_is_not_deleted(shop: None) -> None:
    await count(2)
    await make.order("MUG", 2)

    with pytest.raises(Refused) as error:
        await delete_level.delete(SYSTEM, "MUG", "BERLIN")

    assert only(error).message == "The level is in use: 1 allocation(s) not yet shipped or canceled."


@pytest.mark.parametrize(
    ("sku", "warehouse", "path"),
    [("NONE", "BERLIN", "sku"), ("MUG", "PARIS", "warehouse"), ("MUG", "HAMBURG", "warehouse")],
    ids=["no-item", "no-warehouse", "no-level"],
)
async def test_a_level_that_is_not_there_cannot_be_deleted(shop: None, sku: str, warehouse: str, path: str) -> None:
    with pytest.raises(Refused) as error:
        await delete_level.delete(SYSTEM, sku, warehouse)

    assert told(error) == [(Code.NOT_FOUND, (path,))]


async def test_a_level_cannot_be_deleted_twice(shop: None) -> None:
    await count(0)
    await delete_level.delete(SYSTEM, "MUG", "BERLIN")

    with pytest.raises(Refused) as error:
        await delete_level.delete(SYSTEM, "MUG", "BERLIN")

    assert told(error) == [(Code.NOT_FOUND, ("warehouse",))]


# ── backorders


async def test_backorders_are_filled_oldest_order_first_and_one_is_split(shop: None) -> None:
    await make.setting(backorders=BackorderMode.ALLOW)
    await count(0)
    first, second, third = [await make.order("MUG", 5) for _ in range(3)]

    await adjust(("MUG", 7))

    found = [
        (a.line.order_id, a.state.value, int(a.quantity))
        for a in await Allocation.all().select_related("line").order_by("id")
    ]
    assert sorted(found) == sorted(
        [
            (first, "ON_HAND", 5),
            (second, "ON_HAND", 2),
            (second, "BACKORDERED", 3),
            (third, "BACKORDERED", 5),
        ]
    )
    assert (await level()).backordered == 8


async def test_what_was_planned_first_is_filled_first_though_the_clock_was_set_back_afterwards(shop: None) -> None:
    await make.setting(backorders=BackorderMode.ALLOW)
    await count(0)
    first, second = [await make.order("MUG", 1) for _ in range(2)]
    await Order.filter(id=second).update(placed_at=datetime(2020, 1, 1, tzinfo=UTC))

    await adjust(("MUG", 1))

    states = {a.line.order_id: a.state.value for a in await Allocation.all().select_related("line")}
    assert states == {first: "ON_HAND", second: "BACKORDERED"}


async def test_an_order_that_was_filled_is_news_and_changed(shop: None) -> None:
    await make.setting(backorders=BackorderMode.ALLOW)
    await count(0)
    order_id = await make.order("MUG", 1)
    placed = await Order.get(id=order_id)
    told_before = await OutboxEntry.filter(topic="ORDER", subject=order_id).count()

    await adjust(("MUG", 1))

    assert await OutboxEntry.filter(topic="ORDER", subject=order_id).count() == told_before + 1
    assert (await Order.get(id=order_id)).updated_at > placed.updated_at


async def test_units_for_one_warehouse_do_not_fill_what_waits_in_another(shop: None) -> None:
    await make.setting(backorders=BackorderMode.ALLOW)
    await count(0)
    await count(0, warehouse="HAMBURG")
    await make.order("MUG", 5)

    await adjust(("MUG", 9), warehouse="HAMBURG")

    assert (await level("MUG", "BERLIN")).backordered == 5
    assert (await level("MUG", "HAMBURG")).available == 9


# ── the ledger


async def test_the_ledger_says_who_why_and_by_which_document(shop: None) -> None:
    clerk = Caller(name="Anna", key="token:7")
    asked = AdjustStockRequest((StockAdjustment("MUG", "BERLIN", q(5)),), reason="  broken pallet ", reference="ERP-17")

    kept = await adjust_stock.adjust(clerk, asked)

    movement = await StockMovement.get(id=kept.ids["movements"][0])
    assert (movement.actor, movement.reason, movement.reference) == ("Anna", "broken pallet", "ERP-17")
    assert (movement.kind, movement.order_id) == (MovementKind.ADJUSTMENT, None)


async def test_both_ends_of_a_transfer_have_its_reason_and_document(shop: None) -> None:
    await count(5)

    await transfer_stock.transfer(
        SYSTEM, TransferStockRequest("BERLIN", "HAMBURG", (StockLine("MUG", q(1)),), reason="Restock", reference="T-1")
    )

    found = await StockMovement.filter(reference="T-1").order_by("id").values_list("kind", "reason")
    assert found == [(MovementKind.TRANSFER_OUT, "Restock"), (MovementKind.TRANSFER_IN, "Restock")]


async def test_a_reason_that_is_too_long_is_refused(shop: None) -> None:
    with pytest.raises(Refused) as error:
        await adjust_stock.adjust(
            SYSTEM, AdjustStockRequest((StockAdjustment("MUG", "BERLIN", q(5)),), reason="x" * 1_001)
        )

    assert told(error) == [(Code.INVALID_INPUT, ("reason",))]


async def test_on_hand_at_a_moment_is_the_sum_of_what_was_written_up_to_it(shop: None) -> None:
    before = clock.now()
    await count(5)
    between = clock.now()
    await make.order("MUG", 2)
    after = clock.now()

    level_id = (await level()).id
    found = [await on_hand_at([level_id], moment) for moment in (before, between, after)]

    assert found == [{}, {level_id: 5}, {level_id: 3}]


async def test_each_change_of_a_level_is_told_with_its_movement(shop: None) -> None:
    kept = await adjust(("MUG", 5))

    (entry,) = await OutboxEntry.filter(topic="LEVEL")
    assert (entry.subject, entry.data) == (kept.ids["levels"][0], {"movement": kept.ids["movements"][0]})


Step = tuple[str, int]
STEPS = st.lists(
    st.tuples(st.sampled_from(["adjust", "count", "transfer", "back", "order"]), st.integers(-6, 12)), max_size=12
)


async def try_step(step: str, units: int) -> None:
    steps = {
        "adjust": lambda: adjust(("MUG", units)),
        "count": lambda: count(units),
        "transfer": lambda: transfer(units),
        "back": lambda: transfer(units, source="HAMBURG", target="BERLIN"),
        "order": lambda: make.order("MUG", units),
    }
    with contextlib.suppress(Refused):
        await steps[step]()


async def replay(backorders: BackorderMode, decrement: InventoryDecrement, steps: Sequence[Step]) -> None:
    """Run steps inside a transaction that is taken back, judging after each."""

    class Done(Exception):
        pass

    async def work() -> None:
        await make.setting(backorders=backorders, decrement_inventory=decrement)
        for step, units in steps:
            await try_step(step, units)
            assert await ledgers_add_up()
            for one in await InventoryLevel.all():
                assert one.available == one.on_hand - one.reserved - one.planned - one.held
                assert one.backordered <= max(-one.available, Decimal(0))
                if backorders is BackorderMode.NO_BACKORDERS:
                    assert one.on_hand >= 0
        raise Done

    with pytest.raises(Done):
        await transactions.run(work)


@pytest.mark.parametrize("decrement", list(InventoryDecrement))
@pytest.mark.parametrize("backorders", [BackorderMode.NO_BACKORDERS, BackorderMode.ALLOW])
async def test_on_hand_is_the_sum_of_the_movements_whatever_happens(
    shop: None, backorders: BackorderMode, decrement: InventoryDecrement
) -> None:
    loop = asyncio.get_running_loop()
    examples: asyncio.Queue[list[Step] | None] = asyncio.Queue()
    judged: asyncio.Queue[BaseException | None] = asyncio.Queue()

    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(STEPS)
    def judge(steps: list[Step]) -> None:
        loop.call_soon_threadsafe(examples.put_nowait, steps)
        error = asyncio.run_coroutine_threadsafe(judged.get(), loop).result()
        if error is not None:
            raise error

    async def answer() -> None:
        while (steps := await examples.get()) is not None:
            try:
                await replay(backorders, decrement, steps)
                judged.put_nowait(None)
            except BaseException as error:
                judged.put_nowait(error)

    answering = asyncio.create_task(answer())
    try:
        await asyncio.to_thread(judge)
    finally:
        examples.put_nowait(None)
        await answering


async def test_a_count_of_a_moment_leaves_out_what_was_stamped_ahead_of_now(shop: None) -> None:
    with settable_clock.ahead():
        await adjust(("MUG", 10))
    counted_at = clock.now()
    await adjust(("MUG", 3))

    await count(20, at=counted_at)

    assert await on_hand() == 23


async def test_a_count_of_a_moment_goes_by_the_order_of_the_ledger_where_stamps_do_not(shop: None) -> None:
    """The first movement was stamped two hours ahead, the second tells that it was before the moment."""
    with settable_clock.ahead(timedelta(hours=2)):
        await adjust(("MUG", 10))
    await adjust(("MUG", 1))
    counted_at = clock.now()
    await adjust(("MUG", 3))

    with settable_clock.ahead(timedelta(hours=3)):
        await count(20, at=counted_at)

    assert await on_hand() == 23


async def test_a_count_written_down_before_the_clock_was_set_back_refuses_no_later_one(shop: None) -> None:
    with settable_clock.ahead():
        await count(5)
    counted_at = clock.now()
    await adjust(("MUG", 3))

    await count(20, at=counted_at)

    assert await on_hand() == 23
