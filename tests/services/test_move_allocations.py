"""Units of an order that have not left are moved to another warehouse: which units, from what, and what follows."""

import asyncio
from decimal import Decimal

import pytest

from gqlstock.rules import orders as order_rules
from gqlstock.rules.catalog import InventoryTracking
from gqlstock.rules.demand import Demand
from gqlstock.rules.orders import OrderStatus
from gqlstock.rules.refusals import InsufficientStock, Refused
from gqlstock.rules.scopes import SYSTEM, Caller
from gqlstock.rules.settings import BackorderMode, InsufficientStockAction, InventoryDecrement
from gqlstock.rules.shipments import ShipmentState
from gqlstock.services import (
    adjust_stock,
    catalog,
    delete_level,
    demand,
    edit_order,
    move_allocations,
    verification,
    warehouses,
)
from gqlstock.services.adjust_stock import AdjustStockRequest, StockAdjustment
from gqlstock.services.edit_order import EditOrderRequest
from gqlstock.services.move_allocations import MoveAllocationsRequest
from gqlstock.services.open_order import LineQuantity
from gqlstock.stock import present
from gqlstock.store.inventory import InventoryLevel, StockMovement
from gqlstock.store.orders import Allocation, Order
from gqlstock.store.outbox import OutboxEntry
from gqlstock.store.warehouses import Warehouse
from support import order_life as life
from support import promised_dates as dates
from support import shop_builders as make
from support.order_life import Figures
from support.promised_dates import OrderNews, day

NEVER, ON_ORDER, ON_SHIPMENT = InventoryDecrement.NEVER, InventoryDecrement.ON_ORDER, InventoryDecrement.ON_SHIPMENT
THERE = "BERLIN", "HAMBURG"
BACK = "HAMBURG", "BERLIN"


@pytest.fixture(autouse=True)
async def shop(db):
    await life.shop()
    yield
    assert await verification.verify() == []


async def stock(berlin=0, hamburg=0, sku="MUG"):
    await make.stock(sku, "BERLIN", berlin)
    await make.stock(sku, "HAMBURG", hamburg)


async def both(sku="MUG"):
    return await life.figures(sku, "BERLIN"), await life.figures(sku, "HAMBURG")


async def waiting(mode=ON_ORDER, ordered=5, berlin=2, hamburg=0):
    """An order of MUG that takes what BERLIN has, and waits there for the rest."""
    await make.setting(decrement_inventory=mode)
    await stock(berlin)
    await make.setting(level=("MUG", "BERLIN"), backorders=BackorderMode.ALLOW)
    order_id = await life.place(("MUG", ordered))
    await make.stock("MUG", "HAMBURG", hamburg)
    return order_id


# ── what moved units give back and take, by mode


@pytest.mark.parametrize(
    ("mode", "berlin", "hamburg", "ledger"),
    [
        (ON_ORDER, Figures(9), Figures(3), [("BERLIN", "CANCELLATION", 2), ("HAMBURG", "SALE", -2)]),
        (ON_SHIPMENT, Figures(10, reserved=1), Figures(5, reserved=2), []),
        (NEVER, Figures(10), Figures(5), []),
    ],
)
async def test_moved_units_are_given_back_to_one_warehouse_and_taken_from_the_other(mode, berlin, hamburg, ledger):
    await make.setting(decrement_inventory=mode)
    await stock(10, 5)
    order_id = await life.place(("MUG", 3))
    before = await life.ledger(order_id)

    await life.move(order_id, ("MUG", 2, *THERE))

    assert await both() == (berlin, hamburg)
    assert await life.packed(order_id) == [("BERLIN", 1, "ON_HAND", None), ("HAMBURG", 2, "ON_HAND", None)]
    assert (await life.ledger(order_id))[len(before) :] == ledger
    assert (await life.status(order_id), await life.canceled(order_id)) == (OrderStatus.PLACED, [0])


@pytest.mark.parametrize(
    ("mode", "berlin", "hamburg", "ledger"),
    [
        (ON_ORDER, Figures(10), Figures(2), [("BERLIN", "CANCELLATION", 3), ("HAMBURG", "SALE", -3)]),
        (ON_SHIPMENT, Figures(10), Figures(5, reserved=3), []),
        (NEVER, Figures(10), Figures(5), []),
    ],
)
async def test_moved_units_leave_a_shipment_which_is_canceled_when_it_is_empty(mode, berlin, hamburg, ledger):
    await make.setting(decrement_inventory=mode)
    await stock(10, 5)
    order_id = await life.place(("MUG", 3))
    packed = await life.pack(order_id)
    before = await life.ledger(order_id)

    await life.move(order_id, ("MUG", 3, *THERE))

    assert await both() == (berlin, hamburg)
    assert await life.packed(order_id) == [("HAMBURG", 3, "ON_HAND", None)]
    assert (await life.ledger(order_id))[len(before) :] == ledger
    assert await life.state(packed) is ShipmentState.CANCELED


