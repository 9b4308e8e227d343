"""Alerts and dates follow changes of settings, websites and warehouses, whether or not any stock moves afterwards."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from gqlstock.delivery import housekeeping
from gqlstock.rules.settings import BackorderMode, SettingScope
from gqlstock.services import catalog, categories, edit_catalog, reassess, warehouses
from gqlstock.services.edit_catalog import CatalogNames
from gqlstock.services.warehouses import AssignedWarehouse
from gqlstock.stock import transaction
from gqlstock.stock.batcher import Batcher, Lock
from gqlstock.stock.command import Command
from gqlstock.stock.transaction import Outcome
from gqlstock.store import reassessments, settings
from gqlstock.store.alerts import LowInventoryAlert
from gqlstock.store.db import transactions
from gqlstock.store.db.outages import Unavailable
from gqlstock.store.orders import OrderLine
from gqlstock.store.outbox import OutboxEntry
from gqlstock.store.reassessments import Reassessment
from support import promised_dates as dates
from support import shop_builders as make
from support.promised_dates import OrderNews
from support.statement_counter import Statements


@pytest.fixture
async def shop(db: None) -> None:
    """4 of MUG and of SHIRT-S, 9 of SHIRT-M in BERLIN. MUG is in cups, below kitchen; SHIRT is in no category."""
    await make.warehouse("BERLIN")
    await make.warehouse("HAMBURG")
    await make.website("shop", warehouses=["BERLIN"])
    await make.category("kitchen")
    await make.category("cups", parent="kitchen")
    await make.product("MUG", category="cups")
    await make.product("SHIRT", options={"Size": ["S", "M"]})
    await make.stock("MUG", on_hand=4)
    await make.stock("SHIRT-S", on_hand=4)
    await make.stock("SHIRT-M", on_hand=9)
    await reassess.run()


async def found() -> list[tuple[str, str | None, int, str]]:
    """Each alert's SKU, warehouse, quantity left and state, oldest first."""
    rows = await LowInventoryAlert.all().order_by("id").select_related("warehouse")
    return [(a.sku, a.warehouse.code if a.warehouse else None, int(a.quantity_left), a.state.value) for a in rows]


async def test_a_threshold_for_the_whole_system_raises_an_alert_for_every_item_under_it(shop: None) -> None:
    await make.setting(notify_below=5)
    await reassess.run()

    assert await found() == [("MUG", None, 4, "RAISED"), ("SHIRT-S", None, 4, "RAISED")]
    news = await OutboxEntry.filter(topic="ALERT").order_by("id")
    assert [entry.data["state"] for entry in news] == ["RAISED", "RAISED"]


