"""What has not left is canceled: which units first, and what they give back."""

import asyncio
from decimal import Decimal

import pytest

from gqlstock.rules.catalog import InventoryTracking
from gqlstock.rules.orders import OrderStatus
from gqlstock.rules.refusals import Refused
from gqlstock.rules.scopes import SYSTEM
from gqlstock.rules.settings import BackorderMode, InsufficientStockAction, InventoryDecrement
from gqlstock.rules.shipments import ShipmentState
from gqlstock.services import adjust_stock, cancel_order, catalog, verification, warehouses
from gqlstock.services.adjust_stock import AdjustStockRequest, StockAdjustment
from gqlstock.services.cancel_order import CancelOrderRequest
from gqlstock.store.inventory import StockMovement
from gqlstock.store.orders import Order
from gqlstock.store.outbox import OutboxEntry
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


async def split():
    """MUG with 2 in BERLIN and 2 in HAMBURG, an order of 7 of which 3 wait in BERLIN."""
    await make.stock("MUG", "BERLIN", 2)
    await make.stock("MUG", "HAMBURG", 2)
    await make.setting(level=("MUG", "BERLIN"), backorders=BackorderMode.ALLOW)
    return await life.place(("MUG", 7))


# ── what canceled units give back, by mode


@pytest.mark.parametrize(
    ("mode", "ledger"),
    [
        (ON_ORDER, [("BERLIN", "SALE", -3), ("BERLIN", "CANCELLATION", 3)]),
        (ON_SHIPMENT, []),
        (NEVER, []),
    ],
)
@pytest.mark.parametrize("in_a_shipment", [False, True])
async def test_what_is_canceled_gives_back_what_it_took(mode, ledger, in_a_shipment):
    await make.setting(decrement_inventory=mode)
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 3))
    if in_a_shipment:
        await life.pack(order_id)

    await life.cancel(order_id)

    assert await life.figures() == Figures(10)
    assert await life.packed(order_id) == [("BERLIN", 3, "CANCELED", None)]
    assert await life.canceled(order_id) == [3]
    assert await life.status(order_id) is OrderStatus.CANCELED
    assert await life.ledger(order_id) == ledger


@pytest.mark.parametrize(
    ("mode", "left", "ledger"),
    [
        (ON_ORDER, 7, [("BERLIN", "SALE", -3), ("BERLIN", "CANCELLATION", 3), ("BERLIN", "ADJUSTMENT", -3)]),
        (ON_SHIPMENT, 7, [("BERLIN", "ADJUSTMENT", -3)]),
        (NEVER, 10, []),
    ],
)
@pytest.mark.parametrize("in_a_shipment", [False, True])
async def test_what_is_canceled_without_restocking_is_written_off(mode, left, ledger, in_a_shipment):
    await make.setting(decrement_inventory=mode)
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 3))
    if in_a_shipment:
        await life.pack(order_id)

    await life.cancel(order_id, restock=False)

    assert await life.figures() == Figures(left)
    assert await life.packed(order_id) == [("BERLIN", 3, "CANCELED", None)]
    assert await life.ledger(order_id) == ledger


@pytest.mark.parametrize("mode", [ON_ORDER, ON_SHIPMENT])
async def test_units_that_wait_are_not_written_off(mode):
    """Of 5 ordered 3 never came: only the 2 on hand are lost."""
    await make.setting(decrement_inventory=mode, backorders=BackorderMode.ALLOW)
    await make.stock("MUG", on_hand=2)
    order_id = await life.place(("MUG", 5))

    await life.cancel(order_id, restock=False)

    assert await life.figures() == Figures(0)
    assert [row for row in await life.ledger(order_id) if row[1] == "ADJUSTMENT"] == [("BERLIN", "ADJUSTMENT", -2)]


