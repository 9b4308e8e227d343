"""Counts in gqlstock's own format, which ``gqlstock export levels`` writes."""

from collections.abc import Iterator

from gqlstock.formats import csv_dialect
from gqlstock.formats.csv_dialect import Columns
from gqlstock.formats.format import Context, CountFormat
from gqlstock.rules import skus
from gqlstock.rules.import_rows import ItemName, LevelCount, Row
from gqlstock.rules.refusals import invalid

_COLUMNS = Columns(("sku", "warehouse", "on_hand"), quantities=("on_hand",))


def counts(row: Row, context: Context) -> Iterator[LevelCount]:
    """The count of a row."""
    with context.at(row.line):
        for column in _COLUMNS.required:
            if not row[column]:
                raise invalid(f"The {column} is missing.")
        item = ItemName(skus.normalized(row["sku"]))
        yield LevelCount(row.line, item, skus.normalized(row["warehouse"]), csv_dialect.quantity(row, "on_hand"))


FORMAT = CountFormat(
    help="Counts from files with the columns sku, warehouse, on_hand.", columns=(_COLUMNS,), counts=counts
)
