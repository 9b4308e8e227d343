import asyncio
from decimal import Decimal
from typing import Any

import pytest

from gqlstock.rules import alerts as rules
from gqlstock.rules.alerts import AlertState
from gqlstock.rules.catalog import InventoryTracking
from gqlstock.rules.events import alert_then
from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.refusals import Code, Refused
from gqlstock.rules.scopes import SYSTEM, Caller
from gqlstock.rules.settings import BackorderMode, InventoryDecrement
from gqlstock.services import alerts, catalog, delete_level, reassess, transfer_stock, verification, warehouses
from gqlstock.services.stock_edits import StockLine
from gqlstock.services.transfer_stock import TransferStockRequest
from gqlstock.store.alerts import LowInventoryAlert
from gqlstock.store.catalog import Item
from gqlstock.store.db.records import records
from gqlstock.store.outbox import OutboxEntry
from support import shop_builders as make

ANNA, BEN = Caller(name="Anna", key="token:1"), Caller(name="Ben", key="token:2")


@pytest.fixture
async def shop(db: None) -> None:
    """10 of MUG in BERLIN and none in HAMBURG, watched below 5."""
    await make.warehouse("BERLIN")
    await make.warehouse("HAMBURG")
    await make.website("shop", warehouses=["BERLIN", "HAMBURG"])
    await make.product("MUG", name="Mug")
    await make.stock("MUG", on_hand=10)
    await make.setting(product="MUG", notify_below=5)


async def found() -> list[tuple[str, str | None, int, str]]:
    """Each alert's SKU, warehouse, quantity left and state, oldest first."""
    rows = await LowInventoryAlert.all().order_by("id").select_related("warehouse")
    return [(a.sku, a.warehouse.code if a.warehouse else None, int(a.quantity_left), a.state.value) for a in rows]


async def news() -> list[str]:
    """What the pushes of alerts said, in order."""
    return [entry.data["state"] for entry in await OutboxEntry.filter(topic="ALERT").order_by("id")]


async def test_an_alert_is_raised_when_the_quantity_falls_below(shop: None) -> None:
    await make.stock("MUG", on_hand=5)
    assert await found() == []

    await make.order("MUG", 2)

    assert await found() == [("MUG", None, 3, "RAISED")]
    (alert,) = await LowInventoryAlert.all()
    assert (alert.name, alert.code, alert.threshold) == ("Mug", "MUG", 5)
    assert (alert.acknowledged_at, alert.resolved_at) == (None, None)
    assert await news() == ["RAISED"]


async def test_one_fall_is_one_alert_and_keeps_the_quantity_of_then(shop: None) -> None:
    await make.stock("MUG", on_hand=4)
    await make.stock("MUG", on_hand=1)
    await make.order("MUG", 1)

    assert await found() == [("MUG", None, 4, "RAISED")]
    assert await news() == ["RAISED"]


async def test_it_is_resolved_at_the_threshold_and_the_next_fall_is_another(shop: None) -> None:
    await make.stock("MUG", on_hand=4)
    await make.stock("MUG", on_hand=5)
    assert await found() == [("MUG", None, 4, "RESOLVED")]
    resolved = await LowInventoryAlert.get()
    assert resolved.resolved_at is not None

    await make.stock("MUG", on_hand=2)

    assert await found() == [("MUG", None, 4, "RESOLVED"), ("MUG", None, 2, "RAISED")]
    assert await news() == ["RAISED", "RESOLVED", "RAISED"]


async def test_it_is_resolved_by_the_next_change_once_the_threshold_is_unset(shop: None) -> None:
    await make.stock("MUG", on_hand=4)
    await make.setting(product="MUG", notify_below=None)

    await make.stock("MUG", on_hand=3)

    assert await found() == [("MUG", None, 4, "RESOLVED")]


async def test_the_quantity_is_that_of_all_warehouses_together(shop: None) -> None:
    await make.stock("MUG", "HAMBURG", 10)
    await make.stock("MUG", "BERLIN", 0)
    assert await found() == []

    await make.stock("MUG", "HAMBURG", 4)

    assert await found() == [("MUG", None, 4, "RAISED")]


async def test_a_transfer_between_two_warehouses_is_no_fall(shop: None) -> None:
    line = StockLine("MUG", Decimal(9))

    await transfer_stock.transfer(SYSTEM, TransferStockRequest("BERLIN", "HAMBURG", (line,)))

    assert await found() == []


