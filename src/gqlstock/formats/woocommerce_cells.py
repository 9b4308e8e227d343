"""The cells of WooCommerce's product export: types, lists, marks, and what a row says of the stock of its item."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum, auto
from typing import Any

from gqlstock.formats import csv_dialect
from gqlstock.formats.format import Context
from gqlstock.formats.records import UNSET, AnyOf, Counted, Product
from gqlstock.rules import quantities
from gqlstock.rules.catalog import Image, InventoryStatus, InventoryTracking
from gqlstock.rules.import_rows import Row
from gqlstock.rules.refusals import invalid, shown
from gqlstock.rules.settings import BackorderMode

LOW_STOCK = "Low stock amount"
BARCODE = "GTIN, UPC, EAN, or ISBN"

PICTURES = "pictures without an address: --base-url says where they are"
ON_BACKORDER = "items on backorder that are not counted: they are sold without a limit"
THRESHOLD = "items that take their low stock threshold from the shop's configuration: set notifyBelow at SYSTEM"
MARKED_OUT = "items with units that are marked as out of stock"
NO_STOCK = "items of a file without the column Stock: nothing is counted"
COUNTED_AS_NONE = "variations that are out of stock without being counted: counted as 0"

_MARKS = ("virtual", "downloadable")
_YES = ("1", "true", "yes")
_NO = ("0", "false", "no")
_NOT_PUBLISHED = ("-1", "2", *_NO)
_LIST = re.compile(r"(?<!\\),")
_ATTRIBUTE = re.compile(r"attribute (\d+) (name|value\(s\))")
_NEWLINE = re.compile(r"\\\\n|\\n")
_COUNTED = AnyOf(UNSET, (True,))
_BACKORDERS: Mapping[str, Any] = {
    **dict.fromkeys(_NO, AnyOf(UNSET, (BackorderMode.NO_BACKORDERS,))),
    **dict.fromkeys(_YES, BackorderMode.ALLOW),
    "notify": BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER,
}


class Counting(Enum):
    """What a row says about where its item is counted."""

    UNSAID = auto()
    OFF = auto()
    OWN = auto()
    PARENT = auto()


def label(row: Row) -> str:
    """What a report calls a row: its SKU, else its ID, its name or its parent's."""
    return row["SKU"] or (f"id:{row['ID']}" if row["ID"] else row["Name"] or row["Parent"])


def types(row: Row) -> tuple[str, tuple[str, ...]]:
    """The type of a product, and its marks: "simple, virtual"."""
    given = [one.strip() for one in row["Type"].lower().split(",")]
    kind = next((one for one in given if one and one not in _MARKS), "variation" if row["Parent"] else "simple")
    return kind, tuple(one for one in given if one in _MARKS)


def listed(cell: str) -> tuple[str, ...]:
    """The values of a list: they are separated by commas, and a comma within a value follows a backslash."""
    values = (html.unescape(one.strip().replace("\\,", ",")) for one in _LIST.split(cell))
    return tuple(value for value in values if value)


def attributes(row: Row) -> dict[str, tuple[str, ...]]:
    """The attributes of a row with their values, in the order of their numbers. Numbers mean nothing beyond the row."""
    found: dict[tuple[int, str], str] = {}
    for column, cell in row.cells.items():
        part = _ATTRIBUTE.fullmatch(column.lower())
        if part is not None:
            found[int(part[1]), part[2]] = cell
    return {
        html.unescape(cell): listed(found.get((number, "value(s)"), ""))
        for (number, what), cell in sorted(found.items())
        if what == "name" and cell
    }


def description(row: Row) -> str | None:
    r"""The description, with its newlines, which are written as ``\n``; ``\\n`` is a backslash and an n."""
    return _NEWLINE.sub(lambda found: "\\n" if len(found[0]) == len("\\\\n") else "\n", row["Description"]) or None


def paths(row: Row) -> list[tuple[str, ...]]:
    """The categories of a product as paths."""
    given = [tuple(name.strip() for name in one.split(">") if name.strip()) for one in listed(row["Categories"])]
    return [path for path in given if path]


def images(row: Row, context: Context) -> tuple[Image, ...]:
    """The pictures of a row, each once. Those without an address are reported."""
    found: dict[str, Image] = {}
    for path in listed(row["Images"]):
        url = context.url(path)
        if url is None:
            context.not_carried(row.line, PICTURES, label(row))
        else:
            found.setdefault(url, Image(url))
    return tuple(found.values())


