"""OroCommerce's product export: simple products, and configurable ones with the variants that they name.

Settings are what Oro reads when it sells an item: those of simple products and of variants. A configurable product's own
apply to nothing there.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from gqlstock.formats import csv_dialect, oro, records
from gqlstock.formats.format import Context, Option, ProductFormat
from gqlstock.formats.records import UNSET, AnyOf, Identity, Pairs, Product, Variant
from gqlstock.rules import catalog, quantities, skus
from gqlstock.rules.catalog import InventoryStatus, InventoryTracking
from gqlstock.rules.import_rows import Row, Tie
from gqlstock.rules.refusals import invalid, shown
from gqlstock.rules.settings import BackorderMode, InventoryDecrement

KITS = "kits"
HIDDEN = "variants that their configurable product does not show"
DISABLED = "variants that are disabled"
NOT_THERE = "variants that are not in the file"
ELSEWHERE = "variants that another configurable product has already"
OWN_TEXTS = "names and texts of variants, which have those of their product"
OWN_STATUSES = "inventory statuses of variants, which have that of their product"
OTHER_STATUSES = "inventory statuses other than in stock, out of stock and discontinued"
OWN_SETTINGS = "settings of configurable products, which Oro does not apply to their variants"
UNITS = "units besides the primary one"
NOT_SOLD = "maximums of 0, with which Oro sells none"
CATEGORY_IDS = "categories of which only the id is known: import the categories file with the products"
CATEGORY_TITLES = (
    "categories of which only the title is known, taken as the top: import the categories file with the products"
)
LEFT_OPEN = (
    "items of which the file leaves open whether stock is counted (in Oro it is not by default): use --manage-stock"
)
ZONES = "zones of availability dates: UTC"

_CONFIGURABLE, _SIMPLE, _KIT = "configurable", "simple", "kit"
_ENABLED = {"enabled": True, "disabled": False}
# What says that a setting is not the product's own.
_ELSEWHERE = ("", "category", "systemconfig")
_DATES = ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y")


def tie(row: Row, context: Context) -> Tie | None:
    """A configurable product names its variants. Rows of the categories file are kept by their ids and titles."""
    if oro.TITLE in row.cells:
        _keep(row, context)
        return None
    if not row[oro.SKU]:
        context.fault(row.line, "The SKU is missing.")
        return None
    kind = _type(row)
    if kind == _KIT:
        context.not_carried(row.line, KITS, row[oro.SKU])
        return None
    if kind not in (_SIMPLE, _CONFIGURABLE):
        context.fault(row.line, f"The Type is {shown(row[oro.TYPE])!r}: simple, configurable or kit.")
        return None
    if kind == _SIMPLE:
        return Tie(refs=(oro.ref(row[oro.SKU]),))
    context.used_columns.update(oro.attribute_columns(row.cells).get(name, "") for name in _attributes(row))
    return Tie(refs=(oro.ref(row[oro.SKU]),), members=tuple(map(oro.ref, oro.links(row))))


def _keep(row: Row, context: Context) -> None:
    path = oro.category(row)
    if row[oro.ID]:
        context.kept["category id", row[oro.ID]] = path
    # A title that occurs twice names no category.
    known = context.kept.setdefault(("category title", row[oro.TITLE]), path)
    if known != path:
        context.kept["category title", row[oro.TITLE]] = ()


def product(rows: Sequence[Row], context: Context) -> Product | None:
    """A simple product, or a configurable one with its variants; None for one that is refused."""
    row, *others = sorted(rows, key=lambda one: _type(one) == _SIMPLE)
    wrong = next((one for one in others if _type(one) != _SIMPLE), None)
    if wrong is not None:
        context.fault(wrong.line, f"{wrong[oro.SKU]} is configurable, and no variant of another can be so.")
        return None
    with context.at(row.line):
        found = _common(row, context)
        if _type(row) == _SIMPLE:
            tracking = InventoryTracking.TRACK_WITHOUT_OPTIONS
            return replace(found, tracking=tracking, settings=_settings(row, context))
        if any(row[column].lower() not in _ELSEWHERE for column, *_ in _SETTINGS):
            context.not_carried(row.line, OWN_SETTINGS, row[oro.SKU])
        variants = _variants(row, found, others, context)
        tracking = InventoryTracking.TRACK_WITH_OPTIONS
        return replace(found, tracking=tracking, options=records.options_of(variants), variants=variants)
    return None


def _common(row: Row, context: Context) -> Product:
    sku = skus.normalized(row[oro.SKU])
    if oro.other_units(row):
        context.not_carried(row.line, UNITS, sku)
    return Product(
        line=row.line,
        identity=Identity.SKU,
        sku_stem=sku,
        sku=sku,
        slug=catalog.slug_from(row[oro.SLUG]) or None,
        name=row[oro.NAME] or None,
        description=row[oro.DESCRIPTION] or None,
        category=_category(row, context),
        published=_published(row),
        inventory_status=_status(row, context),
    )


def _type(row: Row) -> str:
    return row[oro.TYPE].lower() or _SIMPLE


def _attributes(row: Row) -> list[str]:
    return [oro.attribute(name) for name in row[oro.ATTRIBUTES].split(",") if name.strip()]


def _published(row: Row) -> bool | None:
    if oro.STATUS not in row.cells or not row[oro.STATUS]:
        return None
    if row[oro.STATUS].lower() not in _ENABLED:
        raise invalid(f"The Status is {shown(row[oro.STATUS])!r}: enabled or disabled.")
    return _ENABLED[row[oro.STATUS].lower()]


def _status(row: Row, context: Context) -> InventoryStatus | None:
    found = oro.inventory_status(row[oro.INVENTORY_STATUS])
    if found is None and row[oro.INVENTORY_STATUS]:
        context.not_carried(row.line, OTHER_STATUSES, row[oro.SKU])
    return found


def _category(row: Row, context: Context) -> tuple[str, ...]:
    """The path of a product's category: as the file says it, else from the categories file by id or title."""
    number, title = row[oro.CATEGORY_ID], row[oro.CATEGORY_TITLE]
    if row[oro.CATEGORY_PATH]:
        return oro.path(row[oro.CATEGORY_PATH])
    if number and ("category id", number) in context.kept:
        return context.kept["category id", number]
    if title:
        known = context.kept.get(("category title", title), ())
        found = known or oro.path(title.replace("/", "//"))
        if found and not known:
            context.to_check(row.line, CATEGORY_TITLES, row[oro.SKU])
        return found
    if number:
        context.not_carried(row.line, CATEGORY_IDS, row[oro.SKU])
    return ()


