import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal

import pytest

from gqlstock.rules.availability import Assessment
from gqlstock.rules.catalog import InventoryTracking
from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.scopes import ANONYMOUS, SYSTEM, Caller, Scope
from gqlstock.rules.settings import BackorderMode
from gqlstock.services import (
    catalog,
    categories,
    clear_cache,
    combinations,
    lapse_announcements,
    receive,
    update_announcement,
    warehouses,
)
from gqlstock.services.availability import Showing
from gqlstock.services.receive import AnnounceStockRequest
from gqlstock.services.stock_edits import StockLine
from gqlstock.store.announcements import StockAnnouncement
from gqlstock.store.db import clock, sql
from support import promised_dates as dates
from support import shop_builders as make
from support.settled_news import settled
from support.statement_counter import Statements
from support.subscriptions import Shop, open_shop

CLERK = Caller("clerk", "clerk", frozenset({Scope.INVENTORY_READ}))
PATIENCE = 10


@pytest.fixture
def statements() -> Statements:
    return Statements()


@pytest.fixture
async def shop(db: None) -> AsyncIterator[Shop]:
    """MUG and CUP, 10 and 20 of them in BERLIN; the quantity is shown to nobody who may not see it."""
    await make.shop()
    for sku, quantity in (("MUG", 10), ("CUP", 20)):
        await make.product(sku)
        await make.stock(sku, on_hand=quantity)
    async with open_shop(seconds_between_polls=0.2) as opened:
        yield opened


class Seen:
    """What somebody who watches was shown so far."""

    def __init__(self) -> None:
        self._shown: asyncio.Queue[Showing] = asyncio.Queue()

    async def read(self, shop: Shop, skus: list[str], caller: Caller, website: str | None) -> None:
        async with contextlib.aclosing(shop.storefront.watch(skus, website, caller)) as showings:
            async for shown in showings:
                self._shown.put_nowait(shown.showing)

    async def next(self) -> tuple[str, Assessment]:
        showing = await asyncio.wait_for(self._shown.get(), PATIENCE)
        return showing.item.sku, showing.assessment

    async def salable(self) -> tuple[str, Decimal | None]:
        sku, assessment = await self.next()
        return sku, assessment.salable

    async def nothing(self) -> bool:
        await asyncio.sleep(0.3)
        return self._shown.empty()


@contextlib.asynccontextmanager
async def watched(shop: Shop, *skus: str, caller: Caller = CLERK, website: str | None = None) -> AsyncIterator[Seen]:
    seen = Seen()
    reading = asyncio.create_task(seen.read(shop, list(skus), caller, website))
    try:
        yield seen
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def test_it_starts_with_what_is_now_in_the_order_asked_and_nothing_for_what_is_unknown(shop: Shop) -> None:
    async with watched(shop, "MUG", "NONE", "CUP", "MUG") as seen:
        assert [await seen.salable(), await seen.salable()] == [("MUG", 10), ("CUP", 20)]
        assert await seen.nothing()


async def test_who_asks_for_nothing_gets_nothing_and_the_end(shop: Shop) -> None:
    assert [one async for one in shop.storefront.watch([], None, CLERK)] == []


async def test_each_change_of_what_is_shown_comes_and_nothing_else(shop: Shop) -> None:
    async with watched(shop, "MUG") as seen:
        await seen.next()

        await make.stock("MUG", on_hand=7)
        assert await seen.salable() == ("MUG", 7)
        await make.stock("CUP", on_hand=1)
        await catalog.update_product("MUG", {"barcode": "4711"})
        assert await seen.nothing()


async def test_the_public_gets_a_push_only_when_what_it_sees_changes(shop: Shop) -> None:
    await make.setting(only_x_left_threshold=3)
    async with watched(shop, "MUG", caller=ANONYMOUS) as public, watched(shop, "MUG") as clerk:
        assert (await public.salable(), await clerk.salable()) == (("MUG", None), ("MUG", 10))

        await make.stock("MUG", on_hand=7)
        assert await clerk.salable() == ("MUG", 7)
        assert await public.nothing()
        await make.stock("MUG", on_hand=2)
        assert (await public.next())[1].only_left == 2


async def test_who_watches_a_combination_or_its_product_hears_of_both_changes(shop: Shop) -> None:
    await make.product("SHIRT", options={"Size": ["S", "M"]})
    await make.stock("SHIRT-S", on_hand=3)
    async with watched(shop, "SHIRT", "SHIRT-S", "SHIRT-M") as seen:
        assert [await seen.salable() for _ in range(3)] == [("SHIRT", 3), ("SHIRT-S", 3), ("SHIRT-M", 0)]

        await make.stock("SHIRT-M", on_hand=4)

        assert sorted([await seen.salable(), await seen.salable()]) == [("SHIRT", 7), ("SHIRT-M", 4)]
        assert await seen.nothing()


