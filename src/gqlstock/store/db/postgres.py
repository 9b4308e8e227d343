"""Tortoise's PostgreSQL client with transactions that always release their connection.

Tortoise imports this module by its name, as the engine of a connection.
"""

from typing import Any

import asyncpg
from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper
from tortoise.backends.base.client import TransactionalDBClient, TransactionContext, TransactionContextPooled
from tortoise.connection import get_connections

from gqlstock.store.db import clock, eras
from gqlstock.store.db.commits import CommitLost

# PostgreSQL ends a connection with these, and the transaction may have committed. After other errors it has not.
_CONNECTION_ENDED = (asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError, asyncpg.CrashShutdownError)


class _Connection(asyncpg.Connection):  # type: ignore[misc]
    def get_reset_query(self) -> str:
        # No statement changes the session, so that the round trip of a reset is not needed.
        return ""


class Client(AsyncpgDBClient):
    connection_class = _Connection

    def __init__(self, *given: Any, only_reads: bool = False, **named: Any) -> None:
        super().__init__(*given, **named)
        self.only_reads = only_reads

    async def create_pool(self, **options: Any) -> asyncpg.Pool:
        begin = _begin_reading if self.only_reads else _begin
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


class _Context(TransactionContextPooled):
    """Releases the connection when BEGIN fails or is cancelled, which Tortoise's own class does not."""

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
            # Also ends an open transaction whose rollback was cancelled.
            await self._pool.release(self.client._connection)

    async def _commit(self) -> None:
        try:
            await self.client.commit()
        except (*_CONNECTION_ENDED, asyncpg.InterfaceError, OSError) as error:
            raise CommitLost(f"the answer to a COMMIT was lost: {error}") from error


client_class = Client
