"""CS-Cart's product export: one row per product and language. The products of a variation group have rows of their own."""

from collections.abc import Sequence
from dataclasses import replace

from gqlstock.formats import cs_cart_cells as cells
from gqlstock.formats import cs_cart_options, records
from gqlstock.formats.cs_cart_cells import CODE, ID, LANGUAGE
from gqlstock.formats.format import Context, Option, ProductFormat
from gqlstock.formats.records import UNSET, AnyOf, Identity, Pairs, Product, Variant
from gqlstock.rules import catalog, skus
from gqlstock.rules.catalog import InventoryTracking
from gqlstock.rules.catalog import Option as ProductOption
from gqlstock.rules.import_rows import Row, Tie
from gqlstock.rules.refusals import invalid

LANGUAGES = "rows in further languages: only the first language is imported"
TEXT_OPTIONS = "options without a list of values (text and file inputs)"
DISABLED_OPTIONS = "disabled options"
DISABLED = "disabled variations"
OWN_TEXTS = "names and descriptions of variations: those of the default variation apply"
TO_COME = "products tracked by option combinations: import cs-cart-combinations next"
LONE = "variation groups with a single product and no feature column: imported as products without options"


def tie(row: Row, context: Context) -> Tie | None:
    """Link the rows of a product in all its languages, and the rows of a variation group, which form one product."""
    if not row[ID] and not row[CODE]:
        context.fault(row.line, f"{CODE} and {ID} are both missing.")
        return None
    group = group_of(row)
    return Tie(group=f"variations {group}" if group else f"product {key_of(row)}")


def group_of(row: Row) -> str:
    """The variation group of a row; empty for a standalone product."""
    return row[cells.GROUP_CODE] or row[cells.GROUP_ID]


def key_of(row: Row) -> str:
    """The key that identifies a product in all languages."""
    return row[ID] or f"code {skus.normalized(row[CODE])}"


def product(rows: Sequence[Row], context: Context) -> Product | None:
    """A product, or a variation group with its products as combinations; None if it is refused."""
    found = one_language(rows, context)
    with context.at(found[0].line):
        if group_of(found[0]):
            return _group(found, context)
        one = single(found[0], context)
        if one.tracking is InventoryTracking.TRACK_WITH_OPTIONS:
            context.to_check(one.line, TO_COME, one.sku)
        return one
    return None


def one_language(rows: Sequence[Row], context: Context) -> list[Row]:
    """The first row of each product. Reports translations, and refuses repetitions in the same language."""
    found: dict[str, Row] = {}
    for row in rows:
        first = found.setdefault(key_of(row), row)
        if first is row:
            continue
        if first[LANGUAGE] == row[LANGUAGE]:
            context.fault(
                row.line, f"The product {row[CODE] or row[ID]} already appears on {context.place(first.line)}."
            )
        else:
            context.not_carried(row.line, LANGUAGES, row[CODE])
    return list(found.values())


def single(row: Row, context: Context) -> Product:
    """A standalone product."""
    tracking = cells.tracking(row)
    by_options = tracking is InventoryTracking.TRACK_WITH_OPTIONS
    return replace(
        _common(row, context),
        sku=skus.normalized(row[CODE]) or None,
        sku_stem=skus.normalized(row[CODE]) or _made(row),
        earlier_sku=_made(row) if row[ID] and row[CODE] else None,
        published=cells.published(row, context),
        tracking=tracking,
        options=_options(row, context, tracked=by_options),
        settings=cells.settings(row, context),
        # The quantity of a product tracked by options is the sum of its combinations.
        counts=() if by_options else cells.counts(row),
    )


def _made(row: Row) -> str:
    """The SKU generated for a product without a code."""
    return f"CS-CART-{row[ID]}"


def _common(row: Row, context: Context) -> Product:
    if row[cells.EXCEPTIONS].upper() == "A":
        context.not_carried(row.line, cells.EXCEPTIONS_OF, row[CODE])
    return Product(
        line=row.line,
        identity=Identity.SKU,
        sku_stem="",
        slug=catalog.slug_from(row[cells.SEO_NAME]) or None,
        name=cells.plain(cells.repaired(row, cells.NAME, context)) or None,
        description=cells.repaired(row, cells.DESCRIPTION, context) or None,
        category=cells.category(row, context),
        images=cells.images(row, context),
    )