@pytest.mark.parametrize(
    ("mode", "before", "after"),
    [
        (ON_ORDER, Figures(-3, backordered=3), (Figures(-1, backordered=1), Figures(2))),
        (
            ON_SHIPMENT,
            Figures(2, reserved=5, backordered=3),
            (Figures(2, reserved=3, backordered=1), Figures(4, reserved=2)),
        ),
    ],
)
async def test_moved_units_that_waited_are_on_hand_and_no_longer_backordered(mode, before, after):
    order_id = await waiting(mode, hamburg=4)
    assert await life.figures() == before

    await life.move(order_id, ("MUG", 2, *THERE))

    assert await both() == after
    assert await life.units(order_id) == [
        ("BERLIN", 2, "ON_HAND"),
        ("BERLIN", 1, "BACKORDERED"),
        ("HAMBURG", 2, "ON_HAND"),
    ]


async def test_a_move_tells_the_ledger_of_both_warehouses_why():
    await stock(10, 5)
    order_id = await life.place(("MUG", 3))

    await life.move(order_id, ("MUG", 3, *THERE), reason=" Berlin is closed ")

    moved = await StockMovement.filter(reason="Berlin is closed").order_by("id").select_related("level__warehouse")
    assert [(one.level.warehouse.code, one.kind.value, one.quantity, one.order_id) for one in moved] == [
        ("BERLIN", "CANCELLATION", 3, order_id),
        ("HAMBURG", "SALE", -3, order_id),
    ]
    assert {one.actor for one in moved} == {SYSTEM.name}


async def test_moved_units_are_shipped_and_returned_where_they_are_now():
    await stock(10, 5)
    order_id = await life.place(("MUG", 3))
    await life.move(order_id, ("MUG", 2, *THERE))

    assert await life.refused(life.pack(order_id, "BERLIN", ("MUG", 2))) == ("INVALID_STATE", ("lines", 0, "quantity"))
    await life.ship_all(order_id, "HAMBURG")
    await life.ship_all(order_id, "BERLIN")
    assert await life.status(order_id) is OrderStatus.SHIPPED
    await life.take_back(order_id, ("MUG", 2))

    assert await both() == (Figures(9), Figures(5))


async def test_an_order_is_moved_before_and_after_it_is_edited():
    await stock(5, 5)
    order_id = await life.place(("MUG", 3))
    await life.move(order_id, ("MUG", 3, *THERE))
    number = order_rules.number(order_id)

    more = EditOrderRequest(number, change=(LineQuantity("MUG", Decimal(5)),))
    await edit_order.edit(SYSTEM, more)
    assert await _positions(order_id) == [(0, "HAMBURG", 3), (1, "BERLIN", 2)]
    await life.move(order_id, ("MUG", 1, *BACK))
    less = EditOrderRequest(number, change=(LineQuantity("MUG", Decimal(4)),))
    await edit_order.edit(SYSTEM, less)

    assert await life.units(order_id) == [
        ("HAMBURG", 2, "ON_HAND"),
        ("BERLIN", 2, "ON_HAND"),
        ("BERLIN", 1, "CANCELED"),
    ]
    assert await both() == (Figures(3), Figures(3))


async def test_moved_units_that_are_canceled_give_back_where_they_are_now():
    await stock(10, 5)
    order_id = await life.place(("MUG", 3))
    await life.move(order_id, ("MUG", 2, *THERE))

    await life.cancel(order_id)

    assert await both() == (Figures(10), Figures(5))
    assert (await life.ledger(order_id))[-2:] == [("HAMBURG", "CANCELLATION", 2), ("BERLIN", "CANCELLATION", 1)]


async def test_units_that_are_not_counted_are_moved_without_a_level():
    await make.product("GIFT", tracking=InventoryTracking.DO_NOT_TRACK)
    order_id = await life.place(("GIFT", 3))

    await life.move(order_id, ("GIFT", 2, *THERE))

    assert await life.units(order_id) == [("BERLIN", 1, "ON_HAND"), ("HAMBURG", 2, "ON_HAND")]
    assert {one.level_id for one in await Allocation.all()} == {None}
    assert await life.ledger(order_id) == []


