"""Reads from a SQLite file: fast statements in the event loop, slow ones in a thread.

A statement that uses an index takes less time than the hop to a thread. Each read transaction has a connection of its own.
Reads do not wait for writers.
"""

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections.abc import Sequence
from typing import Any

from tortoise.exceptions import OperationalError

log = logging.getLogger("tortoise.db_client")

# Readers do not wait for writers, only for the recovery after a process crashed.
_LOCK_SECONDS = 1.0
# The longest time that a statement may block the event loop.
_MAX_BLOCKING_SECONDS = 0.005
# A statement that used less CPU time is not slow: the machine was busy.
_MIN_SLOW_SECONDS = 0.002
# SQLite instructions between two checks of the deadline: less than a millisecond.
_INSTRUCTIONS_PER_CHECK = 10_000
_MAX_SLOW_STATEMENTS = 1_000
# After this time, a slow statement is tried in the event loop again.
_SLOW_SECONDS = 60.0
_MAX_IDLE_CONNECTIONS = 8


class Reads:
    """The read connections of a file."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._idle: list[_Connection] = []
        self.in_use = 0
        self._slow: dict[str, float] = {}
        """The time until which each slow statement runs in a thread."""

    async def fetch(self, statement: str, values: Sequence[Any]) -> Sequence[Any]:
        """The rows of a single statement."""
        connection = self._take()
        try:
            found = connection.fetch_now(statement, values)
            return await connection.fetch_in_thread(statement, values) if found is None else found
        finally:
            self.give_back(connection)

    async def begin(self) -> "ReadTransaction":
        connection = self._take()
        try:
            connection.run("BEGIN")
        except BaseException:
            self.give_back(connection)
            raise
        return ReadTransaction(self, connection)

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _take(self) -> "_Connection":
        connection = self._idle.pop() if self._idle else _Connection(self._uri, self._slow)
        self.in_use += 1
        return connection

    def give_back(self, connection: "_Connection") -> None:
        self.in_use -= 1
        if len(self._idle) < _MAX_IDLE_CONNECTIONS and connection.roll_back():
            self._idle.append(connection)
        else:
            connection.close()


class ReadTransaction:
    """A read transaction. It sees the database as of its first statement. Several tasks may share it."""

    def __init__(self, reads: Reads, connection: "_Connection") -> None:
        self._reads = reads
        self._connection = connection
        self._lock = asyncio.Lock()
        self._is_over = False

    async def fetch(self, statement: str, values: Sequence[Any]) -> Sequence[Any]:
        self._check_open()
        fetch = self._connection.fetch
        if not self._lock.locked():
            found = self._connection.fetch_now(statement, values)
            if found is not None:
                return found
            fetch = self._connection.fetch_in_thread
        async with self._lock:
            self._check_open()
            try:
                return await fetch(statement, values)
            finally:
                if self._is_over:
                    self._reads.give_back(self._connection)

    def _check_open(self) -> None:
        if self._is_over:
            raise OperationalError("the read transaction is over")

    async def end(self) -> None:
        """End the transaction, after the running statement if there is one. Never waits, so it cannot be canceled halfway."""
        self._is_over = True
        if not self._lock.locked():
            self._reads.give_back(self._connection)


class _Connection:
    def __init__(self, uri: str, slow: dict[str, float]) -> None:
        self._slow = slow
        self._deadline = float("inf")
        try:
            self._raw = sqlite3.connect(
                uri, uri=True, timeout=_LOCK_SECONDS, isolation_level=None, check_same_thread=False
            )
        except sqlite3.OperationalError as error:
            raise OperationalError(error) from error
        self._raw.row_factory = sqlite3.Row
        try:
            self.run("PRAGMA query_only = ON")
            # Reads the file, so a file that is not a database fails here.
            self.run("PRAGMA schema_version")
        except BaseException:
            self.close()
            raise
        self._raw.set_progress_handler(lambda: time.perf_counter() > self._deadline, _INSTRUCTIONS_PER_CHECK)

    def run(self, statement: str) -> None:
        try:
            self._raw.execute(statement)
        except sqlite3.OperationalError as error:
            raise OperationalError(error) from error

    def roll_back(self) -> bool:
        """End an open transaction. Returns whether the connection can be used again."""
        try:
            self._raw.rollback()
        except sqlite3.Error:
            return False
        return True

    async def fetch(self, statement: str, values: Sequence[Any]) -> Sequence[Any]:
        found = self.fetch_now(statement, values)
        return await self.fetch_in_thread(statement, values) if found is None else found

    def fetch_now(self, statement: str, values: Sequence[Any]) -> Sequence[Any] | None:
        """The rows of a statement run in the event loop; None if it is slow."""
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%s: %s", statement, values)
        if self._slow and time.monotonic() < self._slow.get(statement, 0.0):
            return None
        began = time.thread_time()
        self._deadline = time.perf_counter() + _MAX_BLOCKING_SECONDS
        try:
            return self._raw.execute(statement, values).fetchall()
        except sqlite3.OperationalError as error:
            if str(error) != "interrupted":
                raise OperationalError(error) from error
        finally:
            self._deadline = float("inf")
        if time.thread_time() - began > _MIN_SLOW_SECONDS:
            self._remember_slow(statement)
        return None

    def _remember_slow(self, statement: str) -> None:
        if len(self._slow) >= _MAX_SLOW_STATEMENTS:
            self._slow.clear()
        self._slow[statement] = time.monotonic() + _SLOW_SECONDS

    async def fetch_in_thread(self, statement: str, values: Sequence[Any]) -> Sequence[Any]:
        hop = asyncio.ensure_future(asyncio.to_thread(lambda: self._raw.execute(statement, values).fetchall()))
        try:
            return await asyncio.shield(hop)
        except asyncio.CancelledError:
            # The connection is in use until the statement has ended, however often the caller is canceled.
            while not hop.done():
                self._raw.interrupt()
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait({hop}, timeout=_MAX_BLOCKING_SECONDS)
            if not hop.cancelled():
                hop.exception()
            raise
        except sqlite3.OperationalError as error:
            raise OperationalError(error) from error

    def close(self) -> None:
        self._raw.close()
