"""Tortoise's SQLite client, with transactions that take the write lock when they begin and never keep it.

A deferred BEGIN asks for the lock at the first write; where another process has written since the first read, SQLite
can only fail then. ``Tortoise`` finds this module by its name, as the engine of a connection.
"""

import asyncio
import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextvars import copy_context
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite
from cachetools import TTLCache
from tortoise.backends.base.client import ConnectionWrapper, TransactionalDBClient, TransactionContext
from tortoise.backends.sqlite.client import SqliteClient, SqliteTransactionContext, SqliteTransactionWrapper
from tortoise.connection import get_connections
from tortoise.exceptions import OperationalError

from gqlstock.store.db import clock

T = TypeVar("T")

_SECONDS_TO_WAIT = 10.0
# Nobody is waited for, but for a moment where another process has just ended in the middle of something.
_SECONDS_TO_LOOK = 1.0
# Nothing else happens meanwhile.
_SECONDS_AT_ONCE = 0.005
# SQLite's own, from one look at the clock to the next: less than a millisecond.
_STEPS = 10_000
_LASTING = 1_000
# Then they are tried again: it may have been the machine that was busy.
_SECONDS_LASTING = 60.0


def copy(path: str, to: Path) -> None:
    """Write a database as it is at one moment, with its log and free of holes, to an empty file."""
    with contextlib.closing(sqlite3.connect(_uri(path, "rw"), uri=True, timeout=_SECONDS_TO_WAIT)) as connection:
        connection.execute("VACUUM INTO ?", (str(to),))
    descriptor = os.open(to, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _uri(path: str, mode: str) -> str:
    """A file as SQLite opens it: ``rwc`` creates a missing one, ``rw`` does not."""
    return f"{Path(path).absolute().as_uri()}?mode={mode}"


class Client(SqliteClient):
    """What only reads does not take the detour over a thread, unless it lasts: through an index, a statement takes less
    time than that. Whoever writes is not waited for."""

    def __init__(self, *given: Any, create: bool = False, **named: Any) -> None:
        super().__init__(*given, **named)
        self._uri = _uri(self.filename, "rwc" if create else "rw")
        self.only_reads = self.pragmas.get("query_only") == "ON"
        self._eye: sqlite3.Connection | None = None
        self._until = 0.0
        self._lasting: TTLCache[str, bool] = TTLCache(_LASTING, _SECONDS_LASTING)
        """Statements that lasted not long ago."""

    async def create_connection(self, with_db: bool) -> None:  # noqa: FBT001
        """As Tortoise's own, but a missing file is only created where that is wanted, and a failure leaves nothing open."""
        clock.follow_machine()
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
        found = self._look(query, values or []) if self.only_reads else None
        return await super().execute_query(query, values) if found is None else (len(found), found)

    async def execute_query_dict(self, query: str, values: list[Any] | None = None) -> Any:
        found = self._look(query, values or []) if self.only_reads else None
        return await super().execute_query_dict(query, values) if found is None else list(map(dict, found))

    def _look(self, statement: str, values: Sequence[Any]) -> list[sqlite3.Row] | None:
        """What a statement finds, at once; None for one that lasts."""
        if statement in self._lasting:
            return None
        self.log.debug("%s: %s", statement, values)
        self._until = time.perf_counter() + _SECONDS_AT_ONCE
        try:
            if self._eye is None:
                self._eye = self._opened()
            return self._eye.execute(statement, values).fetchall()
        except sqlite3.OperationalError as error:
            if str(error) == "interrupted":
                self._lasting[statement] = True
                return None
            raise OperationalError(error) from error

    def _opened(self) -> sqlite3.Connection:
        eye = sqlite3.connect(
            self._uri, uri=True, timeout=_SECONDS_TO_LOOK, isolation_level=None, check_same_thread=False
        )
        eye.row_factory = sqlite3.Row
        try:
            eye.execute("PRAGMA query_only = ON")
            # Reads the file: what is no database is told now, whatever is asked first.
            eye.execute("PRAGMA schema_version")
        except BaseException:
            eye.close()
            raise
        eye.set_progress_handler(lambda: time.perf_counter() > self._until, _STEPS)
        return eye

    async def close(self) -> None:
        if self._eye is not None:
            self._eye.close()
            self._eye = None
        await super().close()

    def acquire_connection(self) -> ConnectionWrapper[Any]:
        return _Acquired(self._lock, self)

    async def transact(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run ``work`` in one transaction, all of it in the connection's thread: one hop, however many statements.

        ``work`` may await statements of this database and nothing else. A caller that is cancelled does not stop it.
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
    """Gives the lock back when the file cannot be opened, which Tortoise's own does not."""

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
            # One that only reads has everything as of its first statement, and keeps nobody from writing.
            await self._connection.execute("BEGIN" if self._parent.only_reads else "BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise OperationalError(error) from error

    async def execute_script(self, query: str) -> None:
        # sqlite3 commits what is open before it runs a script of its own.
        for statement in query.split(";"):
            await self.execute_query(statement)


class _Context(SqliteTransactionContext):
    """Leaves no transaction open and no lock taken, whatever fails and whenever it is cancelled.

    What is sent to the connection is done in its order even when nobody waits for it any more: a rollback that is sent
    after a BEGIN ends it.
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
    """The result of what runs in a thread. It keeps the connection until it ends, whoever is cancelled meanwhile."""
    task = asyncio.ensure_future(hop)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


def _run_to_end(raw: sqlite3.Connection, client: "_InOneHop", work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Take the write lock, run a coroutine whose awaits never wait, and commit."""
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
    """A connection with the methods of aiosqlite's, for code that runs in its thread already: none of them waits."""

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
