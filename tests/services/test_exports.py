"""Levels written out, in a form that is taken in again."""

import make
from gqlstock.rules.scopes import SYSTEM
from gqlstock.services import exports, imports
from gqlstock.store import database


async def _exported() -> list[tuple[str, str, str]]:
    return [row async for part in exports.levels() for row in part]


async def test_levels_come_by_sku_then_by_warehouse(db: None) -> None:
    for code in ("BERLIN", "AMIENS"):
        await make.warehouse(code)
    for sku in ("MUG", "CUP"):
        await make.product(sku)
        await make.stock(sku, "BERLIN", 5)
    await make.stock("CUP", "AMIENS", 2)

    assert await _exported() == [("CUP", "AMIENS", "2"), ("CUP", "BERLIN", "5"), ("MUG", "BERLIN", "5")]


async def test_levels_out_of_use_and_items_without_levels_are_left_out(db: None) -> None:
    await make.warehouse()
    await make.product("MUG")
    await make.product("CUP")
    await make.stock("CUP", "BERLIN", 1)

    await database.execute("UPDATE inventory_level SET deleted_at = ?", database.now())

    assert await _exported() == []


async def test_more_items_than_are_read_at_once_come_each_once(db: None) -> None:
    await make.warehouse()
    for number in range(3):
        await make.product(f"P{number}", options={"Size": [str(size) for size in range(450)]})
    skus = sorted(row["sku"] for row in await database.query("SELECT sku FROM item WHERE product_id IS NOT NULL"))
    await imports.levels(SYSTEM, ["sku,warehouse,on_hand\n", *(f"{sku},BERLIN,1\n" for sku in skus)])

    assert await _exported() == [(sku, "BERLIN", "1") for sku in skus]


async def test_what_was_exported_is_taken_in_again_and_changes_nothing(db: None) -> None:
    await make.warehouse()
    await make.product("MUG")
    await make.setting(product="MUG", quantity_uses_decimals=True)
    await make.stock("MUG", "BERLIN", "2.5")

    rows = await _exported()
    found = await imports.levels(SYSTEM, ["sku,warehouse,on_hand\n", *(",".join(row) + "\n" for row in rows)])

    assert rows == [("MUG", "BERLIN", "2.5")]
    assert found.counted == 0
