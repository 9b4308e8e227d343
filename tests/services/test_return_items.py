"""What was shipped comes back: each unit to the warehouse that it left, counted again or not."""

import pytest

from gqlstock.rules.alerts import AlertState
from gqlstock.rules.catalog import InventoryTracking
from gqlstock.rules.orders import OrderStatus
from gqlstock.rules.refusals import Refused
from gqlstock.rules.scopes import SYSTEM
from gqlstock.rules.settings import BackorderMode, InventoryDecrement
from gqlstock.services import catalog, combinations, delete_level, return_items, verification, warehouses
from gqlstock.services.return_items import ReturnItemsRequest
from gqlstock.store.alerts import LowInventoryAlert
from gqlstock.store.inventory import InventoryLevel, StockMovement
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


async def shipped(*rows):
    """An order of these rows that has left BERLIN whole."""
    order_id = await life.place(*rows)
    await life.ship_all(order_id)
    return order_id


@pytest.mark.parametrize(
    ("mode", "before", "after", "movements"),
    [
        (ON_ORDER, Figures(7), Figures(9), [("BERLIN", "SALE", -3), ("BERLIN", "RETURN", 2)]),
        (ON_SHIPMENT, Figures(7), Figures(9), [("BERLIN", "SHIPMENT", -3), ("BERLIN", "RETURN", 2)]),
        (NEVER, Figures(10), Figures(10), []),
    ],
)
async def test_what_comes_back_counts_again(mode, before, after, movements):
    await make.setting(decrement_inventory=mode)
    await make.stock("MUG", on_hand=10)
    order_id = await shipped(("MUG", 3))
    assert await life.figures() == before

    await life.take_back(order_id, ("MUG", 2))

    assert await life.figures() == after
    assert sorted(await life.units(order_id)) == [("BERLIN", 1, "SHIPPED"), ("BERLIN", 2, "RETURNED")]
    assert await life.ledger(order_id) == movements


async def test_what_comes_back_stays_in_the_shipment_that_it_left_in():
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 3))
    number = await life.ship_all(order_id)

    await life.take_back(order_id, ("MUG", 1))

    assert {shipment for *_, shipment in await life.packed(order_id)} == {number}


async def test_a_return_does_not_change_the_orders_status():
    await make.stock("MUG", on_hand=10)
    whole, part = await shipped(("MUG", 3)), await life.place(("MUG", 3))
    await life.ship_all(part, "BERLIN", ("MUG", 1))

    await life.take_back(whole, ("MUG", 3))
    await life.take_back(part, ("MUG", 1))

    assert await life.status(whole) is OrderStatus.SHIPPED
    assert await life.status(part) is OrderStatus.PARTIALLY_SHIPPED


async def test_an_order_of_which_all_came_back_is_shipped_on():
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 3))
    await life.ship_all(order_id, "BERLIN", ("MUG", 1))
    await life.take_back(order_id, ("MUG", 1))

    await life.ship_all(order_id)

    assert await life.status(order_id) is OrderStatus.SHIPPED


async def test_each_unit_comes_back_to_the_warehouse_that_it_left_in_the_order_in_which_they_were_shipped():
    await make.stock("MUG", "BERLIN", 2)
    await make.stock("MUG", "HAMBURG", 5)
    order_id = await life.place(("MUG", 5))
    await life.ship_all(order_id, "HAMBURG", ("MUG", 1))
    await life.ship_all(order_id, "BERLIN")
    await life.ship_all(order_id, "HAMBURG")

    await life.take_back(order_id, ("MUG", 2))
    assert (await life.figures("MUG", "BERLIN"), await life.figures("MUG", "HAMBURG")) == (Figures(1), Figures(3))
    await life.take_back(order_id, ("MUG", 2))

    assert (await life.figures("MUG", "BERLIN"), await life.figures("MUG", "HAMBURG")) == (Figures(2), Figures(4))


async def test_what_was_canceled_between_does_not_come_back():
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 3))
    await life.ship_all(order_id, "BERLIN", ("MUG", 1))
    await life.cancel(order_id)

    assert await life.refused(life.take_back(order_id, ("MUG", 2))) == ("INVALID_STATE", ("lines", 0, "quantity"))


