"""Orders are packed, sent and unpacked: what that does to their units, their levels and their status."""

import asyncio
from decimal import Decimal

import pytest

from gqlstock.rules.catalog import InventoryTracking
from gqlstock.rules.orders import OrderStatus
from gqlstock.rules.refusals import InsufficientStock, Refused
from gqlstock.rules.scopes import SYSTEM, Caller
from gqlstock.rules.settings import BackorderMode, InventoryDecrement
from gqlstock.rules.shipments import ShipmentState
from gqlstock.services import adjust_stock, ship, verification, warehouses
from gqlstock.services.adjust_stock import AdjustStockRequest, StockAdjustment
from gqlstock.services.ship import CreateShipmentRequest
from gqlstock.store.orders import Order
from gqlstock.store.outbox import OutboxEntry
from gqlstock.store.shipments import Shipment
from support import order_life as life
from support import shop_builders as make
from support.order_life import Figures

NEVER, ON_ORDER, ON_SHIPMENT = InventoryDecrement.NEVER, InventoryDecrement.ON_ORDER, InventoryDecrement.ON_SHIPMENT


@pytest.fixture(autouse=True)
async def shop(db):
    await life.shop()
    yield
    assert await verification.verify() == []


async def adjust(delta, sku="MUG", warehouse="BERLIN"):
    await adjust_stock.adjust(SYSTEM, AdjustStockRequest((StockAdjustment(sku, warehouse, Decimal(delta)),)))


# ── what a step does to the level, by mode


@pytest.mark.parametrize(
    ("mode", "ordered", "in_a_shipment", "shipped", "ledger"),
    [
        (ON_ORDER, Figures(7), Figures(7), Figures(7), [("BERLIN", "SALE", -3)]),
        (ON_SHIPMENT, Figures(10, reserved=3), Figures(10, planned=3), Figures(7), [("BERLIN", "SHIPMENT", -3)]),
        (NEVER, Figures(10), Figures(10), Figures(10), []),
    ],
)
async def test_units_are_ordered_packed_and_shipped(mode, ordered, in_a_shipment, shipped, ledger):
    await make.setting(decrement_inventory=mode)
    await make.stock("MUG", on_hand=10)

    order_id = await life.place(("MUG", 3))
    assert await life.figures() == ordered
    number = await life.pack(order_id)
    assert await life.figures() == in_a_shipment
    await life.ship(number)

    assert await life.figures() == shipped
    assert await life.packed(order_id) == [("BERLIN", 3, "SHIPPED", number)]
    assert await life.ledger(order_id) == ledger


@pytest.mark.parametrize(
    ("mode", "unpacked"),
    [(ON_ORDER, Figures(7)), (ON_SHIPMENT, Figures(10, reserved=3)), (NEVER, Figures(10))],
)
async def test_a_canceled_shipment_puts_its_units_back_into_no_shipment(mode, unpacked):
    await make.setting(decrement_inventory=mode)
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 3))
    number = await life.pack(order_id, "BERLIN", ("MUG", 2))

    await life.unpack(number)

    assert await life.figures() == unpacked
    assert await life.packed(order_id) == [("BERLIN", 1, "ON_HAND", None), ("BERLIN", 2, "ON_HAND", None)]
    assert await life.state(number) is ShipmentState.CANCELED
    assert await life.status(order_id) is OrderStatus.PLACED


async def test_an_order_goes_by_the_mode_it_was_placed_under():
    await make.setting(decrement_inventory=ON_SHIPMENT)
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 3))
    await make.setting(decrement_inventory=ON_ORDER)

    await life.ship_all(order_id)

    assert await life.figures() == Figures(7)
    assert await life.ledger(order_id) == [("BERLIN", "SHIPMENT", -3)]


async def test_two_combinations_that_share_their_products_units_each_go_by_their_own_mode():
    await make.product("PEN", options={"Ink": ["Red", "Blue"]}, tracking=InventoryTracking.TRACK_WITHOUT_OPTIONS)
    await make.setting(product="PEN", backorders=BackorderMode.ALLOW)
    await make.setting(combination="PEN-RED", decrement_inventory=NEVER)
    await make.stock("PEN", on_hand=1)

    order_id = await life.place(("PEN-RED", 2), ("PEN-BLUE", 2))

    red, *blue = await life.units(order_id)
    assert red == ("BERLIN", 2, "ON_HAND")
    assert blue == [("BERLIN", 1, "ON_HAND"), ("BERLIN", 1, "BACKORDERED")]
    assert await life.figures("PEN") == Figures(-1, backordered=1)


