"""The cells of WooCommerce's product export: types, lists, flags and the stock of a row's item."""

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

PICTURES = "images without a URL: set --base-url to the URL that their paths are relative to"
ON_BACKORDER = "backorder status of items without managed stock: they are sold without a limit"
THRESHOLD = "items that use the shop's default low stock threshold: set notifyBelow at SYSTEM"
MARKED_OUT = "items with units that are marked as out of stock"
NO_STOCK = "items without counts, because the file has no column Stock"
COUNTED_AS_NONE = "variations that are out of stock without managed stock: counted as 0"

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
    """Where the stock of a row's item is counted: nowhere, on the row itself or on its parent."""

    UNSAID = auto()
    OFF = auto()
    OWN = auto()
    PARENT = auto()


def label(row: Row) -> str:
    """The name of a row in reports: its SKU, else its ID, its name or its parent."""
    return row["SKU"] or (f"id:{row['ID']}" if row["ID"] else row["Name"] or row["Parent"])


def types(row: Row) -> tuple[str, tuple[str, ...]]:
    """The type of a product and its flags, from a cell such as "simple, virtual"."""
    words = [word.strip() for word in row["Type"].lower().split(",")]
    kind = next((word for word in words if word and word not in _MARKS), "variation" if row["Parent"] else "simple")
    return kind, tuple(word for word in words if word in _MARKS)


def listed(cell: str) -> tuple[str, ...]:
    """The values of a comma-separated list. A backslash escapes a comma within a value."""
    values = (html.unescape(one.strip().replace("\\,", ",")) for one in _LIST.split(cell))
    return tuple(value for value in values if value)


def attributes(row: Row) -> dict[str, tuple[str, ...]]:
    """The attributes of a row with their values, ordered by number. The numbers are local to the row."""
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
    r"""The description, with ``\n`` decoded as a newline and ``\\n`` as a backslash and an n."""
    return _NEWLINE.sub(lambda found: "\\n" if len(found[0]) == len("\\\\n") else "\n", row["Description"]) or None


def paths(row: Row) -> list[tuple[str, ...]]:
    """The categories of a product as paths."""
    found = [tuple(name.strip() for name in path.split(">") if name.strip()) for path in listed(row["Categories"])]
    return [path for path in found if path]


def images(row: Row, context: Context) -> tuple[Image, ...]:
    """The images of a row, without duplicates. Reports images without a URL."""
    found: dict[str, Image] = {}
    for path in listed(row["Images"]):
        url = context.url(path)
        if url is None:
            context.not_carried(row.line, PICTURES, label(row))
        else:
            found.setdefault(url, Image(url))
    return tuple(found.values())


def published(row: Row) -> bool | None:
    """Whether an item is published. Private items, drafts and those pending review are not."""
    value = row["Published"].lower()
    if value and value not in (*_YES, *_NOT_PUBLISHED):
        raise invalid(f"Published is {shown(row['Published'])!r}; expected 1, 0, -1 or 2.")
    return value in _YES if value else None


def maximum(row: Row) -> dict[str, Any]:
    """The setting ``maximum_order_quantity``: 1 for a product that is sold individually."""
    sold_individually = _flag(row, "Sold individually?")
    return {} if sold_individually is None else {"maximum_order_quantity": Decimal(1) if sold_individually else UNSET}


def threshold(row: Row) -> dict[str, Any]:
    """The setting ``notify_below``. WooCommerce notifies at its amount, gqlstock below it: hence amount + 1."""
    if not row[LOW_STOCK]:
        return {"notify_below": UNSET} if LOW_STOCK in row.cells else {}
    return {"notify_below": csv_dialect.quantity(row, LOW_STOCK) + 1}


def counting(row: Row) -> Counting:
    """Where the stock of a row's item is counted."""
    if "Stock" not in row.cells:
        return Counting.UNSAID
    if row["Stock"].lower() == "parent":
        return Counting.PARENT
    return Counting.OWN if row["Stock"] else Counting.OFF


def units(row: Row) -> tuple[Counted, ...]:
    """The row's own count, if it has one."""
    return (Counted(row.line, csv_dialect.quantity(row, "Stock")),) if counting(row) is Counting.OWN else ()


@dataclass(slots=True)
class Item:
    """The stock of a row's item: settings, counts and status."""

    settings: dict[str, Any] = field(default_factory=dict)
    counts: tuple[Counted, ...] = ()
    status: InventoryStatus | None = None


def item(row: Row, context: Context, *, is_variation: bool = False, has_threshold: bool = False) -> Item:
    """Read the stock of a row's item. ``has_threshold``: its product has a low stock amount."""
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
    # The count decides whether the item is in stock.
    found.status = InventoryStatus.IN_STOCK
    found.settings["manage_stock"] = _COUNTED
    if not quantities.is_whole(on_hand):
        found.settings["quantity_uses_decimals"] = True
    if on_hand > 0 and _in_stock(row) is False:
        context.to_check(row.line, MARKED_OUT, label(row), on_hand)


def without_options(product: Product, row: Row, context: Context) -> Product:
    """The product, tracked without options, with the stock of a row."""
    if counting(row) is Counting.PARENT:
        raise invalid(
            "Stock is 'parent', but the product has none; expected a number, or nothing if it is not counted."
        )
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
    value = row[column].lower()
    if value and value not in _BACKORDERS:
        raise invalid(f"{column} is {shown(row[column])!r}; expected 0, 1 or notify.")
    return {"backorders": _BACKORDERS[value]} if value else {}


def _in_stock(row: Row) -> bool | None:
    return True if row["In stock?"].lower() == "backorder" else _flag(row, "In stock?", "1, 0 or backorder")


def _flag(row: Row, column: str, values: str = "1 or 0") -> bool | None:
    value = row[column].lower()
    if value and value not in (*_YES, *_NO):
        raise invalid(f"{column} is {shown(row[column])!r}; expected {values}.")
    return value in _YES if value else None