@pytest.mark.parametrize(
    ("setting", "restock", "on_hand"),
    [(True, None, 9), (False, None, 7), (True, False, 7), (False, True, 9)],
)
async def test_whether_it_counts_again_says_the_input_else_the_setting(setting, restock, on_hand):
    await make.stock("MUG", on_hand=10)
    order_id = await shipped(("MUG", 3))
    await make.setting(product="MUG", restock_on_return=setting)

    await life.take_back(order_id, ("MUG", 2), restock=restock)

    assert await life.figures() == Figures(on_hand)
    assert ("BERLIN", 2, "RETURNED") in await life.units(order_id)


async def test_each_item_goes_by_its_own_setting():
    await make.stock("MUG", on_hand=10)
    await make.stock("CUP", on_hand=10)
    await make.setting(product="CUP", restock_on_return=False)
    order_id = await shipped(("MUG", 3), ("CUP", 3))

    await life.take_back(order_id, ("MUG", 1), ("CUP", 1))

    assert (await life.figures("MUG"), await life.figures("CUP")) == (Figures(8), Figures(7))


async def test_the_settings_are_those_of_the_orders_website():
    await make.website("other", warehouses=["BERLIN"])
    await make.setting(website="other", restock_on_return=False)
    await make.stock("MUG", on_hand=10)
    here, there = await shipped(("MUG", 1)), await life.place(("MUG", 1), website="other")
    await life.ship_all(there)

    await life.take_back(here, ("MUG", 1))
    await life.take_back(there, ("MUG", 1))

    assert await life.figures() == Figures(9)


@pytest.mark.parametrize(
    ("mode", "after"), [(ON_ORDER, Figures(-1, backordered=1)), (ON_SHIPMENT, Figures(1, reserved=2, backordered=1))]
)
async def test_what_comes_back_fills_what_waits(mode, after):
    await make.setting(backorders=BackorderMode.ALLOW, decrement_inventory=mode)
    await make.stock("MUG", on_hand=3)
    order_id = await shipped(("MUG", 3))
    waiting = await life.place(("MUG", 2))

    await life.take_back(order_id, ("MUG", 1))

    assert await life.units(waiting) == [("BERLIN", 1, "ON_HAND"), ("BERLIN", 1, "BACKORDERED")]
    assert await life.figures() == after


async def test_what_comes_back_and_does_not_count_fills_nothing():
    await make.setting(backorders=BackorderMode.ALLOW)
    await make.stock("MUG", on_hand=3)
    order_id = await shipped(("MUG", 3))
    waiting = await life.place(("MUG", 2))

    await life.take_back(order_id, ("MUG", 1), restock=False)

    assert await life.units(waiting) == [("BERLIN", 2, "BACKORDERED")]


async def test_a_return_tells_the_ledger_why_and_is_news():
    await make.stock("MUG", on_hand=10)
    order_id = await shipped(("MUG", 3))
    before = await OutboxEntry.filter(topic="ORDER").count()

    await life.take_back(order_id, ("MUG", 1), reason=" too small ")

    last = await StockMovement.all().order_by("-id").first()
    assert (last.kind.value, last.reason, last.quantity, last.on_hand_after) == ("RETURN", "too small", 1, 8)
    assert await OutboxEntry.filter(topic="ORDER", subject=order_id).count() == before + 1


async def test_the_lines_of_a_sku_come_back_in_their_order_and_one_by_its_id():
    await make.stock("MUG", on_hand=10)
    order_id = await shipped(("MUG", 2), ("MUG", 2))
    _, second = await life.lines(order_id)

    await life.take_back(order_id, ("MUG", 1, second), ("MUG", 3))

    assert [state for *_, state in await life.units(order_id)] == ["RETURNED"] * 3
    assert await life.figures() == Figures(10)


async def test_units_that_are_not_counted_come_back_without_a_level():
    await make.product("GIFT", tracking=InventoryTracking.DO_NOT_TRACK)
    order_id = await shipped(("GIFT", 2))

    await life.take_back(order_id, ("GIFT", 1))

    assert sorted(await life.units(order_id)) == [("BERLIN", 1, "RETURNED"), ("BERLIN", 1, "SHIPPED")]
    assert await life.ledger(order_id) == []


