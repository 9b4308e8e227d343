"""Calls that arrive while others are being written wait for each other and are then written together.

Nobody waits for company: a call that finds nobody at work begins at once, alone. Those that come meanwhile are the next
group. How a group is written, and what becomes of each of its calls, is not decided here.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

from gqlstock import trail

Call = TypeVar("Call")
Done = TypeVar("Done")

_MOST = 64
_LARGEST = 1_000
_GROUPS_AT_ONCE = 4
# A group that takes longer waits for somebody's lock: what it has nothing to do with goes on beside it.
_PATIENCE = 0.05


class Queue(Generic[Call, Done]):
    """``work`` does a group and gives, for each call in its order, what it answers or the exception that it gets; one
    that it raises is everybody's.

    Of calls with one ``key`` there is never more than one in a group. ``size`` is what a call comes to: nobody waits for
    more than a large one in the group.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Call]], Awaitable[Sequence[Done | Exception]]],
        key: Callable[[Call], Hashable | None] = lambda call: None,
        size: Callable[[Call], int] = lambda call: 1,
    ) -> None:
        self._work = work
        self._key = key
        self._size = size
        self._waiting: deque[tuple[Call, asyncio.Future[Done]]] = deque()
        self._running: set[asyncio.Task[None] | None] = set()

    async def do(self, call: Call) -> Done:
        future: asyncio.Future[Done] = asyncio.get_running_loop().create_future()
        self._waiting.append((call, future))
        if not self._running:
            self._begin()
        return await future

    def _begin(self) -> None:
        # Of nobody: it goes on for all, and is not part of the request that began it.
        self._running.add(asyncio.create_task(self._run(), context=trail.left()))

    async def _run(self) -> None:
        try:
            await self._do_all()
        finally:
            # Before anything else happens: who comes from now on finds nobody at work.
            self._running.discard(asyncio.current_task())

    async def _do_all(self) -> None:
        while group := self._next():
            helped = asyncio.get_running_loop().call_later(_PATIENCE, self._help)
            try:
                outcomes = await self._outcomes([call for call, _ in group])
                for (_, future), outcome in zip(group, outcomes, strict=True):
                    _settle(future, outcome)
            finally:
                helped.cancel()
                for _, future in group:
                    future.cancel()

    async def _outcomes(self, calls: Sequence[Call]) -> Sequence[Done | Exception]:
        try:
            return await self._work(calls)
        except Exception as error:
            return [error] * len(calls)

    def _help(self) -> None:
        if self._waiting and len(self._running) < _GROUPS_AT_ONCE:
            self._begin()

    def _next(self) -> list[tuple[Call, asyncio.Future[Done]]]:
        """The next group: those who still wait, the oldest first. A second call with a key is left for a later one."""
        group: list[tuple[Call, asyncio.Future[Done]]] = []
        left: list[tuple[Call, asyncio.Future[Done]]] = []
        keys: set[Hashable] = set()
        size = 0
        while self._waiting and len(group) < _MOST and size < _LARGEST:
            call, future = self._waiting.popleft()
            key = self._key(call)
            too_large = bool(group) and size + self._size(call) > _LARGEST
            if too_large or (key is not None and key in keys):
                left.append((call, future))
            elif not future.done():
                keys.add(key)
                size += self._size(call)
                group.append((call, future))
            if too_large:
                break
        self._waiting.extendleft(reversed(left))
        return group


def _settle(future: "asyncio.Future[Done]", outcome: Done | Exception) -> None:
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
