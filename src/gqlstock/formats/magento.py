"""Magento's product export: simple products, and configurable products with their children."""

from collections.abc import Sequence
from dataclasses import replace

from gqlstock.formats import magento_cells, magento_stock, records
from gqlstock.formats.csv_dialect import Columns
from gqlstock.formats.format import Context, Option, ProductFormat
from gqlstock.formats.magento_cells import Variation, Variations
from gqlstock.formats.records import Identity, Product, Variant
from gqlstock.rules import catalog, skus
from gqlstock.rules.catalog import Image, InventoryStatus, InventoryTracking, OptionValue
from gqlstock.rules.import_rows import Row, Tie
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import invalid, shown

# Column names of older versions, in lower case.
_OLD = {
    "_store": "store_view_code",
    "_product_websites": "product_websites",
    "status": "product_online",
    "image": "base_image",
    "image_label": "base_image_label",
    "min_qty": magento_stock.THRESHOLD,
    "backorders": magento_stock.BACKORDERS,
    "min_sale_qty": magento_stock.MINIMUM,
    "max_sale_qty": magento_stock.MAXIMUM,
    "notify_stock_qty": magento_stock.NOTIFY,
    "use_config_enable_qty_increments": magento_stock.CONFIG[magento_stock.ENABLE_INCREMENT],
}
_BARCODES = ("ean", "gtin", "upc", "barcode")
_OPTIONAL = (
    *("store_view_code", "categories", "product_websites", "name", "description", "short_description", "url_key"),
    *("product_online", "visibility", "base_image", "base_image_label", "additional_images", "additional_image_labels"),
    *("additional_attributes", "custom_options", "configurable_variations", "configurable_variation_labels"),
    *_BARCODES,
    *magento_stock.COLUMNS,
)
_COLUMNS = Columns(("sku", "product_type"), _OLD, magento_stock.QUANTITIES, _OPTIONAL, backslash_quotes=True)

_CONFIGURABLE = "configurable"
_SINGLE = ("simple", "virtual", "downloadable")
_WITH_LIST = ("drop_down", "radio", "checkbox", "multiple")
_NOT_VISIBLE = ("not visible individually", "1")
_PARTLY_VISIBLE = ("catalog", "search", "2", "3")
_WEBSITE, _ROOT, _SAID = "website", "root", "said"
_MAX_REMEMBERED = 1_000

QUANTITIES = (
    "Magento deducts units when they ship, and open orders are not imported: export when all orders are shipped, or "
    "import salable quantities; otherwise ordered units can be sold twice"
)
STORE_VIEW = "rows of the store view"
CONTINUED = "rows without a sku, with which older versions continue the row above (more images, prices, links)"
GROUPED = "grouped products and bundles: their members are imported as single products"
OTHER_TYPES = "products of unknown types (gift cards, extensions)"
NO_VARIATIONS = "configurables without configurable_variations: they have no combinations yet"
OTHER_PARENT = "combinations that already belong to another configurable of the file"
ABSENT = "combinations without a row of their own in the file: created without stock and settings"
OFFLINE = "combinations that are offline, with their units"
SOLD_ALONE = "individual visibility of combinations that Magento also sells on their own"
PARENT_SETTINGS = "stock settings of configurables, which Magento does not apply to their combinations"
HIDDEN = "products that are not visible individually in Magento: published here"
PARTLY_VISIBLE = "visibility in only the catalog or only the search: visible everywhere here"
NOT_ON_ALL_WEBSITES = (
    "website restrictions: products on only some of the file's websites are published on all websites here"
)
MORE_CATEGORIES = "further categories of products: only the deepest is imported, or the first of equals"
SHORT_DESCRIPTIONS = "short descriptions of products that also have a description"
FILLED_IN = "custom options that shoppers fill in (field, area, date, file)"
SAME_NAME = "custom options with the same name as an option that defines combinations"
PICTURES = "images for which the file has only a path: set --base-url https://SHOP/media/catalog/product"
PICTURE_TEXTS = "image labels that do not match the images in number"


def tie(row: Row, context: Context) -> Tie | None:
    """Link a configurable with its children, whose rows may come before it, after it or be missing."""
    with context.at(row.line):
        if row["store_view_code"]:
            context.not_carried(row.line, f"{STORE_VIEW} {shown(row['store_view_code'])}: texts and values", row["sku"])
            return None
        if not row["sku"] and not row["product_type"]:
            context.not_carried(row.line, CONTINUED)
            return None
        if not row["sku"]:
            raise invalid("The sku is missing.")
        kind = row["product_type"].lower()
        if kind not in (_CONFIGURABLE, *_SINGLE):
            context.not_carried(row.line, GROUPED if kind in ("grouped", "bundle") else OTHER_TYPES, row["sku"])
            return None
        _remember(row, context)
        given = _variations(row) if kind == _CONFIGURABLE else Variations({}, ())
        context.used_columns.update(given.labels)
        return Tie(refs=(_ref(row["sku"]),), members=tuple(_ref(child.sku) for child in given.children))
    return None