def _variants(row: Row, of: Product, others: Sequence[Row], context: Context) -> tuple[Variant, ...]:
    """The variants that a configurable product shows and that can be sold."""
    rows = {oro.ref(one[oro.SKU]): one for one in reversed(others)}
    columns = oro.attribute_columns(row.cells)
    found = []
    for sku, visible in oro.links(row).items():
        one = rows.get(oro.ref(sku))
        if one is None:
            there = context.has_ref(oro.ref(sku))
            context.not_carried(row.line, ELSEWHERE if there else NOT_THERE, sku)
            continue
        with context.at(one.line):
            if not visible:
                context.not_carried(one.line, HIDDEN, sku)
            elif _published(one) is False:
                context.not_carried(one.line, DISABLED, sku)
            else:
                found.append(_variant(one, row, of, columns, context))
    return tuple(found)


def _variant(row: Row, parent: Row, of: Product, columns: dict[str, str], context: Context) -> Variant:
    sku = skus.normalized(row[oro.SKU])
    if row[oro.NAME] not in ("", parent[oro.NAME]) or row[oro.DESCRIPTION] not in ("", parent[oro.DESCRIPTION]):
        context.not_carried(row.line, OWN_TEXTS, sku)
    if _status(row, context) not in (None, of.inventory_status):
        context.not_carried(row.line, OWN_STATUSES, sku)
    if oro.other_units(row):
        context.not_carried(row.line, UNITS, sku)
    return Variant(row.line, _choice(row, parent, columns), sku, settings=_settings(row, context))


def _choice(row: Row, parent: Row, columns: dict[str, str]) -> Pairs:
    """What a variant is chosen by: the attributes that its configurable product names."""
    chosen = []
    names = [name.strip() for name in parent[oro.ATTRIBUTES].split(",") if name.strip()]
    if not names:
        raise invalid(f"{oro.ATTRIBUTES} of {parent[oro.SKU]} is missing, and it has variants.")
    for name in names:
        column = columns.get(oro.attribute(name))
        if column is None:
            raise invalid(
                f"There is no column {name}.Name, which {oro.ATTRIBUTES} of {parent[oro.SKU]} names. "
                f'If it has another name there: --column "NAME={name}.Name".'
            )
        if not row[column]:
            raise invalid(f"{column} is missing: {parent[oro.SKU]} has a variant for each value.")
        chosen.append(_option(column, row[column]))
    return tuple(chosen)