@pytest.mark.parametrize(
    ("mode", "free", "packed"),
    [
        (ON_ORDER, Figures(8), Figures(8)),
        (ON_SHIPMENT, Figures(10, reserved=2), Figures(10, planned=2)),
        (NEVER, Figures(10), Figures(10)),
    ],
)
async def test_what_is_canceled_in_part_gives_back_that_part(mode, free, packed):
    await make.setting(decrement_inventory=mode)
    await make.stock("MUG", on_hand=10)
    one = await life.place(("MUG", 3))

    await life.cancel(one, ("MUG", 1))
    assert await life.figures() == free
    await life.cancel(one)
    other = await life.place(("MUG", 3))
    await life.pack(other)
    await life.cancel(other, ("MUG", 1))

    assert await life.figures() == packed
    assert await life.status(other) is OrderStatus.PLACED


@pytest.mark.parametrize(
    ("mode", "waiting", "after"),
    [
        (ON_ORDER, Figures(-3, backordered=3), Figures(-1, backordered=1)),
        (ON_SHIPMENT, Figures(2, reserved=5, backordered=3), Figures(2, reserved=3, backordered=1)),
        (NEVER, Figures(2), Figures(2)),
    ],
)
async def test_a_canceled_unit_that_waited_gives_back_what_it_took(mode, waiting, after):
    await make.setting(backorders=BackorderMode.ALLOW, decrement_inventory=mode)
    await make.stock("MUG", on_hand=2)
    order_id = await life.place(("MUG", 5))
    assert await life.figures() == waiting

    await life.cancel(order_id, ("MUG", 2))

    assert await life.figures() == after


async def test_a_cancellation_tells_the_ledger_why():
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 3))

    await life.cancel(order_id, reason=" wrong color ")

    last = await StockMovement.all().order_by("-id").first()
    assert (last.kind.value, last.reason, last.order_id) == ("CANCELLATION", "wrong color", order_id)


async def test_a_whole_cancellation_has_its_moment_and_is_news():
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 3))
    before = await OutboxEntry.filter(topic="ORDER").count()

    await life.cancel(order_id)

    order = await Order.get(id=order_id)
    assert order.canceled_at == order.updated_at
    assert order.canceled_at > order.placed_at
    assert await OutboxEntry.filter(topic="ORDER", subject=order_id).count() == before + 1


async def test_units_that_are_not_counted_are_canceled_without_a_level():
    await make.product("GIFT", tracking=InventoryTracking.DO_NOT_TRACK)
    order_id = await life.place(("GIFT", 2))

    await life.cancel(order_id, ("GIFT", 1))
    assert await life.status(order_id) is OrderStatus.PLACED
    await life.cancel(order_id)

    assert await life.status(order_id) is OrderStatus.CANCELED
    assert await life.ledger(order_id) == []


# ── which units first


async def test_what_waits_is_canceled_first():
    order_id = await split()

    await life.cancel(order_id, ("MUG", 2))

    assert await life.units(order_id) == [
        ("BERLIN", 2, "ON_HAND"),
        ("HAMBURG", 2, "ON_HAND"),
        ("BERLIN", 1, "BACKORDERED"),
        ("BERLIN", 2, "CANCELED"),
    ]


async def test_then_the_source_planned_last_gives_back_first():
    order_id = await split()

    await life.cancel(order_id, ("MUG", 6))

    assert await life.units(order_id) == [
        ("BERLIN", 1, "ON_HAND"),
        ("BERLIN", 1, "CANCELED"),
        ("HAMBURG", 2, "CANCELED"),
        ("BERLIN", 3, "CANCELED"),
    ]


