"""The columns of CS-Cart's product export, and the interpretation of single cells."""

import html
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from gqlstock.formats import csv_dialect
from gqlstock.formats.csv_dialect import Columns
from gqlstock.formats.format import Context
from gqlstock.formats.records import UNSET, AnyOf, Counted
from gqlstock.rules import quantities
from gqlstock.rules.catalog import Image, InventoryTracking
from gqlstock.rules.import_rows import Row
from gqlstock.rules.refusals import invalid, shown
from gqlstock.rules.settings import BackorderMode

CODE, LANGUAGE, ID, NAME = "Product code", "Language", "Product id", "Product name"
CATEGORY, MORE_CATEGORIES, STATUS = "Category", "Secondary categories", "Status"
QUANTITY, TRACKING = "Quantity", "Inventory tracking"
MINIMUM, MAXIMUM, STEP, STEPS = "Min quantity", "Max quantity", "Quantity step", "List qty count"
ACTION, SINCE = "Out of stock actions", "Available since"
DESCRIPTION, SEO_NAME = "Description", "SEO name"
OPTIONS, EXCEPTIONS, FEATURES = "Options", "Exceptions type", "Features"
PICTURE, PICTURE_URL, BIG_PICTURE_URL = "Detailed image", "Image URL", "Detailed image URL"
GROUP_CODE, GROUP_ID, IS_DEFAULT = "Variation group code", "Variation group id", "Variation set as default"
_WAREHOUSE = re.compile(r"(.+) \(warehouse\)", re.IGNORECASE)
_FEATURE = re.compile(r"(.+) \(variation feature\)", re.IGNORECASE)

PRODUCTS = Columns(
    (CODE, LANGUAGE),
    quantities=(QUANTITY, MINIMUM, MAXIMUM, STEP, STEPS),
    optional=(
        *(ID, NAME, CATEGORY, MORE_CATEGORIES, STATUS, TRACKING, ACTION, SINCE, DESCRIPTION, SEO_NAME),
        *(OPTIONS, EXCEPTIONS, FEATURES, PICTURE, PICTURE_URL, BIG_PICTURE_URL, GROUP_CODE, GROUP_ID, IS_DEFAULT),
        *("Variation parent product id", "Variation parent product code"),
    ),
    families=re.compile(rf"{_WAREHOUSE.pattern}|{_FEATURE.pattern}"),
)

REPAIRED = "texts with damaged HTML entities such as &#39, which were repaired"
HIDDEN = "products hidden in the old shop: published here"
FURTHER_CATEGORIES = "further categories of products: only the main category is imported"
PICTURES = "images for which the file has only a path: export the column Image URL or Detailed image URL"
EXCEPTIONS_OF = "option exceptions, which CS-Cart does not export"
NO_SALE_BEFORE = "availability dates before which the old shop does not sell: here they are only displayed"
LONG_LISTS = "lists of allowed quantities that are too long: only the quantity step is imported"
ZONES = "time zone UTC for availability dates"
GLOBAL = {
    column: f"{column} is not in the file: if the shop uses one value for all products, {where}"
    for column, where in {
        TRACKING: "set manageStock at SYSTEM",
        MINIMUM: "set minimumOrderQuantity at SYSTEM",
        MAXIMUM: "set maximumOrderQuantity at SYSTEM",
        STEP: "set quantityIncrement at SYSTEM",
        STEPS: "set allowedQuantities at SYSTEM",
        ACTION: "set backorders and allowBackInStockSubscriptions at SYSTEM",
    }.items()
}