async def test_a_combination_that_shares_its_products_units_is_moved_with_these():
    await make.product("PEN", options={"Ink": ["Red", "Blue"]}, tracking=InventoryTracking.TRACK_WITHOUT_OPTIONS)
    await stock(4, 5, "PEN")
    order_id = await life.place(("PEN-RED", 3))

    await life.move(order_id, ("PEN-RED", 2, *THERE))

    assert await both("PEN") == (Figures(3), Figures(3))


async def test_an_order_keeps_its_mode_when_it_is_moved():
    await make.setting(decrement_inventory=ON_SHIPMENT)
    await stock(5, 5)
    order_id = await life.place(("MUG", 3))
    await make.setting(decrement_inventory=ON_ORDER)

    await life.move(order_id, ("MUG", 3, *THERE))

    assert await both() == (Figures(5), Figures(5, reserved=3))


async def test_parts_of_a_unit_are_moved():
    await make.setting(quantity_uses_decimals=True)
    await stock("2.5", "1.5")
    order_id = await life.place(("MUG", "2.25"))

    await life.move(order_id, ("MUG", "0.75", *THERE))

    assert await both() == (Figures(Decimal("1")), Figures(Decimal("0.75")))


# ── which units


async def test_units_that_wait_are_moved_before_units_in_no_shipment_and_those_before_packed_ones():
    order_id = await waiting(ordered=7, berlin=4, hamburg=9)
    packed = await life.pack(order_id, "BERLIN", ("MUG", 2))

    await life.move(order_id, ("MUG", 4, *THERE))
    assert await life.packed(order_id) == [
        ("BERLIN", 1, "ON_HAND", None),
        ("BERLIN", 2, "ON_HAND", packed),
        ("HAMBURG", 3, "ON_HAND", None),
        ("HAMBURG", 1, "ON_HAND", None),
    ]
    await life.move(order_id, ("MUG", 2, *THERE))

    assert [row for row in await life.packed(order_id) if row[0] == "BERLIN"] == [("BERLIN", 1, "ON_HAND", packed)]
    assert await life.state(packed) is ShipmentState.READY


async def test_a_shipment_is_ready_once_what_it_waited_for_is_moved():
    order_id = await waiting(ordered=3, hamburg=1)
    pending = await life.pack(order_id)
    assert await life.state(pending) is ShipmentState.PENDING

    await life.move(order_id, ("MUG", 1, *THERE))

    assert await life.state(pending) is ShipmentState.READY
    assert await life.packed(order_id) == [("BERLIN", 2, "ON_HAND", pending), ("HAMBURG", 1, "ON_HAND", None)]


async def test_only_units_of_the_warehouse_that_is_named_are_moved():
    await make.warehouse("PARIS")
    await warehouses.update_website("shop", {"warehouses": _assigned("BERLIN", "HAMBURG", "PARIS")})
    await stock(2, 3)
    await make.stock("MUG", "PARIS", 9)
    order_id = await life.place(("MUG", 5))

    await life.move(order_id, ("MUG", 3, "HAMBURG", "PARIS"))

    assert await life.units(order_id) == [("BERLIN", 2, "ON_HAND"), ("PARIS", 3, "ON_HAND")]
    assert await life.refused(life.move(order_id, ("MUG", 1, "HAMBURG", "PARIS"))) == (
        "INVALID_STATE",
        ("lines", 0, "quantity"),
    )


def _assigned(*codes):
    return [warehouses.AssignedWarehouse(code) for code in codes]


async def test_the_lines_of_a_sku_are_moved_in_their_order_and_one_by_its_id():
    await stock(10, 10)
    order_id = await life.place(("MUG", 2), ("MUG", 3), ("MUG", 2))
    *_, third = await life.lines(order_id)

    await life.move(order_id, ("MUG", 1, *THERE, third), ("MUG", 3, *THERE))

    found = await Allocation.filter(warehouse__code="HAMBURG").order_by("line_id")
    assert [(one.line_id, one.quantity) for one in found] == [(third - 2, 2), (third - 1, 1), (third, 1)]


async def test_shipped_units_are_not_moved():
    await stock(10, 10)
    order_id = await life.place(("MUG", 3))
    await life.ship_all(order_id, "BERLIN", ("MUG", 2))

    refusal = await life.refusal(life.move(order_id, ("MUG", 2, *THERE)))

    assert (refusal.code.value, refusal.path) == ("INVALID_STATE", ("lines", 0, "quantity"))
    assert refusal.message == "2 of MUG cannot be moved from BERLIN: only 1 can."
    await life.move(order_id, ("MUG", 1, *THERE))
    assert await life.status(order_id) is OrderStatus.PARTIALLY_SHIPPED