def _option(column: str, value: str) -> tuple[str, str]:
    """An option by the label of its column. A boolean attribute is yes or no."""
    name, dot, _ = column.rpartition(".")
    if dot:
        return name, value
    return column, {"0": "No", "1": "Yes"}.get(value, value)


def _settings(row: Row, context: Context) -> dict[str, Any]:
    """The settings of an item that is sold."""
    said: dict[str, Any] = {}
    for column, name, parse in _SETTINGS:
        if column in row.cells:
            is_own = row[column].lower() not in _ELSEWHERE
            said[name] = parse(row, column) if is_own else UNSET
    if row[oro.PRECISION]:
        said["quantity_uses_decimals"] = True if _precision(row) else AnyOf(UNSET, (False,))
    if said.get("maximum_order_quantity") == 0:
        context.not_carried(row.line, NOT_SOLD, row[oro.SKU])
        said["maximum_order_quantity"] = UNSET
    if said.get("minimum_order_quantity") == 0:
        said["minimum_order_quantity"] = UNSET
    if isinstance(said.get("availability_date"), datetime) and said["availability_date"].tzinfo is None:
        context.made_up(row.line, ZONES, row[oro.SKU])
        said["availability_date"] = said["availability_date"].replace(tzinfo=UTC)
    if said.get("manage_stock", UNSET) is UNSET:
        said |= _left_open(row, context)
    return said


def _left_open(row: Row, context: Context) -> dict[str, bool]:
    """Whether stock is counted where the file does not say it."""
    if context.options.manage_stock is None:
        context.to_check(row.line, LEFT_OPEN, row[oro.SKU])
        return {}
    return {"manage_stock": context.options.manage_stock}


def _truth(row: Row, column: str) -> bool:
    found = oro.truth(row[column])
    if found is None:
        raise invalid(f"{column} is {shown(row[column])!r}: 1, 0, category or systemConfig.")
    return found


def _backorders(row: Row, column: str) -> Any:
    if _truth(row, column):
        return AnyOf(BackorderMode.ALLOW, (BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER,))
    return BackorderMode.NO_BACKORDERS


def _decrement(row: Row, column: str) -> Any:
    if _truth(row, column):
        return AnyOf(InventoryDecrement.ON_ORDER, (InventoryDecrement.ON_SHIPMENT,))
    return InventoryDecrement.NEVER


def _quantity(row: Row, column: str) -> Decimal:
    return csv_dialect.quantity(row, column)


def _date(row: Row, column: str) -> datetime:
    for form in _DATES:
        try:
            return datetime.strptime(row[column], form)
        except ValueError:
            continue
    try:
        return datetime.fromisoformat(row[column])
    except ValueError:
        raise invalid(
            f"{column} is {shown(row[column])!r}: a date such as 10/09/2024 00:00:00, the month first."
        ) from None


def _precision(row: Row) -> int:
    """The decimal places of a product's unit."""
    text = row[oro.PRECISION]
    if not (text.isascii() and text.isdigit()):
        raise invalid(f"{oro.PRECISION} is {shown(text)!r}: a number of decimal places.")
    if int(text) > quantities.PLACES:
        raise invalid(f"{oro.PRECISION} is {text}: quantities have at most {quantities.PLACES} decimal places here.")
    return int(text)


_SETTINGS: tuple[tuple[str, str, Callable[[Row, str], Any]], ...] = (
    (oro.MANAGED, "manage_stock", _truth),
    (oro.THRESHOLD, "out_of_stock_threshold", _quantity),
    (oro.LOW, "low_inventory_threshold", _quantity),
    (oro.HIGHLIGHT, "highlight_low_inventory", _truth),
    (oro.BACKORDERS, "backorders", _backorders),
    (oro.DECREMENT, "decrement_inventory", _decrement),
    (oro.MINIMUM, "minimum_order_quantity", _quantity),
    (oro.MAXIMUM, "maximum_order_quantity", _quantity),
    (oro.UPCOMING, "upcoming", _truth),
    (oro.AVAILABLE_ON, "availability_date", _date),
)

FORMAT = ProductFormat(
    help="Products, variants and settings from OroCommerce's product export, with its categories file if you like.",
    columns=(oro.PRODUCTS, oro.CATEGORIES),
    tie=tie,
    product=product,
    options=frozenset({Option.MANAGE_STOCK}),
)
