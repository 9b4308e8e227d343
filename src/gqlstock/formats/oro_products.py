"""OroCommerce's product export: simple products, and configurable products with their variants.

Settings come from simple products and variants. Oro ignores the settings of configurable products.
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
HIDDEN = "variants hidden by their configurable product"
DISABLED = "disabled variants"
NOT_THERE = "variants that are not in the file"
ELSEWHERE = "variants that already belong to another configurable product"
OWN_TEXTS = "names and descriptions of variants: those of their product apply"
OWN_STATUSES = "inventory statuses of variants: that of their product applies"
OTHER_STATUSES = "inventory statuses other than in stock, out of stock and discontinued"
OWN_SETTINGS = "settings of configurable products, which Oro does not apply to their variants"
UNITS = "units of measure other than the primary one"
NOT_SOLD = "maximum order quantities of 0, which stop sales in Oro"
CATEGORY_IDS = "categories known only by id: import the categories file together with the products"
CATEGORY_TITLES = (
    "categories known only by title, imported at the top level: import the categories file together with the products"
)
LEFT_OPEN = "items for which the file does not say whether stock is managed (off by default in Oro): use --manage-stock"
ZONES = "time zone UTC for availability dates"

_CONFIGURABLE, _SIMPLE, _KIT = "configurable", "simple", "kit"
_ENABLED = {"enabled": True, "disabled": False}
# The values of a setting that is inherited.
_ELSEWHERE = ("", "category", "systemconfig")
_DATES = ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y")


def tie(row: Row, context: Context) -> Tie | None:
    """Link a configurable product with its variants. Remembers rows of the categories file by id and title."""
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
        context.fault(row.line, f"{oro.TYPE} is {shown(row[oro.TYPE])!r}; expected simple, configurable or kit.")
        return None
    if kind == _SIMPLE:
        return Tie(refs=(oro.ref(row[oro.SKU]),))
    context.used_columns.update(oro.attribute_columns(row.cells).get(name, "") for name in _attributes(row))
    return Tie(refs=(oro.ref(row[oro.SKU]),), members=tuple(map(oro.ref, oro.links(row))))


def _keep(row: Row, context: Context) -> None:
    path = oro.category(row)
    if row[oro.ID]:
        context.kept["category id", row[oro.ID]] = path
    # A title that occurs twice is ambiguous.
    known = context.kept.setdefault(("category title", row[oro.TITLE]), path)
    if known != path:
        context.kept["category title", row[oro.TITLE]] = ()


def product(rows: Sequence[Row], context: Context) -> Product | None:
    """A simple product, or a configurable one with its variants; None if it is refused."""
    row, *others = sorted(rows, key=lambda one: _type(one) == _SIMPLE)
    wrong = next((one for one in others if _type(one) != _SIMPLE), None)
    if wrong is not None:
        context.fault(wrong.line, f"{wrong[oro.SKU]} is configurable and cannot be a variant of another product.")
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
        raise invalid(f"{oro.STATUS} is {shown(row[oro.STATUS])!r}; expected enabled or disabled.")
    return _ENABLED[row[oro.STATUS].lower()]


def _status(row: Row, context: Context) -> InventoryStatus | None:
    found = oro.inventory_status(row[oro.INVENTORY_STATUS])
    if found is None and row[oro.INVENTORY_STATUS]:
        context.not_carried(row.line, OTHER_STATUSES, row[oro.SKU])
    return found


def _category(row: Row, context: Context) -> tuple[str, ...]:
    """The path of a product's category, from its own row, else from the categories file by id or title."""
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
    """The visible, enabled variants of a configurable product. Reports the others."""
    rows = {oro.ref(one[oro.SKU]): one for one in reversed(others)}
    columns = oro.attribute_columns(row.cells)
    found = []
    for sku, visible in oro.links(row).items():
        one = rows.get(oro.ref(sku))
        if one is None:
            is_in_file = context.has_ref(oro.ref(sku))
            context.not_carried(row.line, ELSEWHERE if is_in_file else NOT_THERE, sku)
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
    """The choice of a variant: its values of the attributes that the configurable product names."""
    chosen = []
    names = [name.strip() for name in parent[oro.ATTRIBUTES].split(",") if name.strip()]
    if not names:
        raise invalid(f"{oro.ATTRIBUTES} of {parent[oro.SKU]} is missing, although it has variants.")
    for name in names:
        column = columns.get(oro.attribute(name))
        if column is None:
            raise invalid(
                f"There is no column {name}.Name for the attribute in {oro.ATTRIBUTES} of {parent[oro.SKU]}. "
                f'If it has another name: --column "NAME={name}.Name".'
            )
        if not row[column]:
            raise invalid(f"{column} is missing: variants of {parent[oro.SKU]} differ by it.")
        chosen.append(_option(column, row[column]))
    return tuple(chosen)


def _option(column: str, value: str) -> tuple[str, str]:
    """The option and value of a cell. The values of a boolean attribute become Yes and No."""
    name, dot, _ = column.rpartition(".")
    if dot:
        return name, value
    return column, {"0": "No", "1": "Yes"}.get(value, value)


def _settings(row: Row, context: Context) -> dict[str, Any]:
    """The settings of a simple product or a variant."""
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
    """The setting ``manage_stock`` if the file does not specify it: that of --manage-stock, if given."""
    if context.options.manage_stock is None:
        context.to_check(row.line, LEFT_OPEN, row[oro.SKU])
        return {}
    return {"manage_stock": context.options.manage_stock}


def _truth(row: Row, column: str) -> bool:
    found = oro.truth(row[column])
    if found is None:
        raise invalid(f"{column} is {shown(row[column])!r}; expected 1, 0, category or systemConfig.")
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
            f"{column} is {shown(row[column])!r}; expected a date such as 10/09/2024 00:00:00, month first."
        ) from None


def _precision(row: Row) -> int:
    """The decimal places of a product's unit."""
    text = row[oro.PRECISION]
    if not (text.isascii() and text.isdigit()):
        raise invalid(f"{oro.PRECISION} is {shown(text)!r}; expected a number of decimal places.")
    if int(text) > quantities.PLACES:
        raise invalid(f"{oro.PRECISION} is {text}; gqlstock supports at most {quantities.PLACES} decimal places.")
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
    help="Products, variants and settings from OroCommerce's product export, optionally with its categories file.",
    columns=(oro.PRODUCTS, oro.CATEGORIES),
    tie=tie,
    product=product,
    options=frozenset({Option.MANAGE_STOCK}),
)