async def test_what_is_in_a_shipment_is_canceled_last():
    order_id = await split()
    packed = await life.pack(order_id, "HAMBURG")

    await life.cancel(order_id, ("MUG", 4))
    assert await life.packed(order_id) == [
        ("BERLIN", 1, "ON_HAND", None),
        ("BERLIN", 1, "CANCELED", None),
        ("HAMBURG", 2, "ON_HAND", packed),
        ("BERLIN", 3, "CANCELED", None),
    ]
    await life.cancel(order_id, ("MUG", 2))

    assert await life.packed(order_id) == [
        ("BERLIN", 1, "CANCELED", None),
        ("BERLIN", 1, "CANCELED", None),
        ("HAMBURG", 1, "ON_HAND", packed),
        ("HAMBURG", 1, "CANCELED", None),
        ("BERLIN", 3, "CANCELED", None),
    ]
    assert await life.state(packed) is ShipmentState.READY


async def test_a_unit_that_waits_in_a_shipment_is_canceled_before_one_that_is_there_in_none():
    await make.setting(backorders=BackorderMode.ALLOW)
    await make.stock("MUG", on_hand=2)
    order_id = await life.place(("MUG", 4))
    ready = await life.pack(order_id, "BERLIN", ("MUG", 1))
    unpacked = await life.pack(order_id, "BERLIN", ("MUG", 1))
    pending = await life.pack(order_id)
    await life.unpack(unpacked)

    await life.cancel(order_id, ("MUG", 2))
    assert await life.packed(order_id) == [
        ("BERLIN", 1, "ON_HAND", None),
        ("BERLIN", 1, "ON_HAND", ready),
        ("BERLIN", 2, "CANCELED", None),
    ]
    await life.cancel(order_id, ("MUG", 1))

    assert (await life.state(pending), await life.state(ready)) == (ShipmentState.CANCELED, ShipmentState.READY)


async def test_a_shipment_is_ready_once_what_it_waited_for_is_canceled():
    await make.setting(backorders=BackorderMode.ALLOW)
    await make.stock("MUG", on_hand=2)
    order_id = await life.place(("MUG", 3))
    pending = await life.pack(order_id)

    await life.cancel(order_id, ("MUG", 1))

    assert await life.state(pending) is ShipmentState.READY
    assert await life.packed(order_id) == [("BERLIN", 2, "ON_HAND", pending), ("BERLIN", 1, "CANCELED", None)]


async def test_a_shipment_with_nothing_left_in_it_is_canceled():
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 3))
    packed = await life.pack(order_id, "BERLIN", ("MUG", 2))

    await life.cancel(order_id, ("MUG", 3))

    assert await life.state(packed) is ShipmentState.CANCELED


async def test_the_lines_of_a_sku_are_canceled_in_their_order_and_one_by_its_id():
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 2), ("MUG", 3), ("MUG", 2))
    *_, third = await life.lines(order_id)

    await life.cancel(order_id, ("MUG", 1, third), ("MUG", 3))

    assert await life.canceled(order_id) == [2, 1, 1]
    assert await life.figures() == Figures(7)


async def test_an_item_gives_back_in_one_movement_for_each_warehouse():
    await make.stock("MUG", "BERLIN", 2)
    await make.stock("MUG", "HAMBURG", 5)
    order_id = await life.place(("MUG", 3), ("MUG", 2))

    await life.cancel(order_id)

    given_back = (await life.ledger(order_id))[2:]
    assert sorted(given_back) == [("BERLIN", "CANCELLATION", 2), ("HAMBURG", "CANCELLATION", 3)]


# ── the order's status


async def test_an_order_of_which_the_rest_is_canceled_is_shipped():
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 3))
    await life.ship_all(order_id, "BERLIN", ("MUG", 2))

    await life.cancel(order_id)

    assert await life.status(order_id) is OrderStatus.SHIPPED
    assert await life.canceled(order_id) == [1]
    assert (await Order.get(id=order_id)).canceled_at is None


async def test_an_order_with_one_line_canceled_and_another_not_is_placed():
    await make.stock("MUG", on_hand=10)
    await make.stock("CUP", on_hand=10)
    order_id = await life.place(("MUG", 3), ("CUP", 1))

    await life.cancel(order_id, ("MUG", 3))

    assert await life.status(order_id) is OrderStatus.PLACED