def product(rows: Sequence[Row], context: Context) -> Product | None:
    """The product of its own row and those of its children; None if it is refused."""
    head = next((row for row in rows if _is_configurable(row)), rows[0])
    with context.at(head.line):
        found = _product(head, context)
        if not _is_configurable(head):
            return _single(found, head, context)
        return _configurable(found, head, [row for row in rows if row is not head], context)
    return None


def say_once(reason: str, context: Context) -> None:
    """Report something to check that concerns the whole file, once."""
    if (_SAID, reason) not in context.kept:
        context.kept[_SAID, reason] = ()
        context.to_check(None, reason)


def _remember(row: Row, context: Context) -> None:
    """Collect websites and category roots, which are known only after the whole file was read."""
    if magento_stock.QTY in row.cells:
        say_once(QUANTITIES, context)
    found = [(_WEBSITE, website) for website in magento_cells.listed(row["product_websites"])]
    found += [(_ROOT, root)] if (root := magento_cells.root(row["categories"])) else []
    if len(context.kept) < _MAX_REMEMBERED:
        context.kept.update(dict.fromkeys(found, ()))


def _remembered(what: str, context: Context) -> set[str]:
    return {name for kind, name in context.kept if kind == what}


def _is_configurable(row: Row) -> bool:
    return row["product_type"].lower() == _CONFIGURABLE


def _ref(sku: str) -> str:
    """The ref of the row with a SKU. SKUs in Magento are case-insensitive."""
    return skus.normalized(sku).casefold()


def _variations(row: Row) -> Variations:
    text = row["configurable_variations"]
    return magento_cells.variations(text, row["configurable_variation_labels"]) if text else Variations({}, ())


def _product(row: Row, context: Context) -> Product:
    """The parts that products with and without combinations have in common."""
    sku = row["sku"]
    description, short = row["description"], row["short_description"]
    if description and short and short != description:
        context.not_carried(row.line, SHORT_DESCRIPTIONS, sku)
    if row["visibility"].lower() in _PARTLY_VISIBLE:
        context.not_carried(row.line, PARTLY_VISIBLE, sku)
    elif row["visibility"].lower() in _NOT_VISIBLE:
        context.to_check(row.line, HIDDEN, sku)
    websites = magento_cells.listed(row["product_websites"])
    if websites and not _remembered(_WEBSITE, context) <= set(websites):
        context.not_carried(row.line, NOT_ON_ALL_WEBSITES, sku)
    return Product(
        line=row.line,
        identity=Identity.SKU,
        sku_stem=sku,
        sku=sku,
        slug=catalog.slug_from(row["url_key"]) or None,
        name=row["name"] or None,
        description=description or short or None,
        category=_category(row, context),
        published=_is_online(row),
        images=_images(row, context),
    )


def _single(found: Product, row: Row, context: Context) -> Product:
    return replace(
        found,
        barcode=_barcode(row),
        inventory_status=magento_stock.status(row),
        options=_custom_options(row, (), context),
        tracking=InventoryTracking.TRACK_WITHOUT_OPTIONS,
        settings=magento_stock.settings(row, row["sku"], context),
        counts=magento_stock.counts(row),
    )


def _configurable(found: Product, row: Row, children: Sequence[Row], context: Context) -> Product | None:
    given = _variations(row)
    if not given.children:
        context.to_check(row.line, NO_VARIATIONS, row["sku"])
    if magento_stock.has_own_settings(row):
        context.not_carried(row.line, PARENT_SETTINGS, row["sku"])
    by_ref = _by_ref(children, given, row, context)
    variants = []
    for child in given.children:
        of_child = by_ref.get(_ref(child.sku))
        variant = _variant(child, given.labels, row, of_child, context)
        if variant is not None:
            variants.append(variant)
    options = records.options_of(variants)
    return replace(
        found,
        inventory_status=_status(row, children),
        options=(*options, *_custom_options(row, [option.name for option in options], context)),
        tracking=InventoryTracking.TRACK_WITH_OPTIONS,
        variants=tuple(variants),
    )


def _by_ref(children: Sequence[Row], given: Variations, row: Row, context: Context) -> dict[str, Row]:
    """The rows of children by ref. Repeated SKUs are faults."""
    found: dict[str, Row] = {}
    for child in children:
        before = found.setdefault(_ref(child["sku"]), child)
        if before is not child:
            context.fault(child.line, f"The SKU {shown(child['sku'])} already appears on {context.place(before.line)}.")
        if _is_configurable(child):
            context.fault(row.line, f"configurable_variations names {shown(child['sku'])}, which is a configurable.")
    named: set[str] = set()
    for one in given.children:
        if _ref(one.sku) in named:
            context.fault(row.line, f"configurable_variations names {shown(one.sku)} twice.")
        named.add(_ref(one.sku))
    return found


