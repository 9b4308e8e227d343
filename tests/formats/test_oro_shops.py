"""Any shop that is written as OroCommerce's exports comes over as it was."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from gqlstock.formats.records import Identity, Product, Variant
from gqlstock.rules import quantities
from gqlstock.rules.catalog import InventoryStatus
from gqlstock.rules.settings import BackorderMode, InventoryDecrement
from support import made_up_shops
from support.made_up_shops import Abilities, Shop

TYPES = {BackorderMode.ALLOW: "1", BackorderMode.NO_BACKORDERS: "0"}
TYPES |= {InventoryDecrement.ON_ORDER: "1", InventoryDecrement.NEVER: "0"}
COLUMNS = {
    "manage_stock": "Managed Inventory.value",
    "out_of_stock_threshold": "Inventory Threshold.value",
    "low_inventory_threshold": "Low Inventory Threshold.value",
    "highlight_low_inventory": "Highlight Low Inventory.value",
    "backorders": "Backorders.value",
    "decrement_inventory": "Decrement Inventory.value",
    "minimum_order_quantity": "Minimum Quantity To Order.value",
    "maximum_order_quantity": "Maximum Quantity To Order.value",
    "upcoming": "Upcoming.value",
    "availability_date": "Availability Date",
}
INTERNAL = {
    "SKU": "sku",
    "Status": "status",
    "Type": "type",
    "Inventory Status.Id": "inventory_status.id",
    "Name.default.value": "names.default.value",
    "Description.default.value": "descriptions.default.value",
    "URL Slug.default.value": "slugPrototypes.default.value",
    "Configurable Attributes": "variantFields",
    "Unit of Quantity.Precision": "primaryUnitPrecision.precision",
    "Managed Inventory.value": "manageInventory.value",
    "Inventory Threshold.value": "inventoryThreshold.value",
    "Low Inventory Threshold.value": "lowInventoryThreshold.value",
    "Highlight Low Inventory.value": "highlightLowInventory.value",
    "Backorders.value": "backOrder.value",
    "Decrement Inventory.value": "decrementQuantity.value",
    "Minimum Quantity To Order.value": "minimumQuantityToOrder.value",
    "Maximum Quantity To Order.value": "maximumQuantityToOrder.value",
    "Upcoming.value": "isUpcoming.value",
    "Availability Date": "availability_date",
}
_whole = st.integers(1, 9).map(Decimal)
SETTINGS = {
    "manage_stock": st.booleans(),
    "out_of_stock_threshold": st.integers(-9, 9).map(Decimal),
    "low_inventory_threshold": st.integers(0, 9).map(Decimal),
    "highlight_low_inventory": st.booleans(),
    "backorders": st.sampled_from([BackorderMode.ALLOW, BackorderMode.NO_BACKORDERS]),
    "decrement_inventory": st.sampled_from([InventoryDecrement.ON_ORDER, InventoryDecrement.NEVER]),
    "minimum_order_quantity": _whole,
    "maximum_order_quantity": _whole.map(lambda number: number + 9),
    "quantity_uses_decimals": st.just(value=True),
    "upcoming": st.booleans(),
    "availability_date": st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)).map(
        lambda moment: moment.replace(microsecond=0)
    ),
}
# Attributes are named apart from case, blanks and commas. Pictures and barcodes are not in Oro's export, nor are counts.
CAN = Abilities(
    identity=Identity.SKU,
    category_depth=3,
    images=False,
    variant_images=0,
    barcodes=False,
    statuses=True,
    counts=False,
    settings=SETTINGS,
    variant_settings=SETTINGS,
    option_names=st.sampled_from(["Color", "Attribute 1", "Größe", "shoe_size"]),
)
COUNTED = Abilities(
    identity=Identity.SKU,
    max_options=1,
    category_depth=0,
    images=False,
    variant_images=0,
    barcodes=False,
    statuses=True,
    places=("EAST", "West Side"),
    option_names=CAN.option_names,
)


def written(shop: Shop) -> list[str]:
    """The lines of an export. Variants stand before and behind the products that name them."""
    rows = [row for number, product in enumerate(shop) for row in list(_rows(product))[:: 1 if number % 2 else -1]]
    return lines(rows)


def in_internal_names(shop: Shop) -> list[str]:
    header, *rows = written(shop)
    return [",".join(INTERNAL.get(name, name) for name in header.rstrip("\n").split(",")) + "\n", *rows]


def lines(rows: Sequence[dict[str, Any]]) -> list[str]:
    out = io.StringIO(newline="")
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().splitlines(keepends=True)


def _rows(product: Product) -> Iterator[dict[str, Any]]:
    common = {
        "Name.default.value": product.name,
        "Description.default.value": product.description or "",
        "URL Slug.default.value": product.slug,
        "Inventory Status.Id": str(product.inventory_status or InventoryStatus.IN_STOCK).lower(),
        "category.path": " / ".join(["All Products", *(name.replace("/", "//") for name in product.category)]),
    }
    status = "enabled" if product.published else "disabled"
    if not product.variants:
        yield {"SKU": sku_of(product), "Type": "simple", "Status": status, **common, **_settings(product)}
        return
    links: dict[str, Any] = {}
    for number, variant in enumerate(product.variants, 1):
        links[f"Product Variant Links.{number}.Product.SKU"] = sku_of(product, variant)
        links[f"Product Variant Links.{number}.Visible"] = "1"
    attributes = ",".join(option.name.replace(" ", "_") for option in product.options)
    yield {
        "SKU": sku_of(product),
        "Type": "configurable",
        "Status": status,
        **common,
        "Configurable Attributes": attributes,
        **links,
    }
    for variant in product.variants:
        choice = {f"{name}.Name": value for name, value in variant.choice}
        own = {"Name.default.value": "Variant", "Status": "enabled", **choice, **_settings(variant)}
        yield {"SKU": sku_of(product, variant), "Type": "simple", **common, **own}


def sku_of(product: Product, variant: Variant | None = None) -> str:
    """The SKU of an item; Oro has no items without one."""
    if variant is None:
        return product.sku or str(product.slug)
    return variant.sku or f"{product.slug}_{product.variants.index(variant)}"


def _settings(one: Product | Variant) -> dict[str, str]:
    cells = {column: "systemConfig" if "Date" not in column else "" for column in COLUMNS.values()}
    cells["Unit of Quantity.Precision"] = "3" if "quantity_uses_decimals" in one.settings else "0"
    for name, value in one.settings.items():
        if name in COLUMNS:
            cells[COLUMNS[name]] = _cell(value)
    return cells


def _cell(value: Any) -> str:
    if isinstance(value, Decimal):
        return quantities.text(value)
    if isinstance(value, datetime):
        return value.strftime("%m/%d/%Y %H:%M:%S")
    return TYPES.get(value) or str(int(value))


def inventory(shop: Shop) -> list[str]:
    """The lines of the inventory export: a row for each item in each warehouse, one without a quantity where it has none."""
    rows = []
    for product in shop:
        status = {"Inventory Status": str(product.inventory_status).replace("_", " ").title()}
        for variant in (None, *product.variants):
            counts = (variant or product).counts
            item = {"SKU": sku_of(product, variant), "Product": product.name, **status, "Unit": "items"}
            rows.append({**item, "Quantity": "", "Warehouse": ""})
            rows += [{**item, "Quantity": quantities.text(one.on_hand), "Warehouse": one.warehouse} for one in counts]
    return lines(rows)


async def test_a_shop_comes_over_as_it_was(new_database: Any) -> None:
    await made_up_shops.check_round_trips(new_database, "oro-products", CAN, written, examples=15)


async def test_a_shop_in_internal_names_comes_over_as_it_was(new_database: Any) -> None:
    await made_up_shops.check_round_trips(new_database, "oro-products", CAN, in_internal_names, examples=6)


async def test_counts_and_statuses_come_over_as_they_were(new_database: Any) -> None:
    await made_up_shops.check_round_trips(
        new_database,
        "oro-products",
        COUNTED,
        written,
        examples=8,
        then={"oro-inventory": lambda shop: [inventory(shop)]},
    )