async def test_one_warehouses_lack_does_not_eat_what_another_has(shop: None) -> None:
    await make.setting(level=("MUG", "BERLIN"), backorders=BackorderMode.ALLOW)
    await make.stock("MUG", "HAMBURG", 5)

    await make.order("MUG", 40)
    await make.stock("MUG", "HAMBURG", 6)

    assert (await found())[-1] == ("MUG", None, 0, "RESOLVED")


async def test_reserved_units_count_as_gone(shop: None) -> None:
    await make.setting(decrement_inventory=InventoryDecrement.ON_SHIPMENT)

    await make.order("MUG", 7)

    assert await found() == [("MUG", None, 3, "RAISED")]


async def test_safety_stock_is_not_taken_off(shop: None) -> None:
    await make.setting(product="MUG", out_of_stock_threshold=8)

    await make.stock("MUG", on_hand=5)

    assert await found() == []


async def test_a_level_with_a_threshold_of_its_own_is_watched_in_addition(shop: None) -> None:
    await make.stock("MUG", "HAMBURG", 20)
    await make.setting(level=("MUG", "HAMBURG"), notify_below=15)

    await make.stock("MUG", "HAMBURG", 12)
    await make.stock("MUG", "BERLIN", 0)
    await make.stock("MUG", "HAMBURG", 3)
    await make.stock("MUG", "HAMBURG", 15)

    assert await found() == [("MUG", "HAMBURG", 12, "RESOLVED"), ("MUG", None, 3, "RESOLVED")]
    assert await news() == ["RAISED", "RAISED", "RESOLVED", "RESOLVED"]


async def test_a_threshold_of_the_product_does_not_watch_each_level(shop: None) -> None:
    await make.stock("MUG", "HAMBURG", 1)

    assert await found() == []


async def test_taking_a_warehouse_out_of_use_is_a_fall_and_back_in_use_the_end_of_it(shop: None) -> None:
    await make.stock("MUG", "HAMBURG", 3)

    await warehouses.update_warehouse("BERLIN", {"active": False})
    await reassess.run()
    await warehouses.update_warehouse("BERLIN", {"active": True})
    await reassess.run()

    assert await found() == [("MUG", None, 3, "RESOLVED")]
    assert await news() == ["RAISED", "RESOLVED"]


async def test_a_level_of_a_warehouse_out_of_use_is_not_watched(shop: None) -> None:
    await make.stock("MUG", "HAMBURG", 20)
    await make.setting(level=("MUG", "HAMBURG"), notify_below=30)
    await make.stock("MUG", "HAMBURG", 19)

    await warehouses.update_warehouse("HAMBURG", {"active": False})
    await reassess.run()

    assert await found() == [("MUG", "HAMBURG", 19, "RESOLVED")]


async def test_the_alert_of_a_level_ends_when_the_level_is_deleted(shop: None) -> None:
    await make.stock("MUG", "HAMBURG", 20)
    await make.setting(level=("MUG", "HAMBURG"), notify_below=30)
    await make.stock("MUG", "HAMBURG", 0)

    await delete_level.delete(SYSTEM, "MUG", "HAMBURG")

    assert await found() == [("MUG", "HAMBURG", 0, "RESOLVED")]
    assert await news() == ["RAISED", "RESOLVED"]


@pytest.mark.parametrize("place", [{"product": "CUP"}, {"website": "shop"}, {"system": True}], ids="-".join)
async def test_an_item_that_nobody_has_counted_has_no_alert_until_its_first_count(
    shop: None, place: dict[str, Any]
) -> None:
    await make.product("CUP")

    await make.setting(**place, notify_below=5)
    await reassess.run()
    assert await found() == []
    assert await verification.verify() == []

    await make.stock("CUP", on_hand=0)
    assert await found() == [("CUP", None, 0, "RAISED")]


async def test_the_alert_of_an_item_ends_with_its_last_level(shop: None) -> None:
    await make.stock("MUG", "HAMBURG", 0)
    await make.stock("MUG", "BERLIN", 0)

    await delete_level.delete(SYSTEM, "MUG", "HAMBURG")
    assert await found() == [("MUG", None, 0, "RAISED")]
    await delete_level.delete(SYSTEM, "MUG", "BERLIN")

    assert await found() == [("MUG", None, 0, "RESOLVED")]
    assert await news() == ["RAISED", "RESOLVED"]
    assert await verification.verify() == []


@pytest.mark.parametrize("mode", InventoryDecrement)
async def test_a_level_that_an_order_makes_is_watched(shop: None, mode: InventoryDecrement) -> None:
    await make.product("CUP")
    await make.setting(product="CUP", notify_below=5, backorders=BackorderMode.ALLOW, decrement_inventory=mode)

    await make.order("CUP", 1)

    assert await found() == [("CUP", None, 0, "RAISED")]
    assert await verification.verify() == []