async def test_an_order_with_one_line_canceled_and_the_other_shipped_is_shipped():
    await make.stock("MUG", on_hand=10)
    await make.stock("CUP", on_hand=10)
    order_id = await life.place(("MUG", 3), ("CUP", 1))
    await life.ship_all(order_id, "BERLIN", ("MUG", 3))

    await life.cancel(order_id, ("CUP", 1))

    assert await life.status(order_id) is OrderStatus.SHIPPED


# ── what is given back goes to who waits


async def test_what_is_canceled_fills_the_oldest_order_that_waits():
    await make.setting(backorders=BackorderMode.ALLOW)
    await make.stock("MUG", on_hand=3)
    first, second, third = await life.place(("MUG", 3)), await life.place(("MUG", 2)), await life.place(("MUG", 2))

    await life.cancel(first)

    assert await life.units(second) == [("BERLIN", 2, "ON_HAND")]
    assert await life.units(third) == [("BERLIN", 1, "ON_HAND"), ("BERLIN", 1, "BACKORDERED")]
    assert await life.figures() == Figures(-1, backordered=1)


async def test_a_waiting_order_that_is_canceled_fills_nobody():
    """Backorders filled by a cancellation elsewhere."""
    await make.setting(backorders=BackorderMode.ALLOW)
    await make.stock("MUG", on_hand=0)
    first, second = await life.place(("MUG", 3)), await life.place(("MUG", 2))

    await life.cancel(first)

    assert await life.units(second) == [("BERLIN", 2, "BACKORDERED")]
    assert await life.figures() == Figures(-2, backordered=2)


async def test_the_rest_of_an_order_is_filled_by_what_is_canceled_of_another():
    await make.setting(backorders=BackorderMode.ALLOW, decrement_inventory=ON_SHIPMENT)
    await make.stock("MUG", on_hand=2)
    first, second = await life.place(("MUG", 2)), await life.place(("MUG", 3))
    pending = await life.pack(second)

    await life.cancel(first, ("MUG", 2))

    assert await life.packed(second) == [("BERLIN", 2, "ON_HAND", pending), ("BERLIN", 1, "BACKORDERED", pending)]
    assert await life.figures() == Figures(2, planned=3, backordered=1)


# ── parked orders


async def test_a_parked_order_is_canceled_and_gives_nothing_back():
    await make.setting(insufficient_stock=InsufficientStockAction.HOLD_ORDER)
    await make.stock("MUG", on_hand=1)
    order_id = await life.place(("MUG", 3))

    await life.cancel(order_id)

    assert await life.status(order_id) is OrderStatus.CANCELED
    assert (await life.canceled(order_id), await life.units(order_id)) == ([3], [])
    assert await life.figures() == Figures(1)


async def test_a_parked_order_is_canceled_in_part_and_stays_parked_until_nothing_is_left():
    await make.setting(insufficient_stock=InsufficientStockAction.HOLD_ORDER)
    await make.stock("MUG", on_hand=1)
    order_id = await life.place(("MUG", 3), ("MUG", 2))

    await life.cancel(order_id, ("MUG", 4))
    assert (await life.canceled(order_id), await life.status(order_id)) == ([3, 1], OrderStatus.BACKORDERED)
    await life.cancel(order_id, ("MUG", 1))

    assert (await life.canceled(order_id), await life.status(order_id)) == ([3, 2], OrderStatus.CANCELED)


async def test_more_than_a_parked_order_has_cannot_be_canceled():
    await make.setting(insufficient_stock=InsufficientStockAction.HOLD_ORDER)
    await make.stock("MUG", on_hand=1)
    order_id = await life.place(("MUG", 3))

    assert await life.refused(life.cancel(order_id, ("MUG", 4))) == ("INVALID_STATE", ("lines", 0, "quantity"))


# ── refusals


