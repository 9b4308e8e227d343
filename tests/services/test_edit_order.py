"""An order is edited until everything has left: lines are added, raised and lowered, all of it or nothing."""

import asyncio
from decimal import Decimal

import pytest

from gqlstock.rules.availability import BACKORDER_MESSAGE
from gqlstock.rules.catalog import InventoryTracking, Option, OptionValue
from gqlstock.rules.order_request import RequestedLine
from gqlstock.rules.orders import OrderStatus
from gqlstock.rules.refusals import InsufficientStock, QuantityNotAllowed, Refused
from gqlstock.rules.scopes import SYSTEM
from gqlstock.rules.settings import BackorderMode, InsufficientStockAction, InventoryDecrement
from gqlstock.rules.shipments import ShipmentState
from gqlstock.services import catalog, clear_cache, combinations, edit_order, verification
from gqlstock.services.edit_order import EditOrderRequest
from gqlstock.store.catalog import Item
from gqlstock.store.db import clock
from gqlstock.store.inventory import StockMovement
from gqlstock.store.orders import Allocation, Order, OrderLine
from support import order_life as life
from support import shop_builders as make
from support.order_life import Figures
from support.promised_dates import OrderNews, announce, day, let_pass, receive

NEVER, ON_ORDER, ON_SHIPMENT = InventoryDecrement.NEVER, InventoryDecrement.ON_ORDER, InventoryDecrement.ON_SHIPMENT


@pytest.fixture(autouse=True)
async def shop(db):
    await life.shop()
    yield
    assert await verification.verify() == []


async def lines(order_id):
    """The SKU, the quantity and the canceled units of each line."""
    found = await OrderLine.filter(order_id=order_id).order_by("id")
    return [(line.sku, line.quantity, line.canceled) for line in found]


async def promised(order_id):
    """When the order is promised for, and when each line."""
    order = await Order.get(id=order_id)
    of_lines = await OrderLine.filter(order_id=order_id).order_by("id")
    return order.promised_at, [line.promised_at for line in of_lines]


# ── more units


@pytest.mark.parametrize(
    ("mode", "after", "ledger"),
    [
        (ON_ORDER, Figures(4), [("BERLIN", "SALE", -2), ("BERLIN", "SALE", -4)]),
        (ON_SHIPMENT, Figures(10, reserved=6), []),
        (NEVER, Figures(10), []),
    ],
)
async def test_a_raised_line_takes_more_by_the_mode_it_was_placed_under(mode, after, ledger):
    await make.setting(decrement_inventory=mode)
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 2))
    await make.setting(decrement_inventory=NEVER if mode is ON_ORDER else ON_ORDER)

    await life.edit(order_id, change=[("MUG", 6)])

    assert await life.figures() == after
    assert await life.ledger(order_id) == ledger
    assert await lines(order_id) == [("MUG", 6, 0)]
    assert await life.units(order_id) == [("BERLIN", 2, "ON_HAND"), ("BERLIN", 4, "ON_HAND")]


async def test_a_new_line_takes_the_mode_of_today():
    await make.stock("MUG", on_hand=10)
    await make.stock("CUP", on_hand=10)
    order_id = await life.place(("MUG", 2))
    await make.setting(decrement_inventory=ON_SHIPMENT)

    await life.edit(order_id, add=[("CUP", 3)])

    assert await lines(order_id) == [("MUG", 2, 0), ("CUP", 3, 0)]
    assert (await life.figures(), await life.figures("CUP")) == (Figures(8), Figures(10, reserved=3))
    assert await life.status(order_id) is OrderStatus.PLACED


async def test_a_line_takes_more_from_the_sources_in_turn_and_gives_that_back_first():
    await make.stock("MUG", "BERLIN", 3)
    await make.stock("MUG", "HAMBURG", 5)
    order_id = await life.place(("MUG", 2))

    await life.edit(order_id, change=[("MUG", 4)])
    found = await Allocation.filter(line__order_id=order_id).order_by("id").values_list("position", "quantity")
    assert list(found) == [(0, 2), (1, 1), (2, 1)]
    await life.cancel(order_id, ("MUG", 2))

    assert await life.units(order_id) == [
        ("BERLIN", 2, "ON_HAND"),
        ("BERLIN", 1, "CANCELED"),
        ("HAMBURG", 1, "CANCELED"),
    ]