async def test_two_lines_of_one_item_leave_in_one_movement():
    await make.setting(decrement_inventory=ON_SHIPMENT)
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 3), ("MUG", 2))

    await life.ship_all(order_id)

    assert await life.ledger(order_id) == [("BERLIN", "SHIPMENT", -5)]
    assert await life.figures() == Figures(5)


async def test_a_complete_order_is_shipped_though_a_later_one_waits_for_what_it_took_off_the_same_level():
    await make.stock("MUG", on_hand=5)
    await make.setting(decrement_inventory=ON_SHIPMENT, backorders=BackorderMode.ALLOW)
    number = await life.pack(await life.place(("MUG", 5)))
    await make.setting(decrement_inventory=ON_ORDER)
    later = await life.place(("MUG", 3))
    assert await life.figures() == Figures(2, planned=5, backordered=3)

    await life.ship(number)

    assert await life.figures() == Figures(-3, backordered=3)
    assert await life.units(later) == [("BERLIN", 3, "BACKORDERED")]


async def test_units_that_wait_under_on_shipment_do_not_stand_for_what_is_on_hand():
    await make.stock("MUG", on_hand=5)
    await make.setting(decrement_inventory=ON_SHIPMENT, backorders=BackorderMode.ALLOW)
    number = await life.pack(await life.place(("MUG", 5)))
    await life.place(("MUG", 3))
    await adjust(-2)

    only = await life.refusal(ship.ship(SYSTEM, number, None, None))

    assert isinstance(only, InsufficientStock)
    assert (only.path, only.requested, only.salable) == (("number",), 5, 3)


async def test_more_than_is_on_hand_and_waited_for_cannot_be_shipped():
    await make.stock("MUG", on_hand=5)
    await make.setting(decrement_inventory=ON_SHIPMENT, backorders=BackorderMode.ALLOW)
    number = await life.pack(await life.place(("MUG", 5)))
    await make.setting(decrement_inventory=ON_ORDER)
    await life.place(("MUG", 3))
    await adjust(-1)

    only = await life.refusal(ship.ship(SYSTEM, number, None, None))

    assert isinstance(only, InsufficientStock)
    assert (only.message, only.requested, only.salable) == ("Only 4 of MUG on hand, cannot ship 5.", 5, 4)


async def test_units_that_are_not_counted_are_shipped_without_a_level():
    await make.product("GIFT", tracking=InventoryTracking.DO_NOT_TRACK)
    order_id = await life.place(("GIFT", 2))

    number = await life.ship_all(order_id)

    assert await life.packed(order_id) == [("BERLIN", 2, "SHIPPED", number)]
    assert await life.status(order_id) is OrderStatus.SHIPPED
    assert await life.ledger(order_id) == []


# ── what goes into a shipment


async def test_a_shipment_has_the_units_of_one_warehouse():
    await make.stock("MUG", "BERLIN", 2)
    await make.stock("MUG", "HAMBURG", 5)
    order_id = await life.place(("MUG", 4))

    number = await life.pack(order_id, "HAMBURG")

    assert await life.packed(order_id) == [("BERLIN", 2, "ON_HAND", None), ("HAMBURG", 2, "ON_HAND", number)]


async def test_a_shipment_takes_what_is_there_before_what_waits():
    await make.setting(backorders=BackorderMode.ALLOW)
    await make.stock("MUG", on_hand=2)
    order_id = await life.place(("MUG", 5))

    ready = await life.pack(order_id, "BERLIN", ("MUG", 2))
    pending = await life.pack(order_id, "BERLIN", ("MUG", 1))

    assert await life.state(ready) is ShipmentState.READY
    assert await life.state(pending) is ShipmentState.PENDING
    assert sorted(await life.packed(order_id), key=str) == [
        ("BERLIN", 1, "BACKORDERED", pending),
        ("BERLIN", 2, "BACKORDERED", None),
        ("BERLIN", 2, "ON_HAND", ready),
    ]