@pytest.mark.parametrize("way", ["manage-stock-off", "do-not-track"])
async def test_what_is_not_counted_has_no_alerts(shop: None, way: str) -> None:
    await make.stock("MUG", on_hand=4)
    await make.setting(level=("MUG", "BERLIN"), notify_below=9)
    if way == "manage-stock-off":
        await make.setting(product="MUG", manage_stock=False)
        await make.stock("MUG", on_hand=1)
    else:
        await catalog.update_product("MUG", {"tracking": InventoryTracking.DO_NOT_TRACK})

    assert await found() == [("MUG", None, 4, "RESOLVED")]


async def test_combinations_are_watched_by_themselves_and_their_product_is_not(shop: None) -> None:
    await make.product("SHIRT", name="Shirt", options={"Size": ["S", "M"]})
    await make.setting(product="SHIRT", notify_below=5)

    await make.stock("SHIRT-S", on_hand=9)
    await make.stock("SHIRT-M", on_hand=2)

    assert await found() == [("SHIRT-M", None, 2, "RAISED")]
    (alert,) = await LowInventoryAlert.all()
    assert (alert.name, alert.code) == ("Shirt – M", "SHIRT")


async def test_a_product_that_becomes_tracked_with_options_raises_nothing_itself(shop: None) -> None:
    await make.product("SHIRT", options={"Size": ["S"]}, tracking=InventoryTracking.TRACK_WITHOUT_OPTIONS)
    await make.setting(product="SHIRT", notify_below=5)

    await catalog.update_product("SHIRT", {"tracking": InventoryTracking.TRACK_WITH_OPTIONS})

    assert await LowInventoryAlert.filter(sku="SHIRT").count() == 0


async def test_an_order_that_is_refused_raises_nothing(shop: None) -> None:
    with pytest.raises(Refused):
        await make.order("MUG", 11)

    assert await found() == []
    assert await news() == []


async def test_orders_at_once_raise_one_alert(shop: None) -> None:
    await asyncio.gather(*(make.order("MUG", 1) for _ in range(10)))

    assert await found() == [("MUG", None, 4, "RAISED")]


async def test_the_first_one_to_take_an_alert_on_stays(shop: None) -> None:
    await make.stock("MUG", on_hand=4)
    (alert,) = await LowInventoryAlert.all()

    assert await alerts.acknowledge(ANNA, GivenId(alert.id, "x")) == alert.id
    taken_on = await LowInventoryAlert.get(id=alert.id)
    assert await alerts.acknowledge(BEN, GivenId(alert.id, "x")) == alert.id

    again = await LowInventoryAlert.get(id=alert.id)
    assert (again.acknowledged_by, again.acknowledged_at) == ("Anna", taken_on.acknowledged_at)
    assert taken_on.acknowledged_at is not None
    assert again.state is AlertState.RAISED
    entries = await OutboxEntry.filter(topic="ALERT").order_by("id")
    assert [entry.data["acknowledged_by"] for entry in entries] == [None, "Anna"]


@pytest.mark.parametrize("alert_id", [None, 4_711])
async def test_an_alert_that_there_is_not_cannot_be_taken_on(shop: None, alert_id: int | None) -> None:
    with pytest.raises(Refused) as error:
        await alerts.acknowledge(ANNA, GivenId(alert_id, "abc"))

    (refusal,) = error.value.refusals
    assert (refusal.code, refusal.path) == (Code.NOT_FOUND, ("id",))
    assert refusal.message == "There is no alert abc."


async def test_an_alert_keeps_its_sku_when_the_item_is_renamed(shop: None) -> None:
    await make.stock("MUG", on_hand=4)

    await catalog.update_product("MUG", {"new_sku": "CUP"})

    (alert,) = await LowInventoryAlert.all()
    assert (alert.sku, (await Item.get(id=alert.item_id)).sku) == ("MUG", "CUP")


async def test_the_news_of_an_alert_tells_it_as_it_was_then(shop: None) -> None:
    await make.stock("MUG", on_hand=4)
    await make.stock("MUG", on_hand=9)
    (alert,) = await records(rules.LowInventoryAlert, LowInventoryAlert.all())
    raised, resolved = await OutboxEntry.filter(topic="ALERT").order_by("id")

    then, now = alert_then(alert, raised.data), alert_then(alert, resolved.data)

    assert (then.id, then.state, then.resolved_at) == (alert.id, AlertState.RAISED, None)
    assert (now.id, now.state, now.resolved_at) == (alert.id, AlertState.RESOLVED, alert.resolved_at)