async def test_a_raised_line_of_which_everything_has_left_is_open_again():
    await make.stock("MUG", on_hand=9)
    await make.stock("CUP", on_hand=1)
    order_id = await life.place(("MUG", 2), ("CUP", 1))
    sent = await life.ship_all(order_id, "BERLIN", ("MUG", 2))

    await life.edit(order_id, change=[("MUG", 3)])

    assert await life.packed(order_id) == [
        ("BERLIN", 2, "SHIPPED", sent),
        ("BERLIN", 1, "ON_HAND", None),
        ("BERLIN", 1, "ON_HAND", None),
    ]
    assert await life.status(order_id) is OrderStatus.PARTIALLY_SHIPPED
    await life.ship_all(order_id)
    assert await life.status(order_id) is OrderStatus.SHIPPED


async def test_a_canceled_line_is_raised_again():
    await make.stock("MUG", on_hand=9)
    await make.stock("CUP", on_hand=1)
    order_id = await life.place(("MUG", 2), ("CUP", 1))
    await life.cancel(order_id, ("MUG", 2))

    await life.edit(order_id, change=[("MUG", 3)])

    assert await lines(order_id) == [("MUG", 5, 2), ("CUP", 1, 0)]
    assert await life.figures() == Figures(6)


async def test_a_line_that_was_canceled_before_its_order_had_units_is_raised():
    await make.setting(insufficient_stock=InsufficientStockAction.HOLD_ORDER)
    await make.stock("CUP", on_hand=1)
    order_id = await life.place(("MUG", 2), ("CUP", 1))
    await life.cancel(order_id, ("MUG", 2))
    await life.retry(order_id)
    await make.stock("MUG", on_hand=4)

    await life.edit(order_id, change=[("MUG", 3)])

    assert await lines(order_id) == [("MUG", 5, 2), ("CUP", 1, 0)]
    assert await life.units(order_id) == [("BERLIN", 3, "ON_HAND"), ("BERLIN", 1, "ON_HAND")]


async def test_more_of_what_is_not_counted_reads_no_level():
    await make.product("GIFT", tracking=InventoryTracking.DO_NOT_TRACK)
    order_id = await life.place(("GIFT", 2))

    await life.edit(order_id, change=[("GIFT", 3)], add=[("GIFT", 4)])

    assert await lines(order_id) == [("GIFT", 3, 0), ("GIFT", 4, 0)]
    assert await life.units(order_id) == [("BERLIN", 2, "ON_HAND"), ("BERLIN", 1, "ON_HAND"), ("BERLIN", 4, "ON_HAND")]
    assert await life.ledger(order_id) == []


async def test_a_new_line_of_an_item_that_nobody_counted_makes_its_level():
    await make.setting(backorders=BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER)
    await make.stock("MUG", on_hand=1)
    order_id = await life.place(("MUG", 1))

    await life.edit(order_id, add=[("CUP", 2)])

    assert await life.figures("CUP") == Figures(-2, backordered=2)
    assert [line.message for line in await OrderLine.filter(order_id=order_id).order_by("id")] == [
        None,
        BACKORDER_MESSAGE,
    ]


async def test_a_raised_line_says_that_it_waits_and_keeps_on_saying_so():
    await make.setting(backorders=BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER)
    await make.stock("MUG", on_hand=1)
    order_id = await life.place(("MUG", 1))

    async def message():
        return (await OrderLine.get(order_id=order_id)).message

    await life.edit(order_id, change=[("MUG", 2)])
    assert await message() == BACKORDER_MESSAGE
    await make.stock("MUG", on_hand=9)
    await life.edit(order_id, change=[("MUG", 3)])

    assert await message() == BACKORDER_MESSAGE


async def test_raised_lines_are_planned_in_the_order_of_the_lines_and_before_new_ones():
    await make.setting(backorders=BackorderMode.ALLOW)
    await make.stock("MUG", on_hand=3)
    order_id = await life.place(("MUG", 1), ("MUG", 1))
    one, two = await life.lines(order_id)
    await make.stock("MUG", on_hand=2)

    await life.edit(order_id, add=[("MUG", 1)], change=[("MUG", 2, two), ("MUG", 2, one)])

    assert await life.units(order_id) == [
        ("BERLIN", 1, "ON_HAND"),
        ("BERLIN", 1, "ON_HAND"),
        ("BERLIN", 1, "ON_HAND"),
        ("BERLIN", 1, "ON_HAND"),
        ("BERLIN", 1, "BACKORDERED"),
    ]


