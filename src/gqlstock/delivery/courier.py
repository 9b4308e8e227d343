"""Delivers due items, a limited number at once, and returns unfinished ones to the queue when it stops.

It renews the leases of running deliveries. If its process dies, another takes over within seconds.
"""

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any, Protocol

from gqlstock.services import status
from gqlstock.store.db import clock
from gqlstock.store.work import WorkQueue

log = logging.getLogger(__name__)

# Items that another process made due, or whose pause has ended, are found after this long.
_SECONDS_BETWEEN_POLLS = 1.0
_SECONDS_BETWEEN_RENEWALS = 1.0
# Together with the renewal interval, this is less than a lease.
_SECONDS_TO_FINISH = 2.0
_MAX_RUNNING = 64


class Depot(Protocol):
    """A source of items to deliver. Items that must not delay each other belong to different groups."""

    queue: WorkQueue[Any]
    """The queue that contains the items."""
    at_once: int
    """How many items of one group are delivered at once."""

    async def waiting(self) -> dict[int, datetime]:
        """The groups with pending items, each with the time at which its first item is due."""

    async def claim(self, group: int, limit: int) -> list[Any]:
        """Claim due items of a group for a lease."""

    async def deliver(self, item: Any) -> bool:
        """Deliver an item and record the outcome. Returns False if it was not accepted."""


class Courier:
    """Each process has one per kind of work. Leases keep processes from delivering the same item.

    ``report`` is called with the outcome of each attempt: ``taken``, ``refused`` or ``failed``.
    """

    def __init__(self, depot: Depot, report: Callable[[str], None] | None = None) -> None:
        self._depot = depot
        self._report = report
        self._wake = asyncio.Event()
        self._running: dict[asyncio.Task[None], tuple[int, Any]] = {}
        self._failing: set[int] = set()
        self._renewed_at = time.monotonic()

    @property
    def in_progress(self) -> int:
        """The number of running deliveries."""
        return len(self._running)

    def wake(self) -> None:
        """Poll for due items now."""
        self._wake.set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Deliver during the block."""
        polling = asyncio.create_task(self._poll())
        try:
            yield
        finally:
            polling.cancel()
            await asyncio.gather(polling, return_exceptions=True)
            await self._finish()

    async def _poll(self) -> None:
        while True:
            self._wake.clear()
            seconds = _SECONDS_BETWEEN_POLLS
            try:
                # Renew the leases first, so no other courier claims what this one is sending.
                await self._renew()
                seconds = min(seconds, await self.step())
            except Exception as error:
                status.log_failure(log, "reading due deliveries failed; retrying", error)
            # Not wait_for: on Python 3.11 it may lose a cancellation that coincides with a wake-up.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._wake.wait()

    async def step(self) -> float:
        """Start due deliveries. Returns the seconds until more are due."""
        now = clock.now()
        seconds = _SECONDS_BETWEEN_POLLS
        busy = Counter(group for group, _ in self._running.values())
        for group, due_at in (await self._depot.waiting()).items():
            # A failing group gets one attempt at a time, so it does not use up the slots of the others.
            slots = min(
                1 if group in self._failing else self._depot.at_once, _MAX_RUNNING - len(self._running) + busy[group]
            )
            if due_at > now:
                seconds = min(seconds, (due_at - now).total_seconds())
            elif busy[group] < slots:
                for item in await self._depot.claim(group, slots - busy[group]):
                    self._begin(group, item)
        return seconds

    async def _renew(self) -> None:
        """Renew the leases of running deliveries. Cancel those that another process took over while this one was stalled."""
        now = time.monotonic()
        if now - self._renewed_at < _SECONDS_BETWEEN_RENEWALS:
            return
        running = dict(self._running)
        lost = {item.id for item in await self._depot.queue.renew([item for _, item in running.values()])}
        self._renewed_at = now
        for task, (_, item) in running.items():
            if item.id in lost and not task.done():
                log.warning("delivery of %s stalled; another process has taken it over", item.message_id)
                task.cancel()
                self._running.pop(task, None)

    async def idle(self) -> None:
        """Wait until no delivery is running."""
        while self._running:
            await asyncio.wait(list(self._running))

    def _begin(self, group: int, item: Any) -> None:
        task = asyncio.create_task(self._deliver(group, item))
        self._running[task] = group, item
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled():
            self._running.pop(task, None)
            self._wake.set()

    async def _deliver(self, group: int, item: Any) -> None:
        try:
            taken = await self._depot.deliver(item)
            outcome = "taken" if taken else "refused"
        except Exception as error:
            # No outcome was recorded, so it is retried when its lease expires.
            status.log_failure(log, "a delivery failed with an internal error", error)
            taken, outcome = False, "failed"
        if self._report is not None:
            self._report(outcome)
        if taken:
            self._failing.discard(group)
        else:
            self._failing.add(group)

    async def _finish(self) -> None:
        """Let running deliveries end, and return those that take too long to the queue."""
        if self._running:
            await asyncio.wait(list(self._running), timeout=_SECONDS_TO_FINISH)
        unfinished = [(task, item) for task, (_, item) in self._running.items() if not task.done()]
        for task, _ in unfinished:
            task.cancel()
        await asyncio.gather(*(task for task, _ in unfinished), return_exceptions=True)
        self._running.clear()
        try:
            await self._depot.queue.give_back([item for _, item in unfinished])
        except Exception as error:
            status.log_failure(log, "returning unfinished deliveries failed; their leases will expire", error)
