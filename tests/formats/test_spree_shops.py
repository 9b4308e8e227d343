"""Any shop that is written as Spree's product export comes over as it was."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from gqlstock.formats.records import Product, Variant
from gqlstock.rules import quantities
from gqlstock.rules.catalog import Image, InventoryStatus
from gqlstock.rules.settings import BackorderMode
from support import made_up_shops
from support.made_up_shops import Abilities, Shop

OPTIONS = [f"option{number}_{part}" for number in (1, 2, 3) for part in ("name", "value")]
COLUMNS = [
    *("slug", "sku", "name", "status", "description", "barcode", "price", "currency", "available_on", "discontinue_on"),
    *("track_inventory", "inventory_count", "inventory_backorderable", "image1_src", "image2_src", "image3_src"),
    *(*OPTIONS, "category1", "category2", "category3"),
]
WITH_LOCATIONS = [*COLUMNS, "stock_location"]
FORMAT_OF_DATES = "%Y-%m-%d %H:%M:%S"
PAST = "2001-01-01 00:00:00"

OF_ITEMS = {"manage_stock": st.just(value=False), "backorders": st.just(BackorderMode.ALLOW)}
_days = st.datetimes(datetime(2900, 1, 1), datetime(2999, 1, 1)).map(lambda day: day.replace(microsecond=0, tzinfo=UTC))


def adapted(product: Product) -> Product:
    """Three pictures are exported, without texts; a day to come makes a product upcoming, and no other does."""
    said = dict(product.settings)
    if product.variants:
        said = {name: value for name, value in said.items() if name not in OF_ITEMS}
    if "availability_date" in said:
        said["upcoming"] = True
    is_gone = product.inventory_status is InventoryStatus.DISCONTINUED
    return replace(
        product,
        images=tuple(Image(image.url) for image in product.images[:3]),
        inventory_status=InventoryStatus.DISCONTINUED if is_gone else InventoryStatus.IN_STOCK,
        settings=said,
    )


def in_locations(product: Product) -> Product:
    """Units of combinations stand in other locations by their SKUs."""
    product = adapted(product)
    variants = tuple(one if one.sku else replace(one, counts=()) for one in product.variants)
    return replace(product, variants=variants)


CAN = Abilities(
    category_depth=3,
    variant_images=3,
    statuses=True,
    settings={**OF_ITEMS, "availability_date": _days},
    parent_settings=True,
    variant_settings=OF_ITEMS,
    adapted=adapted,
)


def written(shop: Shop, columns: Sequence[str] = COLUMNS) -> list[str]:
    """The lines of an export: rows of different products stand between each other, and end with their last value."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(columns)
    rows = [list(_rows(product)) for product in shop]
    for number in range(max(map(len, rows))):
        for row in (row for of in rows for row in of[number : number + 1]):
            last = max(place for place, name in enumerate(columns) if row.get(name)) + 1
            writer.writerow([row.get(name, "") for name in columns[:last]])
    return out.getvalue().splitlines(keepends=True)


def with_locations(shop: Shop) -> list[str]:
    return written(shop, WITH_LOCATIONS)


def _rows(product: Product) -> Iterator[dict[str, str]]:
    day = product.settings.get("availability_date")
    gone = {"discontinue_on": PAST} if product.inventory_status is InventoryStatus.DISCONTINUED else {}
    yield {
        **(_item(product) if not product.variants else {"slug": product.slug or "", "inventory_count": "100"}),
        **gone,
        "name": product.name or "",
        "status": "active" if product.published else "draft",
        "description": product.description or "",
        "available_on": day.strftime(FORMAT_OF_DATES) if day else PAST,
        "category1": " -> ".join(product.category),
        **_images(product),
    }
    for one in product.variants:
        options = {}
        for number, (name, value) in enumerate(one.choice, 1):
            options |= {f"option{number}_name": name, f"option{number}_value": value}
        yield {**_item(one), **gone, **options, **_images(one), "slug": product.slug or ""}
    for item in product.variants or [product]:
        yield {"slug": product.slug or "", "sku": item.sku or "", "price": "9.99", "currency": "EUR"}
        for count in item.counts:
            if count.warehouse is not None:
                units = {"inventory_count": quantities.text(count.on_hand), "stock_location": count.warehouse}
                yield {"slug": product.slug or "", "sku": item.sku or "", **units}


def _item(item: Product | Variant) -> dict[str, str]:
    return {
        **({"slug": item.slug or ""} if isinstance(item, Product) else {}),
        "sku": item.sku or "",
        "barcode": item.barcode or "",
        "price": "10.0",
        "currency": "USD",
        "track_inventory": str("manage_stock" not in item.settings).lower(),
        "inventory_count": "".join(quantities.text(one.on_hand) for one in item.counts if one.warehouse is None),
        "inventory_backorderable": str("backorders" in item.settings).lower(),
    }


def _images(item: Product | Variant) -> dict[str, str]:
    return {f"image{number}_src": image.url for number, image in enumerate(item.images, 1)}


async def test_a_shop_comes_over_as_it_was(new_database: Any) -> None:
    await made_up_shops.check_round_trips(new_database, "spree", CAN, written)


async def test_a_shop_with_units_in_other_locations_comes_over_as_it_was(new_database: Any) -> None:
    can = replace(CAN, places=("North", "South"), adapted=in_locations)
    await made_up_shops.check_round_trips(new_database, "spree", can, with_locations, examples=10)
