"""Any shop that is written as Magento's product export comes over as it was."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from gqlstock.formats.records import Identity, Pairs, Product, Said, Variant
from gqlstock.rules import quantities
from gqlstock.rules.catalog import Image, InventoryStatus, Option
from gqlstock.rules.import_report import RemarkKind
from gqlstock.rules.settings import BackorderMode
from gqlstock.services.import_counts import UNKNOWN_ITEMS
from gqlstock.store import catalog, settings
from support import importing, made_up_shops
from support import shop_builders as make
from support.made_up_shops import Abilities, Shop

BASE = "https://x"
ROOT = "Default Category"
SETTINGS = {
    "manage_stock": st.booleans(),
    "out_of_stock_threshold": st.integers(-5, 5).map(Decimal),
    "backorders": st.sampled_from(BackorderMode),
    "minimum_order_quantity": st.integers(2, 5).map(Decimal),
    "maximum_order_quantity": st.integers(6, 50).map(Decimal),
    "notify_below": st.integers(0, 9).map(Decimal),
    "quantity_increment": st.integers(1, 6).map(Decimal),
    "quantity_uses_decimals": st.just(value=True),
    "allow_multiple_boxes": st.just(value=True),
}
# Magento escapes nothing in combinations and options, so that ",word=" ends a value, and no backslash that ends a category.
texts = made_up_shops.texts.filter(lambda text: not re.search(r",\s*\w+=", text) and not text.endswith("\\"))


def _sayable(product: Product) -> Product:
    """A product that the export can say.

    Commas separate the texts of pictures. Magento does not know DISCONTINUED, and an item that ran out cannot be out of stock
    by hand. Items without a level are not watched.
    """
    out = product.inventory_status is InventoryStatus.OUT_OF_STOCK and any(
        map(_can_be_sold, product.variants or [product])
    )
    return replace(
        product,
        inventory_status=InventoryStatus.OUT_OF_STOCK if out else InventoryStatus.IN_STOCK,
        images=tuple(replace(one, alt=one.alt and one.alt.replace(",", ";")) for one in product.images),
        settings=_watched(product),
        variants=tuple(replace(one, settings=_watched(one)) for one in product.variants),
    )


def _can_be_sold(one: Product | Variant) -> bool:
    if isinstance(one, Variant):
        return one.settings.get("manage_stock", True)
    takes_backorders = one.settings.get("backorders", BackorderMode.NO_BACKORDERS) is not BackorderMode.NO_BACKORDERS
    units = sum((count.on_hand for count in one.counts), Decimal(0))
    has_units = bool(one.counts) and units > one.settings.get("out_of_stock_threshold", Decimal(0))
    return bool(one.settings.get("manage_stock", True)) and (takes_backorders or has_units)


def _watched(one: Product | Variant) -> Said:
    return {name: value for name, value in one.settings.items() if one.counts or name != "notify_below"}


CAN = Abilities(
    identity=Identity.SKU,
    display_options=True,
    category_depth=3,
    variant_images=3,
    statuses=True,
    settings=SETTINGS,
    variant_settings=SETTINGS,
    texts=texts,
    adapted=_sayable,
)
COLUMNS = (
    *("sku", "store_view_code", "product_type", "categories", "product_websites", "name", "description"),
    *("product_online", "visibility", "url_key", "base_image", "base_image_label", "additional_images"),
    *("additional_image_labels", "additional_attributes", "qty", "is_in_stock", "custom_options"),
    *("configurable_variations", "configurable_variation_labels", "is_qty_decimal", "is_decimal_divided"),
    *("manage_stock", "use_config_manage_stock", "out_of_stock_qty", "use_config_min_qty"),
    *("allow_backorders", "use_config_backorders", "min_cart_qty", "use_config_min_sale_qty"),
    *("max_cart_qty", "use_config_max_sale_qty", "notify_on_stock_below", "use_config_notify_stock_qty"),
    *("qty_increments", "use_config_qty_increments", "enable_qty_increments", "use_config_enable_qty_inc"),
)
# A setting by its column, with the column beside it, and what Magento writes where the configuration is used.
OF_SETTINGS = {
    "manage_stock": ("manage_stock", "use_config_manage_stock", "0"),
    "out_of_stock_threshold": ("out_of_stock_qty", "use_config_min_qty", "0.0000"),
    "backorders": ("allow_backorders", "use_config_backorders", "0"),
    "minimum_order_quantity": ("min_cart_qty", "use_config_min_sale_qty", "1.0000"),
    "maximum_order_quantity": ("max_cart_qty", "use_config_max_sale_qty", "0.0000"),
    "notify_below": ("notify_on_stock_below", "use_config_notify_stock_qty", ""),
    "quantity_increment": ("qty_increments", "use_config_qty_increments", "0.0000"),
}
MODES = list(BackorderMode)

Cells = dict[str, Any]


def written(shop: Shop) -> list[str]:
    """The lines of an export: children of one product before it, of the next behind it; rows of a store view between."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS, restval="")
    writer.writeheader()
    for number, product in enumerate(shop):
        head, children = _head(product), list(_children(product))
        writer.writerows([head, *children] if number % 2 else [*children, head])
        writer.writerow({"sku": head["sku"], "store_view_code": "german", "product_type": "simple", "name": "Anders"})
    return out.getvalue().splitlines(keepends=True)


