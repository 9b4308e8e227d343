"""Magento's export of sources (MSI): the quantity of each SKU at each source."""

from collections.abc import Iterator

from gqlstock.formats import csv_dialect, magento, magento_stock
from gqlstock.formats.csv_dialect import Columns
from gqlstock.formats.format import Context, CountFormat, Option
from gqlstock.rules import skus
from gqlstock.rules.import_rows import ItemName, LevelCount, Row
from gqlstock.rules.refusals import invalid

_COLUMNS = Columns(("source_code", "sku", "quantity"), quantities=("quantity",), optional=("status",))

NOT_SOLD = "units at sources that Magento does not sell from (status 0)"


def counts(row: Row, context: Context) -> Iterator[LevelCount]:
    """The count of a row, unless its status says that Magento does not sell these units."""
    magento.say_once(magento.QUANTITIES, context)
    with context.at(row.line):
        for column in _COLUMNS.required:
            if not row[column]:
                raise invalid(f"The {column} is missing.")
        on_hand = csv_dialect.quantity(row, "quantity")
        if magento_stock.flag(row, "status") is False:
            context.not_carried(row.line, NOT_SOLD, row["sku"], on_hand)
            return
        yield LevelCount(row.line, ItemName(skus.normalized(row["sku"])), skus.normalized(row["source_code"]), on_hand)


FORMAT = CountFormat(
    help="Counts by source from Magento's export of sources (MSI).",
    columns=(_COLUMNS,),
    counts=counts,
    options=frozenset({Option.WEBSITE}),
    makes_warehouses=True,
    leaves_out_unknown_items=True,
)
