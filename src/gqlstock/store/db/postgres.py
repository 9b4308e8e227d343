"""Tortoise's PostgreSQL client, with transactions that give their connection back however they end.

``Tortoise`` finds this module by its name, as the engine of a connection.
"""

from typing import Any

import asyncpg
from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper
from tortoise.backends.base.client import TransactionalDBClient, TransactionContext, TransactionContextPooled
from tortoise.connection import get_connections

from gqlstock.store.db import clock, eras
from gqlstock.store.db.commits import CommitLost

# PostgreSQL says these when it ends a connection, whatever became of the transaction; its other errors say that it is not in.
_ENDED = (asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError, asyncpg.CrashShutdownError)


class _Connection(asyncpg.Connection):  # type: ignore[misc]
    def get_reset_query(self) -> str:
        # Nothing here changes a session, so that there is nothing to reset: that would be a round trip each time.
        return ""


class Client(AsyncpgDBClient):
    connection_class = _Connection

    def __init__(self, *given: Any, only_reads: bool = False, **named: Any) -> None:
        super().__init__(*given, **named)
        self.only_reads = only_reads

    async def create_pool(self, **options: Any) -> asyncpg.Pool:
        begin = _begin_reading if self.only_reads else _begin
        return await super().create_pool(init=begin, setup=clock.keep, **options)

    def _in_transaction(self) -> TransactionContext:
        return _Context(TransactionWrapper(self), self._pool_init_lock)


async def _begin(connection: Any) -> None:
    await clock.follow_server(connection)
    await eras.check(connection)


async def _begin_reading(connection: Any) -> None:
    """What reads makes sure of the era as well, and may write until then."""
    await _begin(connection)
    await connection.execute("SET default_transaction_read_only = on")


class _Context(TransactionContextPooled):
    """Gives the connection back when BEGIN fails or is cancelled, which Tortoise's own does not."""

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
            # Ends what is still open, such as a transaction whose rollback was cancelled.
            await self._pool.release(self.client._connection)

    async def _commit(self) -> None:
        try:
            await self.client.commit()
        except (*_ENDED, asyncpg.InterfaceError, OSError) as error:
            raise CommitLost(f"the answer to a COMMIT was lost: {error}") from error


client_class = Client
