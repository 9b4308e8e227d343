"""Transactions: all of one happens or nothing, and what is passing is tried again."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tortoise.exceptions import IntegrityError, OperationalError
from tortoise.transactions import in_transaction as tortoise_transaction

from gqlstock.store.db import commits, sql
from gqlstock.store.db.commits import CommitLost, Mark
from gqlstock.store.db.connection import connection, in_transaction, is_postgres

log = logging.getLogger(__name__)
T = TypeVar("T")

ATTEMPTS = 8
_RETRIED_STATES = {"40001", "40P01"}  # serialization failure, deadlock

_ending: ContextVar["_Ending | None"] = ContextVar("ending", default=None)


class Outdated(Exception):
    """What a transaction read before it had its lock is no longer so: it is tried again."""


@dataclass(slots=True)
class _Ending:
    """What the running transaction has still to do: write together what was gathered, and call when it has committed."""

    gathered: dict[Callable[[list[Any]], Awaitable[None]], list[Any]] = field(default_factory=dict)
    calls: list[Callable[[], None]] = field(default_factory=list)
    mark: Mark | None = None
    """What tells that it has committed, when the answer to its COMMIT is lost."""
    repeatable: bool = False
    """Whether it may be run again then."""


def on_commit(call: Callable[[], None]) -> None:
    """Call this once when the running transaction has committed; never when it has not."""
    calls = _running().calls
    if call not in calls:
        calls.append(call)


def gather(write: Callable[[list[T]], Awaitable[None]], rows: Sequence[T]) -> None:
    """Write these with all others that the running transaction gathers for the same function, just before it commits."""
    _running().gathered.setdefault(write, []).extend(rows)


def recognize_by(mark: Mark) -> None:
    """Tell by this mark whether the running transaction has committed, should the answer to its COMMIT be lost."""
    _running().mark = mark


def allow_repeat() -> None:
    """Have the running transaction run again when the answer to its COMMIT is lost: twice does no more than once."""
    _running().repeatable = True


async def write_gathered() -> None:
    """Write now what the running transaction has gathered, where it would become much until the end."""
    gathered = _running().gathered
    for write in tuple(gathered):
        await write(gathered.pop(write))


def _running() -> _Ending:
    ending = _ending.get()
    if ending is None:
        raise RuntimeError("There is no transaction that this could belong to.")
    return ending


async def run(work: Callable[[], Awaitable[T]], attempts: int = ATTEMPTS) -> T:
    """Run ``work`` in one transaction: all of it happens or nothing.

    Inside a transaction it joins that one. Deadlocks, serialization failures, a database that stays locked and what is
    ``Outdated`` are tried again from the start, a bounded number of times, and so is what a constraint refused: another
    transaction wrote first, and ``work`` finds that now. It must therefore do nothing outside the database. A transaction
    that may have committed is never tried again: ``CommitUnknown``.
    """
    if in_transaction.get():
        return await work()
    return await _tried(lambda: _once(work), attempts)


async def _tried(once: Callable[[], Awaitable[T]], attempts: int) -> T:
    for attempt in range(1, attempts + 1):
        try:
            return await once()
        except Exception as error:
            if attempt == attempts or not is_passing(error):
                raise
            log.info("transaction tried again (%s of %s): %s", attempt, attempts, error)
            await asyncio.sleep(random.uniform(0, 0.02 * 2**attempt))
    raise AssertionError("unreachable")


async def at_one_moment(work: Callable[[], Awaitable[T]]) -> T:
    """Run ``work``, which only reads, on the database as it is at one moment, while others write.

    Inside a transaction it joins that one.
    """
    if in_transaction.get():
        return await work()
    async with tortoise_transaction("reader"):
        if is_postgres():
            await sql.query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return await work()


async def run_in_one_hop(work: Callable[[], Coroutine[Any, Any, T]], attempts: int = ATTEMPTS) -> T:
    """As ``run``; on SQLite all of it runs in one hop to the connection's thread.

    ``work`` may await statements of this database and nothing else.
    """
    if in_transaction.get():
        return await work()
    return await _tried(lambda: _once(work, _in_one_hop), attempts)


async def _in_one_hop(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    db: Any = connection()
    return await (_in_transaction(work) if is_postgres() else db.transact(work))


async def _in_transaction(work: Callable[[], Awaitable[T]]) -> T:
    async with tortoise_transaction("default"):
        return await work()


async def _once(work: Callable[[], Awaitable[T]], within: Callable[..., Awaitable[T]] | None = None) -> T:
    ending = _Ending()
    writing, was_ending = in_transaction.set(True), _ending.set(ending)

    result: T

    async def whole() -> T:
        nonlocal result
        result = await work()
        await write_gathered()
        return result

    lost: CommitLost | None = None
    try:
        await (within or _in_transaction)(whole)
    except CommitLost as error:
        lost = error
    finally:
        in_transaction.reset(writing)
        _ending.reset(was_ending)
    if lost is not None and (ending.repeatable or not await commits.is_committed(ending.mark, sql.execute)):
        raise lost
    for call in ending.calls:
        call()
    return result


def is_passing(error: Exception) -> bool:
    """Whether a transaction that failed like that may succeed when it is tried again."""
    if isinstance(error, Outdated | IntegrityError | CommitLost):
        return True
    if isinstance(error, OperationalError):
        return "locked" in str(error)
    return getattr(error, "sqlstate", None) in _RETRIED_STATES
