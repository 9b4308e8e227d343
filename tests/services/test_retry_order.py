"""Orders that there was not enough for are kept with nothing taken, and tried again only when asked."""

import asyncio
from decimal import Decimal

import pytest

from gqlstock.rules.availability import BACKORDER_MESSAGE
from gqlstock.rules.catalog import Option, OptionValue
from gqlstock.rules.geo import Point
from gqlstock.rules.order_request import OrderRequest, RequestedLine
from gqlstock.rules.orders import OrderStatus
from gqlstock.rules.refusals import InsufficientStock, Refused
from gqlstock.rules.scopes import SYSTEM
from gqlstock.rules.settings import BackorderMode, InsufficientStockAction, InventoryDecrement, SourceSelection
from gqlstock.rules.shipments import ShipmentState
from gqlstock.services import adjust_stock, catalog, combinations, place_order, retry_order, verification, warehouses
from gqlstock.services.adjust_stock import AdjustStockRequest, StockAdjustment
from gqlstock.store.orders import Order, OrderLine
from gqlstock.store.outbox import OutboxEntry
from support import order_life as life
from support import shop_builders as make
from support.order_life import Figures

NEVER, ON_ORDER, ON_SHIPMENT = InventoryDecrement.NEVER, InventoryDecrement.ON_ORDER, InventoryDecrement.ON_SHIPMENT
HAMBURG_CITY = Point(53.55, 9.99)
HOLD_ORDER, REJECT = InsufficientStockAction.HOLD_ORDER, InsufficientStockAction.REJECT


@pytest.fixture(autouse=True)
async def shop(db):
    """Orders for which there is too little stock are parked."""
    await life.shop()
    await make.setting(insufficient_stock=HOLD_ORDER)
    yield
    assert await verification.verify() == []


async def test_a_parked_order_has_taken_nothing():
    await make.stock("MUG", on_hand=2)
    await make.stock("CUP", on_hand=5)

    order_id = await life.place(("MUG", 3), ("CUP", 1))

    assert await life.status(order_id) is OrderStatus.BACKORDERED
    assert await life.units(order_id) == []
    assert [line.quantity for line in await OrderLine.filter(order_id=order_id).order_by("id")] == [3, 1]
    assert (await life.figures("MUG"), await life.figures("CUP")) == (Figures(2), Figures(5))


async def test_checking_what_would_be_parked_says_that_it_cannot_be_ordered():
    await make.stock("MUG", on_hand=2)

    checked = await life.check(("MUG", 3))

    assert (checked.orderable, checked.parked, checked.refusals) == (False, True, ())


async def test_an_order_is_parked_only_if_every_line_that_is_short_allows_it():
    await make.setting(product="CUP", insufficient_stock=REJECT)
    await make.stock("MUG", on_hand=2)
    await make.stock("CUP", on_hand=0)

    with pytest.raises(Refused) as error:
        await life.place(("MUG", 3), ("CUP", 1))

    assert [(r.code.value, r.path) for r in error.value.refusals] == [
        ("INSUFFICIENT_STOCK", ("lines", 0, "quantity")),
        ("INSUFFICIENT_STOCK", ("lines", 1, "quantity")),
    ]


async def test_stock_that_arrives_does_not_place_a_parked_order_by_itself():
    await make.stock("MUG", on_hand=2)
    order_id = await life.place(("MUG", 3))

    await make.stock("MUG", on_hand=10)

    assert await life.status(order_id) is OrderStatus.BACKORDERED
    assert await life.figures() == Figures(10)


@pytest.mark.parametrize(
    ("mode", "after"), [(ON_ORDER, Figures(7)), (ON_SHIPMENT, Figures(10, reserved=3)), (NEVER, Figures(10))]
)
async def test_a_parked_order_that_is_tried_again_is_placed(mode, after):
    await make.setting(decrement_inventory=mode)
    await make.stock("MUG", on_hand=2)
    order_id = await life.place(("MUG", 3))
    placed_at = (await Order.get(id=order_id)).placed_at
    await make.stock("MUG", on_hand=10)

    await life.retry(order_id)

    assert await life.status(order_id) is OrderStatus.PLACED
    assert await life.units(order_id) == [("BERLIN", 3, "ON_HAND")]
    assert await life.figures() == after
    assert (await Order.get(id=order_id)).placed_at == placed_at


