"""Columns that do not come over are reported, but for those that rows make use of."""

from gqlstock.formats.csv_dialect import Columns
from gqlstock.formats.format import Context
from gqlstock.rules.import_report import RemarkKind
from gqlstock.services import import_reading
from gqlstock.services.import_progress import silent
from gqlstock.services.import_reading import File
from support import importing

COLUMNS = (Columns(("sku",)),)


async def reported(*used: str) -> list[str]:
    context = Context()
    file = File("a.csv", ["sku,Color,Price\n", "MUG,Red,3\n"])
    async for _ in import_reading.parts([file], COLUMNS, context, silent):
        context.used_columns.update(used)
    return list(importing.remarks(context.report, RemarkKind.NOT_CARRIED))


async def test_columns_that_are_not_looked_for_are_reported() -> None:
    assert await reported() == ["columns: Color, Price"]


async def test_columns_that_rows_make_use_of_are_not_reported() -> None:
    assert await reported("Color") == ["columns: Price"]
    assert await reported("Color", "Price") == []