async def test_units_that_are_added_wait_after_orders_that_were_placed_before():
    await make.setting(backorders=BackorderMode.ALLOW)
    await make.stock("MUG", on_hand=1)
    edited, other = await life.place(("MUG", 1)), await life.place(("MUG", 1))
    await life.edit(edited, change=[("MUG", 2)])
    assert await life.figures() == Figures(-2, backordered=2)

    await receive(1)

    assert await life.units(other) == [("BERLIN", 1, "ON_HAND")]
    assert await life.units(edited) == [("BERLIN", 1, "ON_HAND"), ("BERLIN", 1, "BACKORDERED")]


async def test_a_raised_line_keeps_its_options_and_a_new_one_has_its_own():
    await make.product("SHIRT", options={"Size": ["S", "M"]})
    await make.stock("SHIRT-S", on_hand=5)
    await make.stock("SHIRT-M", on_hand=5)
    order_id = await life.place(("SHIRT-S", 1))
    wanted = RequestedLine("SHIRT", Decimal(2), (("Size", "M"),))
    number = str(100_000 + order_id)

    await life.edit(order_id, change=[("SHIRT-S", 2)])
    await edit_order.edit(SYSTEM, EditOrderRequest(number, (wanted,)))

    found = await OrderLine.filter(order_id=order_id).order_by("id")
    assert [(line.sku, line.quantity, line.selected_options) for line in found] == [
        ("SHIRT-S", 2, {"Size": "S"}),
        ("SHIRT-M", 2, {"Size": "M"}),
    ]
    assert (await life.figures("SHIRT-S"), await life.figures("SHIRT-M")) == (Figures(3), Figures(3))


async def test_a_line_is_raised_under_the_options_that_its_combination_has_by_then():
    await make.product("SHIRT", options={"Size": ["S", "M"]})
    await make.stock("SHIRT-S", on_hand=5)
    order_id = await life.place(("SHIRT-S", 1))
    size = Option("Fit", (OptionValue("Small", renamed_from="S"), OptionValue("M")), renamed_from="Size")
    color = Option("Color", (OptionValue("Red"), OptionValue("Blue")), existing="Red")
    await catalog.update_product("SHIRT", {"options": [size, color]})

    await life.edit(order_id, change=[("SHIRT-S", 3)])

    assert await life.figures("SHIRT-S") == Figures(2)
    assert [line.selected_options for line in await OrderLine.filter(order_id=order_id)] == [{"Size": "S"}]


@pytest.mark.parametrize("sku", ["MUG", "BECHER"])
async def test_a_renamed_item_is_raised_by_the_sku_as_it_was_or_as_it_is(sku):
    await make.stock("MUG", on_hand=5)
    order_id = await life.place(("MUG", 1))
    await catalog.update_product("MUG", {"new_sku": "BECHER"})

    await life.edit(order_id, change=[(sku, 3)])

    assert await lines(order_id) == [("MUG", 3, 0)]
    assert await life.figures("BECHER") == Figures(2)


# ── fewer units


@pytest.mark.parametrize(
    ("mode", "after", "ledger"),
    [
        (ON_ORDER, Figures(9), [("BERLIN", "SALE", -4), ("BERLIN", "CANCELLATION", 3)]),
        (ON_SHIPMENT, Figures(10, reserved=1), []),
        (NEVER, Figures(10), []),
    ],
)
async def test_a_lowered_line_gives_back_what_it_took(mode, after, ledger):
    await make.setting(decrement_inventory=mode)
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 4))

    await life.edit(order_id, change=[("MUG", 1)])

    assert await life.figures() == after
    assert await life.ledger(order_id) == ledger
    assert await lines(order_id) == [("MUG", 4, 3)]
    assert (await Order.get(id=order_id)).canceled_units == 3


async def test_what_waits_of_a_lowered_line_is_canceled_first_and_then_what_is_in_no_shipment():
    await make.setting(backorders=BackorderMode.ALLOW)
    await make.stock("MUG", on_hand=4)
    order_id = await life.place(("MUG", 5))
    packed = await life.pack(order_id, "BERLIN", ("MUG", 2))

    await life.edit(order_id, change=[("MUG", 1)])

    assert await life.packed(order_id) == [
        ("BERLIN", 2, "CANCELED", None),
        ("BERLIN", 1, "ON_HAND", packed),
        ("BERLIN", 1, "CANCELED", None),
        ("BERLIN", 1, "CANCELED", None),
    ]
    assert await life.state(packed) is ShipmentState.READY