async def test_the_lines_of_a_sku_are_packed_in_their_order():
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 2), ("MUG", 3))

    number = await life.pack(order_id, "BERLIN", ("MUG", 3))

    assert await life.packed(order_id) == [
        ("BERLIN", 2, "ON_HAND", number),
        ("BERLIN", 2, "ON_HAND", None),
        ("BERLIN", 1, "ON_HAND", number),
    ]


async def test_a_line_is_packed_by_its_id():
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 2), ("MUG", 3))
    _, second = await life.lines(order_id)

    number = await life.pack(order_id, "BERLIN", ("MUG", 2, second))

    assert await life.packed(order_id) == [
        ("BERLIN", 2, "ON_HAND", None),
        ("BERLIN", 1, "ON_HAND", None),
        ("BERLIN", 2, "ON_HAND", number),
    ]


async def test_two_rows_of_one_line_do_not_take_the_same_units():
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 3))

    step = life.pack(order_id, "BERLIN", ("MUG", 2), ("MUG", 2))

    assert await life.refused(step) == ("INVALID_STATE", ("lines", 1, "quantity"))


async def test_parts_of_a_unit_are_packed():
    await make.setting(quantity_uses_decimals=True)
    await make.stock("MUG", on_hand="2.5")
    order_id = await life.place(("MUG", "2.25"))

    number = await life.ship_all(order_id, "BERLIN", ("MUG", "0.75"))

    assert await life.packed(order_id) == [
        ("BERLIN", Decimal("1.5"), "ON_HAND", None),
        ("BERLIN", Decimal("0.75"), "SHIPPED", number),
    ]


async def test_an_order_is_partially_shipped_and_then_shipped():
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 3))

    await life.ship_all(order_id, "BERLIN", ("MUG", 2))
    assert await life.status(order_id) is OrderStatus.PARTIALLY_SHIPPED
    await life.ship_all(order_id)

    assert await life.status(order_id) is OrderStatus.SHIPPED


async def test_a_shipment_has_a_tracking_number_a_carrier_and_the_moment_it_left():
    await make.stock("MUG", on_hand=10)
    number = await life.pack(await life.place(("MUG", 3)))

    shipment_id = await ship.ship(SYSTEM, number, " 1Z999 ", "Post")

    found = await Shipment.get(id=shipment_id)
    assert (found.tracking_number, found.carrier, found.state) == ("1Z999", "Post", ShipmentState.SHIPPED)
    assert found.shipped_at == found.updated_at
    assert found.created_at < found.shipped_at


async def test_a_shipment_is_news_of_its_order_and_changes_it():
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 3))
    before = await OutboxEntry.filter(topic="ORDER").count()
    placed = (await Order.get(id=order_id)).updated_at

    number = await life.pack(order_id)
    await life.ship(number)

    assert await OutboxEntry.filter(topic="ORDER", subject=order_id).count() == before + 2
    assert (await Order.get(id=order_id)).updated_at > placed


async def test_the_same_key_packs_once():
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 3))
    asked = CreateShipmentRequest(str(100_000 + order_id), "BERLIN", life.quantities((("MUG", 1),)))

    first = await ship.create(SYSTEM, asked, "pick-1")
    second = await ship.create(SYSTEM, asked, "pick-1")

    assert second == first
    assert await Shipment.all().count() == 1


async def test_a_shipment_that_was_canceled_is_made_again():
    await make.setting(decrement_inventory=ON_SHIPMENT)
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 3))
    await life.unpack(await life.pack(order_id))

    number = await life.ship_all(order_id)

    assert await life.packed(order_id) == [("BERLIN", 3, "SHIPPED", number)]
    assert await life.figures() == Figures(7)


async def test_a_shipment_leaves_another_of_its_order_as_it_is():
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 3))
    first = await life.pack(order_id, "BERLIN", ("MUG", 1))
    before = (await Shipment.all())[0].updated_at

    await life.ship_all(order_id)

    (untouched,) = await Shipment.filter(state=ShipmentState.READY)
    assert (untouched.updated_at, await life.state(first)) == (before, ShipmentState.READY)


# ── backordered units in shipments