async def test_moved_units_are_the_source_planned_last_and_canceled_first():
    await stock(2, 9)
    order_id = await life.place(("MUG", 4))
    await life.move(order_id, ("MUG", 1, *THERE))
    assert await _positions(order_id) == [(0, "BERLIN", 1), (1, "HAMBURG", 2), (2, "HAMBURG", 1)]
    await life.move(order_id, ("MUG", 1, *THERE))
    assert await _positions(order_id) == [(0, "HAMBURG", 2), (1, "HAMBURG", 1), (2, "HAMBURG", 1)]

    await life.cancel(order_id, ("MUG", 1))

    found = await Allocation.filter(state="CANCELED")
    assert [one.position for one in found] == [2]


async def _positions(order_id):
    found = await Allocation.filter(line__order_id=order_id).order_by("position", "id").select_related("warehouse")
    return [(one.position, one.warehouse.code, one.quantity) for one in found]


async def test_moved_units_have_the_moment_of_their_move_and_the_others_keep_theirs():
    await stock(10, 5)
    order_id = await life.place(("MUG", 3))
    (placed,) = await Allocation.all()

    await life.move(order_id, ("MUG", 2, *THERE))

    stayed, moved = await Allocation.all().order_by("position")
    assert stayed.changed_at == placed.changed_at
    assert moved.changed_at == (await Order.get(id=order_id)).updated_at
    assert moved.changed_at > placed.changed_at


# ── rows, one after the other


async def test_a_row_has_what_the_rows_before_it_freed():
    await stock(2, 2)
    order_id = await life.place(("MUG", 3))
    assert await both() == (Figures(0), Figures(1))

    await life.move(order_id, ("MUG", 1, *THERE), ("MUG", 1, *BACK))

    assert await both() == (Figures(0), Figures(1))
    assert (await life.ledger(order_id))[2:] == [
        ("BERLIN", "CANCELLATION", 1),
        ("HAMBURG", "CANCELLATION", 1),
        ("HAMBURG", "SALE", -1),
        ("BERLIN", "SALE", -1),
    ]
    assert await _positions(order_id) == [(0, "BERLIN", 1), (1, "HAMBURG", 1), (2, "BERLIN", 1)]


async def test_a_row_does_not_have_what_the_rows_before_it_took():
    await stock(10, 3)
    order_id = await life.place(("MUG", 4))

    refusal = await life.refusal(life.move(order_id, ("MUG", 2, *THERE), ("MUG", 2, *THERE)))

    assert isinstance(refusal, InsufficientStock)
    assert (refusal.path, refusal.requested, refusal.salable) == (("lines", 1, "quantity"), 2, 1)


async def test_units_can_be_moved_on_by_a_later_row():
    await make.warehouse("PARIS")
    await warehouses.update_website("shop", {"warehouses": _assigned("BERLIN", "HAMBURG", "PARIS")})
    await stock(3, 3)
    await make.stock("MUG", "PARIS", 3)
    order_id = await life.place(("MUG", 3))

    await life.move(order_id, ("MUG", 2, *THERE), ("MUG", 1, "HAMBURG", "PARIS"), ("MUG", 1, "BERLIN", "PARIS"))

    assert await _positions(order_id) == [(0, "HAMBURG", 1), (1, "PARIS", 1), (2, "PARIS", 1)]
    assert (await both(), await life.figures("MUG", "PARIS")) == ((Figures(3), Figures(2)), Figures(1))


async def test_every_bad_row_is_told_and_nothing_is_moved():
    await stock(10, 3)
    order_id = await life.place(("MUG", 4))
    before = await life.everything()

    with pytest.raises(Refused) as error:
        await life.move(
            order_id,
            ("MUG", 1, *THERE),
            ("CUP", 1, *THERE),
            ("MUG", 9, *THERE),
            ("MUG", 1, "BERLIN", "PARIS"),
            ("MUG", 3, *THERE),
        )

    assert [(one.code.value, one.path) for one in error.value.refusals] == [
        ("NOT_FOUND", ("lines", 1, "sku")),
        ("INVALID_STATE", ("lines", 2, "quantity")),
        ("NOT_FOUND", ("lines", 3, "to")),
        ("INSUFFICIENT_STOCK", ("lines", 4, "quantity")),
    ]
    assert await life.everything() == before


# ── what is free there


