"""The shop that benchmarks ask: products of combinations and products without options, counted in one warehouse."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from gqlstock.rules.catalog import InventoryTracking, Option, OptionValue
from gqlstock.rules.scopes import SYSTEM
from gqlstock.services import catalog, count_stock, imports, tokens, warehouses
from gqlstock.services import combinations as combination_services
from gqlstock.services.count_stock import CountStockRequest, StockCount
from gqlstock.services.warehouses import AssignedWarehouse
from gqlstock.store.db import connection, sql, versions
from gqlstock.store.db.connection import DatabaseUrl

WAREHOUSE, CATEGORY = "BERLIN", "singles"
SIZES, COLORS = ("S", "M"), ("Red", "Blue", "Green", "Black", "White")
_UNITS = 1_000_000


def sku(number: int) -> str:
    """Of a product of combinations."""
    return f"P{number:04}"


def single(number: int) -> str:
    """The SKU of a product without options."""
    return f"S{number:05}"


async def make(url: DatabaseUrl, products: int, combinations: int, singles: int = 0) -> None:
    """So many products of so many combinations each, and without options; a million units of everything."""
    await versions.migrate(url)
    async with connection.opened(url):
        await warehouses.ensure_default_organization()
        await _warehouse(WAREHOUSE)
        await warehouses.create_website("shop", "Shop", None, [AssignedWarehouse(WAREHOUSE)])
        options = (
            Option("Size", tuple(OptionValue(size) for size in SIZES)),
            Option("Color", tuple(OptionValue(color) for color in COLORS[: combinations // len(SIZES)])),
        )
        for number in range(products):
            name, tracking = f"Product {number:04}", InventoryTracking.TRACK_WITH_OPTIONS
            given: dict[str, Any] = {"sku": sku(number), "name": name, "tracking": tracking, "options": options}
            await catalog.create_product(given)
            await combination_services.generate(sku(number))
        found = await sql.query("SELECT sku FROM item WHERE product_id IS NOT NULL ORDER BY id")
        counts = [StockCount(row["sku"], WAREHOUSE, Decimal(_UNITS)) for row in found]
        for start in range(0, len(counts), 1_000):
            await count_stock.count(SYSTEM, CountStockRequest(tuple(counts[start : start + 1_000])))
        if singles:
            await imports.shopify_products(SYSTEM, _export(singles, str(_UNITS)), WAREHOUSE)


async def without_levels(url: DatabaseUrl, singles: int, places: int) -> None:
    """So many products without options and so many warehouses, and nothing counted yet."""
    await versions.migrate(url)
    async with connection.opened(url):
        await warehouses.ensure_default_organization()
        for number in range(places):
            await _warehouse(_place(number))
        await warehouses.create_website(
            "shop", "Shop", None, [AssignedWarehouse(_place(number)) for number in range(places)]
        )
        await imports.shopify_products(SYSTEM, _export(singles, ""), _place(0))


def counts(singles: int, places: int) -> Iterator[str]:
    """The lines of a file that counts every one of them in every warehouse."""
    yield "sku,warehouse,on_hand\n"
    for place in map(_place, range(places)):
        yield from (f"{single(number)},{place},{counted(number)}\n" for number in range(singles))


def counted(number: int) -> int:
    """How many units of a product without options that file says."""
    return number % 100 + 1


async def _warehouse(code: str) -> None:
    await warehouses.create_warehouse({"code": code, "name": code.capitalize(), "active": True})


def _place(number: int) -> str:
    return f"PLACE{number}"


def _export(singles: int, quantity: str) -> Iterator[str]:
    """The lines of Shopify's product export."""
    yield (
        "Handle,Title,Type,Option1 Name,Option1 Value,Variant SKU,"
        "Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy\n"
    )
    for number in range(singles):
        yield (
            f"single-{number},Single {number:05},{CATEGORY},Title,Default Title,{single(number)},"
            f"shopify,{quantity},deny\n"
        )


async def token(url: DatabaseUrl) -> str:
    """A token that may do everything."""
    async with connection.opened(url):
        return await tokens.create("benchmark", ["admin"])
