"""Reaching the threshold on a website is news: once for each crossing, in the transaction that made it."""

import pytest

from gqlstock.rules.catalog import InventoryTracking
from gqlstock.rules.settings import BackorderMode
from gqlstock.services import expire_holds
from gqlstock.store.catalog import Item
from gqlstock.store.outbox import OutboxEntry
from gqlstock.store.warehouses import Website
from support import order_life as life
from support import shop_builders as make


@pytest.fixture
async def shop(db: None) -> None:
    """Two websites: shop sells from BERLIN, autre from PARIS and BERLIN. 5 of MUG in BERLIN."""
    await make.warehouse("BERLIN")
    await make.warehouse("PARIS")
    await make.website("shop", warehouses=["BERLIN"])
    await make.website("autre", warehouses=["PARIS", "BERLIN"])
    await make.product("MUG")
    await make.stock("MUG", on_hand=5)
    await OutboxEntry.filter(topic="STOCK").delete()


async def told() -> list[tuple[str, str, bool]]:
    """The item, the website, and whether it is in stock there; in the order in which it was told."""
    skus = {item.id: item.sku for item in await Item.all()}
    codes = {site.id: site.code for site in await Website.all()}
    rows = await OutboxEntry.filter(topic="STOCK").order_by("id")
    return [(skus[row.subject], codes[row.data["website"]], row.data["in_stock"]) for row in rows]


async def test_selling_some_is_no_news_and_selling_the_last_is_on_every_website_that_has_none(shop: None) -> None:
    await make.order("MUG", 4)
    assert await told() == []

    await make.order("MUG", 1)

    assert await told() == [("MUG", "shop", False), ("MUG", "autre", False)]


async def test_a_website_with_other_warehouses_still_has_some(shop: None) -> None:
    await make.stock("MUG", "PARIS", 1)
    await make.order("MUG", 5, website="shop")

    assert await told() == [("MUG", "shop", False)]


async def test_what_comes_back_is_told_once(shop: None) -> None:
    await make.stock("MUG", on_hand=0)
    await make.stock("MUG", on_hand=2)
    await make.stock("MUG", on_hand=3)

    assert await told() == [
        ("MUG", "shop", False),
        ("MUG", "autre", False),
        ("MUG", "shop", True),
        ("MUG", "autre", True),
    ]


async def test_the_threshold_is_that_of_the_website(shop: None) -> None:
    await make.setting(website="shop", out_of_stock_threshold=2)
    await make.stock("MUG", on_hand=2)
    await make.stock("MUG", on_hand=0)

    assert await told() == [("MUG", "shop", False), ("MUG", "autre", False)]


async def test_the_threshold_is_the_least_that_can_be_ordered(shop: None) -> None:
    await make.setting(website="shop", minimum_order_quantity=3)
    await make.order("MUG", 3)
    await make.stock("MUG", on_hand=3)

    assert await told() == [("MUG", "shop", False), ("MUG", "shop", True)]


async def test_accepted_backorders_reach_it_when_nothing_is_left(shop: None) -> None:
    await make.setting(backorders=BackorderMode.ALLOW)
    await make.order("MUG", 7)
    await make.order("MUG", 1)

    assert await told() == [("MUG", "shop", False), ("MUG", "autre", False)]


async def test_a_combination_is_told_of_by_itself(shop: None) -> None:
    await make.product("SHIRT", options={"Size": ["S", "M"]})
    await make.stock("SHIRT-S", on_hand=1)

    assert await told() == [("SHIRT-S", "shop", True), ("SHIRT-S", "autre", True)]


async def test_what_is_not_counted_is_never_told_of(shop: None) -> None:
    await make.setting(website="shop", manage_stock=False)
    await make.stock("MUG", on_hand=0)
    await make.product("GIFT", tracking=InventoryTracking.DO_NOT_TRACK)
    await make.order("GIFT", 3)

    assert await told() == [("MUG", "autre", False)]


async def test_a_hold_takes_the_last_and_its_expiry_brings_it_back(shop: None) -> None:
    hold_id = await life.hold(("MUG", 5))
    assert await told() == [("MUG", "shop", False), ("MUG", "autre", False)]

    await life.expire(hold_id)
    await expire_holds.run()

    assert (await told())[2:] == [("MUG", "shop", True), ("MUG", "autre", True)]


async def test_ordering_what_is_held_changes_nothing_that_was_told(shop: None) -> None:
    hold_id = await life.hold(("MUG", 5))
    before = await told()

    await life.place(("MUG", 5), held=hold_id)

    assert await told() == before


async def test_an_order_says_whether_it_is_new(shop: None) -> None:
    order_id = await make.order("MUG", 2)
    await life.cancel(order_id)

    rows = await OutboxEntry.filter(topic="ORDER", subject=order_id).order_by("id")
    assert [row.data for row in rows] == [{"placed": True}, {}]
