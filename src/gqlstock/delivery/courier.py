"""Delivers what is due, so many things at once and no more, and hands back what it has in hand when it stops.

It renews the leases of what it has in hand. When its process dies, another takes over within seconds.
"""

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any, Protocol

from gqlstock.store.db import clock
from gqlstock.store.work import WorkQueue

log = logging.getLogger(__name__)

# What another process made due, or a pause that is over, is found after this long.
_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_BETWEEN_RENEWALS = 1.0
# The two together are less than a lease.
_SECONDS_TO_FINISH = 2.0
_AT_ONCE = 64


class Depot(Protocol):
    """What there is to deliver. Things that must not hold up others are of different groups."""

    queue: WorkQueue[Any]
    """Where the things are."""
    at_once: int
    """How many things of one group are delivered at once."""

    async def waiting(self) -> dict[int, datetime]:
        """The groups with something to deliver, each with when the first of it is due."""

    async def claim(self, group: int, limit: int) -> list[Any]:
        """Take things of a group that are due, for a lease."""

    async def deliver(self, thing: Any) -> bool:
        """Deliver one and write down what became of it; False when it was not taken."""


class Courier:
    """One for each kind of work in each process; the leases keep the processes apart.

    ``told`` is called with what came of each attempt: taken, refused or failed.
    """

    def __init__(self, depot: Depot, told: Callable[[str], None] | None = None) -> None:
        self._depot = depot
        self._told = told
        self._wake = asyncio.Event()
        self._in_hand: dict[asyncio.Task[None], tuple[int, Any]] = {}
        self._failing: set[int] = set()
        self._renewed_at = time.monotonic()

    @property
    def in_hand(self) -> int:
        """How many things are being delivered."""
        return len(self._in_hand)

    def wake(self) -> None:
        """Look now for what is due."""
        self._wake.set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Deliver for the block."""
        looking = asyncio.create_task(self._look())
        try:
            yield
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
            await self._finish()

    async def _look(self) -> None:
        while True:
            self._wake.clear()
            seconds = _SECONDS_BETWEEN_LOOKS
            try:
                # Renew the leases first, so that no other courier claims what this one is sending.
                await self._renew()
                seconds = min(seconds, await self.step())
            except Exception:
                log.exception("what is to be delivered could not be read; trying again")
            # Not wait_for, which on Python 3.11 may lose the cancellation that comes together with a wake-up.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._wake.wait()

    async def step(self) -> float:
        """Begin to deliver what is due; gives the seconds until more is."""
        now = clock.now()
        seconds = _SECONDS_BETWEEN_LOOKS
        busy = Counter(group for group, _ in self._in_hand.values())
        for group, due_at in (await self._depot.waiting()).items():
            # One that fails is asked by one attempt at a time: it must not take the room of those that do not.
            room = min(
                1 if group in self._failing else self._depot.at_once, _AT_ONCE - len(self._in_hand) + busy[group]
            )
            if due_at > now:
                seconds = min(seconds, (due_at - now).total_seconds())
            elif busy[group] < room:
                for thing in await self._depot.claim(group, room - busy[group]):
                    self._begin(group, thing)
        return seconds

    async def _renew(self) -> None:
        """Renew the leases of running deliveries; stop those that another process took over while this one was held up."""
        now = time.monotonic()
        if now - self._renewed_at < _SECONDS_BETWEEN_RENEWALS:
            return
        in_hand = dict(self._in_hand)
        lost = {thing.id for thing in await self._depot.queue.renew([thing for _, thing in in_hand.values()])}
        self._renewed_at = now
        for task, (_, thing) in in_hand.items():
            if thing.id in lost and not task.done():
                log.warning("%s was held up: another process delivers it now", thing.message_id)
                task.cancel()
                self._in_hand.pop(task, None)

    async def idle(self) -> None:
        """Wait until nothing is in hand."""
        while self._in_hand:
            await asyncio.wait(list(self._in_hand))

    def _begin(self, group: int, thing: Any) -> None:
        task = asyncio.create_task(self._deliver(group, thing))
        self._in_hand[task] = group, thing
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled():
            self._in_hand.pop(task, None)
            self._wake.set()

    async def _deliver(self, group: int, thing: Any) -> None:
        try:
            taken = await self._depot.deliver(thing)
            outcome = "taken" if taken else "refused"
        except Exception:
            # Nothing was written of it: it is tried again when its lease is over.
            log.exception("a delivery failed over an error of our own")
            taken, outcome = False, "failed"
        if self._told is not None:
            self._told(outcome)
        if taken:
            self._failing.discard(group)
        else:
            self._failing.add(group)

    async def _finish(self) -> None:
        """Let what is in hand come to an end, and hand back what does not soon."""
        if self._in_hand:
            await asyncio.wait(list(self._in_hand), timeout=_SECONDS_TO_FINISH)
        left = [(task, thing) for task, (_, thing) in self._in_hand.items() if not task.done()]
        for task, _ in left:
            task.cancel()
        await asyncio.gather(*(task for task, _ in left), return_exceptions=True)
        self._in_hand.clear()
        try:
            await self._depot.queue.give_back([thing for _, thing in left])
        except Exception:
            log.exception("what was in hand could not be handed back; its leases end by themselves")
