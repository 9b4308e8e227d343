"""Tortoise's PostgreSQL client, on the primary of several hosts, with transactions that always release their connection.

Tortoise imports this module by its name, as the engine of a connection.
"""

import asyncio
import contextlib
import time
import weakref
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import asyncpg
from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper
from tortoise.backends.base.client import TransactionalDBClient, TransactionContext, TransactionContextPooled
from tortoise.backends.base_postgres.client import translate_exceptions
from tortoise.connection import get_connection, get_connections
from tortoise.exceptions import TransactionManagementError

from gqlstock.store.db import clock, eras, reads
from gqlstock.store.db.commits import CommitLost
from gqlstock.store.db.outages import ConnectionLost, Disconnected, Unavailable
from gqlstock.store.db.postgres_connections import Connection, discard, generation_of
from gqlstock.store.db.postgres_reads import ReadTransaction
from gqlstock.store.db.primary import Primary, is_lost
from gqlstock.store.db.reads import Transaction

# A read that loses its connection is sent again.
_READ_ATTEMPTS = 8
_SECONDS_BETWEEN_ATTEMPTS = 0.1
_SECONDS_TO_INSPECT = 3.0
# As many as ``stock.batcher`` uses: one to write, and two to wait for locks.
_CONNECTIONS_FOR_COMMANDS = 3