def _options(row: Row, context: Context, *, tracked: bool) -> tuple[ProductOption, ...]:
    found = cs_cart_options.described(cells.repaired(row, cells.OPTIONS, context))
    for one in found:
        if one.disabled:
            context.not_carried(row.line, DISABLED_OPTIONS, row[CODE])
        elif not (one.selected and one.values):
            context.not_carried(row.line, TEXT_OPTIONS, row[CODE])
    return tuple(
        replace(
            option,
            name=cells.plain(option.name),
            values=tuple(replace(value, name=cells.plain(value.name)) for value in option.values),
        )
        for option in cs_cart_options.options_of(found, tracked=tracked)
    )


def _group(rows: Sequence[Row], context: Context) -> Product | None:
    """The products of a variation group as one product, with the texts of the default variation."""
    default = next((row for row in rows if row[cells.IS_DEFAULT].upper() == "Y"), rows[0])
    choices = _choices(rows)
    if choices is None:
        context.to_check(rows[0].line, LONE, rows[0][CODE])
        return single(rows[0], context)
    on_sale = [row for row in rows if cells.published(row, context) is not False]
    variants = []
    for row in rows:
        if on_sale and row not in on_sale:
            context.not_carried(row.line, DISABLED, row[CODE])
            continue
        with context.at(row.line):
            if row[cells.NAME] not in ("", default[cells.NAME]):
                context.not_carried(row.line, OWN_TEXTS, row[CODE])
            variants.append(_variant(row, choices[row.line], context))
    said = any(row[cells.STATUS] for row in rows)
    options = records.options_of(variants)
    others = (option for option in _options(default, context, tracked=False))
    return replace(
        _common(default, context),
        line=rows[0].line,
        sku_stem=group_of(default) if default[cells.GROUP_CODE] else f"CS-CART-GROUP-{group_of(default)}",
        published=bool(on_sale) if said else None,
        tracking=InventoryTracking.TRACK_WITH_OPTIONS,
        options=(*options, *(replace(option, inventory=False) for option in others)),
        variants=tuple(variants),
    )


def _variant(row: Row, choice: Pairs, context: Context) -> Variant:
    settings = cells.settings(row, context)
    tracking = cells.tracking(row)
    if tracking is not None:
        is_counted = tracking is not InventoryTracking.DO_NOT_TRACK
        settings["manage_stock"] = AnyOf(UNSET, (True,)) if is_counted else False
    sku = skus.normalized(row[CODE]) or None
    return Variant(
        row.line, choice, sku, images=cells.images(row, context), settings=settings, counts=cells.counts(row)
    )


def _choices(rows: Sequence[Row]) -> dict[int, Pairs] | None:
    """The choice of each row of a group, by line: the values of the features that distinguish its variations.

    Without feature columns, these are the features that differ between rows; None for a single row, where none can.
    """
    named = {row.line: cells.variation_features(row) for row in rows}
    if not any(named.values()):
        every = {row.line: _features(row) for row in rows}
        if len(rows) == 1:
            return None
        common = [name for name in every[rows[0].line] if all(name in found for found in every.values())]
        differing = [name for name in common if len({found[name] for found in every.values()}) > 1]
        named = {line: {name: found[name] for name in differing} for line, found in every.items()}
    names = list(dict.fromkeys(name for found in named.values() for name in found))
    for row in rows:
        missing = [name for name in names if name not in named[row.line]]
        if missing or not names:
            what = f"{missing[0]} (Variation feature)" if missing else f"{cells.FEATURES} that differ"
            raise invalid(f"{row[CODE] or row[ID]} is in the variation group {group_of(row)} but has no {what}.")
    return {line: tuple((name, found[name]) for name in names) for line, found in named.items()}


def _features(row: Row) -> dict[str, str]:
    found = cs_cart_options.described(row[cells.FEATURES])
    return {cells.plain(one.name): cells.plain(one.values[0]) for one in found if one.values}


FORMAT = ProductFormat(
    help="Products, variations, options and quantities from CS-Cart's product export.",
    columns=(cells.PRODUCTS,),
    tie=tie,
    product=product,
    options=frozenset({Option.WAREHOUSE, Option.WEBSITE}),
    makes_warehouses=True,
)