async def test_combinations_of_a_product_tracked_without_options_follow_its_stock(shop: Shop) -> None:
    await make.product("BAG", options={"Color": ["Red"]}, tracking=InventoryTracking.TRACK_WITHOUT_OPTIONS)
    await make.stock("BAG", on_hand=5)
    async with watched(shop, "BAG-RED") as seen:
        assert await seen.salable() == ("BAG-RED", 5)

        await make.order("BAG", 2)

        assert await seen.salable() == ("BAG-RED", 3)


async def test_a_new_combination_changes_its_product(shop: Shop) -> None:
    await make.product("SHIRT", options={"Size": ["S"]}, combinations=False)
    async with watched(shop, "SHIRT", "SHIRT-S") as seen:
        assert (await seen.next())[0] == "SHIRT"

        await combinations.generate("SHIRT")
        # It is sold out: now shoppers can wait for the product.
        assert sorted([(await seen.next())[0], (await seen.next())[0]]) == ["SHIRT", "SHIRT-S"]
        await make.stock("SHIRT-S", on_hand=2)
        assert sorted([await seen.salable(), await seen.salable()]) == [("SHIRT", 2), ("SHIRT-S", 2)]


async def test_settings_websites_and_warehouses_change_what_is_shown(shop: Shop) -> None:
    await make.category("kitchen")
    await make.category("sale")
    await make.setting(category="sale", out_of_stock_threshold=3)
    await catalog.update_product("MUG", {"category": "kitchen"})
    await make.warehouse("PARIS")
    await make.stock("MUG", "PARIS", 100)
    async with watched(shop, "MUG") as seen:
        assert await seen.salable() == ("MUG", 10)

        await make.setting(product="MUG", out_of_stock_threshold=1)
        assert await seen.salable() == ("MUG", 9)
        await make.setting(level=("MUG", "BERLIN"), backorders=BackorderMode.ALLOW)
        assert await seen.salable() == ("MUG", None)
        await make.setting(level=("MUG", "BERLIN"), backorders=None)
        assert await seen.salable() == ("MUG", 9)
        await make.setting(product="MUG", out_of_stock_threshold=None)
        assert await seen.salable() == ("MUG", 10)
        await categories.update("kitchen", {"parent": "sale"})
        assert await seen.salable() == ("MUG", 7)
        await warehouses.update_website("shop", {"warehouses": [warehouses.AssignedWarehouse("PARIS")]})
        assert await seen.salable() == ("MUG", 97)
        await warehouses.update_warehouse("PARIS", {"active": False})
        assert await seen.salable() == ("MUG", 0)


async def test_what_was_changed_by_hand_is_shown_once_the_cache_is_cleared(shop: Shop) -> None:
    async with watched(shop, "MUG") as seen:
        assert await seen.salable() == ("MUG", 10)

        await sql.execute("UPDATE inventory_level SET on_hand = 30000, available = 30000")
        await clear_cache.clear()

        assert await seen.salable() == ("MUG", 3)


async def test_a_changed_date_of_an_announcement_is_looked_at_though_no_figure_of_the_level_changed(shop: Shop) -> None:
    lines = (StockLine("MUG", Decimal(5)),)
    await receive.announce(SYSTEM, AnnounceStockRequest("BERLIN", lines))
    announced = await StockAnnouncement.get()
    async with watched(shop, "MUG") as seen:
        await seen.next()
        # What is shown differs, but nothing says so yet.
        await sql.execute("UPDATE inventory_level SET on_hand = on_hand + 10000, available = available + 10000")

        date = {"expected_at": clock.now() + timedelta(days=3)}
        await update_announcement.update(SYSTEM, GivenId(announced.id, "it"), date)

        assert await seen.salable() == ("MUG", 11)


async def test_an_unpublished_item_comes_once_more_as_not_visible_and_then_not_until_it_is_published(
    shop: Shop,
) -> None:
    await make.setting(display_stock_quantity=True)
    async with watched(shop, "MUG", caller=ANONYMOUS) as seen:
        assert await seen.salable() == ("MUG", 10)

        await catalog.update_product("MUG", {"published": False})
        sku, gone = await seen.next()
        assert (sku, gone.visible, gone.orderable, gone.salable) == ("MUG", False, False, None)
        await make.stock("MUG", on_hand=4)
        assert await seen.nothing()
        await catalog.update_product("MUG", {"published": True})
        assert await seen.salable() == ("MUG", 4)