async def test_the_safety_stock_is_free_to_be_moved_to():
    await make.setting(out_of_stock_threshold=3)
    await stock(10, 3)
    order_id = await life.place(("MUG", 3))

    await life.move(order_id, ("MUG", 3, *THERE))

    assert await both() == (Figures(10), Figures(0))


async def test_units_that_are_held_for_a_cart_are_not_free():
    await stock(10, 3)
    order_id = await life.place(("MUG", 9))
    await life.hold(("MUG", 2))
    assert await both() == (Figures(1, held=1), Figures(3, held=1))

    refusal = await life.refusal(life.move(order_id, ("MUG", 3, *THERE)))

    assert (refusal.path, refusal.salable) == (("lines", 0, "quantity"), 2)
    await life.move(order_id, ("MUG", 2, *THERE))


async def test_a_warehouse_without_a_level_of_the_item_has_nothing_free():
    await make.stock("MUG", "BERLIN", 5)
    order_id = await life.place(("MUG", 3))

    refusal = await life.refusal(life.move(order_id, ("MUG", 1, *THERE)))

    assert isinstance(refusal, InsufficientStock)
    assert (refusal.code.value, refusal.path, refusal.sku) == (
        "INSUFFICIENT_STOCK",
        ("lines", 0, "quantity"),
        "MUG",
    )
    assert (refusal.requested, refusal.salable) == (1, 0)
    assert refusal.message == "None of MUG available in HAMBURG, 1 requested."


async def test_a_level_out_of_use_has_nothing_free():
    await stock(5)
    await delete_level.delete(SYSTEM, "MUG", "HAMBURG")
    order_id = await life.place(("MUG", 3))

    refusal = await life.refusal(life.move(order_id, ("MUG", 1, *THERE)))

    assert (refusal.code.value, refusal.path) == ("INSUFFICIENT_STOCK", ("lines", 0, "quantity"))


async def test_a_move_never_waits_though_backorders_are_taken_there():
    await make.setting(backorders=BackorderMode.ALLOW)
    await stock(10, 1)
    order_id = await life.place(("MUG", 3))

    refusal = await life.refusal(life.move(order_id, ("MUG", 2, *THERE)))

    assert (refusal.code.value, refusal.path) == ("INSUFFICIENT_STOCK", ("lines", 0, "quantity"))


async def test_orders_that_nobody_counts_are_moved_only_to_what_is_free():
    await make.setting(decrement_inventory=NEVER)
    await stock(10, 2)
    order_id = await life.place(("MUG", 5))

    refusal = await life.refusal(life.move(order_id, ("MUG", 3, *THERE)))

    assert (refusal.code.value, refusal.path) == ("INSUFFICIENT_STOCK", ("lines", 0, "quantity"))
    await life.move(order_id, ("MUG", 2, *THERE), ("MUG", 2, *THERE))
    assert await both() == (Figures(10), Figures(2))
    assert await life.units(order_id) == [
        ("BERLIN", 1, "ON_HAND"),
        ("HAMBURG", 2, "ON_HAND"),
        ("HAMBURG", 2, "ON_HAND"),
    ]


# ── who waits at the old warehouse


async def test_moved_units_fill_who_waits_at_the_warehouse_that_they_leave():
    order_id = await waiting(ordered=2, hamburg=0)
    others = [await life.place(("MUG", 1)), await life.place(("MUG", 2))]
    await make.stock("MUG", "HAMBURG", 2)

    await life.move(order_id, ("MUG", 2, *THERE))

    assert [await life.units(one) for one in others] == [
        [("BERLIN", 1, "ON_HAND")],
        [("BERLIN", 1, "ON_HAND"), ("BERLIN", 1, "BACKORDERED")],
    ]
    assert await both() == (Figures(-1, backordered=1), Figures(0))


async def test_what_stays_of_an_order_keeps_its_place_in_the_queue():
    """The order's unit in a shipment waits on, though the allocation that it was split off is moved."""
    order_id = await waiting(ordered=2, berlin=0)
    pending = await life.pack(order_id, "BERLIN", ("MUG", 1))
    later = await life.place(("MUG", 1))
    await make.stock("MUG", "HAMBURG", 1)

    await life.move(order_id, ("MUG", 1, *THERE))
    assert await life.packed(order_id) == [("BERLIN", 1, "BACKORDERED", pending), ("HAMBURG", 1, "ON_HAND", None)]
    assert await verification.verify() == []
    await dates.receive(1)

    assert await life.units(later) == [("BERLIN", 1, "BACKORDERED")]
    assert await life.state(pending) is ShipmentState.READY


