"""Levels written out, in a form that is taken in again."""

import csv
import io

from gqlstock.rules.scopes import SYSTEM
from gqlstock.rules.settings import BackorderMode
from gqlstock.services import exports, imports
from gqlstock.store.db import clock, sql
from support import shop_builders as make


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

    await sql.execute("UPDATE inventory_level SET deleted_at = ?", clock.now())

    assert await _exported() == []


async def test_more_items_than_are_read_at_once_come_each_once(db: None) -> None:
    await make.warehouse()
    for number in range(3):
        await make.product(f"P{number}", options={"Size": [str(size) for size in range(450)]})
    skus = sorted(row["sku"] for row in await sql.query("SELECT sku FROM item WHERE product_id IS NOT NULL"))
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


async def test_no_cell_is_one_that_a_spreadsheet_runs_and_all_are_taken_in_again(db: None) -> None:
    skus = ['=HYPERLINK("https://evil.example","click")', "+49", "-1", "@SUM(A1)", "'=1", "MUG"]
    await make.warehouse("=BERLIN")
    for sku in skus:
        await make.product(sku)
        await make.stock(sku, "=BERLIN", 5)

    rows = await _exported()
    await make.stock("-1", "=BERLIN", 4)
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\n").writerows([exports.COLUMNS, *rows])
    found = await imports.levels(SYSTEM, written.getvalue().splitlines(keepends=True))

    assert rows == [
        ("''=1", "'=BERLIN", "5"),
        ("'+49", "'=BERLIN", "5"),
        ("'-1", "'=BERLIN", "5"),
        ('\'=HYPERLINK("https://evil.example","click")', "'=BERLIN", "5"),
        ("'@SUM(A1)", "'=BERLIN", "5"),
        ("MUG", "'=BERLIN", "5"),
    ]
    assert found.counted == 1


async def test_a_level_below_zero_is_written_as_a_number(db: None) -> None:
    await make.shop()
    await make.product("MUG")
    await make.setting(backorders=BackorderMode.ALLOW)
    await make.stock("MUG", "BERLIN", 0)
    await make.order("MUG", 5)

    assert await _exported() == [("MUG", "BERLIN", "-5")]
