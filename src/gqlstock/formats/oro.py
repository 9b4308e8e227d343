"""The common parts of OroCommerce's files: columns, by label and by internal name, and the values of cells."""

import re
from collections.abc import Iterable, Mapping

from gqlstock.formats.csv_dialect import Columns
from gqlstock.rules import skus
from gqlstock.rules.catalog import InventoryStatus
from gqlstock.rules.import_rows import Row

SKU, TYPE, STATUS = "SKU", "Type", "Status"
NAME, DESCRIPTION, SLUG = "Name.default.value", "Description.default.value", "URL Slug.default.value"
INVENTORY_STATUS = "Inventory Status.Id"
UNIT, PRECISION = "Unit of Quantity.Unit.Code", "Unit of Quantity.Precision"
ATTRIBUTES = "Configurable Attributes"
CATEGORY_ID, CATEGORY_TITLE, CATEGORY_PATH = "Category.ID", "Category.default.title", "Category.path"
MANAGED, BACKORDERS = "Managed Inventory.value", "Backorders.value"
DECREMENT, HIGHLIGHT = "Decrement Inventory.value", "Highlight Low Inventory.value"
THRESHOLD, LOW = "Inventory Threshold.value", "Low Inventory Threshold.value"
MINIMUM, MAXIMUM = "Minimum Quantity To Order.value", "Maximum Quantity To Order.value"
UPCOMING, AVAILABLE_ON = "Upcoming.value", "Availability Date"
TITLE, PARENT, ID = "Title.default.value", "Parent category.Title", "ID"

# Field names, which an export uses instead of labels if configured to.
_INTERNAL = {
    "names.default.value": NAME,
    "descriptions.default.value": DESCRIPTION,
    "slugprototypes.default.value": SLUG,
    "inventory_status.id": INVENTORY_STATUS,
    "primaryunitprecision.unit.code": UNIT,
    "primaryunitprecision.precision": PRECISION,
    "variantfields": ATTRIBUTES,
    "category.title": CATEGORY_TITLE,
    "manageinventory.value": MANAGED,
    "backorder.value": BACKORDERS,
    "decrementquantity.value": DECREMENT,
    "highlightlowinventory.value": HIGHLIGHT,
    "inventorythreshold.value": THRESHOLD,
    "lowinventorythreshold.value": LOW,
    "minimumquantitytoorder.value": MINIMUM,
    "maximumquantitytoorder.value": MAXIMUM,
    "isupcoming.value": UPCOMING,
    "availability_date": AVAILABLE_ON,
}
_LINK = re.compile(r"(?:product variant links|variantlinks)[.: ](\d+)[.: ](?:(product[.: ])?sku|(visible))")
_MORE_UNITS = re.compile(r"additional ?unit ?precisions?[.: ](\d+)[.: ]unit[.: ]code")

PRODUCTS = Columns(
    (SKU, TYPE),
    _INTERNAL,
    (PRECISION, THRESHOLD, LOW, MINIMUM, MAXIMUM),
    (
        *(
            NAME,
            DESCRIPTION,
            SLUG,
            STATUS,
            INVENTORY_STATUS,
            UNIT,
            ATTRIBUTES,
            CATEGORY_ID,
            CATEGORY_TITLE,
            CATEGORY_PATH,
        ),
        *(MANAGED, BACKORDERS, DECREMENT, HIGHLIGHT, UPCOMING, AVAILABLE_ON),
    ),
    re.compile(rf"{_LINK.pattern}|additional ?unit ?precisions?[.: ].*|.*\.fallback"),
)
CATEGORIES = Columns(
    (TITLE, PARENT),
    {
        "titles.default.value": TITLE,
        "parentcategory.titles.default.value": PARENT,
        "parent category.title.default.value": PARENT,
    },
    optional=(ID,),
    families=re.compile(r".*\.fallback"),
)
KNOWN = frozenset((*PRODUCTS.required, *PRODUCTS.quantities, *PRODUCTS.optional))

_ROOT = "all products"
_YES = {"0": False, "1": True, "no": False, "yes": True, "false": False, "true": True}


def ref(sku: str) -> str:
    """The ref of the row with a SKU. SKUs in Oro are case-insensitive."""
    return skus.normalized(sku).casefold()


def links(row: Row) -> dict[str, bool]:
    """The SKUs of a configurable product's variants, each with whether it is visible."""
    found: dict[int, str] = {}
    hidden: set[int] = set()
    for column, value in row.cells.items():
        link = _LINK.fullmatch(column.lower())
        if link and link[3] and truth(value) is False:
            hidden.add(int(link[1]))
        elif link and not link[3] and value:
            found[int(link[1])] = value
    return {found[number]: number not in hidden for number in sorted(found)}


def other_units(row: Row) -> list[str]:
    """The codes of the units of a product besides the primary one."""
    return [value for column, value in row.cells.items() if value and _MORE_UNITS.fullmatch(column.lower())]


def truth(text: str) -> bool | None:
    """A text as a boolean; None if it is neither yes nor no."""
    return _YES.get(text.lower())


def inventory_status(text: str) -> InventoryStatus | None:
    """A status by id, with or without the prefix of newer versions, or by English label; None for other statuses."""
    name = text.rpartition(".")[2].upper().replace(" ", "_")
    return InventoryStatus(name) if name in InventoryStatus.__members__ else None


def path(text: str) -> tuple[str, ...]:
    """Parse a path such as "All Products / Home / Kitchen", without the root. Slashes in titles are doubled."""
    return _below_root(title.replace("//", "/") for title in text.split(" / "))


def category(row: Row) -> tuple[str, ...]:
    """The path of a row of the categories file; empty for the root."""
    above = path(row[PARENT]) if row[PARENT] else ()
    return _below_root((*above, row[TITLE]))


def _below_root(titles: Iterable[str]) -> tuple[str, ...]:
    found = tuple(title.strip() for title in titles if title.strip())
    return found[1:] if found[:1] and found[0].casefold() == _ROOT else found


def attribute_columns(cells: Mapping[str, str]) -> dict[str, str]:
    """The columns that can hold attribute values, by attribute name as normalized by ``attribute``.

    The labels of a select attribute are in a column such as "Color.Name"; a boolean has a column with its plain name.
    """
    found: dict[str, str] = {}
    for suffix in (".name", "", ".id"):
        for column in cells:
            name, dot, end = column.rpartition(".")
            matches = f"{dot}{end}".lower() == suffix if suffix else "." not in column and ":" not in column
            if matches and column not in KNOWN:
                found.setdefault(attribute(name if suffix else column), column)
    return found


def attribute(name: str) -> str:
    """Normalize an attribute name, so that the label "Attribute 1" equals the field name "attribute_1"."""
    return re.sub(r"[_\s]", "", name).casefold()