async def test_a_line_of_0_is_canceled_and_an_order_without_units_as_well():
    await make.stock("MUG", on_hand=4)
    await make.stock("CUP", on_hand=4)
    order_id = await life.place(("MUG", 3), ("CUP", 1))

    await life.edit(order_id, change=[("MUG", 0)])
    assert (await lines(order_id), await life.status(order_id)) == ([("MUG", 3, 3), ("CUP", 1, 0)], OrderStatus.PLACED)
    await life.edit(order_id, change=[("CUP", 0)])

    order = await Order.get(id=order_id)
    assert (order.status, order.canceled_at) == (OrderStatus.CANCELED, order.updated_at)


async def test_an_order_of_which_the_rest_is_lowered_to_what_left_is_shipped():
    await make.stock("MUG", on_hand=4)
    order_id = await life.place(("MUG", 3))
    await life.ship_all(order_id, "BERLIN", ("MUG", 2))
    await life.take_back(order_id, ("MUG", 1))

    await life.edit(order_id, change=[("MUG", 2)])

    assert await life.status(order_id) is OrderStatus.SHIPPED


async def test_fewer_of_an_item_that_is_gone_are_left():
    await make.stock("MUG", on_hand=4)
    await make.stock("CUP", on_hand=4)
    await make.setting(minimum_order_quantity=3)
    order_id = await life.place(("MUG", 4), ("CUP", 4))
    await Item.filter(sku="MUG").update(deleted_at=clock.now())
    await clear_cache.clear()

    await life.edit(order_id, change=[("MUG", 1)])

    assert await lines(order_id) == [("MUG", 4, 3), ("CUP", 4, 0)]
    assert await life.refused(life.edit(order_id, change=[("MUG", 2)])) == ("NOT_FOUND", ("change", 0, "sku"))
    await Item.filter(sku="MUG").update(deleted_at=None)


# ── more and fewer at once


async def test_units_that_a_line_gives_back_are_there_for_the_others():
    await make.stock("MUG", on_hand=5)
    order_id = await life.place(("MUG", 4), ("MUG", 1))
    one, two = await life.lines(order_id)

    await life.edit(order_id, change=[("MUG", 2, two), ("MUG", 1, one)], add=[("MUG", 2)])

    assert await lines(order_id) == [("MUG", 4, 3), ("MUG", 2, 0), ("MUG", 2, 0)]
    assert await life.figures() == Figures(0)
    assert await life.ledger(order_id) == [
        ("BERLIN", "SALE", -5),
        ("BERLIN", "CANCELLATION", 3),
        ("BERLIN", "SALE", -3),
    ]


async def test_but_those_who_wait_already_come_first():
    await make.setting(backorders=BackorderMode.ALLOW)
    await make.stock("MUG", on_hand=5)
    order_id, waiting = await life.place(("MUG", 5)), await life.place(("MUG", 2))

    await life.edit(order_id, change=[("MUG", 2)], add=[("MUG", 2)])

    assert await life.units(waiting) == [("BERLIN", 2, "ON_HAND")]
    assert await life.units(order_id) == [
        ("BERLIN", 2, "ON_HAND"),
        ("BERLIN", 3, "CANCELED"),
        ("BERLIN", 1, "ON_HAND"),
        ("BERLIN", 1, "BACKORDERED"),
    ]


async def test_those_who_get_what_was_given_back_make_room_for_new_backorders():
    """At most 3 may wait. The 2 that are given back fill as many, so that 2 more may."""
    await make.setting(backorders=BackorderMode.ALLOW, out_of_stock_threshold=-3)
    await make.stock("MUG", on_hand=4)
    order_id = await life.place(("MUG", 4))
    await life.place(("MUG", 3))

    assert await life.refused(life.edit(order_id, change=[("MUG", 2)], add=[("MUG", 3)])) == (
        "INSUFFICIENT_STOCK",
        ("add", 0, "quantity"),
    )
    await life.edit(order_id, change=[("MUG", 2)], add=[("MUG", 2)])

    assert await life.figures() == Figures(-3, backordered=3)


