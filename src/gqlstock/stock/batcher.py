"""Group commit: calls that arrive during a write form the next batch. Idle batchers run calls immediately.

The ``write`` function decides how a batch is written and what each call returns.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from gqlstock import trail
from gqlstock.store.db import reads
from gqlstock.store.db.outages import Unavailable

Call = TypeVar("Call")
Answer = TypeVar("Answer")

_MAX_CALLS = 64
_MAX_SIZE = 1_000
_MAX_WAITING_BATCHES = 2
_QUIET_TURNS = 3
_MAX_SECONDS_TO_JOIN = 0.005
_PART_TO_WAIT = 0.2
_MAX_SECONDS_TO_WAIT = 0.002


Lock = tuple[str, int | str]
"""The kind of a locked object, and its id or, for an address, its text."""


class Locked(Exception):
    """Other transactions hold locks that a call needs, ``keys``. The call waits for them outside the queue."""

    def __init__(self, keys: Collection[Lock]) -> None:
        self.keys = frozenset(keys)
        super().__init__(f"locked: {sorted(map(str, self.keys))}")


Write = Callable[[Sequence[Call], frozenset[Lock]], Awaitable[Sequence[Answer | Exception]]]
"""Writes a batch and returns each call's answer or exception, in order; ``Locked`` if a call's locks are not free.

It waits for the locks in its second argument, and for no others. If it waits too long, it raises ``Locked``.
"""


@dataclass(slots=True)
class _Pending(Generic[Call, Answer]):
    call: Call
    future: "asyncio.Future[Answer]"
    max_wait: float
    locked: frozenset[Lock] = frozenset()
    in_batch: bool = False
    is_overdue: bool = False

    def expire(self) -> None:
        """Refuse the call. One that is in a batch is refused when its locks turn out to be held elsewhere."""
        self.is_overdue = True
        if not self.in_batch and not self.future.done():
            self.future.set_exception(
                Unavailable(
                    f"The call waited {self.max_wait:g} seconds for its turn. Nothing was committed; try again later."
                )
            )


class Batcher(Generic[Call, Answer]):
    """Writes one batch at a time. Calls whose locks are held elsewhere wait in at most two more batches.

    A batch has at most one call per ``key``. ``size`` returns the number of rows of a call; a batch has at most 1,000
    rows, unless a single call has more. Calls that are in no batch after ``max_wait`` seconds, or that have to wait for
    a lock again, raise ``Unavailable``.
    """

    def __init__(
        self,
        write: Write[Call, Answer],
        key: Callable[[Call], Hashable | None] = lambda call: None,
        size: Callable[[Call], int] = lambda call: 1,
        max_wait: Callable[[], float] = lambda: 30.0,
    ) -> None:
        self._write = write
        self._key = key
        self._size = size
        self._max_wait = max_wait
        self._queue: deque[_Pending[Call, Answer]] = deque()
        self._locked: deque[_Pending[Call, Answer]] = deque()
        self._running: asyncio.Task[None] | None = None
        self._waiting: set[asyncio.Task[None]] = set()

    async def do(self, call: Call) -> Answer:
        """Run a call in a batch with concurrent calls, and return its answer."""
        loop = asyncio.get_running_loop()
        pending: _Pending[Call, Answer] = _Pending(call, loop.create_future(), self._max_wait())
        self._queue.append(pending)
        if self._running is None:
            self._running = _start(self._run)
        expiry = loop.call_later(pending.max_wait, pending.expire)
        try:
            return await pending.future
        finally:
            expiry.cancel()

    async def _run(self) -> None:
        try:
            await self._let_join()
            while batch := self._next(self._queue, frozenset()):
                began = time.monotonic()
                await self._write_batch(batch, frozenset())
                if self._queue:
                    await asyncio.sleep(min((time.monotonic() - began) * _PART_TO_WAIT, _MAX_SECONDS_TO_WAIT))
                    await self._let_join()
        finally:
            # Reset before the next await, so the next call starts a new task.
            self._running = None

    async def _let_join(self) -> None:
        """Let calls join whose requests the event loop is still reading, until a few loop turns add no call.

        Callers that were just answered often call again. Without this wait, the first of them would form a batch alone.
        """
        until = time.monotonic() + _MAX_SECONDS_TO_JOIN
        quiet = 0
        while quiet < _QUIET_TURNS and len(self._queue) < _MAX_CALLS and time.monotonic() < until:
            known = len(self._queue)
            await asyncio.sleep(0)
            quiet = quiet + 1 if len(self._queue) == known else 0

    async def _wait(self) -> None:
        """Write the calls whose locks are held elsewhere, oldest first."""
        task = asyncio.current_task()
        try:
            while self._locked:
                keys = self._locked[0].locked
                # All may have been cancelled or refused meanwhile.
                if batch := self._next(self._locked, keys):
                    await self._write_batch(batch, keys)
        finally:
            if task is not None:
                self._waiting.discard(task)

    async def _write_batch(self, batch: Sequence[_Pending[Call, Answer]], wait_for: frozenset[Lock]) -> None:
        try:
            for pending, answer in zip(batch, await self._answers(batch, wait_for), strict=True):
                pending.in_batch = False
                if isinstance(answer, Locked):
                    self._set_aside(pending, answer.keys)
                else:
                    _settle(pending.future, answer)
        finally:
            for pending in batch:
                if pending.in_batch:
                    pending.future.cancel()
        if self._locked and len(self._waiting) < _MAX_WAITING_BATCHES:
            self._waiting.add(_start(self._wait))

    async def _answers(
        self, batch: Sequence[_Pending[Call, Answer]], wait_for: frozenset[Lock]
    ) -> Sequence[Answer | Exception]:
        try:
            return await self._write([pending.call for pending in batch], wait_for)
        except Locked:
            # Each goes on waiting for its own locks, which may be some of these.
            return [Locked(pending.locked) for pending in batch]
        except Exception as error:
            return [error] * len(batch)

    def _set_aside(self, pending: _Pending[Call, Answer], locked: frozenset[Lock]) -> None:
        if pending.is_overdue:
            pending.expire()
        else:
            pending.locked = locked
            self._locked.append(pending)

    def _next(self, queue: deque[_Pending[Call, Answer]], locked: frozenset[Lock]) -> list[_Pending[Call, Answer]]:
        """The next batch, oldest calls first. Calls that wait for locks other than ``locked`` stay in the queue."""
        batch: list[_Pending[Call, Answer]] = []
        skipped: list[_Pending[Call, Answer]] = []
        keys: set[Hashable] = set()
        size = 0
        while queue and len(batch) < _MAX_CALLS and size < _MAX_SIZE:
            pending = queue.popleft()
            if pending.future.done():
                continue
            key = self._key(pending.call)
            too_large = bool(batch) and size + self._size(pending.call) > _MAX_SIZE
            if too_large or (key is not None and key in keys) or not pending.locked <= locked:
                skipped.append(pending)
            else:
                keys.add(key)
                size += self._size(pending.call)
                pending.in_batch = True
                batch.append(pending)
            if too_large:
                break
        queue.extendleft(reversed(skipped))
        return batch


def _start(run: Callable[[], Awaitable[None]]) -> "asyncio.Task[None]":
    # The task serves all calls, so it detaches from the trace and the read of the request that started it.
    async def task() -> None:
        await run()

    context = trail.left()
    context.run(reads.current.set, None)
    return asyncio.create_task(task(), context=context)


def _settle(future: "asyncio.Future[Answer]", answer: Answer | Exception) -> None:
    if future.done():
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