async def test_a_shipment_is_ready_with_the_last_unit_that_it_waited_for():
    await make.setting(backorders=BackorderMode.ALLOW)
    await make.stock("MUG", on_hand=1)
    order_id = await life.place(("MUG", 4))
    number = await life.pack(order_id)

    await adjust(2)
    assert await life.packed(order_id) == [
        ("BERLIN", 1, "ON_HAND", number),
        ("BERLIN", 2, "ON_HAND", number),
        ("BERLIN", 1, "BACKORDERED", number),
    ]
    assert await life.state(number) is ShipmentState.PENDING
    await adjust(1)

    assert await life.state(number) is ShipmentState.READY
    await life.ship(number)
    assert await life.status(order_id) is OrderStatus.SHIPPED
    assert await life.figures() == Figures(0)


async def test_a_pending_shipment_cannot_leave():
    await make.setting(backorders=BackorderMode.ALLOW)
    await make.stock("MUG", on_hand=1)
    number = await life.pack(await life.place(("MUG", 4)))

    assert await life.refused(life.ship(number)) == ("INVALID_STATE", ("number",))


async def test_a_pending_shipment_is_unpacked_and_what_waits_waits_on():
    await make.setting(backorders=BackorderMode.ALLOW, decrement_inventory=ON_SHIPMENT)
    await make.stock("MUG", on_hand=1)
    order_id = await life.place(("MUG", 4))
    number = await life.pack(order_id)
    assert await life.figures() == Figures(1, planned=4, backordered=3)

    await life.unpack(number)

    assert await life.figures() == Figures(1, reserved=4, backordered=3)
    assert await life.packed(order_id) == [("BERLIN", 1, "ON_HAND", None), ("BERLIN", 3, "BACKORDERED", None)]


async def test_waiting_units_are_filled_oldest_order_first_wherever_they_are_packed():
    await make.setting(backorders=BackorderMode.ALLOW)
    await make.stock("MUG", on_hand=0)
    first, second = await life.place(("MUG", 2)), await life.place(("MUG", 2))
    packed = await life.pack(second)

    await adjust(3)

    assert await life.units(first) == [("BERLIN", 2, "ON_HAND")]
    assert await life.packed(second) == [("BERLIN", 1, "ON_HAND", packed), ("BERLIN", 1, "BACKORDERED", packed)]
    assert await life.figures() == Figures(-1, backordered=1)


@pytest.mark.parametrize(
    ("mode", "waiting", "filled"),
    [
        (ON_ORDER, Figures(-2, backordered=2), Figures(0)),
        (ON_SHIPMENT, Figures(3, reserved=5, backordered=2), Figures(5, reserved=5)),
        (NEVER, Figures(3), Figures(5)),
    ],
)
async def test_stock_that_arrives_fills_what_waits(mode, waiting, filled):
    await make.setting(backorders=BackorderMode.ALLOW, decrement_inventory=mode)
    await make.stock("MUG", on_hand=3)
    order_id = await life.place(("MUG", 5))
    assert await life.figures() == waiting

    await adjust(2)

    assert await life.figures() == filled
    assert {state for _, _, state in await life.units(order_id)} == {"ON_HAND"}
    assert sum(quantity for _, quantity, _ in await life.units(order_id)) == 5


async def test_what_has_stock_never_waits_again():
    await make.setting(backorders=BackorderMode.ALLOW, decrement_inventory=ON_SHIPMENT)
    await make.stock("MUG", on_hand=5)
    order_id = await life.place(("MUG", 5))

    await adjust(-3)

    assert await life.units(order_id) == [("BERLIN", 5, "ON_HAND")]
    assert await life.figures() == Figures(2, reserved=5)


# ── refusals


async def test_what_is_not_on_hand_cannot_leave():
    await make.setting(decrement_inventory=ON_SHIPMENT)
    await make.stock("MUG", on_hand=5)
    number = await life.pack(await life.place(("MUG", 5)))
    await adjust(-3)

    short = await life.refusal(life.ship(number))

    assert isinstance(short, InsufficientStock)
    assert (short.code.value, short.path, short.sku) == ("INSUFFICIENT_STOCK", ("number",), "MUG")
    assert (short.requested, short.salable) == (5, 2)
    assert short.message == "Only 2 of MUG on hand, cannot ship 5."


async def test_what_was_sold_below_zero_leaves_all_the_same_once_it_is_there():
    await make.setting(decrement_inventory=ON_SHIPMENT)
    await make.stock("MUG", on_hand=5)
    number = await life.pack(await life.place(("MUG", 5)))
    await adjust(-3)
    await adjust(3)

    await life.ship(number)

    assert await life.figures() == Figures(0)


# ── units that left although they are not on hand


