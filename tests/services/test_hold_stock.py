"""Stock kept for carts: taken from what is free, ordered, given back, or over the moment that it expires."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from gqlstock.rules.alerts import AlertState
from gqlstock.rules.catalog import InventoryTracking
from gqlstock.rules.events import Topic
from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.holds import StockHoldState
from gqlstock.rules.orders import OrderStatus
from gqlstock.rules.refusals import InsufficientStock, Refused
from gqlstock.rules.scopes import SYSTEM
from gqlstock.rules.settings import BackorderMode, InsufficientStockAction, InventoryDecrement
from gqlstock.services import (
    catalog,
    delete_level,
    expire_holds,
    hold_stock,
    release_hold,
    transfer_stock,
    verification,
    warehouses,
)
from gqlstock.services.hold_stock import HoldRequest
from gqlstock.services.stock_edits import StockLine
from gqlstock.services.transfer_stock import TransferStockRequest
from gqlstock.stock import present
from gqlstock.store import catalog as catalog_rows
from gqlstock.store import holds as rows
from gqlstock.store import inventory, levels
from gqlstock.store import warehouses as warehouse_rows
from gqlstock.store.alerts import LowInventoryAlert
from gqlstock.store.db import clock
from gqlstock.store.holds import HeldUnits, StockHold, StockHoldLine
from gqlstock.store.outbox import OutboxEntry
from support import order_life as life
from support import shop_builders as make
from support.order_life import Figures

ACTIVE, ORDERED, RELEASED, EXPIRED = StockHoldState


@pytest.fixture(autouse=True)
async def shop(db):
    await life.shop()
    yield
    assert await verification.verify() == []


async def kept(hold_id):
    """From which warehouse a hold keeps how much, in the order of its plan."""
    found = HeldUnits.filter(hold_id=hold_id).order_by("id").select_related("level__warehouse")
    return [(one.level.warehouse.code, one.quantity) for one in await found]


async def state(hold_id):
    """What is stored of a hold, which may not have been noticed to have expired."""
    return (await StockHold.get(id=hold_id)).state


async def salable(sku="MUG"):
    items = await catalog_rows.by_sku([sku])
    channel = (await warehouse_rows.network()).find(None)
    assert channel is not None
    return (await present.assortment(items.values(), channel)).assess(items[sku]).salable


# ── what is held


async def test_what_is_held_is_not_available_to_others():
    await make.stock("MUG", on_hand=5)

    hold_id = await life.hold(("MUG", 3))

    assert await life.figures() == Figures(5, held=3)
    assert await kept(hold_id) == [("BERLIN", 3)]
    assert await salable() == 2
    assert await life.refused(life.place(("MUG", 3))) == ("INSUFFICIENT_STOCK", ("lines", 0, "quantity"))
    assert await life.refused(life.hold(("MUG", 3))) == ("INSUFFICIENT_STOCK", ("lines", 0, "quantity"))


async def test_a_hold_takes_from_the_sources_of_an_order():
    await make.stock("MUG", "BERLIN", 2)
    await make.stock("MUG", "HAMBURG", 5)

    hold_id = await life.hold(("MUG", 4))

    assert await kept(hold_id) == [("BERLIN", 2), ("HAMBURG", 2)]


async def test_a_line_that_is_never_split_is_held_whole():
    await make.setting(quantity_uses_decimals=True)
    await make.stock("MUG", "BERLIN", "2.5")
    await make.stock("MUG", "HAMBURG", 5)

    assert await kept(await life.hold(("MUG", "2.75"))) == [("HAMBURG", Decimal("2.75"))]


async def test_two_lines_of_one_item_are_held_together():
    await make.stock("MUG", on_hand=5)

    hold_id = await life.hold(("MUG", 2), ("MUG", 3))

    assert await life.figures() == Figures(5, held=5)
    assert [(line.sku, line.quantity) for line in await StockHoldLine.filter(hold_id=hold_id).order_by("id")] == [
        ("MUG", 2),
        ("MUG", 3),
    ]
    short = await life.refusal(life.hold(("MUG", 1)))
    assert isinstance(short, InsufficientStock)
    assert (short.requested, short.salable) == (1, 0)


async def test_only_what_is_free_is_held_whatever_backorders_allow():
    await make.setting(backorders=BackorderMode.ALLOW)
    await make.stock("MUG", on_hand=2)

    short = await life.refusal(life.hold(("MUG", 3)))

    assert isinstance(short, InsufficientStock)
    assert (short.path, short.requested, short.salable) == (("lines", 0, "quantity"), 3, 2)


async def test_the_safety_stock_is_not_held():
    await make.setting(out_of_stock_threshold=2)
    await make.stock("MUG", on_hand=5)

    await life.hold(("MUG", 3))

    assert await life.refused(life.hold(("MUG", 1))) == ("INSUFFICIENT_STOCK", ("lines", 0, "quantity"))


async def test_a_hold_is_not_kept_waiting_where_an_order_would_be():
    await make.setting(insufficient_stock=InsufficientStockAction.HOLD_ORDER)
    await make.stock("MUG", on_hand=2)

    assert await life.refused(life.hold(("MUG", 3))) == ("INSUFFICIENT_STOCK", ("lines", 0, "quantity"))


async def test_a_hold_keeps_the_quantity_rules_of_an_order():
    await make.setting(minimum_order_quantity=2)
    await make.stock("MUG", on_hand=5)

    assert await life.refused(life.hold(("MUG", 1))) == ("QUANTITY_NOT_ALLOWED", ("lines", 0, "quantity"))


async def test_a_hold_is_all_or_nothing():
    await make.stock("MUG", on_hand=5)
    await make.stock("CUP", on_hand=1)

    assert await life.refused(life.hold(("MUG", 2), ("CUP", 2))) == ("INSUFFICIENT_STOCK", ("lines", 1, "quantity"))


async def test_units_that_are_not_counted_are_held_without_a_level():
    await make.product("GIFT", tracking=InventoryTracking.DO_NOT_TRACK)

    hold_id = await life.hold(("GIFT", 2))

    assert await kept(hold_id) == []
    await life.place(("GIFT", 2), held=hold_id)
    assert await state(hold_id) is ORDERED


async def test_a_combination_of_a_product_that_has_the_quantity_holds_the_products_units():
    await make.product("PEN", options={"Ink": ["Red"]}, tracking=InventoryTracking.TRACK_WITHOUT_OPTIONS)
    await make.stock("PEN", on_hand=5)

    hold_id = await life.hold(("PEN-RED", 2))

    assert await life.figures("PEN") == Figures(5, held=2)
    (line,) = await StockHoldLine.filter(hold_id=hold_id)
    assert (line.sku, line.selected_options) == ("PEN-RED", {"Ink": "Red"})


async def test_what_is_held_cannot_be_moved_and_its_level_not_taken_out_of_use():
    await make.stock("MUG", on_hand=3)
    await life.hold(("MUG", 2))

    moved = await life.refusal(
        transfer_stock.transfer(SYSTEM, TransferStockRequest("BERLIN", "HAMBURG", (StockLine("MUG", Decimal(2)),)))
    )

    assert (moved.code.value, moved.salable) == ("INSUFFICIENT_STOCK", 1)
    await make.stock("MUG", on_hand=0)
    assert await life.refused(delete_level.delete(SYSTEM, "MUG", "BERLIN")) == ("INVALID_STATE", ())


# ── for how long


@pytest.mark.parametrize("minutes", [1, 15, 1440])
async def test_a_hold_lasts_as_long_as_it_is_asked_to(minutes):
    await make.stock("MUG", on_hand=5)

    hold_id = await life.hold(("MUG", 1), minutes=minutes)

    made = await StockHold.get(id=hold_id)
    assert made.expires_at - made.created_at == timedelta(minutes=minutes)


@pytest.mark.parametrize("minutes", [0, -1, 1441])
async def test_a_hold_lasts_from_a_minute_to_a_day(minutes):
    await make.stock("MUG", on_hand=5)

    refusal = await life.refusal(life.hold(("MUG", 1), minutes=minutes))

    assert (refusal.code.value, refusal.path) == ("INVALID_INPUT", ("minutes",))
    assert refusal.message == f"A hold must last 1 to 1440 minutes, not {minutes}."


async def test_the_same_key_holds_once():
    await make.stock("MUG", on_hand=5)
    asked = HoldRequest(life.wanted(("MUG", 2)))

    first = await hold_stock.hold(SYSTEM, asked, "cart-1")
    second = await hold_stock.hold(SYSTEM, asked, "cart-1")

    assert second == first
    assert await life.figures() == Figures(5, held=2)


# ── given back and replaced


async def test_what_is_released_is_free_again():
    await make.stock("MUG", on_hand=5)
    hold_id = await life.hold(("MUG", 3))

    await life.release(hold_id)

    assert await state(hold_id) is RELEASED
    assert await life.figures() == Figures(5)


async def test_what_is_released_fills_what_waits_and_resolves_an_alert():
    await make.setting(backorders=BackorderMode.ALLOW, notify_below=1)
    await make.stock("MUG", on_hand=3)
    hold_id = await life.hold(("MUG", 3))
    order_id = await life.place(("MUG", 2))
    assert await life.units(order_id) == [("BERLIN", 2, "BACKORDERED")]

    await life.release(hold_id)

    assert await life.units(order_id) == [("BERLIN", 2, "ON_HAND")]
    assert await life.figures() == Figures(1)
    assert [alert.state.value for alert in await LowInventoryAlert.all()] == ["RESOLVED"]


async def test_a_hold_raises_an_alert():
    await make.setting(notify_below=3)
    await make.stock("MUG", on_hand=5)

    await life.hold(("MUG", 3))

    assert [(alert.state.value, alert.quantity_left) for alert in await LowInventoryAlert.all()] == [("RAISED", 2)]


async def test_a_hold_that_replaces_another_may_take_its_units():
    await make.stock("MUG", on_hand=5)
    await make.stock("CUP", on_hand=5)
    first = await life.hold(("MUG", 4), ("CUP", 1))

    second = await life.hold(("MUG", 5), replaces=first)

    assert (await state(first), await state(second)) == (RELEASED, ACTIVE)
    assert (await life.figures("MUG"), await life.figures("CUP")) == (Figures(5, held=5), Figures(5))


async def test_a_hold_that_cannot_be_replaced_stays():
    await make.stock("MUG", on_hand=5)
    first = await life.hold(("MUG", 4))

    short = await life.refusal(life.hold(("MUG", 6), replaces=first))

    assert isinstance(short, InsufficientStock)
    assert (short.requested, short.salable) == (6, 5)


async def test_a_hold_is_released_once():
    await make.stock("MUG", on_hand=5)
    hold_id = await life.hold(("MUG", 4))
    await life.release(hold_id)

    refusal = await life.refusal(life.release(hold_id))

    assert (refusal.code.value, refusal.path) == ("INVALID_STATE", ("id",))
    assert refusal.message == "The hold is already released."


async def test_an_expired_hold_is_neither_released_nor_replaced():
    await make.stock("MUG", on_hand=5)
    hold_id = await life.hold(("MUG", 4))
    await life.expire(hold_id)

    assert await life.refused(life.release(hold_id)) == ("HOLD_EXPIRED", ("id",))
    assert await life.refused(life.hold(("MUG", 1), replaces=hold_id)) == ("HOLD_EXPIRED", ("replaces",))


@pytest.mark.parametrize("handle", [GivenId(None, "nonsense"), GivenId(7, "SG9sZDo3")])
async def test_an_unknown_hold_is_not_found(handle):
    await make.stock("MUG", on_hand=5)

    release = release_hold.release(SYSTEM, handle)
    replace = hold_stock.hold(SYSTEM, HoldRequest(life.wanted(("MUG", 1)), replaces=handle))

    assert await life.refused(release) == ("NOT_FOUND", ("id",))
    assert await life.refused(replace) == ("NOT_FOUND", ("replaces",))
    assert await life.refused(life.place(("MUG", 1), held=7)) == ("NOT_FOUND", ("hold",))


# ── ordered


@pytest.mark.parametrize(
    ("mode", "after"),
    [
        (InventoryDecrement.ON_ORDER, Figures(2)),
        (InventoryDecrement.ON_SHIPMENT, Figures(5, reserved=3)),
        (InventoryDecrement.NEVER, Figures(5)),
    ],
)
async def test_what_is_held_is_ordered(mode, after):
    await make.setting(decrement_inventory=mode)
    await make.stock("MUG", on_hand=5)
    hold_id = await life.hold(("MUG", 3))

    order_id = await life.place(("MUG", 3), held=hold_id)

    assert await state(hold_id) is ORDERED
    assert await life.units(order_id) == [("BERLIN", 3, "ON_HAND")]
    assert await life.figures() == after


async def test_the_last_units_are_ordered_by_who_holds_them():
    await make.stock("MUG", on_hand=3)
    hold_id = await life.hold(("MUG", 3))

    assert (await life.check(("MUG", 3))).orderable is False
    assert (await life.check(("MUG", 3), held=hold_id)).orderable is True
    await life.place(("MUG", 3), held=hold_id)

    assert await life.figures() == Figures(0)


async def test_an_order_takes_from_the_warehouses_of_its_hold_first():
    await make.stock("MUG", "HAMBURG", 5)
    hold_id = await life.hold(("MUG", 2))
    await make.stock("MUG", "BERLIN", 5)

    checked = await life.check(("MUG", 3), held=hold_id)
    order_id = await life.place(("MUG", 3), held=hold_id)

    codes = {place.id: place.code for place in await warehouse_rows.Warehouse.all()}
    assert [(codes[part.warehouse_id], part.quantity) for part in checked.lines[0].parts] == [("HAMBURG", 3)]
    assert await life.units(order_id) == [("HAMBURG", 3, "ON_HAND")]
    assert await life.units(await life.place(("MUG", 1))) == [("BERLIN", 1, "ON_HAND")]


async def test_what_is_not_ordered_of_a_hold_is_free_again():
    await make.stock("MUG", on_hand=5)
    await make.stock("CUP", on_hand=5)
    hold_id = await life.hold(("MUG", 3), ("CUP", 2))

    await life.place(("MUG", 1), held=hold_id)

    assert (await life.figures("MUG"), await life.figures("CUP")) == (Figures(4), Figures(5))


async def test_what_is_not_ordered_of_a_hold_fills_what_waits_and_resolves_an_alert():
    await make.setting(backorders=BackorderMode.ALLOW)
    await make.setting(product="CUP", notify_below=1)
    await make.stock("MUG", on_hand=5)
    await make.stock("CUP", on_hand=3)
    hold_id = await life.hold(("MUG", 1), ("CUP", 3))
    waiting = await life.place(("CUP", 2))

    await life.place(("MUG", 1), held=hold_id)

    assert await life.units(waiting) == [("BERLIN", 2, "ON_HAND")]
    assert await life.figures("CUP") == Figures(1)
    assert [alert.state.value for alert in await LowInventoryAlert.all()] == ["RESOLVED"]


async def test_more_than_is_held_is_ordered_from_what_is_free():
    await make.stock("MUG", on_hand=5)
    hold_id = await life.hold(("MUG", 3))

    await life.place(("MUG", 5), held=hold_id)

    assert await life.figures() == Figures(0)


async def test_an_order_that_fails_leaves_the_hold():
    await make.stock("MUG", on_hand=5)
    hold_id = await life.hold(("MUG", 3))

    short = await life.refusal(life.place(("MUG", 6), held=hold_id))

    assert isinstance(short, InsufficientStock)
    assert (short.requested, short.salable) == (6, 5)
    assert (await state(hold_id), await life.figures()) == (ACTIVE, Figures(5, held=3))


async def test_an_order_that_is_kept_waiting_ends_its_hold():
    await make.setting(insufficient_stock=InsufficientStockAction.HOLD_ORDER)
    await make.stock("MUG", on_hand=5)
    hold_id = await life.hold(("MUG", 3))

    order_id = await life.place(("MUG", 6), held=hold_id)

    assert await life.status(order_id) is OrderStatus.BACKORDERED
    assert (await state(hold_id), await life.figures()) == (ORDERED, Figures(5))


async def test_checking_an_order_of_a_hold_leaves_the_hold():
    await make.stock("MUG", on_hand=5)
    hold_id = await life.hold(("MUG", 3))
    before = await life.everything()

    await life.check(("MUG", 5), held=hold_id)

    assert await life.everything() == before


async def test_a_hold_in_a_warehouse_that_sells_nothing_any_more_is_ordered_from_another():
    await make.stock("MUG", "BERLIN", 5)
    await make.stock("MUG", "HAMBURG", 5)
    hold_id = await life.hold(("MUG", 3))
    await warehouses.update_warehouse("BERLIN", {"active": False})

    order_id = await life.place(("MUG", 3), held=hold_id)

    assert await life.units(order_id) == [("HAMBURG", 3, "ON_HAND")]
    assert await life.figures("MUG", "BERLIN") == Figures(5)


@pytest.mark.parametrize(
    ("end", "code"), [("ordered", "INVALID_STATE"), ("released", "INVALID_STATE"), ("expired", "HOLD_EXPIRED")]
)
async def test_a_hold_that_is_over_is_not_ordered(end, code):
    await make.stock("MUG", on_hand=5)
    hold_id = await life.hold(("MUG", 3))
    if end == "ordered":
        await life.place(("MUG", 3), held=hold_id)
    elif end == "released":
        await life.release(hold_id)
    else:
        await life.expire(hold_id)

    checked = await life.check(("MUG", 1), held=hold_id)

    assert await life.refused(life.place(("MUG", 1), held=hold_id)) == (code, ("hold",))
    assert [(one.code.value, one.path) for one in checked.refusals] == [(code, ("hold",))]
    assert (checked.orderable, checked.lines[0].sku, checked.lines[0].item is not None) == (False, "MUG", True)


async def test_a_hold_of_another_website_is_not_ordered():
    await make.website("south", warehouses=["BERLIN"])
    await make.stock("MUG", on_hand=5)
    hold_id = await life.hold(("MUG", 3), website="south")

    assert await life.refused(life.place(("MUG", 3), held=hold_id)) == ("INVALID_STATE", ("hold",))
    assert await life.refused(life.hold(("MUG", 1), replaces=hold_id)) == ("INVALID_STATE", ("replaces",))
    await life.place(("MUG", 3), held=hold_id, website="south")


# ── expired


async def test_an_expired_hold_of_a_deleted_item_ends_without_any_news():
    await make.setting(notify_below=5)
    await make.stock("MUG", on_hand=2)
    hold_id = await life.hold(("MUG", 2))
    await life.expire(hold_id)
    await make.stock("MUG", on_hand=0)
    await catalog.delete_product("MUG")
    news = await OutboxEntry.all().count()

    await expire_holds.run()

    assert await life.figures() == Figures(0)
    # No feed tells of this topic.
    assert [one.topic for one in (await OutboxEntry.all().order_by("id"))[news:]] == [Topic.LEVEL_ROW]
    assert {alert.state for alert in await LowInventoryAlert.all()} == {AlertState.RESOLVED}


async def test_an_expired_hold_counts_nowhere_from_that_moment():
    """Abandoned carts hold stock for ever."""
    await make.stock("MUG", on_hand=5)
    hold_id = await life.hold(("MUG", 3))
    await life.expire(hold_id)

    assert await salable() == 5
    (level,) = (await levels.levels_of([(await catalog_rows.by_sku(["MUG"]))["MUG"].id])).popitem()[1]
    assert (level.held, level.available) == (0, 5)
    await life.place(("MUG", 5))

    assert await state(hold_id) is ACTIVE
    assert await expire_holds.run() == 1
    assert await life.figures() == Figures(0)


async def test_what_expired_is_held_moved_and_counted_by_others_before_it_is_swept():
    await make.stock("MUG", on_hand=5)
    first = await life.hold(("MUG", 5))
    await life.expire(first)

    await transfer_stock.transfer(SYSTEM, TransferStockRequest("BERLIN", "HAMBURG", (StockLine("MUG", Decimal(2)),)))
    await life.hold(("MUG", 5))
    await expire_holds.run()

    assert (await life.figures("MUG", "BERLIN"), await life.figures("MUG", "HAMBURG")) == (
        Figures(3, held=3),
        Figures(2, held=2),
    )


async def test_expired_holds_are_swept_with_the_fills_and_alerts_that_follow():
    await make.setting(backorders=BackorderMode.ALLOW, notify_below=1)
    await make.stock("MUG", on_hand=5)
    hold_id = await life.hold(("MUG", 5))
    order_id = await life.place(("MUG", 2))
    await life.expire(hold_id)
    news = await OutboxEntry.all().order_by("-id").first()

    assert await expire_holds.run() == 1

    assert await state(hold_id) is EXPIRED
    assert await life.units(order_id) == [("BERLIN", 2, "ON_HAND")]
    assert await life.figures() == Figures(3)
    assert [alert.state.value for alert in await LowInventoryAlert.all()] == ["RESOLVED"]
    told = await OutboxEntry.filter(id__gt=news.id).values_list("topic", flat=True)
    assert {topic.value for topic in told} == {"LEVEL", "ORDER", "ALERT", "STOCK"}


async def test_only_expired_holds_are_swept_and_each_once():
    await make.stock("MUG", on_hand=5)
    over, still = await life.hold(("MUG", 1)), await life.hold(("MUG", 2))
    await life.expire(over)

    swept = await asyncio.gather(expire_holds.run(), expire_holds.run())

    assert sorted(swept)[-1] == 1
    assert await expire_holds.run() == 0
    assert (await state(over), await state(still)) == (EXPIRED, ACTIVE)
    assert await life.figures() == Figures(5, held=2)


async def test_as_many_holds_as_there_are_are_swept_at_once():
    await make.stock("MUG", on_hand=500)
    at = clock.now()
    level = (await inventory.InventoryLevel.get(item__sku="MUG")).id
    website = (await warehouse_rows.Website.get(code="shop")).id
    over = [
        StockHold(id=rows.new_id(), website_id=website, state=ACTIVE, expires_at=at, created_at=at) for _ in range(450)
    ]
    await StockHold.bulk_create(over)
    await HeldUnits.bulk_create([HeldUnits(hold_id=one.id, level_id=level, quantity=Decimal(1)) for one in over])
    await inventory.InventoryLevel.filter(id=level).update(held=Decimal(450), available=Decimal(50))

    assert await expire_holds.run() == 450

    assert await life.figures() == Figures(500)


async def test_a_swept_hold_stays_expired_for_who_asks():
    await make.stock("MUG", on_hand=5)
    hold_id = await life.hold(("MUG", 3))
    await life.expire(hold_id)
    await expire_holds.run()

    assert await life.refused(life.place(("MUG", 3), held=hold_id)) == ("HOLD_EXPIRED", ("hold",))


async def test_what_expires_while_it_is_ordered_is_ordered_once_or_refused():
    await make.stock("MUG", on_hand=5)
    hold_id = await life.hold(("MUG", 5))
    await life.expire(hold_id)

    ends = await asyncio.gather(
        life.place(("MUG", 5), held=hold_id), life.place(("MUG", 5)), expire_holds.run(), return_exceptions=True
    )

    assert [type(end) for end in ends] == [Refused, int, int]
    assert await life.figures() == Figures(0)
