"""Periodic work while the server runs: ends expired holds, updates orders whose dates have passed, updates alerts and dates
after changes of settings, deletes old rows, and corrects due times after the clock was set back."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

from gqlstock.rules.feed import Cursor
from gqlstock.services import deliveries, expire_holds, lapse_announcements, reassess, status
from gqlstock.stock import idempotency
from gqlstock.store import outbox
from gqlstock.store.db import clock

log = logging.getLogger(__name__)

# An expired hold stops counting immediately. The resulting fills and events must follow within ten seconds.
_SECONDS_BETWEEN_HOLDS = 3.0
# Events about a date that has passed must follow within ten seconds as well.
_SECONDS_BETWEEN_DATES = 3.0
# Alerts and dates must follow a change of settings within ten seconds, however many items it affects.
_SECONDS_BETWEEN_REASSESSMENTS = 1.0
_SECONDS_BETWEEN_ANSWERS = 3_600.0
_ANSWER_RETENTION = timedelta(hours=48)
_SECONDS_BETWEEN_DELIVERIES = 3_600.0
_SECONDS_BETWEEN_CLOCKS = 60.0
_SECONDS_BETWEEN_OUTBOX_SWEEPS = 3_600.0

Bound = Callable[[], Awaitable[Cursor | None]]
"""Returns the cursor that sweeps of the outbox must not pass, because a reader continues there; None for no bound."""


async def _no_bound() -> Cursor | None:
    return None


@contextlib.asynccontextmanager
async def running(retention: timedelta, bound: Bound = _no_bound) -> AsyncIterator[None]:
    """Do the periodic work during the block."""

    async def sweep_outbox() -> None:
        await outbox.sweep(clock.now() - retention, await bound())

    tasks = [
        asyncio.create_task(_repeat(_SECONDS_BETWEEN_HOLDS, expire_holds.run)),
        asyncio.create_task(_repeat(_SECONDS_BETWEEN_DATES, lapse_announcements.run)),
        asyncio.create_task(_repeat(_SECONDS_BETWEEN_REASSESSMENTS, reassess.run)),
        asyncio.create_task(_repeat(_SECONDS_BETWEEN_ANSWERS, lambda: idempotency.forget(_ANSWER_RETENTION))),
        asyncio.create_task(_repeat(_SECONDS_BETWEEN_DELIVERIES, deliveries.forget)),
        asyncio.create_task(_repeat(_SECONDS_BETWEEN_OUTBOX_SWEEPS, sweep_outbox)),
        asyncio.create_task(_repeat(_SECONDS_BETWEEN_CLOCKS, deliveries.bring_forward)),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _repeat(seconds: float, do: Callable[[], Awaitable[object]]) -> None:
    while True:
        try:
            await do()
        except Exception as error:
            status.log_failure(log, "housekeeping failed; retrying", error)
        await asyncio.sleep(seconds)
