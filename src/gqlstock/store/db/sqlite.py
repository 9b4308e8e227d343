"""Tortoise's SQLite client with transactions that take the write lock when they begin and always release it.

A deferred BEGIN takes the lock at the first write, and SQLite fails if another process has written since the first read.
Tortoise imports this module by its name, as the engine of a connection.
"""

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextvars import copy_context
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite
from tortoise.backends.base.client import ConnectionWrapper, TransactionalDBClient, TransactionContext
from tortoise.backends.sqlite.client import SqliteClient, SqliteTransactionContext, SqliteTransactionWrapper
from tortoise.connection import get_connections
from tortoise.exceptions import OperationalError

from gqlstock.store.db import clock, reads
from gqlstock.store.db.reads import Transaction
from gqlstock.store.db.sqlite_reads import Reads

T = TypeVar("T")

_COPY_LOCK_SECONDS = 10.0


def copy(path: str, to: Path) -> None:
    """Write a compact, consistent copy of a database, including its write-ahead log, to an empty file."""
    with contextlib.closing(sqlite3.connect(_uri(path, "rw"), uri=True, timeout=_COPY_LOCK_SECONDS)) as connection:
        connection.execute("VACUUM INTO ?", (str(to),))
    descriptor = os.open(to, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _uri(path: str, mode: str) -> str:
    """The URI of a file for SQLite. The mode ``rwc`` creates a missing file, ``rw`` does not."""
    return f"{Path(path).absolute().as_uri()}?mode={mode}"


class Client(SqliteClient):
    """The write client or, with the pragma ``query_only``, the read client."""

    def __init__(self, *args: Any, create: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._uri = _uri(self.filename, "rwc" if create else "rw")
        self.only_reads = self.pragmas.get("query_only") == "ON"
        self._reads = Reads(self._uri)

    async def create_connection(self, with_db: bool) -> None:  # noqa: FBT001
        """Like Tortoise's method, but creates a missing file only on request and leaves nothing open after a failure."""
        clock.use_machine()
        if self._connection is not None:
            return
        opened = await aiosqlite.connect(self._uri, uri=True, isolation_level=None)
        try:
            opened.row_factory = sqlite3.Row
            for pragma, value in self.pragmas.items():
                await opened.execute_fetchall(f"PRAGMA {pragma}={value}")
        except BaseException:
            await opened.close()
            raise
        self._connection = opened

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
        return await self._reads.fetch(statement, values)

    async def begin_read(self) -> Transaction:
        return await self._reads.begin()

    async def close(self) -> None:
        self._reads.close()
        await super().close()

    def acquire_connection(self) -> ConnectionWrapper[Any]:
        return _Acquired(self._lock, self)

    async def transact(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run ``work`` in one transaction and in one hop to the connection's thread, with any number of statements.

        ``work`` may only await statements of this database. Canceling the caller does not stop it.
        """
        async with self._lock:
            if self._connection is None:
                await self.create_connection(with_db=True)
            assert self._connection is not None
            raw = self._connection._conn
            db: Any = self._connection
            hop = db._execute(copy_context().run, _run_to_end, raw, _InOneHop(self, raw), work)
            return await _finished(hop)

    def _in_transaction(self) -> TransactionContext:
        return _Context(_Transaction(self), self._lock)


class _Acquired(ConnectionWrapper[Any]):
    """Releases the lock if the file cannot be opened, which Tortoise's own class does not."""

    async def __aenter__(self) -> Any:
        await self._lock.acquire()
        try:
            await self.ensure_connection()
        except BaseException:
            self._lock.release()
            raise
        return self.connection


class _Transaction(SqliteTransactionWrapper):
    _parent: Client

    async def begin(self) -> None:
        try:
            # A read transaction sees the database as of its first statement, and blocks no writer.
            await self._connection.execute("BEGIN" if self._parent.only_reads else "BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise OperationalError(error) from error

    async def execute_script(self, query: str) -> None:
        # sqlite3's own executescript commits an open transaction first.
        for statement in query.split(";"):
            await self.execute_query(statement)


class _Context(SqliteTransactionContext):
    """Leaves no transaction open and no lock taken after any error or cancellation.

    The connection executes statements in order, even if their callers were canceled. A rollback after a BEGIN therefore
    always ends the transaction.
    """

    connection: Any

    async def __aenter__(self) -> TransactionalDBClient:
        await self._trxlock.acquire()
        try:
            await self.ensure_connection()
            try:
                await self.connection.begin()
            except BaseException:
                await self.connection.rollback()
                raise
        except BaseException:
            self._trxlock.release()
            raise
        self.token = get_connections().set(self.connection_name, self.connection)
        return self.connection  # type: ignore[no-any-return]

    async def __aexit__(self, kind: Any, error: Any, trace: Any) -> None:
        get_connections().reset(self.token)
        try:
            if kind is not None:
                await self.connection.rollback()
                return
            try:
                await self.connection.commit()
            except BaseException as failed:
                await self.connection.rollback()
                if isinstance(failed, sqlite3.OperationalError):
                    raise OperationalError(failed) from failed
                raise
        finally:
            self._trxlock.release()


async def _finished(hop: Coroutine[Any, Any, T]) -> T:
    """The result of work in a thread. A canceled caller waits for the work to end, because it uses the connection."""
    task = asyncio.ensure_future(hop)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


def _run_to_end(raw: sqlite3.Connection, client: "_InOneHop", work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Take the write lock, run a coroutine that never suspends, and commit."""
    with _operational_errors():
        raw.execute("BEGIN IMMEDIATE")
    token = get_connections().set(client.connection_name, client)
    try:
        result = _run(work())
        with _operational_errors():
            raw.commit()
        return result
    except BaseException:
        raw.rollback()
        raise
    finally:
        get_connections().reset(token)


def _run(coroutine: Coroutine[Any, Any, T]) -> T:
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    coroutine.close()
    raise RuntimeError("A transaction awaited something other than its database.")


@contextlib.contextmanager
def _operational_errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise OperationalError(error) from error


class _InOneHop(SqliteTransactionWrapper):
    """A transaction's client inside the connection's thread."""

    def __init__(self, client: Client, raw: sqlite3.Connection) -> None:
        super().__init__(client)
        self._connection: Any = _InThread(raw)

    def acquire_connection(self) -> Any:
        return self._connection


class _InThread:
    """A connection with aiosqlite's methods, for code in the connection's thread. None of them waits."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        self._raw = raw

    async def __aenter__(self) -> "_InThread":
        return self

    async def __aexit__(self, *raised: object) -> None: ...

    @property
    def total_changes(self) -> int:
        return self._raw.total_changes

    async def execute(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        return self._raw.execute(statement, values)

    async def executemany(self, statement: str, values: Sequence[Sequence[Any]]) -> sqlite3.Cursor:
        return self._raw.executemany(statement, values)

    async def execute_fetchall(self, statement: str, values: Sequence[Any] | None = None) -> list[Any]:
        return self._raw.execute(statement, values or ()).fetchall()

    async def execute_insert(self, statement: str, values: Sequence[Any] = ()) -> tuple[int | None]:
        return (self._raw.execute(statement, values).lastrowid,)


client_class = Client