def _head(product: Product) -> Cells:
    own = _of_configurable(product) if product.variants else _stock(product)
    return {
        **own,
        "sku": product.sku or product.slug,
        "product_type": "configurable" if product.variants else "simple",
        "categories": _categories(product.category),
        "product_websites": "base",
        "name": product.name,
        "description": product.description,
        "product_online": 1 if product.published else 2,
        "visibility": "Catalog, Search",
        "url_key": product.slug,
        **_pictures(product.images),
        "custom_options": "|".join(_custom_option(one) for one in product.options if not one.inventory),
    }


def _of_configurable(product: Product) -> Cells:
    codes = _codes(product)
    return {
        "qty": "0.0000",
        "is_in_stock": _is_in_stock(product),
        "configurable_variations": "|".join(
            ",".join((f"sku={_sku(product, number)}", *(f"{codes[name]}={value}" for name, value in one.choice)))
            for number, one in enumerate(product.variants)
        ),
        "configurable_variation_labels": ",".join(f"{code}={name}" for name, code in codes.items()),
    }


def _codes(product: Product) -> dict[str, str]:
    return {option.name: f"option_{number}" for number, option in enumerate(product.options) if option.inventory}


def _sku(product: Product, number: int) -> str:
    """The SKU of a child; Magento has none without."""
    return product.variants[number].sku or f"{product.slug}:{number}"


def _children(product: Product) -> Iterator[Cells]:
    for number, one in enumerate(product.variants):
        yield {
            **_stock(one),
            "sku": _sku(product, number),
            "product_type": "virtual",
            "categories": _categories(product.category),
            "product_websites": "base",
            "name": "A child",
            "product_online": 1,
            "visibility": "Not Visible Individually",
            "url_key": f"child-{number}",
            **_pictures(one.images),
            "additional_attributes": ",".join((_barcode(one.barcode), *_attributes(one.choice, product))),
        }


def _attributes(choice: Pairs, product: Product) -> list[str]:
    codes = _codes(product)
    return [f"{codes[name]}={value}" for name, value in choice]


def _barcode(barcode: str | None) -> str:
    return f"ean={barcode}" if barcode else "has_options=0"


def _categories(path: Sequence[str]) -> str:
    """The path and the paths above it, as Magento has a product in all of them."""
    names = [name.replace("/", "\\/") for name in path]
    return ",".join("/".join((ROOT, *names[:depth])) for depth in range(len(names) + 1))


def _pictures(images: Sequence[Image]) -> Cells:
    first, more = images[:1], images[1:]
    return {
        "base_image": first[0].url.removeprefix(BASE) if first else "no_selection",
        "base_image_label": first[0].alt if first else "",
        "additional_images": ",".join(one.url.removeprefix(BASE) for one in more),
        "additional_image_labels": ",".join(one.alt or "" for one in more),
    }


def _custom_option(option: Option) -> str:
    said = f"name={option.name},type=drop_down,required=0,price=1.0000,price_type=fixed,sku="
    return "|".join(f"{said},option_title={value.name}" for value in option.values)