def _variant(
    given: Variation, labels: dict[str, str], parent: Row, row: Row | None, context: Context
) -> Variant | None:
    """The combination of a child; None if it is left out."""
    if row is None:
        if context.has_ref(_ref(given.sku)):
            context.not_carried(parent.line, OTHER_PARENT, given.sku)
            return None
        context.to_check(parent.line, ABSENT, given.sku)
        return Variant(parent.line, _choice(given, labels, {}), given.sku)
    sku = row["sku"]
    with context.at(row.line):
        counts = magento_stock.counts(row)
        if _is_online(row) is False:
            context.not_carried(row.line, OFFLINE, sku, sum((count.on_hand for count in counts), ZERO))
            return None
        if row["visibility"] and row["visibility"].lower() not in _NOT_VISIBLE:
            context.not_carried(row.line, SOLD_ALONE, sku)
        magento_stock.report_status_of_child(row, sku, context)
        own = row.cells | magento_cells.attributes(row["additional_attributes"])
        return Variant(
            line=row.line,
            choice=_choice(given, labels, own),
            sku=sku,
            barcode=_barcode(row),
            images=_images(row, context),
            settings=magento_stock.settings(row, sku, context),
            counts=counts,
        )
    return None


def _choice(given: Variation, labels: dict[str, str], own: dict[str, str]) -> records.Pairs:
    """The choice of a child: values from its configurable, else from its own row."""
    values = {code: given.values.get(code) or own.get(code, "") for code in labels}
    missing = [code for code, value in values.items() if not value]
    if missing:
        raise invalid(f"configurable_variations has no {shown(missing[0])} for {shown(given.sku)}.")
    return tuple((labels[code], value) for code, value in values.items())


def _status(row: Row, children: Sequence[Row]) -> InventoryStatus | None:
    """The status of a configurable; OUT_OF_STOCK only if a child could be sold. Otherwise Magento may have set it itself."""
    in_stock = magento_stock.flag(row, magento_stock.IN_STOCK)
    if in_stock is None:
        return None
    if in_stock:
        return InventoryStatus.IN_STOCK
    could_sell = any(magento_stock.status(child) is InventoryStatus.IN_STOCK for child in children)
    return InventoryStatus.OUT_OF_STOCK if could_sell else None


def _is_online(row: Row) -> bool | None:
    """Whether a product is online: 1 is online; 2 and, in older versions, 0 are not. None if the file does not say."""
    if row["product_online"] == "2":
        return False
    return magento_stock.flag(row, "product_online")


def _category(row: Row, context: Context) -> tuple[str, ...]:
    """The deepest category; the first on a tie."""
    paths = magento_cells.category_paths(row["categories"], _remembered(_ROOT, context))
    chosen = max(paths, key=len, default=())
    for path in paths:
        if path != chosen[: len(path)]:
            context.not_carried(row.line, MORE_CATEGORIES, row["sku"])
    return chosen


def _barcode(row: Row) -> str | None:
    found = magento_cells.attributes(row["additional_attributes"])
    return next((value for name in _BARCODES if (value := row[name] or found.get(name))), None)


def _custom_options(row: Row, taken: Sequence[str], context: Context) -> tuple[catalog.Option, ...]:
    options: list[catalog.Option] = []
    for one in magento_cells.custom_options(row["custom_options"]) if row["custom_options"] else ():
        if one.kind not in _WITH_LIST or not one.values:
            context.not_carried(row.line, FILLED_IN, row["sku"])
        elif one.name in (*taken, *(option.name for option in options)):
            context.not_carried(row.line, SAME_NAME, row["sku"])
        else:
            options.append(catalog.Option(one.name, tuple(map(OptionValue, one.values)), inventory=False))
    return tuple(options)


def _images(row: Row, context: Context) -> tuple[Image, ...]:
    """The base image, then the others, without duplicates."""
    more, labels = magento_cells.listed(row["additional_images"]), row["additional_image_labels"]
    texts: list[str] = labels.split(",") if labels else []
    if texts and len(texts) != len(more):
        context.not_carried(row.line, PICTURE_TEXTS, row["sku"])
        texts = []
    paths = [(row["base_image"], row["base_image_label"]), *zip(more, texts or [""] * len(more), strict=True)]
    found: dict[str, Image] = {}
    for path, text in paths:
        if not path or path == "no_selection":
            continue
        url = context.url(path)
        if url is None:
            context.not_carried(row.line, PICTURES, row["sku"])
        else:
            found.setdefault(url, Image(url, text.strip() or None))
    return tuple(found.values())


FORMAT = ProductFormat(
    help="Products, combinations, settings and quantities from the product export of Magento and Adobe Commerce.",
    columns=(_COLUMNS,),
    tie=tie,
    product=product,
    options=frozenset({Option.WAREHOUSE, Option.BASE_URL, Option.MANAGE_STOCK}),
)
