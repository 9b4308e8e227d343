"""Any shop that is written as Shopify's product export comes over as it was."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import strategies as st

from gqlstock.formats.records import Product, Variant
from gqlstock.rules import quantities
from gqlstock.rules.settings import BackorderMode
from support import made_up_shops
from support.made_up_shops import Abilities, Shop

OPTIONS = [f"Option{number} {part}" for number in (1, 2, 3) for part in ("Name", "Value")]
COLUMNS = [
    *("Handle", "Title", "Body (HTML)", "Type", "Published", *OPTIONS, "Variant SKU", "Variant Inventory Tracker"),
    *("Variant Inventory Qty", "Variant Inventory Policy", "Variant Barcode"),
    *("Image Src", "Image Position", "Image Alt Text", "Variant Image"),
]
PRESENT = {
    "Handle": "URL handle",
    "Body (HTML)": "Description",
    "Published": "Published on online store",
    "Variant SKU": "SKU",
    "Variant Inventory Tracker": "Inventory tracker",
    "Variant Inventory Qty": "Inventory quantity",
    "Variant Inventory Policy": "Continue selling when out of stock",
    "Variant Barcode": "Barcode",
    "Image Src": "Product image URL",
    "Image Position": "Image position",
    "Image Alt Text": "Image alt text",
    "Variant Image": "Variant image URL",
}
SETTINGS = {"manage_stock": st.just(value=False), "backorders": st.just(BackorderMode.ALLOW)}
CAN = Abilities(settings=SETTINGS, variant_settings=SETTINGS)


def written(shop: Shop, names: Sequence[str] = COLUMNS) -> list[str]:
    """The lines of an export; rows of different products stand between each other."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(names)
    rows = [list(_rows(product)) for product in shop]
    for number in range(max(map(len, rows))):
        writer.writerows([row.get(column, "") for column in COLUMNS] for of in rows for row in of[number : number + 1])
    return out.getvalue().splitlines(keepends=True)


def in_present_columns(shop: Shop) -> list[str]:
    return written(shop, [PRESENT.get(name, name) for name in COLUMNS])


def _rows(product: Product) -> Iterator[dict[str, Any]]:
    # Settings of a product with combinations are none that Shopify knows.
    rows = [_variant(one) for one in product.variants] or [
        {"Option1 Name": "Title", "Option1 Value": "Default Title", **_variant(product)}
    ]
    for position, image in enumerate(product.images, 1):
        if position > len(rows):
            rows.append({})
        rows[position - 1] |= {"Image Src": image.url, "Image Position": position, "Image Alt Text": image.alt or ""}
    rows[0] |= {
        "Title": product.name,
        "Body (HTML)": product.description or "",
        "Type": "".join(product.category),
        "Published": str(product.published).lower(),
    }
    return ({"Handle": product.slug, **row} for row in rows)


def _variant(one: Variant | Product) -> dict[str, Any]:
    choice = one.choice if isinstance(one, Variant) else ()
    cells: dict[str, Any] = {}
    for number, (name, value) in enumerate(choice, 1):
        cells |= {f"Option{number} Name": name, f"Option{number} Value": value}
    return {
        **cells,
        "Variant SKU": one.sku or "",
        "Variant Inventory Tracker": "" if "manage_stock" in one.settings else "shopify",
        "Variant Inventory Qty": "".join(quantities.text(count.on_hand) for count in one.counts),
        "Variant Inventory Policy": "continue" if "backorders" in one.settings else "deny",
        "Variant Barcode": one.barcode or "",
        "Variant Image": "".join(image.url for image in one.images) if isinstance(one, Variant) else "",
    }


async def test_a_shop_comes_over_as_it_was(new_database: Any) -> None:
    await made_up_shops.check_round_trips(new_database, "shopify-products", CAN, written)


async def test_a_shop_in_the_columns_of_today_comes_over_as_it_was(new_database: Any) -> None:
    await made_up_shops.check_round_trips(new_database, "shopify-products", CAN, in_present_columns, examples=10)