async def test_units_that_are_not_on_hand_leave_with_allow_negative_and_on_hand_falls_below_zero():
    await make.setting(decrement_inventory=ON_SHIPMENT)
    await make.stock("MUG", on_hand=5)
    order_id = await life.place(("MUG", 5))
    number = await life.pack(order_id)
    await adjust(-3)

    await life.ship(number, allow_negative=True)

    assert await life.figures() == Figures(-3)
    assert await life.packed(order_id) == [("BERLIN", 5, "SHIPPED", number)]
    assert await life.ledger(order_id) == [("BERLIN", "SHIPMENT", -5)]
    assert await life.status(order_id) is OrderStatus.SHIPPED


async def test_allow_negative_changes_nothing_for_units_that_are_on_hand():
    await make.setting(decrement_inventory=ON_SHIPMENT)
    await make.stock("MUG", on_hand=10)
    number = await life.pack(await life.place(("MUG", 3)))

    await life.ship(number, allow_negative=True)

    assert await life.figures() == Figures(7)


@pytest.mark.parametrize(
    ("mode", "left"), [(ON_ORDER, Figures(-1, backordered=1)), (ON_SHIPMENT, Figures(2, planned=3, backordered=1))]
)
async def test_a_pending_shipment_cannot_leave_with_allow_negative_either(mode, left):
    await make.setting(backorders=BackorderMode.ALLOW, decrement_inventory=mode)
    await make.stock("MUG", on_hand=2)
    number = await life.pack(await life.place(("MUG", 3)))

    step = life.ship(number, allow_negative=True)

    assert await life.refused(step) == ("INVALID_STATE", ("number",))
    assert await life.figures() == left


async def test_units_that_wait_wait_on_when_others_leave_below_zero():
    """What left was promised already: it was not available, and so nothing that waits is filled or loses its place."""
    await make.setting(decrement_inventory=ON_SHIPMENT, backorders=BackorderMode.ALLOW)
    await make.stock("MUG", on_hand=5)
    number = await life.pack(await life.place(("MUG", 5)))
    waiting = await life.place(("MUG", 2))
    await adjust(-4)
    assert await life.figures() == Figures(1, reserved=2, planned=5, backordered=2)

    await life.ship(number, allow_negative=True)

    assert await life.figures() == Figures(-4, reserved=2, backordered=2)
    assert await life.units(waiting) == [("BERLIN", 2, "BACKORDERED")]
    await adjust(6)
    assert await life.units(waiting) == [("BERLIN", 2, "ON_HAND")]
    assert await life.figures() == Figures(2, reserved=2)


async def test_a_shipment_leaves_once():
    await make.stock("MUG", on_hand=10)
    number = await life.ship_all(await life.place(("MUG", 3)))

    assert await life.refused(life.ship(number)) == ("INVALID_STATE", ("number",))
    assert await life.refused(life.unpack(number)) == ("INVALID_STATE", ("number",))


async def test_a_canceled_shipment_neither_leaves_nor_is_canceled_again():
    await make.stock("MUG", on_hand=10)
    number = await life.pack(await life.place(("MUG", 3)))
    await life.unpack(number)

    assert await life.refused(life.ship(number)) == ("INVALID_STATE", ("number",))
    assert await life.refused(life.unpack(number)) == ("INVALID_STATE", ("number",))


async def test_nothing_left_to_ship_is_refused():
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 3))
    await life.pack(order_id)

    assert await life.refused(life.pack(order_id)) == ("INVALID_STATE", ("order",))
    assert await life.refused(life.pack(order_id, "HAMBURG")) == ("INVALID_STATE", ("order",))


async def test_a_shipped_order_has_nothing_left_to_ship():
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 3))
    await life.ship_all(order_id)

    assert await life.refused(life.pack(order_id)) == ("INVALID_STATE", ("order",))


async def test_a_canceled_order_is_not_shipped():
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 3))
    await life.cancel(order_id)

    refusal = await life.refusal(life.pack(order_id))

    assert (refusal.code.value, refusal.path) == ("INVALID_STATE", ("order",))
    assert refusal.message == f"The order {100_000 + order_id} is canceled."


