"""Read transactions of PostgreSQL."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from tortoise.exceptions import OperationalError

from gqlstock.store.db.postgres_connections import discard, generation_of
from gqlstock.store.db.primary import is_lost

_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"


class Pool(Protocol):
    """The client that owns the connection of a read transaction."""

    def using(self, connection: Any, generation: int) -> AbstractContextManager[None]: ...
    async def execute_on(self, connection: Any, statement: str) -> None: ...
    async def fetch_on(self, connection: Any, statement: str, values: Sequence[Any]) -> Sequence[Any]: ...
    async def release(self, connection: Any) -> None: ...


class ReadTransaction:
    """A read transaction. It sees the database as of its first statement. Tasks that share it take turns.

    It begins with its first statement: a pooler such as PgBouncer then has no connection of the database in use for a
    transaction that still waits for something else.
    """

    def __init__(self, client: Pool, connection: Any, transactions: asyncio.Semaphore) -> None:
        self._client = client
        self._connection = connection
        self._generation = generation_of(connection)
        self._transactions = transactions
        self._lock = asyncio.Lock()
        self._has_begun = False
        self._has_ended = False

    async def fetch(self, statement: str, values: Sequence[Any]) -> Sequence[Any]:
        async with self._lock:
            if self._has_ended:
                # The read was canceled or restarted while this task waited.
                raise OperationalError("the read transaction has ended")
            try:
                with self._client.using(self._connection, self._generation):
                    if not self._has_begun:
                        await self._client.execute_on(self._connection, _BEGIN)
                        self._has_begun = True
                    found: Sequence[Any] = await self._client.fetch_on(self._connection, statement, values)
            except Exception as error:
                if is_lost(error):
                    self._has_begun = False  # Nothing is left to end.
                raise
            return found

    async def end(self) -> None:
        is_free = False
        try:
            async with self._lock:
                is_free = self._has_ended = True
                if self._has_begun:
                    with self._client.using(self._connection, self._generation):
                        await self._client.execute_on(self._connection, "COMMIT")
        except Exception as error:
            if not is_lost(error):
                raise
            # Nothing was written.
        finally:
            self._has_ended = True
            if not is_free:
                # Canceled while a statement of another task was running.
                discard(self._connection)
            await self._release()

    async def _release(self) -> None:
        # Also ends a transaction whose COMMIT was canceled.
        try:
            await self._client.release(self._connection)
        finally:
            self._transactions.release()
