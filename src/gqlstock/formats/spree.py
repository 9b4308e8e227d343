"""Spree's product export: the rows of a slug form a product, in any order.

The row with a name describes the product. Other rows contain a combination, a price in another currency or, in the newest
exports, the units in another stock location.
"""

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from gqlstock.formats import csv_dialect, records
from gqlstock.formats.csv_dialect import Columns
from gqlstock.formats.format import Context, Option, ProductFormat
from gqlstock.formats.records import UNSET, AnyOf, Counted, Identity, Pairs, Product, Variant
from gqlstock.rules import catalog, skus
from gqlstock.rules.catalog import Image, InventoryStatus, InventoryTracking
from gqlstock.rules.import_rows import Row, Tie
from gqlstock.rules.refusals import invalid, shown
from gqlstock.rules.settings import BackorderMode

_NUMBERS = (1, 2, 3)
_COUNT = "inventory_count"
_LOCATION = "stock_location"
_COLUMNS = Columns(
    required=("slug", "sku"),
    quantities=(_COUNT,),
    optional=(
        *("name", "status", "description", "barcode", "available_on", "discontinue_on"),
        *("track_inventory", "inventory_backorderable", _LOCATION),
    ),
    families=re.compile(r"option[123]_(name|value)|image[123]_src|category[123]"),
)
_SLUG = re.compile(r"[\w.-]+")
_UNCOUNTED = "∞"
_COUNTED = AnyOf(UNSET, (True,))
_BACKORDERS: Mapping[bool, Any] = {
    True: AnyOf(BackorderMode.ALLOW, (BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER,)),
    False: AnyOf(UNSET, (BackorderMode.NO_BACKORDERS,)),
}

SUMMED = "units summed over all stock locations: counted in a single warehouse"
MORE_CATEGORIES = "further categories of products: only the deepest is imported"
PICTURES = "images without a URL: set --base-url to the URL that their paths are relative to"
HEADER_UNITS = "units of products with options: possibly of a combination whose options were not exported"
DISCONTINUED = "discontinued combinations of products that are not discontinued"
TO_BE_DISCONTINUED = "products with a future discontinuation date: set inventoryStatus on that day"
ZONES = "time zone UTC for dates"
UNPLACED = "units in stock locations of SKUs that are not in the file"
UNKNOWN_PRICES = "prices of SKUs that are not in the file"


def tie(row: Row, context: Context) -> Tie | None:
    """Link rows by slug."""
    if not row["slug"]:
        context.fault(row.line, "The slug is missing.")
        return None
    return Tie(group=row["slug"])


def product(rows: Sequence[Row], context: Context) -> Product | None:
    """The product of the rows of one slug; None if it is refused."""
    head = next((row for row in rows if row["name"]), rows[0])
    with context.at(head.line):
        combinations = [row for row in rows if _choice(row)]
        of_locations: dict[str, list[Row]] = {}
        for row in rows:
            if row[_LOCATION]:
                of_locations.setdefault(_folded(row["sku"]), []).append(row)
        known = {_folded(row["sku"]) for row in (head, *combinations)}
        for row in rows:
            if row is not head and not _choice(row) and not row[_LOCATION]:
                _check_price(row, known, head, context)
        return _Rows(head, combinations, of_locations, context).product()
    return None


def _check_price(row: Row, known: Container[str], head: Row, context: Context) -> None:
    """Check a row without options or location: it may only contain a price in another currency, which is not imported."""
    if row[_COUNT]:
        context.fault(
            row.line, f"The row has units but no options, and the product already is on {context.place(head.line)}."
        )
    elif row["sku"] and _folded(row["sku"]) not in known:
        context.not_carried(row.line, UNKNOWN_PRICES, row["sku"])


def _folded(sku: str) -> str:
    # SKUs in Spree are case-insensitive.
    return skus.normalized(sku).casefold()


