"""Runs code between the statements of a read, like a concurrent request: on other connections."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from contextvars import Context
from typing import Any, TypeVar

from gqlstock.store.db import connection
from gqlstock.store.db.reads import Transaction

T = TypeVar("T")
Action = Callable[[], Coroutine[Any, Any, Any]]

VALIDATION = r"sqlite_sequence|pg_current_snapshot"
"""Matches validation statements only."""
BEGIN = "begin a read transaction"
"""Matches the beginning of a read transaction."""


async def elsewhere(work: Coroutine[Any, Any, T]) -> T:
    """Run something outside of the running read and transaction."""
    return await asyncio.create_task(work, context=Context())


class _Between:
    def __init__(self, pattern: str, action: Action, skipped: int) -> None:
        self._pattern = re.compile(pattern)
        self._action = action
        self._skipped = skipped
        self.done = False

    async def __call__(self, statement: str) -> None:
        if self.done or not self._pattern.search(statement):
            return
        if self._skipped:
            self._skipped -= 1
            return
        self.done = True
        await elsewhere(self._action())


class _Transaction:
    def __init__(self, real: Transaction, between: _Between) -> None:
        self._real = real
        self._between = between

    async def fetch(self, statement: str, values: Sequence[Any]) -> Sequence[Any]:
        await self._between(statement)
        return await self._real.fetch(statement, values)

    def end(self) -> Awaitable[None]:
        return self._real.end()


@contextmanager
def before(pattern: str, action: Action, *, skipped: int = 0) -> Iterator[_Between]:
    """Run something right before the first matching statement of a read. ``skipped``: the number of matches to skip."""
    client = connection.reader()
    between = _Between(pattern, action, skipped)
    fetch, begin_read = client.fetch, client.begin_read

    async def fetch_after(statement: str, values: Sequence[Any]) -> Sequence[Any]:
        await between(statement)
        found: Sequence[Any] = await fetch(statement, values)
        return found

    async def begin_read_after() -> _Transaction:
        await between(BEGIN)
        return _Transaction(await begin_read(), between)

    # Patches the client object, which belongs to this test's database only.
    client.fetch, client.begin_read = fetch_after, begin_read_after
    try:
        yield between
    finally:
        del client.fetch, client.begin_read
    assert between.done, f"no statement matched {pattern}"