async def test_all_of_an_edit_is_done_or_nothing():
    await make.stock("MUG", on_hand=5)
    await make.stock("CUP", on_hand=1)
    order_id = await life.place(("MUG", 4), ("CUP", 1))

    told = await life.refusal(life.edit(order_id, change=[("MUG", 1), ("CUP", 2)]))

    assert isinstance(told, InsufficientStock)
    assert (told.path, told.sku, told.requested, told.salable) == (("change", 1, "quantity"), "CUP", 1, 0)


async def test_what_stays_as_it_is_is_no_change_of_a_line():
    await make.stock("MUG", on_hand=5)
    order_id = await life.place(("MUG", 4))
    await make.setting(minimum_order_quantity=5)

    await life.edit(order_id, change=[("MUG", 4)])

    assert await lines(order_id) == [("MUG", 4, 0)]
    assert await life.ledger(order_id) == [("BERLIN", "SALE", -4)]


async def test_the_ledger_has_the_reason_of_what_is_taken_and_given_back():
    await make.stock("MUG", on_hand=5)
    await make.stock("CUP", on_hand=5)
    order_id = await life.place(("MUG", 4))

    await life.edit(order_id, change=[("MUG", 1)], add=[("CUP", 2)], reason=" by phone ")

    found = await StockMovement.filter(order_id=order_id).order_by("id").values_list("kind", "quantity", "reason")
    assert list(found) == [("SALE", -4, None), ("CANCELLATION", 3, "by phone"), ("SALE", -2, "by phone")]


# ── quantity rules


async def test_quantity_rules_hold_for_what_the_lines_of_an_item_will_be_together():
    await make.setting(maximum_order_quantity=6, minimum_order_quantity=4)
    await make.stock("MUG", on_hand=20)
    order_id = await life.place(("MUG", 4))
    await life.ship_all(order_id, "BERLIN", ("MUG", 2))

    await life.edit(order_id, add=[("MUG", 1)])
    told = await life.refusal(
        life.edit(order_id, change=[("MUG", 4, (await life.lines(order_id))[0])], add=[("MUG", 2)])
    )

    assert isinstance(told, QuantityNotAllowed)
    assert (told.path, told.sku, told.requested) == (("add", 0, "quantity"), "MUG", 7)
    assert told.message == "7 of MUG cannot be ordered: the maximum is 6."


async def test_quantity_rules_hold_for_lines_that_are_lowered_until_nothing_is_left():
    await make.setting(minimum_order_quantity=3)
    await make.stock("MUG", on_hand=20)
    await make.stock("CUP", on_hand=20)
    order_id = await life.place(("MUG", 4), ("CUP", 3))

    told = await life.refusal(life.edit(order_id, change=[("CUP", 3), ("MUG", 2)]))
    assert (told.code.value, told.path) == ("QUANTITY_NOT_ALLOWED", ("change", 1, "quantity"))
    assert told.message == "2 of MUG cannot be ordered: the minimum is 3."
    await life.edit(order_id, change=[("MUG", 0)])

    assert await lines(order_id) == [("MUG", 4, 4), ("CUP", 3, 0)]


async def test_combinations_that_share_the_stock_of_their_product_count_together():
    await make.product("PEN", options={"Color": ["Red", "Blue"]}, tracking=InventoryTracking.TRACK_WITHOUT_OPTIONS)
    await make.setting(maximum_order_quantity=5)
    await make.stock("PEN", on_hand=20)
    order_id = await life.place(("PEN-RED", 3))

    assert await life.refused(life.edit(order_id, add=[("PEN-BLUE", 3)])) == (
        "QUANTITY_NOT_ALLOWED",
        ("add", 0, "quantity"),
    )
    await life.edit(order_id, add=[("PEN-BLUE", 2)])

    assert await life.figures("PEN") == Figures(15)


async def test_a_line_with_a_fraction_becomes_whole_where_only_whole_units_are_sold():
    await make.setting(quantity_uses_decimals=True, allow_multiple_boxes=True)
    await make.stock("MUG", on_hand=5)
    order_id = await life.place(("MUG", "1.5"))
    await make.setting(quantity_uses_decimals=False)

    assert await life.refused(life.edit(order_id, change=[("MUG", "2.5")])) == (
        "QUANTITY_NOT_ALLOWED",
        ("change", 0, "quantity"),
    )
    await life.edit(order_id, change=[("MUG", 2)])

    assert await life.figures() == Figures(3)


