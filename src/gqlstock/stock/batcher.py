"""Group commit: calls that arrive during a write form the next batch.

Idle batchers run calls immediately, alone. How a batch is written, and what each call gets, is not decided here.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from gqlstock import trail

Call = TypeVar("Call")
Answer = TypeVar("Answer")

_MOST_CALLS = 64
_LARGEST = 1_000
_WAITING_AT_ONCE = 2


Lock = tuple[str, int]
"""What a lock is on, by kind and id."""


class Locked(Exception):
    """A call was set aside: another transaction has what it needs. ``keys`` are the locks to wait for."""

    def __init__(self, keys: Collection[Lock]) -> None:
        self.keys = frozenset(keys)
        super().__init__(f"locked: {sorted(map(str, self.keys))}")


Write = Callable[[Sequence[Call], frozenset[Lock]], Awaitable[Sequence[Answer | Exception]]]
"""Writes a batch and gives each call's answer, or its exception, in order; ``Locked`` for a call that was set aside.

It never waits for a lock, but for those it is told to wait for.
"""


@dataclass(slots=True)
class _Pending(Generic[Call, Answer]):
    call: Call
    future: "asyncio.Future[Answer]"
    locked: frozenset[Lock] = frozenset()


class Batcher(Generic[Call, Answer]):
    """One batch is written at a time. Calls that need a lock somebody else has wait beside it, at most two batches at once.

    Of calls with one ``key``, a batch has at most one. ``size`` is how much work a call is: a batch is closed once its
    calls come to a thousand.
    """

    def __init__(
        self,
        write: Write[Call, Answer],
        key: Callable[[Call], Hashable | None] = lambda call: None,
        size: Callable[[Call], int] = lambda call: 1,
    ) -> None:
        self._write = write
        self._key = key
        self._size = size
        self._queue: deque[_Pending[Call, Answer]] = deque()
        self._locked: deque[_Pending[Call, Answer]] = deque()
        self._running: asyncio.Task[None] | None = None
        self._waiting: set[asyncio.Task[None]] = set()

    async def do(self, call: Call) -> Answer:
        """Run a call, with others that arrive at the same time."""
        pending: _Pending[Call, Answer] = _Pending(call, asyncio.get_running_loop().create_future())
        self._queue.append(pending)
        if self._running is None:
            self._running = _start(self._run)
        return await pending.future

    async def _run(self) -> None:
        try:
            while batch := self._next(self._queue, frozenset()):
                await self._write_batch(batch, frozenset())
        finally:
            # Before anything else happens: the next call finds an idle batcher.
            self._running = None

    async def _wait(self) -> None:
        """Write calls whose locks others have, those first that have waited longest."""
        task = asyncio.current_task()
        try:
            while self._locked:
                keys = self._locked[0].locked
                await self._write_batch(self._next(self._locked, keys), keys)
        finally:
            if task is not None:
                self._waiting.discard(task)

    async def _write_batch(self, batch: Sequence[_Pending[Call, Answer]], wait_for: frozenset[Lock]) -> None:
        try:
            for pending, answer in zip(batch, await self._answers(batch, wait_for), strict=True):
                if isinstance(answer, Locked):
                    pending.locked = answer.keys
                    self._locked.append(pending)
                else:
                    _settle(pending.future, answer)
        finally:
            for pending in batch:
                if not pending.locked:
                    pending.future.cancel()
        if self._locked and len(self._waiting) < _WAITING_AT_ONCE:
            self._waiting.add(_start(self._wait))

    async def _answers(
        self, batch: Sequence[_Pending[Call, Answer]], wait_for: frozenset[Lock]
    ) -> Sequence[Answer | Exception]:
        try:
            return await self._write([pending.call for pending in batch], wait_for)
        except Exception as error:
            return [error] * len(batch)

    def _next(self, queue: deque[_Pending[Call, Answer]], locked: frozenset[Lock]) -> list[_Pending[Call, Answer]]:
        """The next batch, oldest calls first: those that need no other locks than these, when they need any."""
        batch: list[_Pending[Call, Answer]] = []
        left: list[_Pending[Call, Answer]] = []
        keys: set[Hashable] = set()
        size = 0
        while queue and len(batch) < _MOST_CALLS and size < _LARGEST:
            pending = queue.popleft()
            if pending.future.done():
                continue
            key = self._key(pending.call)
            too_large = bool(batch) and size + self._size(pending.call) > _LARGEST
            if too_large or (key is not None and key in keys) or not pending.locked <= locked:
                left.append(pending)
            else:
                keys.add(key)
                size += self._size(pending.call)
                pending.locked = frozenset()
                batch.append(pending)
            if too_large:
                break
        queue.extendleft(reversed(left))
        return batch


def _start(run: Callable[[], Awaitable[None]]) -> "asyncio.Task[None]":
    # Not part of the request that started it: it goes on for all calls.
    async def task() -> None:
        await run()

    return asyncio.create_task(task(), context=trail.left())


def _settle(future: "asyncio.Future[Answer]", answer: Answer | Exception) -> None:
    if future.done():
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