_STATUSES = {"A": True, "H": True, "D": False, "R": False, "X": False}
TRACKINGS = {
    "D": InventoryTracking.DO_NOT_TRACK,
    "B": InventoryTracking.TRACK_WITHOUT_OPTIONS,
    "O": InventoryTracking.TRACK_WITH_OPTIONS,
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE = re.compile(r"(\d{1,2}) ([A-Za-z]{3})[a-z]* (\d{4})(?: (\d{1,2}):(\d{2})(?::(\d{2}))?)?")
_MAX_LIST = 250
# Some exports have semicolons replaced by commas: &#39; became &#39,
_DAMAGED = re.compile(r"&(#\d{1,6}|#x[0-9a-f]{1,5}|[a-z]{2,8}),", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,6}|#x[0-9a-f]{1,5}|[a-z]{2,8});", re.IGNORECASE)


def repaired(row: Row, column: str, context: Context) -> str:
    """A text with its damaged HTML entities repaired. Reports a repair."""

    def repair(found: re.Match[str]) -> str:
        entity = f"&{found[1]};"
        return entity if html.unescape(entity) != entity else found[0]

    text = _DAMAGED.sub(repair, row[column])
    if text != row[column]:
        context.to_check(row.line, REPAIRED, row[CODE])
    return text


def plain(text: str) -> str:
    """A text with its HTML entities decoded."""
    return _ENTITY.sub(lambda found: html.unescape(found[0]), text).strip()


def category(row: Row, context: Context) -> tuple[str, ...]:
    """The path of a product's main category. Reports further categories."""
    if row[MORE_CATEGORIES]:
        context.not_carried(row.line, FURTHER_CATEGORIES, row[CODE])
    path = repaired(row, CATEGORY, context).split("///")
    return tuple(plain(name) for name in path if name.strip())


def published(row: Row, context: Context) -> bool | None:
    """Whether a product is on sale. Hidden products are: customers who know the URL can buy them."""
    if not row[STATUS]:
        return None
    if row[STATUS].upper() not in _STATUSES:
        raise invalid(f"{STATUS} is {shown(row[STATUS])!r}; expected A, H or D.")
    if row[STATUS].upper() == "H":
        context.to_check(row.line, HIDDEN, row[CODE])
    return _STATUSES[row[STATUS].upper()]


def tracking(row: Row) -> InventoryTracking | None:
    """How a product is tracked; None if the file does not specify it."""
    if not row[TRACKING]:
        return None
    if row[TRACKING].upper() not in TRACKINGS:
        raise invalid(f"{TRACKING} is {shown(row[TRACKING])!r}; expected D, B or O.")
    return TRACKINGS[row[TRACKING].upper()]


def images(row: Row, context: Context) -> tuple[Image, ...]:
    """The image of a row, if it has a URL."""
    url = row[BIG_PICTURE_URL] or row[PICTURE_URL]
    if url:
        return (Image(url),)
    if row[PICTURE]:
        context.not_carried(row.line, PICTURES, row[CODE])
    return ()


def counts(row: Row) -> tuple[Counted, ...]:
    """The units by warehouse if the file has warehouse columns, else the quantity of the row."""
    places = {name[1]: column for column in row.cells if (name := _WAREHOUSE.fullmatch(column))}
    if places:
        return tuple(
            Counted(row.line, csv_dialect.quantity(row, column), place)
            for place, column in places.items()
            if row[column]
        )
    return (Counted(row.line, csv_dialect.quantity(row, QUANTITY)),) if row[QUANTITY] else ()


def variation_features(row: Row) -> dict[str, str]:
    """The values of the row's variation features, from the "(Variation feature)" columns."""
    names = ((column, _FEATURE.fullmatch(column)) for column in row.cells)
    return {name[1]: plain(row[column]) for column, name in names if name and row[column]}


def settings(row: Row, context: Context) -> dict[str, Any]:
    """The settings of an item. Reports each column that the file lacks, once."""
    for column, reason in GLOBAL.items():
        if column not in row.cells and ("global", column) not in context.kept:
            context.kept["global", column] = ()
            context.to_check(None, reason)
    said: dict[str, Any] = {}
    for column, name in ((MINIMUM, "minimum"), (MAXIMUM, "maximum")):
        if column in row.cells:
            said[f"{name}_order_quantity"] = _above_zero(row, column) or UNSET
    if STEP in row.cells:
        said["quantity_increment"] = _above_zero(row, STEP) or UNSET
        if STEPS in row.cells:
            said["allowed_quantities"] = _listed(row, context) or UNSET
    return said | _when_out_of_stock(row) | _availability(row, context)


def _above_zero(row: Row, column: str) -> Decimal | None:
    """A quantity; None for 0, which means no limit."""
    return (csv_dialect.quantity(row, column) or None) if row[column] else None


def _listed(row: Row, context: Context) -> tuple[Decimal, ...]:
    """The quantities that the shop offers: the given number of steps from the minimum up, none above the maximum."""
    step, count = _above_zero(row, STEP), _above_zero(row, STEPS)
    if step is None or count is None:
        return ()
    minimum, maximum = _above_zero(row, MINIMUM) or step, _above_zero(row, MAXIMUM)
    first = minimum // step + (1 if minimum % step else 0)
    last = first + count - 1 if maximum is None else min(first + count - 1, maximum // step)
    if last - first >= _MAX_LIST:
        context.not_carried(row.line, LONG_LISTS, row[CODE])
        return ()
    return tuple(quantities.check(step * (first + number)) for number in range(int(last - first) + 1))


def _when_out_of_stock(row: Row) -> dict[str, Any]:
    """The settings for the out-of-stock action. N: none; B: backorders; S: back-in-stock subscriptions."""
    action = row[ACTION].upper()
    if ACTION not in row.cells or not action:
        return {}
    if action not in ("N", "B", "S"):
        raise invalid(f"{ACTION} is {shown(row[ACTION])!r}; expected N, B or S.")
    allows = AnyOf(BackorderMode.ALLOW, (BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER,))
    denies = AnyOf(UNSET, (BackorderMode.NO_BACKORDERS,))
    return {"backorders": allows if action == "B" else denies, "allow_back_in_stock_subscriptions": action == "S"}


def _availability(row: Row, context: Context) -> dict[str, Any]:
    if SINCE not in row.cells:
        return {}
    if not row[SINCE]:
        return {"upcoming": UNSET, "availability_date": UNSET}
    context.made_up(row.line, ZONES, row[CODE])
    if row[ACTION].upper() != "B":
        context.to_check(row.line, NO_SALE_BEFORE, row[CODE])
    return {"upcoming": True, "availability_date": _date(row)}


def _date(row: Row) -> datetime:
    found = _DATE.fullmatch(row[SINCE])
    try:
        # strptime would expect the month names of the current locale.
        day, month, year, hour, minute, second = found.groups("0") if found else ()
        number = _MONTHS.index(month.lower()) + 1
        return datetime(int(year), number, int(day), int(hour), int(minute), int(second), tzinfo=UTC)
    except ValueError:
        raise invalid(f"{SINCE} is {shown(row[SINCE])!r}; expected a date such as 01 Mar 2027 09:00:00.") from None
