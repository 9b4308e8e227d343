"""Runs functions in transactions, and retries them after temporary errors."""

import asyncio
import itertools
import logging
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tortoise.exceptions import IntegrityError, OperationalError
from tortoise.transactions import in_transaction as tortoise_transaction

from gqlstock.store.db import commits, sql
from gqlstock.store.db.commits import CommitLost, Mark
from gqlstock.store.db.connection import connection, in_transaction, is_postgres, reader
from gqlstock.store.db.outages import Disconnected, Unavailable

log = logging.getLogger(__name__)
T = TypeVar("T")

ATTEMPTS = 8
_LOCK_TIMEOUT = "55P03"
_RETRIED_STATES = {"40001", "40P01", _LOCK_TIMEOUT}  # serialization failure, deadlock

_ending: ContextVar["_Ending | None"] = ContextVar("ending", default=None)


class Outdated(Exception):
    """Data that a transaction read before it took its locks has changed. The transaction is retried."""


@dataclass(slots=True)
class _Ending:
    """The work due when the running transaction ends: gathered writes before the commit, and calls after it."""

    gathered: dict[Callable[[list[Any]], Awaitable[None]], list[Any]] = field(default_factory=dict)
    calls: list[Callable[[], None]] = field(default_factory=list)
    mark: Mark | None = None
    """Proves the commit if the answer to COMMIT is lost."""
    repeatable: bool = False
    """Whether the transaction may be retried in that case."""


def on_commit(call: Callable[[], None]) -> None:
    """Call a function once after the running transaction has committed."""
    calls = _running().calls
    if call not in calls:
        calls.append(call)


def gather(write: Callable[[list[T]], Awaitable[None]], rows: Sequence[T]) -> None:
    """Gather rows to be written together just before the running transaction commits."""
    _running().gathered.setdefault(write, []).extend(rows)


def recognize_by(mark: Mark) -> None:
    """Set the mark that proves the commit of the running transaction if the answer to COMMIT is lost."""
    _running().mark = mark


def allow_repeat() -> None:
    """Allow a retry of the running transaction, which is idempotent, if the answer to COMMIT is lost."""
    _running().repeatable = True


async def confirm_visible() -> None:
    """Let the COMMIT of the running transaction also confirm what it has read. SQLite shows only what is on the disk."""
    if is_postgres():
        await commits.confirm(sql.execute)


async def write_gathered() -> None:
    """Write the gathered rows now, for transactions that would gather too many."""
    gathered = _running().gathered
    for write in tuple(gathered):
        await write(gathered.pop(write))


def _running() -> _Ending:
    ending = _ending.get()
    if ending is None:
        raise RuntimeError("No transaction is running.")
    return ending


async def run(work: Callable[[], Awaitable[T]], attempts: int = ATTEMPTS) -> T:
    """Run ``work`` in a transaction: the running one, or a new one.

    A new transaction is retried after deadlocks, serialization failures, locks that others hold, lost connections,
    ``Outdated`` and violated constraints: another transaction wrote first, and a retry finds its rows. ``work`` must
    therefore have no effect outside the database. Raises ``Unavailable`` if others hold locks for too long. A transaction
    that may have committed is not retried; it raises ``CommitUnknown``.
    """
    if in_transaction.get():
        return await work()
    return await _with_retries(lambda: _once(work, _in_limited_transaction), attempts)


async def _with_retries(once: Callable[[], Awaitable[T]], attempts: int, own_attempts: int = ATTEMPTS) -> T:
    began = time.monotonic()
    for attempt in itertools.count(1):
        try:
            return await once()
        except Exception as error:
            if _is_full(error):
                raise Unavailable("the database has no space left") from error
            if not is_temporary(error):
                raise
            if is_external(error):
                if attempt >= attempts or (attempt > 1 and time.monotonic() - began > max_wait()):
                    # Callers that allow one attempt retry themselves, and need the error.
                    if attempt == 1 or isinstance(error, Disconnected | CommitLost):
                        raise
                    raise Unavailable("other transactions hold the locks that a change needs") from error
            elif attempt >= min(attempts, own_attempts):
                raise
            log.info("retrying transaction (attempt %s failed): %s", attempt, error)
            if not isinstance(error, Outdated):
                await asyncio.sleep(random.uniform(0, 0.02 * 2**attempt))
    raise AssertionError("unreachable")


