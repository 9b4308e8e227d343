"""Read transactions of both databases: one snapshot, and a connection that always comes back."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tortoise.exceptions import OperationalError, TransactionManagementError

from gqlstock.store.db import connection, sql
from gqlstock.store.db.connection import DatabaseUrl, SqliteFile
from support import shop_builders as make
from support.read_connections import in_use

COUNT = "SELECT COUNT(*) AS n FROM warehouse"
_NUMBERS = "WITH RECURSIVE counted(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM counted WHERE x < {})"
# Longer than a statement may take in the event loop.
SLOW = f"{_NUMBERS.format(500_000)} SELECT (SELECT COUNT(*) FROM warehouse) AS n, COUNT(*) AS counted FROM counted"
ENDLESS = f"{_NUMBERS.format(1_000_000_000)} SELECT COUNT(*) AS n FROM counted"
ENDLESS_OF_POSTGRES = "SELECT pg_sleep(60)"


@pytest.fixture
async def client(db: None) -> AsyncIterator[Any]:
    """The client that reads, with all its connections back at the end."""
    yield connection.reader()
    await asyncio.sleep(0)
    assert in_use() == 0


@pytest.fixture
def on_sqlite(database_url: DatabaseUrl, client: Any) -> Any:
    if not isinstance(database_url, SqliteFile):
        pytest.skip("of SQLite alone")
    return client


async def number(reader: Any, statement: str = COUNT) -> int:
    return int((await reader.fetch(statement, ()))[0]["n"])


def endless() -> str:
    return ENDLESS_OF_POSTGRES if connection.is_postgres() else ENDLESS


# ── snapshots


async def test_a_transaction_sees_the_database_as_of_its_first_statement(client: Any) -> None:
    transaction = await client.begin_read()
    await make.warehouse("A")

    assert await number(transaction) == 1
    await make.warehouse("B")
    assert (await number(transaction), await number(client)) == (1, 2)
    await transaction.end()
    assert in_use() == 0


async def test_a_transaction_does_not_wait_for_a_writer(client: Any) -> None:
    await make.warehouse("A")
    writer = connection.connection()

    async with writer._in_transaction():
        await sql.execute("DELETE FROM warehouse")
        transaction = await client.begin_read()
        assert await number(transaction) == 1
        await transaction.end()


async def test_nothing_can_be_written_in_it(client: Any) -> None:
    transaction = await client.begin_read()

    with pytest.raises((OperationalError, TransactionManagementError)):
        await transaction.fetch("DELETE FROM warehouse", ())
    await transaction.end()


async def test_a_statement_that_fails_leaves_a_connection_that_works(client: Any) -> None:
    transaction = await client.begin_read()
    with pytest.raises(OperationalError):
        await transaction.fetch("SELECT * FROM nowhere", ())
    await transaction.end()

    again = await client.begin_read()
    assert await number(again) == 0
    await again.end()


async def test_a_statement_after_the_end_is_an_error(client: Any) -> None:
    """And is not run on a connection that another read has by then."""
    transaction = await client.begin_read()
    await number(transaction)
    await transaction.end()
    other = await client.begin_read()
    assert await number(other) == 0

    with pytest.raises(OperationalError):
        await transaction.fetch(COUNT, ())

    assert await number(other) == 0
    await other.end()


# ── slow statements


async def test_a_slow_statement_runs_in_a_thread_in_the_same_transaction(on_sqlite: Any) -> None:
    await make.warehouse("A")
    transaction = await on_sqlite.begin_read()
    assert await number(transaction) == 1
    await make.warehouse("B")
    turns = 0

    async def take_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.001)

    others = asyncio.create_task(take_turns())
    rows = [(await transaction.fetch(SLOW, ()))[0] for _ in range(2)]
    others.cancel()
    await transaction.end()

    assert [(row["n"], row["counted"]) for row in rows] == [(1, 500_000)] * 2
    assert turns > 3


async def test_a_statement_that_was_slow_does_not_block_the_next_time(on_sqlite: Any) -> None:
    began = time.perf_counter()
    await on_sqlite.fetch(SLOW, ())
    took, began = time.perf_counter() - began, time.perf_counter()

    task = asyncio.create_task(on_sqlite.fetch(SLOW, ()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    blocked = time.perf_counter() - began
    await task

    assert blocked < took / 2


# ── ends


@pytest.mark.parametrize("within", [True, False], ids=["in a transaction", "by itself"])
async def test_a_statement_that_is_cancelled_frees_its_connection(
    client: Any, within: bool, caplog: pytest.LogCaptureFixture
) -> None:
    transaction = await client.begin_read() if within else client
    task = asyncio.create_task(transaction.fetch(endless(), ()))
    await asyncio.sleep(0.05)
    began = time.perf_counter()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    if within:
        await transaction.end()

    assert time.perf_counter() - began < 2
    assert in_use() == 0
    assert await number(client) == 0
    assert "never retrieved" not in caplog.text


async def test_the_end_comes_behind_a_statement_of_another_task(client: Any) -> None:
    transaction = await client.begin_read()
    task = asyncio.create_task(transaction.fetch(SLOW, ()))
    await asyncio.sleep(0.01)

    await transaction.end()

    assert (await task)[0]["n"] == 0
    assert await number(client) == 0


async def test_an_end_that_is_cancelled_leaves_nothing_open(client: Any) -> None:
    transaction = await client.begin_read()
    running = asyncio.create_task(transaction.fetch(endless(), ()))
    await asyncio.sleep(0.05)
    ending = asyncio.create_task(transaction.end())
    await asyncio.sleep(0.01)
    ending.cancel()
    running.cancel()
    await asyncio.gather(ending, running, return_exceptions=True)

    assert in_use() == 0
    transactions = [await client.begin_read() for _ in range(9)]
    assert [await number(one) for one in transactions] == [0] * 9
    for one in transactions:
        await one.end()


async def test_a_database_that_cannot_be_read_leaves_no_connection(on_sqlite: Any, database_url: SqliteFile) -> None:
    with sqlite3.connect(database_url.path) as raw:
        raw.execute("PRAGMA journal_mode = DELETE")
    holder = sqlite3.connect(database_url.path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")

    with pytest.raises(OperationalError):
        await number(on_sqlite)
    holder.close()

    assert in_use() == 0
    assert await number(on_sqlite) == 0