async def test_a_level_that_is_out_of_use_is_brought_back_by_what_comes_back():
    await make.stock("MUG", on_hand=3)
    order_id = await shipped(("MUG", 3))
    await delete_level.delete(SYSTEM, "MUG", "BERLIN")

    await life.take_back(order_id, ("MUG", 1))

    assert (await InventoryLevel.get(item__sku="MUG")).deleted_at is None
    assert await life.figures() == Figures(1)


@pytest.mark.parametrize("mode", [ON_ORDER, ON_SHIPMENT, NEVER])
@pytest.mark.parametrize("restock", [None, False])
async def test_what_was_shipped_of_a_deleted_item_comes_back_and_does_not_count_again(mode, restock):
    await make.setting(decrement_inventory=mode, notify_below=5)
    await make.stock("MUG", on_hand=3)
    order_id = await shipped(("MUG", 3))
    await make.stock("MUG", on_hand=0)
    await catalog.delete_product("MUG")
    news, ledger = await OutboxEntry.exclude(topic="ORDER").count(), await life.ledger(order_id)

    await life.take_back(order_id, ("MUG", 1), restock=restock)

    assert sorted(await life.units(order_id)) == [("BERLIN", 1, "RETURNED"), ("BERLIN", 2, "SHIPPED")]
    assert (await InventoryLevel.get(item__sku="MUG")).deleted_at is not None
    assert await life.figures() == Figures(0)
    assert await life.ledger(order_id) == ledger
    assert await OutboxEntry.exclude(topic="ORDER").count() == news
    assert {alert.state for alert in await LowInventoryAlert.all()} == {AlertState.RESOLVED}


async def test_what_was_shipped_of_a_deleted_item_is_not_restocked_when_asked_outright():
    await make.stock("MUG", on_hand=3)
    order_id = await shipped(("MUG", 3))
    await catalog.delete_product("MUG")

    only = await life.refusal(life.take_back(order_id, ("MUG", 1), restock=True))

    assert (only.code.value, only.path) == ("INVALID_STATE", ("lines", 0, "sku"))
    assert only.message == "MUG no longer has stock, so nothing can be restocked."


async def test_what_was_not_counted_of_a_deleted_item_is_not_restocked_either():
    await make.product("GIFT", tracking=InventoryTracking.DO_NOT_TRACK)
    order_id = await shipped(("GIFT", 2))
    await catalog.delete_product("GIFT")

    assert await life.refused(life.take_back(order_id, ("GIFT", 1), restock=True)) == (
        "INVALID_STATE",
        ("lines", 0, "sku"),
    )
    await life.take_back(order_id, ("GIFT", 1))


async def test_a_deleted_combination_gives_its_product_back_the_units_that_it_had_of_it():
    await make.product("PEN", options={"Ink": ["Red"]}, tracking=InventoryTracking.TRACK_WITHOUT_OPTIONS)
    await make.stock("PEN", on_hand=3)
    order_id = await shipped(("PEN-RED", 2))
    await combinations.delete("PEN-RED")

    await life.take_back(order_id, ("PEN-RED", 1), restock=True)

    assert await life.figures("PEN") == Figures(2)


async def test_a_level_that_a_change_of_tracking_left_behind_takes_nothing_back():
    await make.product("PEN", options={"Ink": ["Red"]}, tracking=InventoryTracking.TRACK_WITHOUT_OPTIONS)
    await make.stock("PEN", on_hand=3)
    order_id = await shipped(("PEN", 3))
    await catalog.update_product("PEN", {"tracking": InventoryTracking.TRACK_WITH_OPTIONS})

    assert (await life.refused(life.take_back(order_id, ("PEN", 1), restock=True)))[0] == "INVALID_STATE"
    await life.take_back(order_id, ("PEN", 1))

    assert await life.figures("PEN") == Figures(0)
    assert sorted(await life.units(order_id)) == [("BERLIN", 1, "RETURNED"), ("BERLIN", 2, "SHIPPED")]


async def test_what_is_not_counted_any_more_counts_again_on_the_level_that_it_left():
    await make.stock("MUG", on_hand=3)
    order_id = await shipped(("MUG", 3))
    await catalog.update_product("MUG", {"tracking": InventoryTracking.DO_NOT_TRACK})

    await life.take_back(order_id, ("MUG", 1), restock=True)

    assert await life.figures() == Figures(1)