async def test_more_than_is_not_shipped_cannot_be_canceled():
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 3))
    await life.ship_all(order_id, "BERLIN", ("MUG", 2))

    refusal = await life.refusal(life.cancel(order_id, ("MUG", 2)))

    assert (refusal.code.value, refusal.path) == ("INVALID_STATE", ("lines", 0, "quantity"))
    assert refusal.message == "2 of MUG cannot be canceled: only 1 can."


async def test_two_rows_of_one_line_do_not_cancel_the_same_units():
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 3))

    assert await life.refused(life.cancel(order_id, ("MUG", 2), ("MUG", 2))) == (
        "INVALID_STATE",
        ("lines", 1, "quantity"),
    )


async def test_a_canceled_or_shipped_order_is_not_canceled():
    await make.stock("MUG", on_hand=10)
    gone, ended = await life.place(("MUG", 3)), await life.place(("MUG", 3))
    await life.ship_all(gone)
    await life.cancel(ended)

    assert await life.refused(life.cancel(gone)) == ("INVALID_STATE", ("number",))
    assert await life.refused(life.cancel(ended)) == ("INVALID_STATE", ("number",))


@pytest.mark.parametrize(
    ("row", "code", "path"),
    [
        (("CUP", 1), "NOT_FOUND", ("lines", 0, "sku")),
        (("MUG", 0), "INVALID_INPUT", ("lines", 0, "quantity")),
        (("MUG", -2), "INVALID_INPUT", ("lines", 0, "quantity")),
        (("MUG", 1, 999), "NOT_FOUND", ("lines", 0, "line")),
    ],
)
async def test_what_is_not_of_the_order_cannot_be_canceled(row, code, path):
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 3))

    assert await life.refused(life.cancel(order_id, row)) == (code, path)


@pytest.mark.parametrize("number", ["1", "100001", "S100001", "", "nonsense", "9" * 30])
async def test_an_unknown_order_is_not_found(number):
    assert await life.refused(cancel_order.cancel(SYSTEM, CancelOrderRequest(number))) == ("NOT_FOUND", ("number",))


async def test_a_cancellation_of_no_lines_is_refused():
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 3))

    step = cancel_order.cancel(SYSTEM, CancelOrderRequest(str(100_000 + order_id), ()))

    assert await life.refused(step) == ("INVALID_INPUT", ("lines",))


async def test_a_reason_that_is_too_long_is_refused():
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 3))

    assert await life.refused(life.cancel(order_id, reason="x" * 1001)) == ("INVALID_INPUT", ("reason",))


async def test_the_same_key_cancels_once():
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 3))
    asked = CancelOrderRequest(str(100_000 + order_id), life.quantities((("MUG", 1),)))

    first = await cancel_order.cancel(SYSTEM, asked, "key")
    second = await cancel_order.cancel(SYSTEM, asked, "key")

    assert second == first
    assert await life.canceled(order_id) == [1]


async def test_what_is_allocated_in_an_inactive_warehouse_is_canceled():
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 3))
    await warehouses.update_warehouse("BERLIN", {"active": False})

    await life.cancel(order_id)

    assert await life.figures() == Figures(10)


async def test_an_order_of_a_renamed_item_is_canceled_by_the_sku_of_then():
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 3))
    await catalog.update_product("MUG", {"new_sku": "BEAKER"})

    await life.cancel(order_id, ("MUG", 3))

    assert await life.figures("BEAKER") == Figures(10)


async def test_what_is_canceled_or_sent_at_once_is_one_of_both():
    await make.setting(decrement_inventory=ON_SHIPMENT)
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 3))
    number = await life.pack(order_id)

    ends = await asyncio.gather(life.ship(number), life.cancel(order_id), return_exceptions=True)

    assert [type(end) for end in ends if end is not None] == [Refused]
    state = (await life.units(order_id))[0][2]
    assert (state, await life.figures()) in (("SHIPPED", Figures(7)), ("CANCELED", Figures(10)))
