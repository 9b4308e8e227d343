"""The benchmarked shop: products with combinations and products without options, stocked in one warehouse.

Items, levels and movements are inserted without outbox entries, so a server on a copy has nothing to deliver at startup.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import by_hand_import
from gqlstock.rules import catalog as rules
from gqlstock.rules import combinations as combination_rules
from gqlstock.rules.catalog import InventoryTracking, Item, Option, OptionValue
from gqlstock.rules.categories import Category
from gqlstock.rules.ids import UNSTORED
from gqlstock.services import tokens, warehouses
from gqlstock.services.warehouses import AssignedWarehouse
from gqlstock.store import catalog
from gqlstock.store.db import clock, connection, sql, tables, transactions, versions
from gqlstock.store.db.connection import DatabaseUrl, Postgres, SqliteFile

WAREHOUSE = "BERLIN"
PAGE_SIZE = 24
"""The products of a page. A category of products with combinations has one page."""
SINGLE_CATEGORIES = 5
"""The number of categories of products without options. Each contains every fifth page of them, by name."""
SIZES, COLORS = ("S", "M"), ("Red", "Blue", "Green", "Black", "White")
_UNITS = 1_000_000


def sku(number: int) -> str:
    """The SKU of a product with combinations."""
    return f"P{number:04}"


def first_combination(number: int) -> str:
    """The SKU of the first combination of that product."""
    return f"{sku(number)}-{SIZES[0]}-{COLORS[0].upper()}"


def single(number: int) -> str:
    """The SKU of a product without options."""
    return f"S{number:05}"


def products_page(number: int) -> str:
    """The slug of a category of 24 products with combinations."""
    return f"products-{number:04}"


def single_name(number: int) -> str:
    return f"Plain {number:05}"


def category_of_single(number: int) -> str:
    """The slug of the category of a product without options."""
    return f"singles-{_category(number)}"


def _category(number: int) -> int:
    return number // PAGE_SIZE % SINGLE_CATEGORIES


async def make(url: DatabaseUrl, products: int, combinations: int, singles: int = 0) -> None:
    """Create products with combinations and without options, with a million units of each."""
    await versions.migrate(url)
    async with connection.opened(url):
        await warehouses.ensure_default_organization()
        await _warehouse(WAREHOUSE)
        await warehouses.create_website("shop", "Shop", None, [AssignedWarehouse(WAREHOUSE)])
        await transactions.run(lambda: _insert_products(products, combinations))
        await transactions.run(lambda: _insert_singles(singles))
        found = await sql.query("SELECT sku FROM item WHERE tracking <> 'TRACK_WITH_OPTIONS' ORDER BY id")
    counts = [(row["sku"], WAREHOUSE, _UNITS) for row in found]
    if isinstance(url, SqliteFile):
        by_hand_import.into_sqlite(url.path, counts)
    elif isinstance(url, Postgres):
        await by_hand_import.into_postgres(counts, **url.credentials)


async def without_levels(url: DatabaseUrl, singles: int, places: int) -> None:
    """Create products without options and warehouses, without levels."""
    await versions.migrate(url)
    async with connection.opened(url):
        await warehouses.ensure_default_organization()
        for number in range(places):
            await _warehouse(_place(number))
        await warehouses.create_website(
            "shop", "Shop", None, [AssignedWarehouse(_place(number)) for number in range(places)]
        )
        await transactions.run(lambda: _insert_singles(singles))


async def _insert_products(count: int, combinations: int) -> None:
    options = (
        Option("Size", tuple(OptionValue(size) for size in SIZES)),
        Option("Color", tuple(OptionValue(color) for color in COLORS[: combinations // len(SIZES)])),
    )
    tracking, stored = InventoryTracking.TRACK_WITH_OPTIONS, rules.stored_options(options)
    pages = await _insert_categories([products_page(page) for page in range(-(-count // PAGE_SIZE))])
    products = [
        replace(_product(sku(n), f"Product {n:04}", pages[n // PAGE_SIZE]), tracking=tracking, stored_options=stored)
        for n in range(count)
    ]
    choices = combination_rules.every_choice(options)
    await catalog.insert(
        [
            combination_rules.new(product, choice, combination_rules.sku(product.sku, choice, ()), product.created_at)
            for product in await catalog.insert(products)
            for choice in choices
        ]
    )


async def _insert_singles(count: int) -> None:
    slugs = {category_of_single(number) for number in range(count)}
    found = await _insert_categories(sorted(slugs))
    await catalog.insert([_product(single(n), single_name(n), found[_category(n)]) for n in range(count)])


async def _insert_categories(slugs: Sequence[str]) -> list[int]:
    at = clock.now()
    return await tables.insert(Category, [Category(UNSTORED, slug, slug.capitalize(), None, at, at) for slug in slugs])


def _product(new_sku: str, name: str, category_id: int) -> Item:
    return replace(rules.new_product(new_sku, name, clock.now()), slug=rules.slug_from(name), category_id=category_id)


def counts(singles: int, places: int) -> Iterator[str]:
    """The lines of a file that counts every product in every warehouse."""
    yield "sku,warehouse,on_hand\n"
    for place in map(_place, range(places)):
        yield from (f"{single(number)},{place},{counted(number)}\n" for number in range(singles))


def sources(singles: int, places: int) -> Iterator[str]:
    """The same in the format of a Magento source export, which lists the sources of an item consecutively."""
    yield "source_code,sku,status,quantity\n"
    for number in range(singles):
        yield from (f"{_place(place)},{single(number)},1,{counted(number)}.0000\n" for place in range(places))


def counted(number: int) -> int:
    """The units of a product without options in that file."""
    return number % 100 + 1


async def _warehouse(code: str) -> None:
    await warehouses.create_warehouse({"code": code, "name": code.capitalize(), "active": True})


def _place(number: int) -> str:
    return f"PLACE{number}"


async def token(url: DatabaseUrl) -> str:
    """Create a token with all scopes."""
    async with connection.opened(url):
        return await tokens.create("benchmark", ["admin"])
