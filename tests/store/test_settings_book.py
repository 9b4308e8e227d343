"""What is read for the settings of items, however many they are."""

from gqlstock.rules.settings import SettingScope
from gqlstock.store import settings
from gqlstock.store.catalog import Item
from support import shop_builders as make


async def test_the_settings_of_more_items_than_a_statement_takes_are_all_found(db):
    await make.shop()
    await make.warehouse("PARIS")
    product_id = await make.product("MUG")
    level_id, other_id = await make.stock("MUG"), await make.stock("MUG", "PARIS")
    await make.setting(product="MUG", upcoming=True)
    await make.setting(level=("MUG", "BERLIN"), notify_below=2)
    await make.setting(level=("MUG", "PARIS"), notify_below=3)
    await make.setting(website="shop", returnable=False)
    others = [Item(id=1_000_000 + number) for number in range(20_000)]

    book = await settings.book([*others, Item(id=product_id)])

    assert book.own(SettingScope.PRODUCT, product_id) == {"upcoming": True}
    assert book.own(SettingScope.LEVEL, level_id) == {"notify_below": 2}
    assert book.own(SettingScope.LEVEL, other_id) == {"notify_below": 3}
    assert book.own(SettingScope.WEBSITE, 1) == {"returnable": False}