async def test_what_left_an_inactive_warehouse_comes_back_there():
    await make.stock("MUG", on_hand=10)
    order_id = await shipped(("MUG", 3))
    await warehouses.update_warehouse("BERLIN", {"active": False})

    await life.take_back(order_id, ("MUG", 3))

    assert await life.figures() == Figures(10)


# ── refusals


async def test_an_item_that_is_not_returnable_does_not_come_back():
    await make.stock("MUG", on_hand=10)
    order_id = await shipped(("MUG", 3))
    await make.setting(product="MUG", returnable=False)

    refusal = await life.refusal(life.take_back(order_id, ("MUG", 1)))

    assert (refusal.code.value, refusal.path) == ("NOT_RETURNABLE", ("lines", 0, "sku"))
    assert refusal.message == "MUG cannot be returned."


async def test_more_than_was_shipped_does_not_come_back():
    await make.stock("MUG", on_hand=10)
    order_id = await life.place(("MUG", 3))
    await life.ship_all(order_id, "BERLIN", ("MUG", 2))

    refusal = await life.refusal(life.take_back(order_id, ("MUG", 3)))

    assert (refusal.code.value, refusal.path) == ("INVALID_STATE", ("lines", 0, "quantity"))
    assert refusal.message == "3 of MUG cannot be returned: only 2 can."


async def test_what_came_back_does_not_come_back_again():
    await make.stock("MUG", on_hand=10)
    order_id = await shipped(("MUG", 3))
    await life.take_back(order_id, ("MUG", 2))

    assert await life.refused(life.take_back(order_id, ("MUG", 2))) == ("INVALID_STATE", ("lines", 0, "quantity"))
    assert await life.refused(life.take_back(order_id, ("MUG", 1), ("MUG", 1))) == (
        "INVALID_STATE",
        ("lines", 1, "quantity"),
    )


@pytest.mark.parametrize(
    ("row", "code", "path"),
    [
        (("CUP", 1), "NOT_FOUND", ("lines", 0, "sku")),
        (("MUG", 0), "INVALID_INPUT", ("lines", 0, "quantity")),
        (("MUG", 1, 999), "NOT_FOUND", ("lines", 0, "line")),
    ],
)
async def test_what_is_not_of_the_order_does_not_come_back(row, code, path):
    await make.stock("MUG", on_hand=10)
    order_id = await shipped(("MUG", 3))

    assert await life.refused(life.take_back(order_id, row)) == (code, path)


async def test_one_bad_row_takes_nothing_back():
    await make.stock("MUG", on_hand=10)
    order_id = await shipped(("MUG", 3))

    with pytest.raises(Refused) as error:
        await life.take_back(order_id, ("MUG", 1), ("MUG", 5), ("CUP", 1))

    assert [(r.code.value, r.path) for r in error.value.refusals] == [
        ("INVALID_STATE", ("lines", 1, "quantity")),
        ("NOT_FOUND", ("lines", 2, "sku")),
    ]
    assert await life.units(order_id) == [("BERLIN", 3, "SHIPPED")]


async def test_a_return_of_nothing_is_refused():
    await make.stock("MUG", on_hand=10)
    order_id = await shipped(("MUG", 3))

    refusal = await life.refusal(life.take_back(order_id))

    assert (refusal.code.value, refusal.path) == ("INVALID_INPUT", ("lines",))
    assert refusal.message == "No lines given: name at least one."


async def test_an_unknown_order_has_nothing_to_come_back():
    assert await life.refused(life.take_back(7, ("MUG", 1))) == ("NOT_FOUND", ("order",))


async def test_the_same_key_takes_back_once():
    await make.stock("MUG", on_hand=10)
    order_id = await shipped(("MUG", 3))
    asked = ReturnItemsRequest(str(100_000 + order_id), life.quantities((("MUG", 1),)))

    first = await return_items.take_back(SYSTEM, asked, "key")
    second = await return_items.take_back(SYSTEM, asked, "key")

    assert second == first
    assert await life.figures() == Figures(8)
