"""Holds PostgreSQL's locks on items, other rows, addresses and tables, like another writer, and observes who waits."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import asyncpg

from gqlstock.store.db.connection import Postgres

_WAITING = """SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'"""
_PATIENCE = 5


class ItemLock:
    """A locked item. ``release`` may be called early."""

    def __init__(self, locking: asyncpg.Connection, watching: asyncpg.Connection) -> None:
        self._locking = locking
        # A transaction sees pg_stat_activity as of its first query of it.
        self._watching = watching

    async def until_waiting(self, count: int) -> None:
        """Wait until that many transactions wait for a lock. Times out soon, because a server may have fewer waiting."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            if await self._watching.fetchval(_WAITING) >= count:
                return
            await asyncio.sleep(0.02)

    async def waiting(self) -> int:
        """The number of transactions that wait for a lock."""
        await self._watching.execute("SELECT pg_stat_clear_snapshot()")
        return int(await self._watching.fetchval(_WAITING))

    async def release(self) -> None:
        await self._locking.execute("COMMIT")


def item_locked(database: Postgres, sku: str) -> contextlib.AbstractAsyncContextManager[ItemLock]:
    """Lock the item during the block, or until it is released."""
    return _locked(database, "SELECT id FROM item WHERE sku = $1 FOR NO KEY UPDATE", sku)


def row_locked(database: Postgres, table: str, code: str) -> contextlib.AbstractAsyncContextManager[ItemLock]:
    """Lock the row of a table with this code during the block, or until it is released."""
    return _locked(database, f"SELECT id FROM {table} WHERE code = $1 FOR UPDATE", code)


def address_locked(database: Postgres, address: str) -> contextlib.AbstractAsyncContextManager[ItemLock]:
    """Lock the holds of an address during the block, or until it is released."""
    return _locked(database, "SELECT pg_advisory_xact_lock(hashtext($1))", address)


def table_locked(database: Postgres, table: str) -> contextlib.AbstractAsyncContextManager[ItemLock]:
    """Block writes to the table during the block, or until it is released."""
    return _locked(database, f"LOCK TABLE {table} IN EXCLUSIVE MODE")


@contextlib.asynccontextmanager
async def _locked(database: Postgres, statement: str, *values: str) -> AsyncIterator[ItemLock]:
    locking = await asyncpg.connect(**database.credentials)
    watching = await asyncpg.connect(**database.credentials)
    try:
        await locking.execute("BEGIN")
        await locking.fetch(statement, *values)
        yield ItemLock(locking, watching)
    finally:
        await locking.close()
        await watching.close()