def _choice(row: Row) -> Pairs:
    """The choice of a row. Spree exports up to three options."""
    pairs = ((row[f"option{number}_name"], row[f"option{number}_value"]) for number in _NUMBERS)
    return tuple((name, value) for name, value in pairs if value)


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of a product: its head row, one for each combination, and those of units in other stock locations."""

    head: Row
    combinations: Sequence[Row]
    of_locations: Mapping[str, Sequence[Row]]
    context: Context

    def product(self) -> Product:
        """The product of the rows."""
        items = self.combinations or [self.head]
        discontinued = [row for row in items if self._is_past(row, "discontinue_on")]
        status = None
        if "discontinue_on" in self.head.cells:
            all_are = len(discontinued) == len(items)
            status = InventoryStatus.DISCONTINUED if all_are else InventoryStatus.IN_STOCK
        product = self._head(status)
        self._check_placed(items)
        if not self.combinations:
            item = self._item(self.head)
            settings = {**product.settings, **item.settings}
            tracking = InventoryTracking.TRACK_WITHOUT_OPTIONS
            return replace(product, barcode=item.barcode, tracking=tracking, settings=settings, counts=item.counts)
        if status is not InventoryStatus.DISCONTINUED:
            for row in discontinued:
                self.context.not_carried(row.line, DISCONTINUED, row["sku"], _units(row))
            items = [row for row in items if row not in discontinued]
        variants = tuple(self._variants(items))
        options = records.options_of(variants)
        return replace(product, tracking=InventoryTracking.TRACK_WITH_OPTIONS, options=options, variants=variants)

    def _head(self, status: InventoryStatus | None) -> Product:
        """The product without its stock."""
        head, is_combination = self.head, bool(_choice(self.head))
        slug = catalog.text(head["slug"], "slug")
        if not _SLUG.fullmatch(slug):
            raise invalid(f"The slug is {shown(slug)!r}; expected letters, digits and dashes.")
        if self.combinations and not is_combination and head["sku"] and _units(head):
            self.context.to_check(head.line, HEADER_UNITS, head["sku"], _units(head))
        return Product(
            line=head.line,
            identity=Identity.SLUG,
            sku_stem=slug,
            slug=slug,
            # The SKU on a row with options is that of the combination.
            sku=None if is_combination else skus.normalized(head["sku"]) or None,
            name=head["name"] or None,
            description=head["description"] or None,
            category=self._category(),
            published=_is_published(head),
            inventory_status=status,
            images=self._images(head),
            settings=self._availability(),
        )

    def _category(self) -> tuple[str, ...]:
        cells = [self.head[f"category{number}"].split("->") for number in _NUMBERS]
        paths = [path for path in (tuple(name.strip() for name in cell if name.strip()) for cell in cells) if path]
        deepest = max(paths, key=len, default=())
        if any(path != deepest[: len(path)] for path in paths):
            self.context.not_carried(self.head.line, MORE_CATEGORIES, self.head["sku"] or self.head["slug"])
        return deepest

    def _images(self, row: Row) -> tuple[Image, ...]:
        found: dict[str, Image] = {}
        for path in (row[f"image{number}_src"] for number in _NUMBERS):
            url = self.context.url(path) if path else None
            if url is not None:
                found.setdefault(url, Image(url))
            elif path:
                self.context.not_carried(row.line, PICTURES, row["sku"] or row["slug"])
        return tuple(found.values())

    def _availability(self) -> dict[str, Any]:
        """The settings for a future availability date."""
        head, label = self.head, self.head["sku"] or self.head["slug"]
        leaves = _moment(head, "discontinue_on")
        if leaves is not None and leaves > self.context.now:
            self.context.to_check(head.line, TO_BE_DISCONTINUED, label)
        if "available_on" not in head.cells:
            return {}
        comes = _moment(head, "available_on")
        if comes is None or comes <= self.context.now:
            return {"upcoming": UNSET, "availability_date": UNSET}
        self.context.made_up(head.line, ZONES, label)
        return {"upcoming": True, "availability_date": comes}

    def _is_past(self, row: Row, column: str) -> bool:
        with self.context.at(row.line):
            moment = _moment(row, column)
            return moment is not None and moment <= self.context.now
        return False

    def _variants(self, rows: Sequence[Row]) -> Iterator[Variant]:
        """The combinations of rows."""
        lines: dict[Pairs, int] = {}
        for row in rows:
            with self.context.at(row.line):
                choice = _choice(row)
                if len(choice) == len(_NUMBERS) and choice in lines:
                    place = self.context.place(lines[choice])
                    raise invalid(
                        f"{place.capitalize()} has the same options. Spree exports three; the product may have more."
                    )
                lines.setdefault(choice, row.line)
                yield replace(self._item(row), choice=choice, images=self._own_images(row))

    def _of(self, row: Row) -> Sequence[Row]:
        """The rows with an item's units in other locations, by SKU. For a product without options they may lack the SKU."""
        if not row["sku"]:
            return () if self.combinations else self.of_locations.get("", ())
        named = self.of_locations.get(_folded(row["sku"]), [])
        return named if self.combinations else [*named, *self.of_locations.get("", ())]

    def _check_placed(self, items: Sequence[Row]) -> None:
        placed = {one.line for row in items for one in self._of(row)}
        for one in (one for of_sku in self.of_locations.values() for one in of_sku):
            if one.line not in placed:
                self.context.not_carried(one.line, UNPLACED, one["sku"] or one["slug"], _units(one))

    def _own_images(self, row: Row) -> tuple[Image, ...]:
        # The images of the head row belong to the product.
        return () if row is self.head else self._images(row)

    def _item(self, row: Row) -> Variant:
        """The stock of an item, from its own row and those of its units in other locations."""
        rows, counts = (row, *self._of(row)), []
        for one in rows:
            with self.context.at(one.line):
                if _units(one) is not None:
                    counts.append(Counted(one.line, csv_dialect.quantity(one, _COUNT), one[_LOCATION] or None))
        if counts and _LOCATION not in row.cells:
            self.context.to_check(row.line, SUMMED, row["sku"] or row["slug"], counts[0].on_hand)
        backordered = [_flag(one, "inventory_backorderable") for one in rows]
        said: dict[str, Any] = {}
        if any(one is not None for one in backordered):
            said["backorders"] = _BACKORDERS[any(backordered)]
        is_tracked = False if row[_COUNT] == _UNCOUNTED else _flag(row, "track_inventory")
        if is_tracked is not None:
            said["manage_stock"] = _COUNTED if is_tracked else False
        return Variant(
            line=row.line,
            choice=(),
            sku=skus.normalized(row["sku"]) or None,
            barcode=row["barcode"] or None,
            settings=said,
            counts=tuple(counts),
        )


