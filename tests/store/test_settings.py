"""What is read for the settings of items, however many they are."""

from dataclasses import replace

from gqlstock.rules.settings import SettingScope
from gqlstock.store import catalog, settings
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

    fallback = await settings.fallback([*others, item])

    assert fallback.own(SettingScope.PRODUCT, product_id) == {"upcoming": True}
    assert fallback.own(SettingScope.LEVEL, level_id) == {"notify_below": 2}
    assert fallback.own(SettingScope.LEVEL, other_id) == {"notify_below": 3}
    assert fallback.own(SettingScope.WEBSITE, 1) == {"returnable": False}
