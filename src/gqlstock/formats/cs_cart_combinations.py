"""CS-Cart's export of product combinations, from versions before variations: units of each combination of options.

Its rows identify a product only by id and escape nothing. The products file must be imported together with it.
"""

from collections.abc import Sequence
from dataclasses import replace

from gqlstock.formats import cs_cart, cs_cart_options, csv_dialect, records
from gqlstock.formats import cs_cart_cells as cells
from gqlstock.formats.cs_cart_cells import CODE, ID, LANGUAGE, PRODUCTS
from gqlstock.formats.csv_dialect import Columns
from gqlstock.formats.format import Context, Option, ProductFormat
from gqlstock.formats.records import Counted, Product, Variant
from gqlstock.rules import skus
from gqlstock.rules.catalog import InventoryTracking
from gqlstock.rules.catalog import Option as ProductOption
from gqlstock.rules.import_rows import Row, Tie
from gqlstock.rules.refusals import shown

_COMBINATION, _CODE, _AMOUNT = "Combination", "Combination code", "Amount"
_COLUMNS = Columns(
    (ID, _COMBINATION, _AMOUNT),
    quantities=(_AMOUNT,),
    optional=(_CODE, LANGUAGE, cells.NAME, cells.PICTURE, "Thumbnail"),
)

OWN_PICTURES = "images of combinations, for which the file has only a path"
CODES_OF_PRODUCTS = "combination codes that equal the product's code"


def tie(row: Row, context: Context) -> Tie | None:
    """Link the rows of a product and of its combinations by product id."""
    if _COMBINATION not in row.cells:
        return cs_cart.tie(row, context)
    if not row[ID]:
        context.fault(row.line, f"{ID} is missing.")
        return None
    return Tie(group=f"product {row[ID]}")


def product(rows: Sequence[Row], context: Context) -> Product | None:
    """A product with its combinations; None for a product without combinations, which ``cs-cart`` imports."""
    found = [row for row in rows if _COMBINATION in row.cells]
    if not found:
        return None
    of = [row for row in rows if _COMBINATION not in row.cells]
    if not of:
        context.fault(
            found[0].line,
            f"{ID} {shown(found[0][ID])} is not in any products file. Also pass the product export, with this column.",
        )
        return None
    row = cs_cart.one_language(of, context)[0]
    with context.at(row.line):
        one = cs_cart.single(row, context)
        options = one.options
        variants = []
        for line in _one_language(found, row, context):
            with context.at(line.line):
                variants.append(_variant(line, one, context))
        if not any(option.inventory for option in options):
            options = (*records.options_of(variants), *options)
        tracking = one.tracking or InventoryTracking.TRACK_WITH_OPTIONS
        return replace(one, tracking=tracking, options=options, counts=(), variants=tuple(variants))
    return None


def _one_language(rows: Sequence[Row], of: Row, context: Context) -> list[Row]:
    """The rows in the language of the product's row, or else in the first row's language. Reports the others."""
    languages = {row[LANGUAGE] for row in rows}
    language = of[LANGUAGE] if of[LANGUAGE] in languages else rows[0][LANGUAGE]
    for row in rows:
        if row[LANGUAGE] != language:
            context.not_carried(row.line, cs_cart.LANGUAGES, of[CODE])
    return [row for row in rows if row[LANGUAGE] == language]


def _variant(row: Row, of: Product, context: Context) -> Variant:
    text = cells.plain(cells.repaired(row, _COMBINATION, context))
    code: str | None = skus.normalized(row[_CODE]) or None
    if code is not None and code == of.sku:
        context.not_carried(row.line, CODES_OF_PRODUCTS, code)
        code = None
    if row[cells.PICTURE] or row["Thumbnail"]:
        context.not_carried(row.line, OWN_PICTURES, code or of.sku)
    counts = (Counted(row.line, csv_dialect.quantity(row, _AMOUNT)),) if row[_AMOUNT] else ()
    return Variant(row.line, _choice(text, of.options), code, code, counts=counts)


def _choice(text: str, options: Sequence[ProductOption]) -> records.Pairs:
    if any(option.inventory for option in options):
        return cs_cart_options.choice_of(text, options)
    return cs_cart_options.pairs_of(text)


FORMAT = ProductFormat(
    help="Combinations of options and their quantities from CS-Cart, with its products file.",
    columns=(PRODUCTS, _COLUMNS),
    tie=tie,
    product=product,
    options=frozenset({Option.WAREHOUSE, Option.WEBSITE}),
    makes_warehouses=True,
)