@pytest.mark.parametrize(
    ("warehouse", "row", "code", "path"),
    [
        ("BERLIN", ("MUG", 4), "INVALID_STATE", ("lines", 0, "quantity")),
        ("HAMBURG", ("MUG", 1), "INVALID_STATE", ("lines", 0, "quantity")),
        ("BERLIN", ("MUG", 0), "INVALID_INPUT", ("lines", 0, "quantity")),
        ("BERLIN", ("MUG", -1), "INVALID_INPUT", ("lines", 0, "quantity")),
        ("BERLIN", ("CUP", 1), "NOT_FOUND", ("lines", 0, "sku")),
        ("BERLIN", ("MUG", 1, 999), "NOT_FOUND", ("lines", 0, "line")),
        ("PARIS", ("MUG", 1), "NOT_FOUND", ("warehouse",)),
    ],
)
async def test_what_is_not_of_the_order_cannot_be_packed(warehouse, row, code, path):
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 3))

    assert await life.refused(life.pack(order_id, warehouse, row)) == (code, path)


async def test_a_line_named_with_another_sku_is_not_found():
    await make.stock("MUG", on_hand=10)
    await make.stock("CUP", on_hand=10)
    order_id = await life.place(("MUG", 3), ("CUP", 1))
    first, _ = await life.lines(order_id)

    assert await life.refused(life.pack(order_id, "BERLIN", ("CUP", 1, first))) == ("NOT_FOUND", ("lines", 0, "line"))


async def test_every_bad_row_is_told():
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 3))

    with pytest.raises(Refused) as error:
        await life.pack(order_id, "BERLIN", ("MUG", 1), ("CUP", 1), ("MUG", 9))

    assert [(r.code.value, r.path) for r in error.value.refusals] == [
        ("NOT_FOUND", ("lines", 1, "sku")),
        ("INVALID_STATE", ("lines", 2, "quantity")),
    ]
    assert await Shipment.all().count() == 0


@pytest.mark.parametrize("number", ["S1", "S100001", "100001", "", "S-5", "nonsense"])
async def test_an_unknown_shipment_is_not_found(number):
    assert await life.refused(life.ship(number)) == ("NOT_FOUND", ("number",))
    assert await life.refused(life.unpack(number)) == ("NOT_FOUND", ("number",))


async def test_an_unknown_order_cannot_be_packed():
    assert await life.refused(life.pack(7)) == ("NOT_FOUND", ("order",))


async def test_a_shipment_without_lines_to_it_is_refused():
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 3))

    step = ship.create(SYSTEM, CreateShipmentRequest(str(100_000 + order_id), "BERLIN", ()))

    assert await life.refused(step) == ("INVALID_INPUT", ("lines",))


async def test_five_hundred_and_one_rows_are_too_many():
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 3))

    assert await life.refused(life.pack(order_id, "BERLIN", *[("MUG", 1)] * 501)) == ("TOO_MANY", ("lines",))


# ── warehouses that sell nothing any more


async def test_what_is_allocated_in_an_inactive_warehouse_is_filled_packed_and_shipped():
    await make.setting(backorders=BackorderMode.ALLOW)
    await make.stock("MUG", on_hand=1)
    order_id = await life.place(("MUG", 2))
    await warehouses.update_warehouse("BERLIN", {"active": False})

    await adjust(1)
    await life.ship_all(order_id)

    assert await life.status(order_id) is OrderStatus.SHIPPED
    assert await life.figures() == Figures(0)


async def test_what_is_allocated_in_a_warehouse_that_was_taken_off_the_website_is_shipped():
    await make.stock("MUG", on_hand=2)
    order_id = await life.place(("MUG", 2))
    await warehouses.update_website("shop", {"warehouses": [warehouses.AssignedWarehouse("HAMBURG")]})

    await life.ship_all(order_id)

    assert await life.status(order_id) is OrderStatus.SHIPPED


async def test_a_shipment_that_is_sent_twice_at_once_leaves_once():
    await make.setting(decrement_inventory=ON_SHIPMENT)
    await make.stock("MUG", on_hand=10)
    number = await life.pack(await life.place(("MUG", 3)))
    clerks = [Caller(f"clerk {n}", f"token:{n}", SYSTEM.scopes) for n in range(4)]

    ends = await asyncio.gather(*(ship.ship(clerk, number, None, None) for clerk in clerks), return_exceptions=True)

    assert [type(end) for end in ends if isinstance(end, Exception)] == [Refused] * 3
    assert await life.figures() == Figures(7)
