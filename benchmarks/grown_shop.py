"""Fills a PostgreSQL database with a shop of any size, like years of operation, using a few statements.

Shops only differ in size: products, shelves and orders have the same extent in each. `gqlstock verify` finds no fault. A
tenth of the items is sold out and has an open alert. Orders of the last two weeks are still open. The outbox covers the
last tenth of the movements.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from gqlstock.store.db import versions
from gqlstock.store.db.connection import Postgres

SIZES = ("XS", "S", "M", "L", "XL")
PLACES = ("BERLIN", "LYON", "POZNAN")
# Of each ten items, the fifth is a product that is tracked by combinations, which follow it.
_BLOCK, _TRACKED = 10, 5
_PRODUCTS_OF_A_SHELF = 50
# A step coprime to the number of levels visits each level once before any repeats.
_STEPS = (7_919, 104_729, 1_299_709)


@dataclass(frozen=True, slots=True)
class Size:
    """The numbers of rows of a shop."""

    items: int
    movements: int

    @property
    def levels(self) -> int:
        return self.items // _BLOCK * (_BLOCK - 1) * len(PLACES)

    @property
    def moves(self) -> int:
        """The movements after the initial one of each level."""
        return self.movements - self.levels

    @property
    def orders(self) -> int:
        """Every fourth movement is of an order line, and each order has two lines."""
        return self.moves // 4 // 2

    @property
    def shelves(self) -> int:
        """The lowest categories; ten form a section."""
        return self.items // 2 // _PRODUCTS_OF_A_SHELF // 10 * 10

    def figures(self) -> dict[str, int]:
        """The parameters of the statements."""
        step = next(step for step in _STEPS if self.levels % step)
        return {
            "items": self.items,
            "levels": self.levels,
            "moves": self.moves,
            "orders": self.orders,
            "shelves": self.shelves,
            "sections": self.shelves // 10,
            "news": self.movements // 10,
            "step": step,
            "back": pow(step, -1, self.levels),
            "rounds": self.moves // self.levels,
            "rest": self.moves % self.levels,
        }


def product(number: int) -> int:
    """The number of an item's product: its own, or that of a combination's product. Numbers start at 1."""
    return number - max((number - 1) % _BLOCK + 1 - _TRACKED, 0)


def with_sizes(number: int) -> int:
    """The product with combinations in the item's group of ten."""
    return number - (number - 1) % _BLOCK - 1 + _TRACKED


def sku(number: int) -> str:
    size = number - product(number)
    return f"P{product(number):07}" + (f"-{SIZES[size - 1]}" if size else "")


def shelf(number: int, size: Size) -> str:
    """The category of an item."""
    return f"shelf-{1 + product(number) * 31 % size.shelves}"


def is_counted(number: int) -> bool:
    """Whether the item itself is tracked, not its combinations."""
    return (number - 1) % _BLOCK + 1 != _TRACKED


def has_run_out(number: int) -> bool:
    return number * 13 // 10 % 10 == 0


async def make(url: Postgres, size: Size, tell: Callable[[str], None]) -> None:
    """Recreate and fill the database. The user must be a superuser, because foreign keys are not checked."""
    await drop(url)
    server = await asyncpg.connect(**{**url.credentials, "database": "postgres"})
    await server.execute(f'CREATE DATABASE "{url.credentials["database"]}"')
    await server.close()
    await versions.migrate(url)
    connection = await asyncpg.connect(**url.credentials)
    try:
        await _fill(connection, size, tell)
    finally:
        await connection.close()


async def drop(url: Postgres) -> None:
    server = await asyncpg.connect(**{**url.credentials, "database": "postgres"})
    await server.execute(f'DROP DATABASE IF EXISTS "{url.credentials["database"]}" WITH (FORCE)')
    await server.close()


async def _fill(connection: asyncpg.Connection, size: Size, tell: Callable[[str], None]) -> None:
    await connection.execute(
        "SET session_replication_role = replica; SET synchronous_commit = off; SET maintenance_work_mem = '512MB';"
        "SET work_mem = '256MB'"
    )
    # Creating indexes afterwards is faster than maintaining them row by row.
    indexes = [row["indexdef"] for row in await connection.fetch(_INDEXES)]
    for name in await connection.fetch(_INDEXES):
        await connection.execute(f'DROP INDEX "{name["indexname"]}"')
    for statement in statements(size):
        began = time.monotonic()
        done = await connection.execute(statement)
        tell(f"{done:28} {time.monotonic() - began:6.1f} s")
    began = time.monotonic()
    for index in indexes:
        await connection.execute(index)
    await connection.execute("VACUUM (ANALYZE)")
    tell(f"{'indexes, VACUUM, ANALYZE':28} {time.monotonic() - began:6.1f} s")


_INDEXES = """SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
    AND indexname NOT IN (SELECT conname FROM pg_constraint)"""


def statements(size: Size) -> list[str]:
    """The statements that fill a database with a shop of this size."""
    text = re.sub(r"^--.*\n", "", Path(__file__).with_suffix(".sql").read_text(), flags=re.MULTILINE)
    figures = size.figures()
    filled_in = re.sub(r"(?<!:):([a-z]+)", lambda found: f"{figures[found[1]]}::bigint", text)
    return [statement for part in filled_in.split(";\n") if (statement := part.strip())]