@pytest.mark.parametrize(
    ("place", "alerts"),
    [
        ({"organization": "default"}, ["MUG", "SHIRT-S"]),
        ({"website": "shop"}, ["MUG", "SHIRT-S"]),
        ({"category": "cups"}, ["MUG"]),
        ({"category": "kitchen"}, ["MUG"]),
        ({"product": "MUG"}, ["MUG"]),
        ({"product": "SHIRT"}, ["SHIRT-S"]),
        ({"combination": "SHIRT-S"}, ["SHIRT-S"]),
        ({"level": ("MUG", "BERLIN")}, ["MUG"]),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
async def test_a_threshold_raises_and_resolves_the_alerts_of_the_items_that_look_it_up(
    shop: None, place: dict[str, str], alerts: list[str]
) -> None:
    await make.setting(**place, notify_below=5)
    await reassess.run()
    assert [(sku, state) for sku, _, _, state in await found()] == [(sku, "RAISED") for sku in alerts]

    await make.setting(**place, notify_below=None)
    await reassess.run()

    assert [(sku, state) for sku, _, _, state in await found()] == [(sku, "RESOLVED") for sku in alerts]


async def test_stock_that_is_not_managed_any_more_has_no_alert(shop: None) -> None:
    await make.setting(notify_below=5)
    await reassess.run()

    await make.setting(category="kitchen", manage_stock=False)
    await reassess.run()

    assert await found() == [("MUG", None, 4, "RESOLVED"), ("SHIRT-S", None, 4, "RAISED")]


async def test_settings_of_many_items_at_once_are_followed_as_well(shop: None) -> None:
    product = await catalog.update_product("SHIRT", {"name": "T-shirt"})

    changes = {(SettingScope.PRODUCT, product): {"notify_below": Decimal(5)}}
    await transactions.run(lambda: settings.change_many(changes))
    await reassess.run()

    assert await found() == [("SHIRT-S", None, 4, "RAISED")]


async def test_a_category_that_moves_takes_its_products_under_the_threshold_of_its_new_parent(shop: None) -> None:
    await make.category("garden")
    await make.setting(category="garden", notify_below=5)
    await reassess.run()
    assert await found() == []

    await categories.update("kitchen", {"parent": "garden"})
    await reassess.run()

    assert await found() == [("MUG", None, 4, "RAISED")]


async def test_a_product_that_moves_within_a_transaction_is_followed_after_it(shop: None) -> None:
    await make.setting(category="kitchen", notify_below=5)
    await reassess.run()

    names = CatalogNames(products={"SHIRT"}, categories={"cups"})
    moved = {"category": "cups"}
    await transactions.run(
        lambda: edit_catalog.run(names, lambda edits: edits.change_product(edits.product("SHIRT"), moved))
    )
    assert await found() == [("MUG", None, 4, "RAISED")]
    await reassess.run()

    assert await found() == [("MUG", None, 4, "RAISED"), ("SHIRT-S", None, 4, "RAISED")]


async def test_a_product_that_moves_goes_by_the_threshold_of_its_new_category(shop: None) -> None:
    await make.setting(category="kitchen", notify_below=5)
    await reassess.run()

    await catalog.update_product("SHIRT", {"category": "cups"})
    await catalog.update_product("MUG", {"category": None})

    assert await found() == [("MUG", None, 4, "RESOLVED"), ("SHIRT-S", None, 4, "RAISED")]


async def test_a_warehouse_in_and_out_of_use_is_followed(shop: None) -> None:
    await make.setting(product="SHIRT", notify_below=5)
    await make.stock("SHIRT-M", "HAMBURG", 2)
    await reassess.run()

    await warehouses.update_warehouse("BERLIN", {"active": False})
    await reassess.run()

    assert await found() == [("SHIRT-S", None, 4, "RAISED"), ("SHIRT-M", None, 2, "RAISED")]


@pytest.mark.parametrize("way", ["its-own", "of-its-organization", "of-another-organization"])
async def test_the_warehouses_that_a_website_sells_from_say_whose_threshold_counts(shop: None, way: str) -> None:
    await make.stock("MUG", "HAMBURG", 0)
    await make.organization("acme", warehouses=["BERLIN"] if way == "of-another-organization" else [])
    await warehouses.update_website("shop", {"warehouses": []})
    await make.setting(website="shop", notify_below=5)
    await reassess.run()
    assert await found() == []

    if way == "its-own":
        await warehouses.update_website("shop", {"warehouses": [AssignedWarehouse("BERLIN")]})
    elif way == "of-its-organization":
        await warehouses.update_organization("default", {"warehouses": [AssignedWarehouse("BERLIN")]})
    else:
        await warehouses.update_website("shop", {"organization": "acme"})
    await reassess.run()

    assert await found() == [("MUG", None, 4, "RAISED"), ("SHIRT-S", None, 4, "RAISED")]


async def test_a_new_website_may_be_the_first_to_sell_an_item(shop: None) -> None:
    await make.stock("MUG", "BERLIN", 0)
    await make.stock("MUG", "HAMBURG", 2)
    await make.organization("acme")
    await make.setting(organization="acme", notify_below=5)
    await warehouses.update_warehouse("BERLIN", {"active": False})
    await reassess.run()
    assert await found() == []

    await make.website("north", organization="acme", warehouses=["HAMBURG"])
    await reassess.run()

    assert await found() == [("MUG", None, 2, "RAISED")]


async def test_deleted_items_and_items_that_nobody_counts_raise_nothing(shop: None) -> None:
    await make.product("CUP")
    await make.stock("MUG", on_hand=0)
    await catalog.delete_product("MUG")

    await make.setting(notify_below=5)
    await reassess.run()

    assert await found() == [("SHIRT-S", None, 4, "RAISED")]


async def test_settings_that_no_alert_depends_on_leave_nothing_to_do(shop: None) -> None:
    await make.setting(only_x_left_threshold=3)
    await make.setting(product="MUG", minimum_order_quantity=2)
    await warehouses.update_website("shop", {"name": "The shop"})
    await warehouses.update_warehouse("BERLIN", {"name": "Berlin-Mitte"})

    assert await Reassessment.all().count() == 0


async def watched() -> bool:
    return True


@pytest.mark.parametrize("place", [{"system": True}, {"category": "kitchen"}, {"product": "MUG"}], ids="-".join)
async def test_a_part_that_is_interrupted_is_done_again(shop: None, place: dict[str, object]) -> None:
    await make.setting(**place, notify_below=5)  # type: ignore[arg-type]

    # The process dies before it can say that the part was assessed.
    part = await reassessments.next_due(reassess.PART, watched)
    assert part is not None
    await transaction.run(reassess.Reassess(frozenset(part.item_ids)))
    raised = await found()
    assert [one for one in raised if one[0] == "MUG"] == [("MUG", None, 4, "RAISED")]

    await reassess.run()

    assert await found() == raised
    assert await Reassessment.all().count() == 0


async def test_every_item_is_taken_once_in_parts_of_bounded_size(shop: None) -> None:
    for number in range(5):
        await make.product(f"P{number}", category="cups")
        await make.stock(f"P{number}", on_hand=1)
    await make.setting(category="kitchen", notify_below=5)

    parts = []
    while (part := await reassessments.next_due(4, watched)) is not None:
        await reassessments.finish(part)
        parts.append(part.item_ids)

    assert [len(part) for part in parts] == [4, 2]
    assert len({item_id for part in parts for item_id in part}) == 6


async def test_who_assesses_every_item_leaves_out_what_was_asked_for_before(shop: None) -> None:
    for below in (7, 6, 5):
        await make.setting(notify_below=below)
        await make.setting(product="MUG", notify_below=below)

    assert await reassess.run() == 3
    assert await found() == [("MUG", None, 4, "RAISED"), ("SHIRT-S", None, 4, "RAISED")]


async def test_a_part_costs_as_many_statements_for_forty_items_as_for_four(shop: None) -> None:
    async def statements(items: int) -> int:
        for number in range(items):
            await make.product(f"P{items}-{number}", category="cups")
            await make.stock(f"P{items}-{number}", on_hand=1)
        await make.setting(category="kitchen", notify_below=2)
        with Statements().counted() as sent:
            assert await reassess.run() == items + 1
        assert await LowInventoryAlert.filter(state="RAISED").count() == items
        await make.setting(category="kitchen", notify_below=None)
        with Statements().counted() as resolved:
            # MUG has no alert, and nothing is watched any more.
            assert await reassess.run() == items
        assert await LowInventoryAlert.filter(state="RAISED").count() == 0
        for number in range(items):
            await make.stock(f"P{items}-{number}", on_hand=0)
            await catalog.delete_product(f"P{items}-{number}")
        return len(sent) + len(resolved)

    assert await statements(40) == await statements(4)


async def test_alerts_appear_within_ten_seconds_while_a_server_runs(shop: None) -> None:
    async with housekeeping.running(timedelta(days=2)):
        await asyncio.sleep(0.2)
        await make.setting(notify_below=5)
        for _ in range(200):
            if len(await found()) == 2:
                break
            await asyncio.sleep(0.05)
        assert await found() == [("MUG", None, 4, "RAISED"), ("SHIRT-S", None, 4, "RAISED")]


@pytest.fixture
async def waiting(shop: None) -> tuple[int, int]:
    """An order of MUG and one of SHIRT-S that wait for what comes on the 10th. Answers their ids."""
    await make.setting(backorders=BackorderMode.ALLOW)
    mug, shirt = await make.order("MUG", 6), await make.order("SHIRT-S", 6)
    for sku in ("MUG", "SHIRT-S"):
        await dates.announce(10, on=10, sku=sku)
    await reassess.run()
    return mug, shirt


async def buffers() -> list[int]:
    return [line.buffer_days for line in await OrderLine.all().order_by("id")]


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ({"system": True}, ["MUG", "SHIRT-S"]),
        ({"organization": "default"}, ["MUG", "SHIRT-S"]),
        ({"website": "shop"}, ["MUG", "SHIRT-S"]),
        ({"category": "cups"}, ["MUG"]),
        ({"category": "kitchen"}, ["MUG"]),
        ({"product": "MUG"}, ["MUG"]),
        ({"product": "SHIRT"}, ["SHIRT-S"]),
        ({"combination": "SHIRT-S"}, ["SHIRT-S"]),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
async def test_orders_are_told_the_date_with_the_new_buffer_once(
    waiting: tuple[int, int], place: dict[str, Any], told: list[str]
) -> None:
    of_sku = dict(zip(("MUG", "SHIRT-S"), waiting, strict=True))
    news = OrderNews()
    await news.entries()

    await make.setting(**place, incoming_buffer_days=3)
    await reassess.run()
    await reassess.run()

    assert await news.dates() == [(of_sku[sku], 10, 13) for sku in told]
    assert await buffers() == [3 if sku in told else 0 for sku in ("MUG", "SHIRT-S")]
    assert await Reassessment.all().count() == 0


@pytest.mark.parametrize("way", ["the-product", "its-category", "the-organization"])
async def test_orders_follow_what_moves_to_another_buffer(waiting: tuple[int, int], way: str) -> None:
    await make.category("garden")
    await make.organization("acme", warehouses=["BERLIN"])
    await make.setting(category="garden", incoming_buffer_days=3)
    await make.setting(organization="acme", incoming_buffer_days=5)
    await reassess.run()
    news = OrderNews()
    await news.entries()

    if way == "the-product":
        await catalog.update_product("MUG", {"category": "garden"})
    elif way == "its-category":
        await categories.update("kitchen", {"parent": "garden"})
    else:
        await warehouses.update_website("shop", {"organization": "acme"})
    await reassess.run()

    mug, shirt = waiting
    assert await news.dates() == ([(mug, 10, 15), (shirt, 10, 15)] if way == "the-organization" else [(mug, 10, 13)])


async def test_a_buffer_without_a_date_is_told_to_nobody(waiting: tuple[int, int]) -> None:
    late = await make.order("MUG", 20)
    news = OrderNews()
    await news.entries()

    await make.setting(product="MUG", incoming_buffer_days=3)
    await reassess.run()

    assert await news.dates() == [(waiting[0], 10, 13)]
    assert await buffers() == [3, 0, 3]
    assert late


async def test_an_item_that_nothing_comes_for_is_not_assessed_for_its_buffer(waiting: tuple[int, int]) -> None:
    await make.setting(incoming_buffer_days=3)

    assert await reassess.run() == 2


async def test_telling_of_a_buffer_costs_as_many_statements_for_forty_orders_as_for_four(shop: None) -> None:
    await make.setting(backorders=BackorderMode.ALLOW)

    async def statements(sku: str, orders: int) -> int:
        for _ in range(orders):
            await make.order(sku, 10)
        await dates.announce(10 * orders, on=10, sku=sku)
        await make.setting(product=sku.removesuffix("-S"), incoming_buffer_days=3)
        await reassess.run()
        await make.setting(product=sku.removesuffix("-S"), incoming_buffer_days=4)
        with Statements().counted() as sent:
            await reassess.run()
        assert {line.buffer_days for line in await OrderLine.filter(sku=sku)} == {4}
        return len([one for one in sent if not one.startswith("UPDATE")])

    assert await statements("MUG", 40) == await statements("SHIRT-S", 4)


async def test_a_product_is_changed_although_its_alerts_can_only_be_updated_later(
    shop: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def away(commands: Sequence[Command], wait_for: frozenset[Lock]) -> Sequence[Outcome]:
        raise Unavailable("the database is unavailable")

    await make.setting(category="kitchen", notify_below=5)
    await reassess.run()

    with monkeypatch.context() as during:
        during.setattr(transaction, "_batcher", Batcher(away))
        await catalog.update_product("SHIRT", {"category": "cups"})
    assert await found() == [("MUG", None, 4, "RAISED")]
    await reassess.run()

    assert await found() == [("MUG", None, 4, "RAISED"), ("SHIRT-S", None, 4, "RAISED")]
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        "updating alerts failed; housekeeping retries: the database is unavailable"
    ]