def published(row: Row) -> bool | None:
    """Whether an item is for the public: private ones, drafts and those in review are not."""
    given = row["Published"].lower()
    if given and given not in (*_YES, *_NOT_PUBLISHED):
        raise invalid(f"Published is {shown(row['Published'])!r}: 1, 0, -1 or 2.")
    return given in _YES if given else None


def maximum(row: Row) -> dict[str, Any]:
    """The maximum of an order, of a product that is sold individually."""
    sold_individually = _flag(row, "Sold individually?")
    return {} if sold_individually is None else {"maximum_order_quantity": Decimal(1) if sold_individually else UNSET}


def threshold(row: Row) -> dict[str, Any]:
    """WooCommerce tells at its amount already, this program below it."""
    if not row[LOW_STOCK]:
        return {"notify_below": UNSET} if LOW_STOCK in row.cells else {}
    return {"notify_below": csv_dialect.quantity(row, LOW_STOCK) + 1}


def counting(row: Row) -> Counting:
    """Where the item of a row is counted."""
    if "Stock" not in row.cells:
        return Counting.UNSAID
    if row["Stock"].lower() == "parent":
        return Counting.PARENT
    return Counting.OWN if row["Stock"] else Counting.OFF


def units(row: Row) -> tuple[Counted, ...]:
    """The number of units that a row has of its own."""
    return (Counted(row.line, csv_dialect.quantity(row, "Stock")),) if counting(row) is Counting.OWN else ()


@dataclass(slots=True)
class Item:
    """What a row says of the stock of its item."""

    settings: dict[str, Any] = field(default_factory=dict)
    counts: tuple[Counted, ...] = ()
    status: InventoryStatus | None = None


def item(row: Row, context: Context, *, is_variation: bool = False, has_threshold: bool = False) -> Item:
    """What a row says of the stock of its item. ``has_threshold``: its product has a low stock amount."""
    found = Item(_backorders(row) | threshold(row), units(row))
    how, in_stock = counting(row), _in_stock(row)
    if how is Counting.UNSAID:
        context.to_check(row.line, NO_STOCK, label(row))
    elif how is Counting.OWN:
        _count(row, found, found.counts[0].on_hand, context)
        if not row[LOW_STOCK] and not has_threshold:
            context.to_check(row.line, THRESHOLD, label(row))
    elif how is Counting.OFF and is_variation and in_stock is False:
        found.settings["manage_stock"] = _COUNTED
        found.counts = (Counted(row.line, quantities.ZERO),)
        context.to_check(row.line, COUNTED_AS_NONE, label(row))
    elif how is Counting.OFF:
        found.settings["manage_stock"] = False
        if in_stock is not None:
            found.status = InventoryStatus.IN_STOCK if in_stock else InventoryStatus.OUT_OF_STOCK
        if row["In stock?"].lower() == "backorder":
            context.not_carried(row.line, ON_BACKORDER, label(row))
    return found


def _count(row: Row, found: Item, on_hand: Decimal, context: Context) -> None:
    # Whether a counted item is in stock follows from the number.
    found.status = InventoryStatus.IN_STOCK
    found.settings["manage_stock"] = _COUNTED
    if not quantities.is_whole(on_hand):
        found.settings["quantity_uses_decimals"] = True
    if on_hand > 0 and _in_stock(row) is False:
        context.to_check(row.line, MARKED_OUT, label(row), on_hand)


def without_options(product: Product, row: Row, context: Context) -> Product:
    """A product whose stock is that of a row."""
    if counting(row) is Counting.PARENT:
        raise invalid("Stock is 'parent', and only a variation has one: a number, or nothing where it is not counted.")
    own = item(row, context, has_threshold=product.settings.get("notify_below", UNSET) is not UNSET)
    said = {name: value for name, value in own.settings.items() if value is not UNSET or name not in product.settings}
    return replace(
        product,
        tracking=InventoryTracking.TRACK_WITHOUT_OPTIONS,
        inventory_status=own.status,
        settings={**product.settings, **said},
        counts=own.counts,
    )


def _backorders(row: Row) -> dict[str, Any]:
    column = "Backorders allowed?"
    given = row[column].lower()
    if given and given not in _BACKORDERS:
        raise invalid(f"{column} is {shown(row[column])!r}: 0, 1 or notify.")
    return {"backorders": _BACKORDERS[given]} if given else {}


def _in_stock(row: Row) -> bool | None:
    return True if row["In stock?"].lower() == "backorder" else _flag(row, "In stock?", "1, 0 or backorder")


def _flag(row: Row, column: str, values: str = "1 or 0") -> bool | None:
    given = row[column].lower()
    if given and given not in (*_YES, *_NO):
        raise invalid(f"{column} is {shown(row[column])!r}: {values}.")
    return given in _YES if given else None