@pytest.mark.parametrize(
    ("then", "now", "after"),
    [
        (NEVER, ON_ORDER, Figures(2)),
        (ON_ORDER, NEVER, Figures(-1, backordered=1)),
        (ON_SHIPMENT, ON_ORDER, Figures(2, reserved=3, backordered=1)),
    ],
)
async def test_a_parked_order_goes_by_the_mode_it_was_placed_under(then, now, after):
    await make.setting(decrement_inventory=then)
    await make.stock("MUG", on_hand=2)
    order_id = await life.place(("MUG", 3))
    await make.setting(decrement_inventory=now, backorders=BackorderMode.ALLOW)

    await life.retry(order_id)

    assert await life.figures() == after


async def test_a_parked_order_that_is_tried_again_may_wait_for_stock_and_says_so():
    await make.stock("MUG", on_hand=2)
    order_id = await life.place(("MUG", 3))
    await make.setting(backorders=BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER)

    await life.retry(order_id)

    assert await life.units(order_id) == [("BERLIN", 2, "ON_HAND"), ("BERLIN", 1, "BACKORDERED")]
    assert [line.message for line in await OrderLine.filter(order_id=order_id)] == [BACKORDER_MESSAGE]


async def test_a_parked_order_waits_after_orders_that_were_planned_before_it_was_tried_again():
    await make.stock("MUG", on_hand=0)
    parked = await life.place(("MUG", 1))
    await make.setting(backorders=BackorderMode.ALLOW)
    later = await life.place(("MUG", 1))
    await life.retry(parked)
    last = await life.place(("MUG", 1))

    await adjust_stock.adjust(SYSTEM, AdjustStockRequest((StockAdjustment("MUG", "BERLIN", Decimal(1)),)))
    assert await life.units(later) == [("BERLIN", 1, "ON_HAND")]
    assert await life.units(parked) == [("BERLIN", 1, "BACKORDERED")]

    await adjust_stock.adjust(SYSTEM, AdjustStockRequest((StockAdjustment("MUG", "BERLIN", Decimal(1)),)))
    assert await life.units(parked) == [("BERLIN", 1, "ON_HAND")]
    assert await life.units(last) == [("BERLIN", 1, "BACKORDERED")]


async def test_what_is_split_off_a_waiting_order_keeps_its_place():
    await make.stock("MUG", on_hand=0)
    parked = await life.place(("MUG", 4))
    await make.setting(backorders=BackorderMode.ALLOW)
    await life.retry(parked)
    later = await life.place(("MUG", 2))

    await adjust_stock.adjust(SYSTEM, AdjustStockRequest((StockAdjustment("MUG", "BERLIN", Decimal(1)),)))
    number = await life.pack(parked, "BERLIN", ("MUG", 2))
    await adjust_stock.adjust(SYSTEM, AdjustStockRequest((StockAdjustment("MUG", "BERLIN", Decimal(3)),)))

    assert await life.state(number) is ShipmentState.READY
    assert {state for _, _, state in await life.units(parked)} == {"ON_HAND"}
    assert await life.units(later) == [("BERLIN", 2, "BACKORDERED")]


async def test_only_what_was_not_canceled_is_tried_again():
    await make.stock("MUG", on_hand=2)
    await make.stock("CUP", on_hand=0)
    order_id = await life.place(("MUG", 3), ("CUP", 1))
    await life.cancel(order_id, ("MUG", 1), ("CUP", 1))

    await life.retry(order_id)

    assert await life.status(order_id) is OrderStatus.PLACED
    assert await life.units(order_id) == [("BERLIN", 2, "ON_HAND")]
    await life.ship_all(order_id)
    assert await life.status(order_id) is OrderStatus.SHIPPED


async def test_an_order_that_was_canceled_in_part_before_it_was_placed_is_canceled_whole():
    await make.stock("MUG", on_hand=2)
    order_id = await life.place(("MUG", 3))
    await life.cancel(order_id, ("MUG", 1))
    await life.retry(order_id)

    await life.cancel(order_id)

    assert (await life.status(order_id), await life.canceled(order_id)) == (OrderStatus.CANCELED, [3])
    assert await life.figures() == Figures(2)


