"""Shopify's inventory export: units of each variant at each location.

The count is the quantity on hand: available, committed and unavailable units. Exports of only "Available" have a column for
each location instead of a row.
"""

import re
from collections.abc import Iterator
from decimal import Decimal

from gqlstock.formats import csv_dialect
from gqlstock.formats.csv_dialect import Columns
from gqlstock.formats.format import Context, CountFormat, Option
from gqlstock.formats.shopify import LONE_CHOICE, OptionNames
from gqlstock.rules import skus
from gqlstock.rules.import_rows import ItemName, LevelCount, Row
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import invalid

_NEW, _ON_HAND, _AVAILABLE = "On hand (new)", "On hand", "Available"
_COMMITTED, _UNAVAILABLE, _INCOMING = "Committed", "Unavailable", "Incoming"
_NOT_STOCKED = "not stocked"
_PARTS = (_AVAILABLE, _COMMITTED, _UNAVAILABLE)
_QUANTITIES = (_NEW, _ON_HAND, *_PARTS, _INCOMING)
_OPTIONS = tuple(f"Option{number} {part}" for number in (1, 2, 3) for part in ("Name", "Value"))
_KNOWN = ("Handle", "Title", *_OPTIONS, "SKU", "HS Code", "COO", "Location", "Bin name", *_QUANTITIES)
_ALIASES = {"on hand (current)": _ON_HAND, "url handle": "Handle"}
_ALIASES |= {f"{name.lower()} (not editable)": name for name in (*_PARTS, _INCOMING)}

_BY_ROW = Columns(
    ("Handle", "Location"), _ALIASES, _QUANTITIES, ("SKU", *_OPTIONS, "Title", "HS Code", "COO", "Bin name")
)
# A column for each location, named after it.
_BY_COLUMN = Columns(("Handle", "SKU"), _ALIASES, (), (*_OPTIONS, "Title", "HS Code", "COO"), re.compile(".*"))

COMMITTED = "units committed to open orders of the old shop, which are not imported: ship them there"
UNAVAILABLE = "units unavailable in the old shop (damaged, set aside), counted as on hand"
INCOMING = "incoming units: announce them"
ONLY_AVAILABLE = "the file has only available units: committed and unavailable units are not counted"


def counts(row: Row, context: Context) -> Iterator[LevelCount]:
    """The counts of a row: one for its location, or one for each location column."""
    with context.at(row.line):
        item = _item(row)
        if "Location" not in row.cells:
            yield from _by_column(row, item, context)
            return
        if not row["Location"]:
            raise invalid("The Location is missing.")
        on_hand = _on_hand(row, item, context)
        if on_hand is not None:
            yield LevelCount(row.line, item, row["Location"], on_hand)


def _item(row: Row) -> ItemName:
    if not row["Handle"]:
        raise invalid("The Handle is missing.")
    names = OptionNames()
    names.learn(row)
    choice = names.choice(row)
    return ItemName(skus.normalized(row["SKU"]), row["Handle"], () if choice == LONE_CHOICE else choice)


def _on_hand(row: Row, item: ItemName, context: Context) -> Decimal | None:
    """The units on hand at a location; None if the item is not stocked there or the row has no number."""
    new, on_hand = _units(row, _NEW), _units(row, _ON_HAND)
    available, committed, unavailable = (_units(row, name) for name in _PARTS)
    counted = new if new is not None else on_hand
    if counted is None and available is not None:
        if committed is None and unavailable is None:
            context.to_check(None, ONLY_AVAILABLE)
        counted = available + (committed or ZERO) + (unavailable or ZERO)
    if counted is None:
        return None
    incoming = _units(row, _INCOMING)
    for units, reason in ((committed, COMMITTED), (unavailable, UNAVAILABLE)):
        if units is not None and units > 0:
            context.to_check(row.line, reason, str(item), units)
    if incoming is not None and incoming > 0:
        context.not_carried(row.line, INCOMING, str(item), incoming)
    return counted


def _by_column(row: Row, item: ItemName, context: Context) -> Iterator[LevelCount]:
    locations = [name for name in row.cells if name and name not in _KNOWN]
    if not locations:
        raise invalid('The file has neither a column Location nor location columns. Export "All states" from Shopify.')
    context.to_check(None, ONLY_AVAILABLE)
    for location in locations:
        units = _units(row, location)
        if units is not None:
            yield LevelCount(row.line, item, location, units)


def _units(row: Row, column: str) -> Decimal | None:
    """A number of units; None if the cell is empty or says that the item is not stocked at the location."""
    if not row[column] or row[column].lower() == _NOT_STOCKED:
        return None
    return csv_dialect.quantity(row, column)


FORMAT = CountFormat(
    help="Counts by location from Shopify's inventory export.",
    columns=(_BY_ROW, _BY_COLUMN),
    counts=counts,
    options=frozenset({Option.WEBSITE}),
    makes_warehouses=True,
)
