"""Schedules pushes to subscribers, so that requests are answered in between, no matter how many pushes are due.

Each push is one turn. Each iteration of the event loop runs as many turns as fit into a few milliseconds.
"""

import asyncio
import time
from collections import deque

_SECONDS = 0.004
"""The target time of one iteration of the event loop, other work included."""
_MOST = 64


class Turns:
    """One per process. Turns are given in order of arrival."""

    def __init__(self, seconds: float = _SECONDS) -> None:
        self._seconds = seconds
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._in_a_round = _MOST
        self._left = _MOST
        self._scheduled = False
        self._round_began: float | None = None

    def take(self) -> bool:
        """Take a turn immediately. False if this iteration has none left, or others are waiting."""
        if self._waiting or not self._left:
            return False
        self._left -= 1
        self._schedule()
        return True

    async def wait(self) -> None:
        """Take a turn, after those who are already waiting."""
        if self.take():
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._schedule()
        await turn

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._round_began = time.perf_counter()
            asyncio.get_running_loop().call_soon(self._begin_round)

    def _begin_round(self) -> None:
        now = time.perf_counter()
        if self._round_began is not None and now - self._round_began > self._seconds:
            self._in_a_round = max(1, self._in_a_round // 2)
        else:
            self._in_a_round = min(_MOST, self._in_a_round + 1)
        self._left = self._in_a_round
        while self._waiting and self._left:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                self._left -= 1
        self._scheduled = False
        if self._waiting:
            self._schedule()
