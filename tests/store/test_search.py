"""A search finds the same, be it by a list of those that have the text or on the way through all of them."""

import pytest

import make
from gqlstock.rules.catalog import InventoryTracking
from gqlstock.store import database, search
from gqlstock.store.catalog import Item
from gqlstock.store.inventory import InventoryLevel

# One more than are found before they are listed.
MANY = 2_001


@pytest.fixture
async def many_mugs(db: None) -> None:
    at = database.now()
    await database.insert_many(
        [
            Item(sku=f"MUG-{number:04}", slug=f"mug-{number}", name=f"Mug {number}", created_at=at, updated_at=at)
            for number in range(MANY)
        ]
    )


async def found(text: str) -> list[str]:
    rows = await Item.filter(await search.items(text)).order_by("sku")
    return [row.sku for row in rows]


async def test_what_many_have_is_found_in_all_of_them(many_mugs: None) -> None:
    assert await found("ug-") == [f"MUG-{number:04}" for number in range(MANY)]


async def test_what_few_among_many_have_is_found_in_those(many_mugs: None) -> None:
    assert await found("MUG 200") == ["MUG-0200", "MUG-2000"]


async def test_what_nothing_has_is_not_found(many_mugs: None) -> None:
    assert await found("mug%") == []


async def test_combinations_are_found_by_their_products_sku_among_many(many_mugs: None) -> None:
    await make.product("CUP", options={"Size": ["S"]}, tracking=InventoryTracking.TRACK_WITH_OPTIONS)
    await Item.filter(sku="CUP-S").update(sku="SMALL", name="Small one")

    assert await found("cup") == ["CUP", "SMALL"]


async def test_levels_are_found_by_their_items(many_mugs: None) -> None:
    await make.warehouse()
    await make.stock("MUG-0007")
    await make.stock("MUG-0008")

    few = await InventoryLevel.filter(await search.items("0007", "item__")).count()
    many = await InventoryLevel.filter(await search.items("mug", "item__")).count()

    assert (few, many) == (1, 2)