class _Translating(AsyncpgDBClient):
    """Raises ``Disconnected`` and ``Unavailable`` for the driver's errors."""

    primary: Primary
    only_reads = False
    inspects = False

    async def _translate_exceptions(self, func: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return await super()._translate_exceptions(func, *args, **kwargs)
        except asyncpg.DiskFullError as error:
            raise Unavailable("the database has no space left") from error
        except Exception as error:
            # Tortoise raises this if the server takes no writes. On a connection for reads, a write is a mistake.
            is_of_tortoise = isinstance(error, TransactionManagementError) and not self.only_reads
            cause = error.__cause__ if is_of_tortoise else error
            if isinstance(error, ConnectionLost) or not is_lost(cause) or self.inspects:
                raise
            lost = Disconnected if self.primary.is_watched else ConnectionLost
            raise lost(f"the connection to the database was lost: {error}") from error


class Client(_Translating):
    """The write client or, with ``only_reads``, the read client. ``inspects``: writes nothing, and gives up soon."""

    connection_class = Connection

    def __init__(
        self, *args: Any, primary: Primary, only_reads: bool = False, inspects: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.primary = primary
        self.only_reads = only_reads
        self.inspects = inspects
        # Read transactions leave one connection free, for single statements. Write transactions leave those for commands.
        left_free = 1 if only_reads else _CONNECTIONS_FOR_COMMANDS
        self._transactions = asyncio.Semaphore(max(1, self.pool_maxsize - left_free))
        self._connections: weakref.WeakSet[Any] = weakref.WeakSet()
        primary.on_loss(self._terminate_all)

    def acquire_connection(self) -> Any:
        return self._acquired()

    @contextlib.asynccontextmanager
    async def _acquired(self) -> AsyncIterator[Any]:
        connection = await self.acquire()
        try:
            with self.using(connection, generation_of(connection)):
                yield connection
        finally:
            await self.release(connection)

    @contextlib.contextmanager
    def using(self, connection: Any, generation: int) -> Iterator[None]:
        """Report and close the connection if the block loses it."""
        try:
            yield
        except Exception as error:
            if is_lost(error):
                self.primary.lost(error.__cause__ or error, generation)
                discard(connection)
            raise

    async def acquire(self) -> Any:
        """A connection to the primary. Waits without limit while all are in use.

        During an outage it waits for the primary, and raises ``Unavailable`` if that lasts too long.
        """
        began: float | None = None
        while True:
            # Calls wait here, because in the pool they would wait for each other's attempts.
            await self.primary.address()
            began = began or time.monotonic()
            pool = await self._opened_pool()
            try:
                return await pool.acquire()
            except Exception as error:
                # Too many connections are no outage: the other connections work.
                is_full = isinstance(error, asyncpg.TooManyConnectionsError)
                if isinstance(error, ConnectionLost) or not (is_full or is_lost(error)):
                    raise
                # The watcher may find the primary again and again while no connection can be used.
                self._check_patience(began, error)
                await asyncio.sleep(_SECONDS_BETWEEN_ATTEMPTS)

    def _check_patience(self, began: float, error: Exception) -> None:
        """Raise the error, or ``Unavailable`` if a call has tried to connect for too long."""
        if self.primary.patience is None or not self.primary.is_watched:
            raise ConnectionLost(f"the database cannot be reached: {error}") from error
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
        elif self.primary.patience is not None:
            # A server process that waits for a lock does not notice that its client has gone, and keeps its own locks.
            fixed["lock_timeout"] = _milliseconds(self.primary.patience.lock)
            # The locks of a lost host. PostgreSQL would notice the loss after hours.
            fixed["idle_in_transaction_session_timeout"] = _milliseconds(self.primary.patience.statement)
        options["server_settings"] = {**(options.get("server_settings") or {}), **fixed}
        if self.primary.patience is not None:
            options["command_timeout"] = self.primary.patience.statement
        if self.inspects:
            # Statements would wait for the locks of a migration.
            options["command_timeout"] = _SECONDS_TO_INSPECT
        return await super().create_pool(connect=self._connect, init=self._begin, setup=self._set_up, **options)

    async def _connect(self, *args: Any, **options: Any) -> Any:
        host, port = await self.primary.address()
        generation = self.primary.generation
        try:
            connection = await asyncpg.connect(*args, **{**options, "host": host, "port": port})
        except Exception as error:
            if is_lost(error):
                self.primary.lost(error, generation)
            raise
        connection.generation = generation
        return connection

    async def _begin(self, connection: Any) -> None:
        self._connections.add(connection)
        with self.using(connection, generation_of(connection)):
            await clock.use_server(connection)
            is_current = self.inspects or await eras.is_current(connection)
            if not is_current and not self.only_reads:
                await eras.begin(connection)
        if not is_current and self.only_reads:
            async with get_connection("default").acquire_connection() as writing:
                await eras.begin(writing)

    async def _set_up(self, connection: Any) -> None:
        # The pool would close a lost connection by asking the server, which may not answer for as long again.
        with self.using(connection, generation_of(connection)):
            await clock.refresh(connection)

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
            return ReadTransaction(self, await self.acquire(), self._transactions)
        except BaseException:
            self._transactions.release()
            raise

    @contextlib.asynccontextmanager
    async def limited(self) -> AsyncIterator[None]:
        """Wait until a write transaction may run that is not one of commands."""
        # During an outage calls wait here, where their number is limited.
        await self.primary.address()
        async with self._transactions:
            yield

    def _in_transaction(self) -> TransactionContext:
        return _Context(_Transaction(self), self._pool_init_lock)


class _Transaction(_Translating, TransactionWrapper):
    """A write transaction."""

    generation = 0

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self.primary, self.only_reads = client.primary, client.only_reads
        self._client = client

    def use(self, connection: Any) -> None:
        self._connection, self.generation = connection, generation_of(connection)

    def using(self) -> contextlib.AbstractContextManager[None]:
        return self._client.using(self._connection, self.generation)

    def acquire_connection(self) -> Any:
        return self._acquired()

    @contextlib.asynccontextmanager
    async def _acquired(self) -> AsyncIterator[Any]:
        async with self._lock:
            with self.using():
                yield self._connection


class _Context(TransactionContextPooled):
    """Releases the connection when BEGIN fails or is canceled, which Tortoise's own class does not."""

    client: Any

    async def __aenter__(self) -> TransactionalDBClient:
        self._client: Client = self.client._parent
        self.client.use(await self._client.acquire())
        try:
            with self.client.using():
                await self.client.begin()
        except BaseException:
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
            with self.client.using():
                await self.client.rollback()
        except Exception as error:
            # After a loss, the server has rolled back.
            if not is_lost(error):
                raise

    async def _commit(self) -> None:
        try:
            with self.client.using():
                await self.client.commit()
        except asyncio.CancelledError:
            # asyncpg would cancel the COMMIT. If it waits for a synchronous standby, PostgreSQL would then show a change
            # that no standby has.
            discard(self.client._connection)
            raise
        except Exception as error:
            # The transaction may have committed. After any other error it has not.
            if is_lost(error):
                if self._client.only_reads:
                    return  # Nothing was written.
                raise CommitLost(f"the answer to a COMMIT was lost: {error}") from error
            raise


def _milliseconds(seconds: float) -> str:
    return f"{max(1, round(seconds * 1000))}ms"


client_class = Client