async def test_items_that_the_edit_does_not_touch_are_not_checked():
    await make.stock("MUG", on_hand=5)
    await make.stock("CUP", on_hand=5)
    order_id = await life.place(("MUG", 4), ("CUP", 1))
    await make.setting(product="MUG", maximum_order_quantity=2)

    await life.edit(order_id, change=[("CUP", 2)])

    assert await lines(order_id) == [("MUG", 4, 0), ("CUP", 2, 0)]


# ── refusals


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, ("INVALID_INPUT", ("change",), "The edit is empty; name lines to add or change.")),
        (
            {"change": [("MUG", -1)]},
            ("INVALID_INPUT", ("change", 0, "quantity"), "The quantity of a line must be 0 or more, not -1."),
        ),
        (
            {"add": [("MUG", 0)]},
            ("INVALID_INPUT", ("add", 0, "quantity"), "The ordered quantity must be more than 0, not 0."),
        ),
        ({"add": [("JUG", 1)]}, ("NOT_FOUND", ("add", 0, "sku"), "There is no item JUG.")),
        (
            {"change": [("CUP", 1)]},
            ("NOT_FOUND", ("change", 0, "sku"), "There is no line of order 100001 with the SKU CUP."),
        ),
        (
            {"change": [("MUG", 1, 99)]},
            ("NOT_FOUND", ("change", 0, "line"), "There is no line of MUG in the order with the id line 99."),
        ),
        (
            {"change": [("MUG", 3), ("MUG", 4)]},
            ("INVALID_INPUT", ("change", 1, "sku"), "The line of MUG is given twice."),
        ),
        (
            {"change": [("MUG", 3), ("MUG", 4, 1)]},
            ("INVALID_INPUT", ("change", 1, "line"), "The line of MUG is given twice."),
        ),
        (
            {"change": [("MUG", 1)]},
            (
                "INVALID_STATE",
                ("change", 0, "quantity"),
                "The quantity of MUG must be at least the 2 already shipped, not 1.",
            ),
        ),
        (
            {"change": [("MUG", 9)], "add": [("CUP", 1)]},
            ("INSUFFICIENT_STOCK", ("change", 0, "quantity"), "Only 2 of MUG available, 6 requested."),
        ),
    ],
)
async def test_what_cannot_be_edited_is_refused(given, told):
    await make.stock("MUG", on_hand=5)
    await make.stock("CUP", on_hand=5)
    order_id = await life.place(("MUG", 3))
    await life.ship_all(order_id, "BERLIN", ("MUG", 2))

    refusal = await life.refusal(life.edit(order_id, **given))

    assert (refusal.code.value, refusal.path, refusal.message) == told


async def test_a_sku_of_several_lines_is_not_guessed():
    await make.stock("MUG", on_hand=5)
    order_id = await life.place(("MUG", 1), ("MUG", 1))

    refusal = await life.refusal(life.edit(order_id, change=[("MUG", 2)]))

    assert (refusal.code.value, refusal.path) == ("INVALID_INPUT", ("change", 0, "line"))
    assert refusal.message == "The order has 2 lines of MUG; name the line by its id."


async def test_every_row_that_is_wrong_is_told_at_once():
    await make.stock("MUG", on_hand=5)
    order_id = await life.place(("MUG", 1))

    with pytest.raises(Refused) as error:
        await life.edit(order_id, change=[("MUG", -1), ("CUP", 1)])

    assert [(one.code.value, one.path) for one in error.value.refusals] == [
        ("INVALID_INPUT", ("change", 0, "quantity")),
        ("NOT_FOUND", ("change", 1, "sku")),
    ]


async def test_a_parked_a_shipped_and_a_canceled_order_are_not_edited():
    await make.setting(insufficient_stock=InsufficientStockAction.HOLD_ORDER)
    await make.stock("MUG", on_hand=5)
    sent, ended, parked = [await life.place(("MUG", units)) for units in (1, 1, 9)]
    await life.ship_all(sent)
    await life.cancel(ended)

    told = [await life.refusal(life.edit(one, change=[("MUG", 2)])) for one in (sent, ended, parked)]

    assert {(one.code.value, one.path) for one in told} == {("INVALID_STATE", ("number",))}
    assert [one.message for one in told] == [
        f"The order {100_000 + sent} is already shipped.",
        f"The order {100_000 + ended} is already canceled.",
        f"The order {100_000 + parked} is parked for lack of stock.",
    ]