async def test_what_was_never_published_is_not_shown_to_the_public_until_it_is(shop: Shop) -> None:
    await make.product("NEW", published=False)
    async with watched(shop, "NEW", caller=ANONYMOUS) as public, watched(shop, "NEW", caller=SYSTEM) as admin:
        assert (await admin.next())[1].visible is False
        assert await public.nothing()

        await catalog.update_product("NEW", {"published": True})
        assert (await public.next())[1].visible is True


async def test_a_deleted_item_comes_once_more_as_not_visible_and_its_sku_may_come_back(shop: Shop) -> None:
    await make.product("POT")
    async with watched(shop, "POT") as seen:
        await seen.next()

        await catalog.delete_product("POT")
        assert (await seen.next())[1].visible is False
        await make.product("POT")
        assert (await seen.next())[1].visible is True


async def test_a_sku_that_is_made_or_renamed_later_is_shown_from_then_on(shop: Shop) -> None:
    async with watched(shop, "BOWL", "MUG") as seen:
        assert (await seen.next())[0] == "MUG"

        await catalog.update_product("MUG", {"new_sku": "BOWL"})

        told = sorted([await seen.next(), await seen.next()], key=lambda one: one[0])
        assert [(sku, one.visible) for sku, one in told] == [("BOWL", True), ("MUG", False)]


async def test_a_date_that_passes_is_seen(shop: Shop) -> None:
    await make.setting(product="MUG", upcoming=True, availability_date=clock.now() + timedelta(seconds=1))
    async with watched(shop, "MUG") as seen:
        assert (await seen.next())[1].upcoming is True

        assert (await seen.next())[1].upcoming is False


async def test_without_a_website_of_its_own_it_is_the_default_one(shop: Shop) -> None:
    await make.website("outlet", warehouses=[])
    async with watched(shop, "MUG") as default, watched(shop, "MUG", website="outlet") as outlet:
        assert (await default.next())[1].orderable is True
        assert (await outlet.next())[1].orderable is False


async def test_a_date_that_passes_is_shown_once_it_was_swept(shop: Shop) -> None:
    await make.stock("MUG", on_hand=0)
    first, second = await dates.announce(5, 10), await dates.announce(5, 20)
    await settled()
    async with watched(shop, "MUG") as seen:
        _, before = await seen.next()
        await dates.let_pass(first)
        await lapse_announcements.run()
        _, between = await seen.next()
        await dates.let_pass(second)
        await lapse_announcements.run()
        _, after = await seen.next()

    assert [one.expected_at for one in (before, between, after)] == [dates.day(10), dates.day(20), None]
    assert [len(one.incoming) for one in (before, between, after)] == [2, 1, 0]


async def test_one_change_is_worked_out_once_for_all_who_watch(shop: Shop, statements: Statements) -> None:
    async def cost(watchers: int) -> int:
        async with contextlib.AsyncExitStack() as stack:
            all_seen = [await stack.enter_async_context(watched(shop, "MUG")) for _ in range(watchers)]
            first = {await seen.salable() for seen in all_seen}
            assert len(first) == 1
            # What was done before has been looked at.
            await settled()
            await asyncio.sleep(0.2)
            with statements.counted() as sent:
                await make.stock("MUG", on_hand=watchers)
                assert {await seen.salable() for seen in all_seen} == {("MUG", watchers)}
            return len([statement for statement in sent if "outbox" not in statement])  # looks for news aside

    await cost(2)
    assert await cost(200) == await cost(3)


async def test_who_reads_slowly_gets_the_latest_of_each_sku(shop: Shop) -> None:
    async with (
        contextlib.aclosing(shop.storefront.watch(["MUG", "CUP"], None, CLERK)) as showings,
        watched(shop, "MUG", "CUP") as quick,
    ):
        await anext(showings)
        await anext(showings)
        for quantity in range(20):
            await make.stock("MUG", on_hand=100 + quantity)
        await make.stock("CUP", on_hand=1)
        while await quick.salable() != ("CUP", 1):
            pass

        late = [await asyncio.wait_for(anext(showings), PATIENCE) for _ in range(2)]

    assert [(one.showing.item.sku, one.showing.assessment.salable) for one in late] == [("MUG", 119), ("CUP", 1)]


async def test_it_reads_nothing_once_nobody_watches(shop: Shop, statements: Statements) -> None:
    async with watched(shop, "MUG") as seen:
        await seen.next()
    await asyncio.sleep(0.1)

    with statements.counted() as sent:
        await asyncio.sleep(0.5)

    assert sent == []