async def test_an_order_that_moves_to_stock_tells_its_new_date_once_and_those_behind_it_theirs():
    order_id = await waiting(ordered=5, berlin=0)
    second, third = await life.place(("MUG", 3)), await life.place(("MUG", 2))
    await dates.announce(5, on=10)
    await dates.announce(3, on=20)
    await make.stock("MUG", "HAMBURG", 5)
    promised = [(one.promised_at, one.id) for one in await Order.all().order_by("id")]
    news = OrderNews()
    await news.entries()

    await life.move(order_id, ("MUG", 5, *THERE))

    found = await news.entries()
    told = dict(found)
    assert [order_id for order_id, _ in found] == [order_id, second, third]
    assert told[order_id] == {
        "expected_at_before": day(10).isoformat(),
        "expected_at": None,
        "updated": True,
        "left": [(await Warehouse.get(code="BERLIN")).id],
    }
    assert told[second] == {"expected_at_before": day(20).isoformat(), "expected_at": day(10).isoformat()}
    assert told[third] == {"expected_at_before": None, "expected_at": day(10).isoformat()}
    assert [(one.promised_at, one.id) for one in await Order.all().order_by("id")] == promised


async def test_an_order_of_which_some_units_wait_on_tells_their_date():
    order_id = await waiting(ordered=5, berlin=0)
    await dates.announce(2, on=10)
    await dates.announce(3, on=20)
    await make.stock("MUG", "HAMBURG", 3)
    news = OrderNews()
    await news.entries()

    await life.move(order_id, ("MUG", 2, *THERE))
    assert await news.dates() == []
    await life.move(order_id, ("MUG", 1, *THERE))

    assert await news.dates() == [(order_id, 20, 10)]


async def test_a_move_of_units_that_are_there_tells_no_date_and_is_news_of_the_order():
    await stock(10, 5)
    order_id = await life.place(("MUG", 3))
    before = await OutboxEntry.filter(topic="ORDER").count()

    await life.move(order_id, ("MUG", 3, *THERE))

    entries = await OutboxEntry.filter(topic="ORDER").order_by("id")
    left = {"left": [(await Warehouse.get(code="BERLIN")).id]}
    assert [(one.subject, one.data) for one in entries[before:]] == [(order_id, left)]


async def test_a_promised_date_stays_as_it_was_told():
    order_id = await waiting(ordered=1, berlin=0)
    await life.cancel(order_id)
    await dates.announce(5, on=10)
    promised = await life.place(("MUG", 1))
    await make.stock("MUG", "HAMBURG", 3)

    await life.move(promised, ("MUG", 1, *THERE))

    assert (await Order.get(id=promised)).promised_at == day(10)


async def test_a_move_is_no_demand():
    await stock(10, 5)
    order_id = await life.place(("MUG", 4))
    await life.ship_all(order_id, "BERLIN", ("MUG", 1))

    async def told():
        (row,) = await (await demand.by_item(await present.network(), days=10, cover_days=30)).of_ordered()
        return row.demand, row.available, row.outlook.per_day

    before = await told()
    assert before == (Demand(ordered=Decimal(4), shipped=Decimal(1)), 11, Decimal("0.4"))
    await life.move(order_id, ("MUG", 2, *THERE))

    assert await told() == before


# ── many at once


def asked_to_move(order_id, *rows):
    request = MoveAllocationsRequest(order_rules.number(order_id), life.moved(rows))
    return move_allocations.move(SYSTEM, request)


async def test_moves_an_order_a_cancellation_and_a_deletion_in_one_batch_see_each_other():
    order_id = await waiting(ordered=4, berlin=2, hamburg=4)

    # The first runs alone, the others are the next batch.
    _, *answers, deleted = await asyncio.gather(
        life.place(("CUP", 0.5)),
        asked_to_move(order_id, ("MUG", 3, *THERE)),
        asked_to_move(order_id, ("MUG", 1, *BACK)),
        life.place(("MUG", 4)),
        life.cancel(order_id, ("MUG", 1)),
        delete_level.delete(SYSTEM, "MUG", "HAMBURG"),
        return_exceptions=True,
    )

    assert [one for one in answers if isinstance(one, BaseException)] == []
    assert isinstance(deleted, Refused)
    assert deleted.refusals[0].message == "The level is in use: 3 allocation(s) not yet shipped or canceled."
    assert await life.units(order_id) == [
        ("BERLIN", 1, "ON_HAND"),
        ("HAMBURG", 1, "ON_HAND"),
        ("HAMBURG", 1, "ON_HAND"),
        ("BERLIN", 1, "CANCELED"),
    ]
    assert await life.units(answers[2]) == [
        ("HAMBURG", 2, "ON_HAND"),
        ("BERLIN", 1, "ON_HAND"),
        ("BERLIN", 1, "BACKORDERED"),
    ]
    assert await both() == (Figures(-1, backordered=1), Figures(0))


