"""Tortoise's PostgreSQL client with transactions that always release their connection.

Tortoise imports this module by its name, as the engine of a connection.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg
from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper
from tortoise.backends.base.client import TransactionalDBClient, TransactionContext, TransactionContextPooled
from tortoise.backends.base_postgres.client import translate_exceptions
from tortoise.connection import get_connections

from gqlstock.store.db import clock, eras, reads
from gqlstock.store.db.commits import CommitLost
from gqlstock.store.db.reads import Transaction

# These errors close the connection, and the transaction may have committed. After other errors it has not.
_CONNECTION_ENDED = (asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError, asyncpg.CrashShutdownError)


class _Connection(asyncpg.Connection):  # type: ignore[misc]
    def get_reset_query(self) -> str:
        # No statement changes session state, so a reset would only cost a round trip.
        return ""


class Client(AsyncpgDBClient):
    """The write client or, with ``only_reads``, the read client."""

    connection_class = _Connection

    def __init__(self, *args: Any, only_reads: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.only_reads = only_reads
        # Read transactions leave one connection free for single statements.
        self._transactions = asyncio.Semaphore(max(1, self.pool_maxsize - 1))

    async def execute_query(self, query: str, values: list[Any] | None = None) -> Any:
        if not self.only_reads:
            return await super().execute_query(query, values)
        found = await reads.fetch(self, query, values or [])
        return len(found), found

    async def execute_query_dict(self, query: str, values: list[Any] | None = None) -> Any:
        if not self.only_reads:
            return await super().execute_query_dict(query, values)
        return list(map(dict, await reads.fetch(self, query, values or [])))

    async def fetch(self, statement: str, values: Sequence[Any]) -> Sequence[Any]:
        """The rows of a single read statement."""
        async with self.acquire_connection() as connection:
            found: Sequence[Any] = await self.fetch_on(connection, statement, values)
            return found

    @translate_exceptions
    async def fetch_on(self, connection: Any, statement: str, values: Sequence[Any]) -> Sequence[Any]:
        self.log.debug("%s: %s", statement, values)
        found: Sequence[Any] = await connection.fetch(statement, *values)
        return found

    async def begin_read(self) -> Transaction:
        await self._transactions.acquire()
        try:
            transaction = _ReadTransaction(self, await (await self.pool()).acquire(), self._transactions)
        except BaseException:
            self._transactions.release()
            raise
        await transaction.begin()
        return transaction

    async def pool(self) -> Any:
        if self._pool is None:
            await self.create_connection(with_db=True)
        return self._pool

    async def create_pool(self, **options: Any) -> asyncpg.Pool:
        begin = _begin_reading if self.only_reads else _begin
        # JSON has timestamps as text in the session's time zone, where the latest ones could have a year after 9999.
        # Without jit: compiling a list with several filters takes longer than running it.
        fixed = {"timezone": "UTC", "jit": "off"}
        options["server_settings"] = {**(options.get("server_settings") or {}), **fixed}
        return await super().create_pool(init=begin, setup=clock.refresh, **options)

    def _in_transaction(self) -> TransactionContext:
        return _Context(TransactionWrapper(self), self._pool_init_lock)


async def _begin(connection: Any) -> None:
    await clock.use_server(connection)
    await eras.check(connection)


async def _begin_reading(connection: Any) -> None:
    """Read connections check the era as well, before they become read-only."""
    await _begin(connection)
    await connection.execute("SET default_transaction_read_only = on")


class _ReadTransaction:
    """A read transaction. It sees the database as of its first statement. Tasks that share it take turns."""

    def __init__(self, client: Client, connection: Any, transactions: asyncio.Semaphore) -> None:
        self._client = client
        self._connection = connection
        self._transactions = transactions
        self._lock = asyncio.Lock()

    async def begin(self) -> None:
        try:
            await self._connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        except BaseException:
            await self._release()
            raise

    async def fetch(self, statement: str, values: Sequence[Any]) -> Sequence[Any]:
        async with self._lock:
            found: Sequence[Any] = await self._client.fetch_on(self._connection, statement, values)
            return found

    async def end(self) -> None:
        is_free = False
        try:
            async with self._lock:
                is_free = True
                await self._connection.execute("COMMIT")
        except (*_CONNECTION_ENDED, asyncpg.InterfaceError, OSError):
            pass  # Nothing was written.
        finally:
            if not is_free:
                # Canceled while a statement of another task was running.
                self._connection.terminate()
            await self._release()

    async def _release(self) -> None:
        # Also ends a transaction whose COMMIT was canceled.
        try:
            await (await self._client.pool()).release(self._connection)
        finally:
            self._transactions.release()


class _Context(TransactionContextPooled):
    """Releases the connection when BEGIN fails or is canceled, which Tortoise's own class does not."""

    client: Any

    async def __aenter__(self) -> TransactionalDBClient:
        await self.ensure_connection()
        self._pool = self.client._parent._pool
        self.client._connection = await self._pool.acquire()
        try:
            await self.client.begin()
        except BaseException:
            await self._pool.release(self.client._connection)
            raise
        self.token = get_connections().set(self.connection_name, self.client)
        return self.client  # type: ignore[no-any-return]

    async def __aexit__(self, kind: Any, error: Any, trace: Any) -> None:
        get_connections().reset(self.token)
        try:
            if kind is None:
                await self._commit()
            else:
                await self.client.rollback()
        finally:
            # Also ends an open transaction whose rollback was canceled.
            await self._pool.release(self.client._connection)

    async def _commit(self) -> None:
        try:
            await self.client.commit()
        except (*_CONNECTION_ENDED, asyncpg.InterfaceError, OSError) as error:
            raise CommitLost(f"the answer to a COMMIT was lost: {error}") from error


client_class = Client