async def at_one_moment(work: Callable[[], Awaitable[T]]) -> T:
    """Run ``work``, which only reads, on one snapshot of the database, or in the running transaction."""
    if in_transaction.get():
        return await work()
    async with tortoise_transaction("reader"):
        if is_postgres():
            await sql.query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return await work()


async def run_in_one_hop(work: Callable[[], Coroutine[Any, Any, T]], own_attempts: int = ATTEMPTS) -> T:
    """Like ``run``, but on SQLite the transaction takes a single hop to the connection's thread.

    ``work`` may only await statements of this database. ``own_attempts``: gives up sooner if the work itself fails.
    """
    if in_transaction.get():
        return await work()
    return await _with_retries(lambda: _once(work, _in_one_hop), ATTEMPTS, own_attempts)


async def _in_one_hop(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    db: Any = connection()
    return await (_in_transaction(work) if is_postgres() else db.transact(work))


async def _in_limited_transaction(work: Callable[[], Awaitable[T]]) -> T:
    """Like ``_in_transaction``, but leaves connections to commands, however many such transactions wait for locks."""
    db: Any = connection()
    async with db.limited() if is_postgres() else nullcontext():
        return await _in_transaction(work)


async def _in_transaction(work: Callable[[], Awaitable[T]]) -> T:
    async with tortoise_transaction("default"):
        return await work()


async def _once(work: Callable[[], Awaitable[T]], within: Callable[..., Awaitable[T]]) -> T:
    ending = _Ending()
    writing, was_ending = in_transaction.set(True), _ending.set(ending)

    result: T

    async def complete() -> T:
        nonlocal result
        result = await work()
        await write_gathered()
        return result

    lost: CommitLost | None = None
    try:
        await within(complete)
    except CommitLost as error:
        lost = error
    finally:
        in_transaction.reset(writing)
        _ending.reset(was_ending)
    if lost is not None and (ending.repeatable or not await _is_committed(ending.mark)):
        raise lost
    for call in ending.calls:
        call()
    return result


async def _is_committed(mark: Mark | None) -> bool:
    """Like ``commits.is_committed``. It checks at least as long as other calls wait for the database."""
    return await commits.is_committed(mark, sql.execute, max_wait())


def max_wait() -> float:
    """The longest wait of a call for the database, in seconds: as long as a server waits in an outage, and at least 30."""
    patience = reader().primary.patience if is_postgres() else None
    return commits.MIN_SECONDS if patience is None else max(commits.MIN_SECONDS, patience.outage)


def is_temporary(error: Exception) -> bool:
    """Whether a transaction that failed with this error may succeed on a retry."""
    return isinstance(error, Outdated | IntegrityError) or is_external(error)


def is_external(error: Exception) -> bool:
    """Whether a transaction failed because of its connection or other transactions, not because of its own work."""
    if isinstance(error, CommitLost | Disconnected):
        return True
    if isinstance(error, OperationalError):
        return "locked" in str(error)
    return getattr(error, "sqlstate", None) in _RETRIED_STATES


def is_lock_timeout(error: Exception) -> bool:
    """Whether PostgreSQL ended a wait for a lock."""
    return getattr(error, "sqlstate", None) == _LOCK_TIMEOUT


def _is_full(error: Exception) -> bool:
    """Whether SQLite found no space on its disk. PostgreSQL's client raises ``Unavailable`` itself."""
    return isinstance(error, OperationalError) and "disk is full" in str(error)