async def test_units_are_moved_in_one_batch_to_a_level_that_is_made_in_it():
    await make.stock("MUG", "BERLIN", 3)
    order_id = await life.place(("MUG", 3))
    added = AdjustStockRequest((StockAdjustment("MUG", "HAMBURG", Decimal(2)),))

    await asyncio.gather(
        life.place(("CUP", 0.5)),
        adjust_stock.adjust(SYSTEM, added),
        asked_to_move(order_id, ("MUG", 2, *THERE)),
        life.cancel(order_id, ("MUG", 1)),
        return_exceptions=True,
    )

    assert await both() == (Figures(2), Figures(1))
    assert await life.units(order_id) == [
        ("BERLIN", 1, "ON_HAND"),
        ("HAMBURG", 1, "ON_HAND"),
        ("HAMBURG", 1, "CANCELED"),
    ]
    level = await InventoryLevel.get(item__sku="MUG", warehouse__code="HAMBURG")
    assert {one.level_id for one in await Allocation.filter(warehouse__code="HAMBURG")} == {level.id}


async def test_of_moves_that_come_at_once_no_more_get_units_than_there_are():
    await stock(10, 4)
    orders = [await life.place(("MUG", 2)) for _ in range(5)]

    answers = await asyncio.gather(
        *(asked_to_move(order_id, ("MUG", 2, *THERE)) for order_id in orders), return_exceptions=True
    )

    assert sorted(type(one).__name__ for one in answers) == ["Refused"] * 3 + ["Result"] * 2
    assert await both() == (Figures(4), Figures(0))


async def test_the_same_key_moves_once():
    await stock(10, 5)
    order_id = await life.place(("MUG", 3))
    request = MoveAllocationsRequest(order_rules.number(order_id), life.moved((("MUG", 1, *THERE),)))

    first = await move_allocations.move(SYSTEM, request, "key")
    second = await move_allocations.move(SYSTEM, request, "key")

    assert second == first
    assert await both() == (Figures(8), Figures(4))


# ── refusals


async def test_units_are_moved_only_to_a_warehouse_that_the_website_sells_from():
    await make.warehouse("PARIS")
    await stock(5, 5)
    await make.stock("MUG", "PARIS", 5)
    order_id = await life.place(("MUG", 3))

    refusal = await life.refusal(life.move(order_id, ("MUG", 1, "BERLIN", "PARIS")))

    assert (refusal.code.value, refusal.path) == ("INVALID_STATE", ("lines", 0, "to"))
    assert refusal.message == "The website shop does not sell from PARIS: choose one of its warehouses."


async def test_units_are_moved_to_a_warehouse_of_the_organization_where_the_website_has_none_of_its_own():
    await make.organization("acme", warehouses=["BERLIN", "HAMBURG"])
    await make.website("outlet", organization="acme")
    await stock(5, 5)
    order_id = await life.place(("MUG", 3), website="outlet")

    await life.move(order_id, ("MUG", 1, *THERE))

    assert await both() == (Figures(3), Figures(4))


async def test_units_are_not_moved_to_an_inactive_warehouse():
    await stock(5, 5)
    order_id = await life.place(("MUG", 3))
    await warehouses.update_warehouse("HAMBURG", {"active": False})

    refusal = await life.refusal(life.move(order_id, ("MUG", 1, *THERE)))

    assert (refusal.code.value, refusal.path) == ("INVALID_STATE", ("lines", 0, "to"))
    assert refusal.message == "The warehouse HAMBURG is inactive: choose an active one."


async def test_units_are_moved_from_a_warehouse_that_is_inactive_or_was_taken_off_the_website():
    await stock(5, 5)
    order_id = await life.place(("MUG", 3))
    await warehouses.update_warehouse("BERLIN", {"active": False})
    await life.move(order_id, ("MUG", 1, *THERE))
    await warehouses.update_website("shop", {"warehouses": _assigned("HAMBURG")})

    await life.move(order_id, ("MUG", 1, *THERE))

    assert await both() == (Figures(4), Figures(3))