async def test_a_combination_is_tried_again_with_its_choice():
    await make.product("SHIRT", options={"Size": ["S", "M"]})
    await make.stock("SHIRT-S", on_hand=0)
    order_id = await life.place(("SHIRT-S", 1))
    await make.stock("SHIRT-S", on_hand=1)

    await life.retry(order_id)

    assert await life.figures("SHIRT-S") == Figures(0)


async def test_a_renamed_item_is_tried_again():
    await make.stock("MUG", on_hand=2)
    order_id = await life.place(("MUG", 3))
    await catalog.update_product("MUG", {"new_sku": "BEAKER"})
    await make.stock("BEAKER", on_hand=3)

    await life.retry(order_id)

    assert await life.figures("BEAKER") == Figures(0)


async def test_an_order_is_tried_again_on_its_own_website():
    await make.website("south", warehouses=["HAMBURG"])
    await make.stock("MUG", "HAMBURG", 0)
    order_id = await life.place(("MUG", 1), website="south")
    await make.stock("MUG", "BERLIN", 5)

    assert (await life.refusal(life.retry(order_id))).code.value == "INSUFFICIENT_STOCK"


async def test_an_order_is_tried_again_for_where_it_goes():
    await warehouses.update_warehouse("BERLIN", {"location": Point(52.52, 13.405)})
    await warehouses.update_warehouse("HAMBURG", {"location": HAMBURG_CITY})
    await make.setting(source_selection=SourceSelection.DISTANCE)
    for place in ("BERLIN", "HAMBURG"):
        await make.stock("MUG", place, on_hand=0)
    placed = await place_order.place(SYSTEM, OrderRequest(life.wanted(("MUG", 1)), ship_to=HAMBURG_CITY))
    for place in ("BERLIN", "HAMBURG"):
        await make.stock("MUG", place, on_hand=5)

    await life.retry(placed.ids["order"][0])

    assert (await life.figures("MUG", "BERLIN"), await life.figures("MUG", "HAMBURG")) == (Figures(5), Figures(4))


async def test_trying_again_is_news():
    await make.stock("MUG", on_hand=2)
    order_id = await life.place(("MUG", 3))
    await make.stock("MUG", on_hand=3)
    before = await OutboxEntry.filter(topic="ORDER").count()

    await life.retry(order_id)

    assert await OutboxEntry.filter(topic="ORDER", subject=order_id).count() == before + 1
    order = await Order.get(id=order_id)
    assert order.updated_at > order.placed_at


async def test_a_parked_order_is_placed_under_the_options_that_its_combination_has_by_then():
    await make.product("SHIRT", options={"Size": ["S", "M"]})
    await make.stock("SHIRT-S", on_hand=0)
    order_id = await life.place(("SHIRT-S", 1))
    size = Option("Fit", (OptionValue("Small", renamed_from="S"), OptionValue("M")), renamed_from="Size")
    color = Option("Color", (OptionValue("Red"), OptionValue("Blue")), existing="Red")
    await catalog.update_product("SHIRT", {"options": [size, color]})
    await make.stock("SHIRT-S", on_hand=3)

    await life.retry(order_id)

    assert await life.units(order_id) == [("BERLIN", 1, "ON_HAND")]
    assert await life.figures("SHIRT-S") == Figures(2)
    assert [line.selected_options for line in await OrderLine.filter(order_id=order_id)] == [{"Size": "S"}]


async def test_a_choice_that_has_a_combination_by_then_takes_its_stock():
    await make.product("SHIRT", options={"Size": ["S", "M"]}, combinations=False)
    await make.setting(product="SHIRT", allow_only_existing_combinations=False)
    await make.stock("MUG", on_hand=0)
    wanted = (RequestedLine("SHIRT", Decimal(2), (("Size", "S"),)), *life.wanted(("MUG", 1)))
    order_id = (await place_order.place(SYSTEM, OrderRequest(wanted))).ids["order"][0]
    assert await life.status(order_id) is OrderStatus.BACKORDERED
    await combinations.create("SHIRT", [("Size", "S")], sku="SHIRT-S")
    await make.stock("SHIRT-S", on_hand=5)
    await make.stock("MUG", on_hand=1)

    await life.retry(order_id)

    assert await life.units(order_id) == [("BERLIN", 2, "ON_HAND"), ("BERLIN", 1, "ON_HAND")]
    assert (await life.figures("SHIRT-S"), await life.figures("MUG")) == (Figures(3), Figures(0))
    assert [line.sku for line in await OrderLine.filter(order_id=order_id).order_by("id")] == ["SHIRT", "MUG"]
    await life.cancel(order_id)
    assert await life.figures("SHIRT-S") == Figures(5)