def _units(row: Row) -> Decimal | None:
    return csv_dialect.quantity(row, _COUNT) if row[_COUNT] not in ("", _UNCOUNTED) else None


def _is_published(row: Row) -> bool | None:
    given = row["status"].lower()
    if given not in ("", "active", "draft", "archived"):
        raise invalid(f"The status is {shown(row['status'])!r}; expected active, draft or archived.")
    return given == "active" if given else None


def _flag(row: Row, column: str) -> bool | None:
    given = row[column].lower()
    if given not in ("", "true", "false"):
        raise invalid(f"{column} is {shown(row[column])!r}; expected true or false.")
    return given == "true" if given else None


def _moment(row: Row, column: str) -> datetime | None:
    """A date, in UTC unless it has a time zone."""
    if not row[column]:
        return None
    try:
        found = datetime.fromisoformat(row[column].removesuffix(" UTC"))
    except ValueError:
        raise invalid(f"{column} is {shown(row[column])!r}; expected a date such as 2026-01-31 12:00:00.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


FORMAT = ProductFormat(
    help="Products, combinations and quantities from Spree's product export.",
    columns=(_COLUMNS,),
    tie=tie,
    product=product,
    options=frozenset({Option.WAREHOUSE, Option.WEBSITE, Option.BASE_URL}),
    makes_warehouses=True,
)
