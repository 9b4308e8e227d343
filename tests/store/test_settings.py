"""What is read for the settings of items, however many they are, and which entries a change of settings leaves."""

from dataclasses import replace
from typing import Any

from gqlstock.rules.settings import SettingScope
from gqlstock.store import catalog, settings
from gqlstock.store.db import sql
from support import shop_builders as make


async def test_the_settings_of_more_items_than_a_statement_takes_are_all_found(db):
    await make.shop()
    await make.warehouse("PARIS")
    product_id = await make.product("MUG")
    item = (await catalog.items([product_id]))[product_id]
    level_id, other_id = await make.stock("MUG"), await make.stock("MUG", "PARIS")
    await make.setting(product="MUG", upcoming=True)
    await make.setting(level=("MUG", "BERLIN"), notify_below=2)
    await make.setting(level=("MUG", "PARIS"), notify_below=3)
    await make.setting(website="shop", returnable=False)
    others = [replace(item, id=1_000_000 + number) for number in range(20_000)]

    own = await settings.own([one.id for one in [*others, item]])

    assert own[product_id] == {
        (SettingScope.PRODUCT, product_id): {"upcoming": True},
        (SettingScope.LEVEL, level_id): {"notify_below": 2},
        (SettingScope.LEVEL, other_id): {"notify_below": 3},
    }
    assert not any(own[other.id] for other in others)
    assert (await settings.above()).own(SettingScope.WEBSITE, 1) == {"returnable": False}


async def entries_of(**setting: Any) -> list[tuple[str, int, int | None]]:
    """The topic, subject and item of each entry that a change of settings leaves."""
    before = (await sql.query("SELECT COALESCE(MAX(id), 0) AS id FROM outbox"))[0]["id"]
    await make.setting(**setting, notify_below=2)
    rows = await sql.query("SELECT topic, subject, item_id FROM outbox WHERE id > ? ORDER BY id", before)
    return [(row["topic"], row["subject"], row["item_id"]) for row in rows]


async def test_settings_of_an_item_and_of_its_levels_are_a_change_of_that_item_alone(db):
    await make.shop()
    await make.website("outlet")
    await make.category("kitchen")
    product_id = await make.product("SHIRT", options={"Size": ["S"]})
    item_id = (await catalog.by_sku(["SHIRT-S"]))["SHIRT-S"].id
    await make.stock("SHIRT-S")

    assert await entries_of(product="SHIRT") == [("ITEM", product_id, product_id)]
    assert await entries_of(combination="SHIRT-S") == [("ITEM", item_id, product_id)]
    assert await entries_of(level=("SHIRT-S", "BERLIN")) == [("ITEM", item_id, product_id)]
    for above in ({"system": True}, {"organization": "default"}, {"website": "outlet"}, {"category": "kitchen"}):
        assert await entries_of(**above) == [("SETTINGS", 0, None)]