async def test_a_shortage_parks_no_order_that_is_edited():
    await make.setting(insufficient_stock=InsufficientStockAction.HOLD_ORDER)
    await make.stock("MUG", on_hand=5)
    order_id = await life.place(("MUG", 1))

    assert await life.refused(life.edit(order_id, change=[("MUG", 6)])) == (
        "INSUFFICIENT_STOCK",
        ("change", 0, "quantity"),
    )


@pytest.mark.parametrize("number", ["1", "100009", "nonsense", ""])
async def test_an_unknown_order_is_not_found(number):
    edit = edit_order.edit(SYSTEM, EditOrderRequest(number, (RequestedLine("MUG", Decimal(1)),)))

    assert await life.refused(edit) == ("NOT_FOUND", ("number",))


async def test_an_order_has_at_most_500_lines():
    await make.product("GIFT", tracking=InventoryTracking.DO_NOT_TRACK)
    order_id = await life.place(*[("GIFT", 1)] * 499)

    refusal = await life.refusal(life.edit(order_id, add=[("GIFT", 1)] * 2))
    assert (refusal.code.value, refusal.path) == ("TOO_MANY", ("add",))
    assert refusal.message == "An order can have at most 500 lines; this one would have 501."
    await life.edit(order_id, add=[("GIFT", 1)])

    assert len(await lines(order_id)) == 500


async def test_what_is_not_orderable_any_more_is_lowered_but_not_raised():
    await make.stock("MUG", on_hand=5)
    order_id = await life.place(("MUG", 3))
    await catalog.update_product("MUG", {"published": False})

    assert await life.refused(life.edit(order_id, change=[("MUG", 4)])) == ("NOT_ORDERABLE", ("change", 0, "sku"))
    await life.edit(order_id, change=[("MUG", 2)])

    assert await life.figures() == Figures(3)


async def test_a_choice_that_became_a_combination_is_not_raised_as_something_else():
    await make.product("SHIRT", options={"Size": ["S", "M"]}, combinations=False)
    await make.setting(allow_only_existing_combinations=False)
    await make.stock("MUG", on_hand=5)
    order_id = await life.place(("MUG", 1))
    number = str(100_000 + order_id)
    await edit_order.edit(SYSTEM, EditOrderRequest(number, (RequestedLine("SHIRT", Decimal(1), (("Size", "S"),)),)))
    await life.edit(order_id, change=[("SHIRT", 2)])
    await combinations.create("SHIRT", [("Size", "S")])

    refusal = await life.refusal(life.edit(order_id, change=[("SHIRT", 3)]))

    assert (refusal.code.value, refusal.path) == ("INVALID_STATE", ("change", 0, "sku"))
    assert refusal.message == "SHIRT with these options is now SHIRT-S: add that item."


# ── what is promised


async def test_every_line_is_promised_the_date_that_it_has_now():
    await make.setting(backorders=BackorderMode.ALLOW)
    for sku in ("MUG", "CUP"):
        await make.stock(sku, on_hand=0)
    order_id = await life.place(("MUG", 2), ("CUP", 1))
    assert await promised(order_id) == (None, [None, None])
    await announce(3, on=10)
    await announce(5, on=20, sku="CUP")
    await make.setting(product="CUP", incoming_buffer_days=2)

    await life.edit(order_id, change=[("MUG", 3)], add=[("CUP", 1)])

    assert await promised(order_id) == (day(22), [day(10), day(22), day(22)])
    found = await OrderLine.filter(order_id=order_id).order_by("id").values_list("buffer_days", flat=True)
    assert list(found) == [0, 2, 2]


async def test_a_line_that_waits_no_more_is_promised_nothing():
    await make.setting(backorders=BackorderMode.ALLOW)
    await make.stock("MUG", on_hand=2)
    await announce(9, on=10)
    order_id = await life.place(("MUG", 3))
    assert await promised(order_id) == (day(10), [day(10)])

    await life.edit(order_id, change=[("MUG", 2)])

    assert await promised(order_id) == (None, [None])


