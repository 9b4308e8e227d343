"""The shop that benchmarks ask: products of combinations, counted in one warehouse, on a SQLite file of its own."""

from decimal import Decimal
from pathlib import Path

from gqlstock.rules.catalog import InventoryTracking, Option, OptionValue
from gqlstock.rules.scopes import SYSTEM
from gqlstock.services import catalog, stock, tokens, warehouses
from gqlstock.services.stock import Counting, StockCount
from gqlstock.services.warehouses import Assigned
from gqlstock.store import database
from gqlstock.store.database import SqliteFile

SIZES, COLORS = ("S", "M"), ("Red", "Blue", "Green", "Black", "White")


def sku(number: int) -> str:
    return f"P{number:04}"


async def make(path: Path, products: int, combinations: int) -> SqliteFile:
    """A file with so many products of so many combinations each, a million units of every one."""
    url = SqliteFile(str(path))
    await database.migrate(url)
    async with database.opened(url):
        await warehouses.ensure_default_organization()
        await warehouses.create_warehouse({"code": "BERLIN", "name": "Berlin", "active": True})
        await warehouses.create_website("shop", "Shop", None, [Assigned("BERLIN")])
        options = (
            Option("Size", tuple(OptionValue(size) for size in SIZES)),
            Option("Color", tuple(OptionValue(color) for color in COLORS[: combinations // len(SIZES)])),
        )
        for number in range(products):
            name, tracking = f"Product {number:04}", InventoryTracking.TRACK_WITH_OPTIONS
            await catalog.create_product({"sku": sku(number), "name": name, "tracking": tracking, "options": options})
            await catalog.generate_combinations(sku(number))
        found = await database.query("SELECT sku FROM item WHERE product_id IS NOT NULL ORDER BY id")
        counts = [StockCount(row["sku"], "BERLIN", Decimal(1_000_000)) for row in found]
        for start in range(0, len(counts), 1_000):
            await stock.count(SYSTEM, Counting(tuple(counts[start : start + 1_000])))
    return url


async def token(url: SqliteFile) -> str:
    """A token that may do everything."""
    async with database.opened(url):
        return await tokens.create("benchmark", ["admin"])
