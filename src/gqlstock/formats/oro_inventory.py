"""OroCommerce's inventory export: quantities and statuses of products; by warehouse in the Enterprise edition.

The file has one row for each unit of measure of a product. Only the primary unit is counted, because counts in several
units describe the same stock. The products file, if imported together with this one, tells which unit is primary.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from gqlstock.formats import csv_dialect, oro
from gqlstock.formats.csv_dialect import Columns
from gqlstock.formats.format import Context, CountFormat, Option
from gqlstock.formats.oro_products import OTHER_STATUSES
from gqlstock.rules import skus
from gqlstock.rules.import_rows import ItemName, ItemStatus, LevelCount, Row
from gqlstock.rules.refusals import invalid, shown

_STATUS, _QUANTITY, _UNIT, _WAREHOUSE = "Inventory Status", "Quantity", "Unit", "Warehouse"
_ALIASES = {
    "product:sku": oro.SKU,
    "product:defaultname": "Product",
    "product:inventorystatus": _STATUS,
    "productunitprecision:unit:code": _UNIT,
    "warehouse:name": _WAREHOUSE,
}
_OTHERS = (_UNIT, _WAREHOUSE, "Product")
_COUNTS = Columns((oro.SKU, _QUANTITY), _ALIASES, (_QUANTITY,), (_STATUS, *_OTHERS))
_STATUSES = Columns((oro.SKU, _STATUS), _ALIASES, (_QUANTITY,), _OTHERS)
_PRODUCTS = replace(oro.PRODUCTS, families=re.compile(".*"))

OTHER_UNITS = "quantities in units of measure other than the primary one"
TAKEN_AS_PRIMARY = (
    "the units of measure in the file are assumed to be primary: if not, pass the products file before this one"
)
HINT = "If these are different units of measure, pass the products file, which has the primary unit, before this one."
_UNIT_OF, _READ = "units", ("inventory", "read")


def counts(row: Row, context: Context) -> Iterator[LevelCount]:
    """The count of a row, if it is in the primary unit."""
    if oro.TYPE in row.cells:
        _keep(row, context)
        return
    context.kept[_READ] = ()
    with context.at(row.line):
        item = _item(row)
        if not row[_QUANTITY]:
            return
        on_hand = csv_dialect.quantity(row, _QUANTITY)
        if _is_primary(row, context):
            yield LevelCount(row.line, item, _warehouse(row, context), on_hand)
        else:
            context.not_carried(row.line, OTHER_UNITS, item.sku, on_hand)


def status(row: Row, context: Context) -> ItemStatus | None:
    """The status of a row's product; None if the row has none, or one that gqlstock does not know."""
    if oro.TYPE in row.cells or not row[_STATUS] or not row[oro.SKU]:
        return None
    found = oro.inventory_status(row[_STATUS])
    if found is None:
        context.not_carried(row.line, OTHER_STATUSES, row[oro.SKU])
        return None
    return ItemStatus(row.line, _item(row), found)


def _item(row: Row) -> ItemName:
    if not row[oro.SKU]:
        raise invalid("The SKU is missing.")
    return ItemName(skus.normalized(row[oro.SKU]))


def _keep(row: Row, context: Context) -> None:
    """Remember the units of a product that has several."""
    if _READ in context.kept:
        raise invalid("Pass the products file before the inventory file.")
    others = oro.other_units(row)
    if others:
        context.kept[_UNIT_OF, oro.ref(row[oro.SKU])] = (row[oro.UNIT], *others)


def _is_primary(row: Row, context: Context) -> bool:
    """Whether a row counts its product in the primary unit."""
    if not row[_UNIT]:
        return True
    known = context.kept.get((_UNIT_OF, oro.ref(row[oro.SKU])))
    if known is None:
        context.to_check(None, TAKEN_AS_PRIMARY)
        return True
    found = next((code for code in known if _is_label(row[_UNIT], code)), None)
    if found is None:
        raise invalid(f"{_UNIT} is {shown(row[_UNIT])!r}; the products file has: {shown(', '.join(known))}.")
    return found == known[0]


def _is_label(label: str, code: str) -> bool:
    """Whether a label, in singular or plural, belongs to the unit with a code."""
    name = _LABELS.get(code.lower(), code.lower())
    return label.lower() in (code.lower(), name, f"{name}s", f"{name}es")


_LABELS = {"kg": "kilogram", "each": "each", "piece": "piece"}


def _warehouse(row: Row, context: Context) -> str:
    found = row[_WAREHOUSE] or context.options.warehouse
    if not found:
        raise invalid(f"{_WAREHOUSE} is missing: set it with --warehouse.")
    return found


FORMAT = CountFormat(
    help="Counts and statuses from OroCommerce's inventory export, optionally preceded by its products file.",
    columns=(_COUNTS, _STATUSES, _PRODUCTS),
    counts=counts,
    status=status,
    hint=HINT,
    options=frozenset({Option.WAREHOUSE, Option.WEBSITE}),
    makes_warehouses=True,
    leaves_out_unknown_items=True,
)
