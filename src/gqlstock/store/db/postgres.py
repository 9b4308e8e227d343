"""Tortoise's PostgreSQL client, on the primary of several hosts, with transactions that always release their connection.

Tortoise imports this module by its name, as the engine of a connection.
"""

import asyncio
import contextlib
import time
import weakref
from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg
from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper
from tortoise.backends.base.client import TransactionalDBClient, TransactionContext, TransactionContextPooled
from tortoise.backends.base_postgres.client import translate_exceptions
from tortoise.connection import get_connection, get_connections
from tortoise.exceptions import OperationalError

from gqlstock.store.db import clock, eras, reads
from gqlstock.store.db.commits import CommitLost
from gqlstock.store.db.outages import Disconnected, Unavailable
from gqlstock.store.db.primary import Primary, is_lost
from gqlstock.store.db.reads import Transaction

# A read that loses its connection is sent again.
_READ_ATTEMPTS = 8
_SECONDS_BETWEEN_ATTEMPTS = 0.1
_SECONDS_TO_INSPECT = 3.0


class _Connection(asyncpg.Connection):  # type: ignore[misc]
    def get_reset_query(self) -> str:
        # No statement changes session state, so a reset would only cost a round trip.
        return ""


class _Translating(AsyncpgDBClient):
    """Raises ``Disconnected`` and ``Unavailable`` for the driver's errors."""

    primary: Primary

    async def _translate_exceptions(self, func: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return await super()._translate_exceptions(func, *args, **kwargs)
        except asyncpg.DiskFullError as error:
            raise Unavailable("the database has no space left") from error
        except Exception as error:
            if is_lost(error) and self.primary.lost(error):
                raise Disconnected(f"the connection to the database was lost: {error}") from error
            raise


class Client(_Translating):
    """The write client or, with ``only_reads``, the read client. ``inspects``: writes nothing, and gives up soon."""

    connection_class = _Connection

    def __init__(
        self, *args: Any, primary: Primary, only_reads: bool = False, inspects: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.primary = primary
        self.only_reads = only_reads
        self._inspects = inspects
        # Read transactions leave one connection free for single statements.
        self._transactions = asyncio.Semaphore(max(1, self.pool_maxsize - 1))
        self._connections: weakref.WeakSet[Any] = weakref.WeakSet()
        primary.on_loss(self._terminate_all)

    def acquire_connection(self) -> Any:
        return self._acquired()

    @contextlib.asynccontextmanager
    async def _acquired(self) -> AsyncIterator[Any]:
        connection = await self.acquire()
        try:
            yield connection
        except Exception as error:
            if is_lost(error):
                discard(connection)
            raise
        finally:
            await self.release(connection)

    async def acquire(self) -> Any:
        """A connection to the primary. Waits for one during an outage; raises ``Unavailable`` if it lasts too long."""
        began: float | None = None
        while True:
            # Calls wait here, because in the pool they would wait for each other's attempts.
            await self.primary.address()
            began = began or time.monotonic()
            pool = await self._opened_pool()
            try:
                return await pool.acquire()
            except asyncpg.TooManyConnectionsError as error:
                # No outage: the other connections work.
                self._check_patience(began, error)
                await asyncio.sleep(_SECONDS_BETWEEN_ATTEMPTS)
            except Exception as error:
                if not (is_lost(error) and self.primary.lost(error)):
                    raise
                # The watcher may find the primary again and again while no connection can be used.
                self._check_patience(began, error)

    def _check_patience(self, began: float, error: Exception) -> None:
        """Raise the error, or ``Unavailable`` if a call has tried to connect for too long."""
        if self.primary.patience is None:
            raise error
        if time.monotonic() - began > self.primary.patience.outage:
            raise Unavailable("no connection to the database can be used") from error

    async def release(self, connection: Any) -> None:
        await (await self._opened_pool()).release(connection)

    async def _opened_pool(self) -> Any:
        async with self._pool_init_lock:
            if self._pool is None:
                await self.create_connection(with_db=True)
            return self._pool

    async def create_pool(self, **options: Any) -> asyncpg.Pool:
        # JSON has timestamps as text in the session's time zone, where the latest ones could have a year after 9999.
        # Without jit: compiling a list with several filters takes longer than running it.
        fixed = {"timezone": "UTC", "jit": "off"}
        if self.only_reads:
            # Not by a SET, which would stay on a connection that a pooler gives to others.
            fixed["default_transaction_read_only"] = "on"
        options["server_settings"] = {**(options.get("server_settings") or {}), **fixed}
        if self.primary.patience is not None:
            options["command_timeout"] = self.primary.patience.statement
        if self._inspects:
            # Statements would wait for the locks of a migration.
            options["command_timeout"] = _SECONDS_TO_INSPECT
        return await super().create_pool(connect=self._connect, init=self._begin, setup=self._set_up, **options)

    async def _connect(self, *args: Any, **options: Any) -> Any:
        host, port = await self.primary.address()
        return await asyncpg.connect(*args, **{**options, "host": host, "port": port})

    async def _begin(self, connection: Any) -> None:
        self._connections.add(connection)
        await clock.use_server(connection)
        if not self._inspects and not await eras.is_current(connection):
            if not self.only_reads:
                await eras.begin(connection)
                return
            async with get_connection("default").acquire_connection() as writing:
                await eras.begin(writing)

    async def _set_up(self, connection: Any) -> None:
        try:
            await clock.refresh(connection)
        except Exception as error:
            if is_lost(error):
                # The pool would close it by asking the server, which may not answer for as long again.
                discard(connection)
            raise

    def _terminate_all(self) -> None:
        for connection in list(self._connections):
            connection.terminate()

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
        for _ in range(_READ_ATTEMPTS - 1):
            with contextlib.suppress(Disconnected):
                return await self._fetch(statement, values)
        return await self._fetch(statement, values)

    async def _fetch(self, statement: str, values: Sequence[Any]) -> Sequence[Any]:
        async with self._acquired() as connection:
            found: Sequence[Any] = await self.fetch_on(connection, statement, values)
            return found

    @translate_exceptions
    async def fetch_on(self, connection: Any, statement: str, values: Sequence[Any]) -> Sequence[Any]:
        self.log.debug("%s: %s", statement, values)
        found: Sequence[Any] = await connection.fetch(statement, *values)
        return found

    @translate_exceptions
    async def execute_on(self, connection: Any, statement: str) -> None:
        await connection.execute(statement)

    async def begin_read(self) -> Transaction:
        await self.primary.address()
        await self._transactions.acquire()
        try:
            return _ReadTransaction(self, await self.acquire(), self._transactions)
        except BaseException:
            self._transactions.release()
            raise

    def _in_transaction(self) -> TransactionContext:
        return _Context(_Transaction(self), self._pool_init_lock)


class _ReadTransaction:
    """A read transaction. It sees the database as of its first statement. Tasks that share it take turns.

    It begins with its first statement: a pooler such as PgBouncer then has no connection of the database in use for a
    transaction that still waits for something else.
    """

    def __init__(self, client: Client, connection: Any, transactions: asyncio.Semaphore) -> None:
        self._client = client
        self._connection = connection
        self._transactions = transactions
        self._lock = asyncio.Lock()
        self._has_begun = False
        self._has_ended = False

    async def fetch(self, statement: str, values: Sequence[Any]) -> Sequence[Any]:
        async with self._lock:
            if self._has_ended:
                # The read was canceled or starts over, while this task waited for its turn.
                raise OperationalError("the read transaction has ended")
            try:
                if not self._has_begun:
                    await self._client.execute_on(self._connection, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                    self._has_begun = True
                found: Sequence[Any] = await self._client.fetch_on(self._connection, statement, values)
            except Exception as error:
                if is_lost(error):
                    discard(self._connection)
                    self._has_begun = False  # Nothing is left to end.
                raise
            return found

    async def end(self) -> None:
        is_free = False
        try:
            async with self._lock:
                is_free = self._has_ended = True
                if self._has_begun:
                    await self._client.execute_on(self._connection, "COMMIT")
        except Exception as error:
            if not is_lost(error):
                raise
            discard(self._connection)  # Nothing was written.
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


class _Transaction(_Translating, TransactionWrapper):
    """A write transaction."""

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self.primary = client.primary


class _Context(TransactionContextPooled):
    """Releases the connection when BEGIN fails or is canceled, which Tortoise's own class does not."""

    client: Any

    async def __aenter__(self) -> TransactionalDBClient:
        self._client: Client = self.client._parent
        self.client._connection = await self._client.acquire()
        try:
            await self.client.begin()
        except BaseException as error:
            if is_lost(error):
                discard(self.client._connection)
            await self._client.release(self.client._connection)
            raise
        self.token = get_connections().set(self.connection_name, self.client)
        return self.client  # type: ignore[no-any-return]

    async def __aexit__(self, kind: Any, error: Any, trace: Any) -> None:
        get_connections().reset(self.token)
        try:
            if kind is None:
                await self._commit()
            elif is_lost(error):
                discard(self.client._connection)
            else:
                await self._roll_back()
        finally:
            # Also ends an open transaction whose rollback was canceled.
            await self._client.release(self.client._connection)

    async def _roll_back(self) -> None:
        try:
            await self.client.rollback()
        except Exception as error:
            if not is_lost(error):
                raise
            # The server has rolled back.
            self._client.primary.lost(error)
            discard(self.client._connection)

    async def _commit(self) -> None:
        try:
            await self.client.commit()
        except Exception as error:
            # The transaction may have committed. After any other error it has not.
            if is_lost(error):
                self._client.primary.lost(error)
                discard(self.client._connection)
                if self._client.only_reads:
                    return  # Nothing was written.
                raise CommitLost(f"the answer to a COMMIT was lost: {error}") from error
            raise


def discard(connection: Any) -> None:
    """Close a connection of the pool without a message to the server."""
    # A connection that the server has closed is not in the pool any more.
    with contextlib.suppress(asyncpg.InterfaceError):
        connection.terminate()


client_class = Client