async def test_a_promise_is_the_date_after_what_the_edit_fills():
    """The 2 that MUG gives back fill the other line of the order."""
    await make.setting(backorders=BackorderMode.ALLOW)
    await make.stock("MUG", on_hand=2)
    await announce(2, on=10)
    order_id = await life.place(("MUG", 2), ("MUG", 2))
    one, _ = await life.lines(order_id)
    assert await promised(order_id) == (day(10), [None, day(10)])

    await life.edit(order_id, change=[("MUG", 0, one)])

    assert await promised(order_id) == (None, [None, None])


async def test_an_edit_tells_those_whose_dates_it_changes_and_no_first_date():
    await make.setting(backorders=BackorderMode.ALLOW)
    await make.stock("MUG", on_hand=0)
    await make.stock("CUP", on_hand=0)
    first, second = await life.place(("MUG", 3)), await life.place(("MUG", 2))
    await announce(3, on=10)
    await announce(5, on=20)
    await announce(5, on=30, sku="CUP")
    news = OrderNews()
    await news.entries()

    await life.edit(first, add=[("CUP", 1)])
    assert await news.dates() == []
    await life.edit(first, change=[("MUG", 1)])
    assert await news.dates() == [(second, 20, 10)]
    await life.edit(first, change=[("MUG", 2)])
    assert await news.dates() == [(first, 30, 30)]

    assert await promised(first) == (day(30), [day(20), day(30)])


async def test_a_new_buffer_is_told_with_the_edit_and_only_once():
    await make.setting(backorders=BackorderMode.ALLOW)
    await make.stock("MUG", on_hand=0)
    await make.stock("CUP", on_hand=5)
    order_id = await life.place(("MUG", 3))
    await announce(3, on=10)
    news = OrderNews()
    await news.entries()
    await make.setting(incoming_buffer_days=4)

    await life.edit(order_id, add=[("CUP", 1)])
    assert await news.dates() == [(order_id, 10, 14)]
    await life.edit(order_id, add=[("CUP", 1)])

    assert await news.dates() == []
    assert await promised(order_id) == (day(14), [day(14), None, None])


async def test_a_date_that_passed_is_told_with_the_edit():
    await make.setting(backorders=BackorderMode.ALLOW)
    await make.stock("MUG", on_hand=0)
    await make.stock("CUP", on_hand=5)
    order_id = await life.place(("MUG", 3))
    passed = await let_pass(await announce(3, on=10))
    news = OrderNews()
    await news.entries()

    await life.edit(order_id, add=[("CUP", 1)])

    (entry,) = await news.entries()
    assert entry == (
        order_id,
        {"expected_at_before": passed.isoformat(), "expected_at": None, "updated": True},
    )
    assert await promised(order_id) == (None, [None, None])


async def test_an_edit_is_one_entry_of_the_order():
    await make.stock("MUG", on_hand=9)
    order_id = await life.place(("MUG", 3))
    news = OrderNews()
    await news.entries()

    await life.edit(order_id, change=[("MUG", 2)], add=[("MUG", 1)])

    assert await news.entries() == [(order_id, {})]


# ── several at once


async def test_edits_at_the_same_time_sell_no_unit_twice():
    await make.stock("MUG", on_hand=6)
    one, two = await life.place(("MUG", 1)), await life.place(("MUG", 1))

    ends = await asyncio.gather(
        *(life.edit(order_id, change=[("MUG", 4)]) for order_id in (one, two)),
        life.place(("MUG", 2)),
        return_exceptions=True,
    )

    taken = sum(line.quantity for line in await OrderLine.all())
    assert taken <= 6
    assert await life.figures() == Figures(6 - taken)
    assert any(isinstance(end, Refused) for end in ends)


async def test_edits_of_one_order_at_the_same_time_follow_each_other():
    await make.stock("MUG", on_hand=9)
    await make.stock("CUP", on_hand=9)
    order_id = await life.place(("MUG", 1))

    await asyncio.gather(
        life.edit(order_id, add=[("CUP", 2)]),
        life.edit(order_id, change=[("MUG", 4)]),
        life.edit(order_id, add=[("CUP", 3)]),
    )

    assert sorted(await lines(order_id)) == [("CUP", 2, 0), ("CUP", 3, 0), ("MUG", 4, 0)]
    assert (await life.figures(), await life.figures("CUP")) == (Figures(5), Figures(4))