# ── refusals


async def test_a_parked_order_that_fails_again_is_left_as_it_is():
    await make.stock("MUG", on_hand=2)
    order_id = await life.place(("MUG", 3))

    short = await life.refusal(life.retry(order_id))

    assert isinstance(short, InsufficientStock)
    assert (short.code.value, short.path) == ("INSUFFICIENT_STOCK", ("number",))
    assert (short.sku, short.requested, short.salable) == ("MUG", 3, 2)


async def test_an_order_of_what_is_not_sold_any_more_is_not_placed():
    await make.stock("MUG", on_hand=2)
    order_id = await life.place(("MUG", 3))
    await make.stock("MUG", on_hand=3)
    await catalog.update_product("MUG", {"published": False})

    assert await life.refused(life.retry(order_id)) == ("NOT_ORDERABLE", ("number",))


async def test_an_order_that_breaks_the_quantity_rules_of_now_is_not_placed():
    await make.stock("MUG", on_hand=2)
    order_id = await life.place(("MUG", 3))
    await make.stock("MUG", on_hand=3)
    await make.setting(maximum_order_quantity=2)

    assert await life.refused(life.retry(order_id)) == ("QUANTITY_NOT_ALLOWED", ("number",))


async def test_only_a_parked_order_is_tried_again():
    await make.stock("MUG", on_hand=5)
    placed, part, gone, ended, never = [await life.place(("MUG", units)) for units in (1, 2, 1, 1, 9)]
    await life.ship_all(part, "BERLIN", ("MUG", 1))
    await life.ship_all(gone)
    await life.cancel(ended)
    await life.cancel(never)

    told = [await life.refusal(life.retry(order_id)) for order_id in (placed, part, gone, ended, never)]

    assert {(one.code.value, one.path) for one in told} == {("INVALID_STATE", ("number",))}
    assert [one.message.split(": ")[1] for one in told] == [
        "it is placed.",
        "it is partially shipped.",
        "it is shipped.",
        "it is canceled.",
        "it is canceled.",
    ]


async def test_a_parked_order_is_neither_packed_nor_taken_back():
    await make.stock("MUG", on_hand=2)
    order_id = await life.place(("MUG", 3))

    packing = await life.refusal(life.pack(order_id))

    assert (packing.code.value, packing.path) == ("INVALID_STATE", ("order",))
    assert packing.message == f"The order {100_000 + order_id} is parked for lack of stock."
    assert await life.refused(life.take_back(order_id, ("MUG", 1))) == ("INVALID_STATE", ("lines", 0, "quantity"))


@pytest.mark.parametrize("number", ["1", "100009", "nonsense", ""])
async def test_an_unknown_order_is_not_found(number):
    assert await life.refused(retry_order.retry(SYSTEM, number)) == ("NOT_FOUND", ("number",))


async def test_a_warehouse_that_sells_nothing_any_more_gives_nothing():
    await make.stock("MUG", on_hand=2)
    order_id = await life.place(("MUG", 3))
    await make.stock("MUG", on_hand=3)
    await make.stock("MUG", "HAMBURG", 1)
    await warehouses.update_warehouse("BERLIN", {"active": False})

    assert await life.refused(life.retry(order_id)) == ("INSUFFICIENT_STOCK", ("number",))


async def test_an_order_that_is_tried_again_and_canceled_at_once_is_one_of_both():
    await make.stock("MUG", on_hand=2)
    order_id = await life.place(("MUG", 3))
    await make.stock("MUG", on_hand=3)

    await asyncio.gather(life.retry(order_id), life.cancel(order_id), return_exceptions=True)

    assert (await life.status(order_id), await life.canceled(order_id)) == (OrderStatus.CANCELED, [3])
    assert await life.figures() == Figures(3)


async def test_of_several_that_try_it_again_at_once_one_places_it():
    await make.stock("MUG", on_hand=2)
    order_id = await life.place(("MUG", 3))
    await make.stock("MUG", on_hand=9)

    ends = await asyncio.gather(*(life.retry(order_id) for _ in range(3)), return_exceptions=True)

    assert [type(end) for end in ends if end is not None] == [Refused, Refused]
    assert await life.figures() == Figures(6)
