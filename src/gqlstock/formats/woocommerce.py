"""WooCommerce's product export: one row for each product and each variation, in any order."""

import re
from collections.abc import Sequence

from gqlstock.formats import woocommerce_cells as cells
from gqlstock.formats.csv_dialect import Columns
from gqlstock.formats.format import Context, Option, ProductFormat
from gqlstock.formats.records import Identity, Product
from gqlstock.formats.woocommerce_cells import BARCODE, LOW_STOCK
from gqlstock.formats.woocommerce_variations import ATTRIBUTES, Variable
from gqlstock.rules import skus
from gqlstock.rules.import_rows import Row, Tie
from gqlstock.rules.refusals import invalid, shown

_COLUMNS = Columns(
    # Users choose the columns to export. A row cannot be interpreted without these two.
    required=("Type", "Name"),
    quantities=("Stock", LOW_STOCK),
    optional=(
        *("ID", "SKU", BARCODE, "Published", "Visibility in catalog", "Description", "Parent", "Categories", "Images"),
        *("In stock?", "Backorders allowed?", "Sold individually?"),
    ),
    families=re.compile(r"attribute \d+ (name|value\(s\)|visible|global)"),
)
_ID = re.compile(r"id:\s*(\d+)", re.IGNORECASE)
_SHOWN = ("", "visible")

GROUPED = "grouped products: their members are imported as single products"
EXTERNAL = "external products, which another shop sells"
OTHER_TYPES = "products of types added by plug-ins"
MARKS = "virtual and downloadable flags: these products are counted and sold like all others"
HIDDEN = "products hidden in the old shop's catalog or search: published here"
MORE_CATEGORIES = "further categories of products: only the deepest is imported"
_LEFT_OUT = {"simple": None, "variable": None, "grouped": GROUPED, "external": EXTERNAL}


def tie(row: Row, context: Context) -> Tie | None:
    """Link variations to their parent, which they name by SKU or ID."""
    if _is_variation(row):
        if not row["Parent"]:
            context.fault(row.line, "The Parent is missing; a variation names its product by SKU, or as id:20.")
            return None
        by_id = _ID.fullmatch(row["Parent"])
        return Tie(group=f"id:{int(by_id[1])}" if by_id else _sku_ref(row["Parent"]))
    ids = (f"id:{int(row['ID'])}",) if row["ID"].isdecimal() else ()
    names = (_sku_ref(row["SKU"]),) if row["SKU"] else ()
    # Grouping rows with the same ID lets ``product`` refuse them.
    return Tie(refs=(*ids, *names), group=ids[0] if ids else None)


def _is_variation(row: Row) -> bool:
    # Plug-ins add variation types such as subscription_variation.
    return cells.types(row)[0].endswith("variation")


def _sku_ref(sku: str) -> str:
    return f"sku:{skus.normalized(sku).casefold()}"


def product(rows: Sequence[Row], context: Context) -> Product | None:
    """The product of its own row and those of its variations; None if it is refused or left out."""
    heads = [row for row in rows if not _is_variation(row)]
    variations = [row for row in rows if _is_variation(row)]
    if not heads:
        for row in variations:
            context.fault(row.line, f"The Parent {shown(row['Parent'])!r} is not in the file.")
        return None
    head, *others = heads
    for row in others:
        context.fault(row.line, f"The ID {shown(row['ID'])} already appears on {context.place(head.line)}.")
    kind, marks = cells.types(head)
    reason = _LEFT_OUT.get(kind, OTHER_TYPES)
    if reason is not None:
        for row in rows:
            context.not_carried(row.line, reason, cells.label(row))
        return None
    if marks:
        context.not_carried(head.line, MARKS, cells.label(head))
    with context.at(head.line):
        found = _head(head, context)
        if kind == "variable":
            return Variable(head, found, context).with_variations(variations)
        return _simple(head, found, variations, context)
    return None


def _simple(head: Row, found: Product, variations: Sequence[Row], context: Context) -> Product:
    for row in variations:
        context.fault(
            row.line, f"The Parent on {context.place(head.line)} is simple; only variable products have variations."
        )
    if cells.attributes(head):
        context.not_carried(head.line, ATTRIBUTES, cells.label(head))
    return cells.without_options(found, head, context)


def _head(row: Row, context: Context) -> Product:
    """The product of its own row, without its stock."""
    sku, made = skus.normalized(row["SKU"]) or None, _made_sku(row, context)
    if sku is None and made is None:
        raise invalid("SKU and ID are both missing; one of them is required to identify the product.")
    if row["Visibility in catalog"].lower() not in _SHOWN:
        context.to_check(row.line, HIDDEN, cells.label(row))
    return Product(
        line=row.line,
        identity=Identity.SKU,
        sku_stem=sku or made or "",
        sku=sku,
        earlier_sku=made,
        name=row["Name"] or None,
        description=cells.description(row),
        barcode=row[BARCODE] or None,
        category=_category(row, context),
        published=cells.published(row),
        images=cells.images(row, context),
        settings=cells.maximum(row) | cells.threshold(row),
    )


def _made_sku(row: Row, context: Context) -> str | None:
    """The SKU generated from the ID; None if it is unavailable. Names are no basis: they repeat and change."""
    if not row["ID"]:
        return None
    if not row["ID"].isdecimal():
        raise invalid(f"The ID is {shown(row['ID'])!r}; expected a number.")
    made = f"WC-{int(row['ID'])}"
    if not context.has_ref(_sku_ref(made)):
        return made
    if not row["SKU"]:
        raise invalid(
            f"The SKU generated from the ID would be {made}, but another row has it. Give this product a SKU."
        )
    return None


def _category(row: Row, context: Context) -> tuple[str, ...]:
    paths = cells.paths(row)
    deepest = max(paths, key=len, default=())
    if any(path != deepest[: len(path)] for path in paths):
        context.not_carried(row.line, MORE_CATEGORIES, cells.label(row))
    return deepest


FORMAT = ProductFormat(
    help="Products, variations and quantities from WooCommerce's product export.",
    columns=(_COLUMNS,),
    tie=tie,
    product=product,
    options=frozenset({Option.WAREHOUSE, Option.BASE_URL}),
)