async def test_a_shipped_or_canceled_or_parked_order_is_not_moved():
    await make.setting(insufficient_stock=InsufficientStockAction.HOLD_ORDER)
    await stock(5, 5)
    gone, ended, parked = await life.place(("MUG", 2)), await life.place(("MUG", 2)), await life.place(("MUG", 99))
    await life.ship_all(gone)
    await life.cancel(ended)

    told = {}
    for order_id in (gone, ended, parked):
        refusal = await life.refusal(life.move(order_id, ("MUG", 1, *THERE)))
        assert (refusal.code.value, refusal.path) == ("INVALID_STATE", ("number",))
        told[order_id] = refusal.message
    assert told == {
        gone: f"The order {100_000 + gone} is already shipped.",
        ended: f"The order {100_000 + ended} is already canceled.",
        parked: f"The order {100_000 + parked} is parked for lack of stock.",
    }


@pytest.mark.parametrize(
    ("row", "code", "path", "message"),
    [
        (("CUP", 1, *THERE), "NOT_FOUND", "sku", "There is no line of order 100001 with the SKU CUP."),
        (("MUG", 0, *THERE), "INVALID_INPUT", "quantity", "0 is not a valid quantity: it must be greater than 0."),
        (("MUG", -2, *THERE), "INVALID_INPUT", "quantity", "-2 is not a valid quantity: it must be greater than 0."),
        (("MUG", 4, *THERE), "INVALID_STATE", "quantity", "4 of MUG cannot be moved from BERLIN: only 3 can."),
        (("MUG", 1, *BACK), "INVALID_STATE", "quantity", "1 of MUG cannot be moved from HAMBURG: only 0 can."),
        (("MUG", 1, *THERE, 999), "NOT_FOUND", "line", "There is no line of MUG in the order with the id line 999."),
        (("MUG", 1, "PARIS", "HAMBURG"), "NOT_FOUND", "from", "There is no warehouse PARIS."),
        (("MUG", 1, "BERLIN", "PARIS"), "NOT_FOUND", "to", "There is no warehouse PARIS."),
        (
            ("MUG", 1, "BERLIN", " BERLIN"),
            "INVALID_INPUT",
            "to",
            "BERLIN and  BERLIN are the same warehouse: name two different ones.",
        ),
    ],
)
async def test_what_cannot_be_moved_is_refused(row, code, path, message):
    await stock(5, 5)
    order_id = await life.place(("MUG", 3))

    refusal = await life.refusal(life.move(order_id, row))

    assert (refusal.code.value, refusal.path, refusal.message) == (code, ("lines", 0, path), message)


@pytest.mark.parametrize("number", ["1", "100001", "S100001", "", "nonsense", "9" * 30])
async def test_an_unknown_order_is_not_found(number):
    request = MoveAllocationsRequest(number, life.moved((("MUG", 1, *THERE),)))

    assert await life.refused(move_allocations.move(SYSTEM, request)) == ("NOT_FOUND", ("number",))


@pytest.mark.parametrize(("rows", "code"), [(0, "INVALID_INPUT"), (501, "TOO_MANY")])
async def test_a_move_has_1_to_500_rows(rows, code):
    await stock(5, 5)
    order_id = await life.place(("MUG", 3))

    assert await life.refused(life.move(order_id, *[("MUG", 1, *THERE)] * rows)) == (code, ("lines",))


async def test_a_reason_that_is_too_long_is_refused():
    await stock(5, 5)
    order_id = await life.place(("MUG", 3))

    step = life.move(order_id, ("MUG", 1, *THERE), reason="x" * 1001)

    assert await life.refused(step) == ("INVALID_INPUT", ("reason",))


@pytest.mark.parametrize(("row", "path"), [(THERE, "to"), (BACK, "from")])
async def test_a_token_for_one_warehouse_moves_nothing_from_or_to_another(row, path):
    await stock(5, 5)
    order_id = await life.place(("MUG", 3))
    berlin = (await present.network()).warehouse_id("BERLIN")
    clerk = Caller("clerk", "token:1", SYSTEM.scopes, warehouses=frozenset({berlin}))
    request = MoveAllocationsRequest(order_rules.number(order_id), life.moved((("MUG", 1, *row),)))

    assert await life.refused(move_allocations.move(clerk, request)) == ("NOT_FOUND", ("lines", 0, path))


async def test_a_line_of_a_renamed_item_is_moved_by_the_sku_of_then_and_of_now():
    await stock(5, 5)
    order_id = await life.place(("MUG", 3))
    await catalog.update_product("MUG", {"new_sku": "BEAKER"})

    await life.move(order_id, ("MUG", 1, *THERE), ("BEAKER", 1, *THERE))

    assert await both("BEAKER") == (Figures(4), Figures(3))
