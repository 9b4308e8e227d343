"""Creates a shop with plain products and one warehouse, without levels. Prints a token with all scopes.

.venv/bin/python benchmarks/items.py DATABASE_URL PRODUCTS
"""

import asyncio
import sys
from dataclasses import replace

from gqlstock.config import Config
from gqlstock.rules.catalog import new_product
from gqlstock.services import tokens, warehouses
from gqlstock.services.warehouses import AssignedWarehouse
from gqlstock.store import catalog
from gqlstock.store.db import clock, connection, transactions, versions

_AT_ONCE = 1_000


def sku(number: int) -> str:
    return f"P{number:07}"


async def fill(url: str, products: int) -> str:
    where = Config.from_env({"GQLSTOCK_DATABASE_URL": url}).database
    await versions.migrate(where)
    async with connection.opened(where):
        await warehouses.ensure_default_organization()
        await warehouses.create_warehouse({"code": "BERLIN", "name": "Berlin", "active": True})
        await warehouses.create_website("shop", "Shop", None, [AssignedWarehouse("BERLIN")])
        at = clock.now()

        async def work() -> None:
            for start in range(0, products, _AT_ONCE):
                skus = [sku(number) for number in range(start, min(start + _AT_ONCE, products))]
                made = [replace(new_product(one, one, at), slug=one.lower()) for one in skus]
                await catalog.insert(made)

        await transactions.run(work)
        return await tokens.create("benchmark", ["admin"])


if __name__ == "__main__":
    print(asyncio.run(fill(sys.argv[1], int(sys.argv[2]))))