def _stock(one: Product | Variant) -> Cells:
    cells: Cells = {
        "qty": "".join(f"{count.on_hand:.4f}" for count in one.counts),
        "is_in_stock": _is_in_stock(one) if isinstance(one, Product) else 1,
        "is_qty_decimal": int("quantity_uses_decimals" in one.settings),
        "is_decimal_divided": int("allow_multiple_boxes" in one.settings),
        "enable_qty_increments": int("quantity_increment" in one.settings),
        "use_config_enable_qty_inc": int("quantity_increment" not in one.settings),
    }
    if isinstance(one, Product):
        cells["additional_attributes"] = _barcode(one.barcode)
    for setting, (column, config, unused) in OF_SETTINGS.items():
        cells |= {column: _value(one.settings[setting]) if setting in one.settings else unused}
        cells |= {config: int(setting not in one.settings)}
    return cells


def _is_in_stock(product: Product) -> int:
    return int(product.inventory_status is InventoryStatus.IN_STOCK)


def _value(value: object) -> object:
    if isinstance(value, BackorderMode):
        return MODES.index(value)
    return quantities.text(value) if isinstance(value, Decimal) else int(bool(value))


async def test_a_shop_comes_over_as_it_was(new_database: Any) -> None:
    await made_up_shops.check_round_trips(new_database, "magento-products", CAN, written, base_url=BASE)


OWN = {"use_config_notify_stock_qty": 0, "notify_on_stock_below": 3}
TEE: Cells = {
    "sku": "TEE",
    "product_type": "configurable",
    "name": "Tee",
    "configurable_variations": "sku=TEE-S,size=S|sku=TEE-M,size=M",
}
SMALL: Cells = {"sku": "TEE-S", "product_type": "simple", "name": "Tee S", "qty": 4, **OWN}
MEDIUM: Cells = {"sku": "TEE-M", "product_type": "simple", "name": "Tee M", "qty": 0}
MUG: Cells = {"sku": "MUG", "product_type": "simple", "name": "Mug", "qty": 5, **OWN}


def lines(*rows: Cells) -> list[str]:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().splitlines(keepends=True)


async def test_a_corrected_file_changes_what_was_corrected(db: None) -> None:
    await make.warehouse("BERLIN")
    done = await importing.run("magento-products", lines(SMALL, MEDIUM, TEE, MUG), warehouse="BERLIN")
    assert importing.figures(done) == {"products_made": 2, "combinations_made": 2, "counted": 3}

    again = await importing.run("magento-products", lines(SMALL, MEDIUM, TEE, MUG), warehouse="BERLIN")
    assert importing.figures(again) == {}

    corrected = lines(
        {**SMALL, "qty": 6}, {**MEDIUM, **OWN}, {**TEE, "name": "T-shirt"}, {**MUG, "use_config_notify_stock_qty": 1}
    )
    fixed = await importing.run("magento-products", corrected, warehouse="BERLIN")
    assert importing.figures(fixed) == {"products_changed": 2, "combinations_changed": 1, "counted": 1}
    found = await catalog.by_sku(["TEE", "TEE-M", "MUG"])
    own = await settings.own([found["TEE-M"].id, found["MUG"].id])
    assert found["TEE"].name == "T-shirt"
    assert [list(own[found[sku].id].values()) for sku in ("TEE-M", "MUG")] == [[{"notify_below": Decimal(3)}], [{}]]


async def test_sources_are_counted_after_their_products(db: None) -> None:
    await make.warehouse("eu-1")
    await make.website("shop")
    await importing.run("magento-products", lines(SMALL, MEDIUM, TEE, MUG))
    sources = ["source_code,sku,status,quantity\n", "eu-1,TEE-S,1,4.0000\n", "eu-2,MUG,1,7.0000\n", "eu-3,MUG,0,9\n"]

    done = await importing.run("magento-sources", sources, website="shop")
    assert importing.figures(done) == {"warehouses_made": 1, "counted": 2}
    assert importing.figures(await importing.run("magento-sources", sources, website="shop")) == {}

    sources[1] = "eu-1,TEE-S,1,5.0000\n"
    assert importing.figures(await importing.run("magento-sources", sources, website="shop")) == {"counted": 1}
    left_out = await importing.run("magento-sources", [*sources, "eu-1,GONE,1,2\n"], website="shop")
    assert importing.remarks(left_out, RemarkKind.NOT_CARRIED)[UNKNOWN_ITEMS] == "1, 2 units (GONE)"
