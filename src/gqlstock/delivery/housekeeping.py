"""What is done again and again while the server runs: expired holds end, orders are told of dates that passed, alerts and
dates follow settings, old rows go, and what a clock that was set back has put off comes forward."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

from gqlstock.rules.feed import Cursor
from gqlstock.services import deliveries, expire_holds, lapse_announcements, reassess
from gqlstock.stock import idempotency
from gqlstock.store import outbox
from gqlstock.store.db import clock

log = logging.getLogger(__name__)

# An expired hold counts nowhere from its moment; the fills and news that follow are to come within ten seconds.
_SECONDS_BETWEEN_HOLDS = 3.0
# So is the news of a date that has passed.
_SECONDS_BETWEEN_DATES = 3.0
# The alerts and dates that a change of settings calls for are to come within ten seconds, however many items it concerns.
_SECONDS_BETWEEN_REASSESSMENTS = 1.0
_SECONDS_BETWEEN_ANSWERS = 3_600.0
_ANSWERS_KEPT = timedelta(hours=48)
_SECONDS_BETWEEN_DELIVERIES = 3_600.0
_SECONDS_BETWEEN_CLOCKS = 60.0
_SECONDS_BETWEEN_NEWS = 3_600.0

Bound = Callable[[], Awaitable[Cursor | None]]
"""How far news may be swept at most: a place that somebody has still to read on from; None for anywhere."""


async def _anywhere() -> Cursor | None:
    return None


@contextlib.asynccontextmanager
async def running(news_kept: timedelta, bound: Bound = _anywhere) -> AsyncIterator[None]:
    """Keep house for the block."""

    async def sweep_news() -> None:
        await outbox.sweep(clock.now() - news_kept, await bound())

    tasks = [
        asyncio.create_task(_again(_SECONDS_BETWEEN_HOLDS, expire_holds.run)),
        asyncio.create_task(_again(_SECONDS_BETWEEN_DATES, lapse_announcements.run)),
        asyncio.create_task(_again(_SECONDS_BETWEEN_REASSESSMENTS, reassess.run)),
        asyncio.create_task(_again(_SECONDS_BETWEEN_ANSWERS, lambda: idempotency.forget(_ANSWERS_KEPT))),
        asyncio.create_task(_again(_SECONDS_BETWEEN_DELIVERIES, deliveries.forget)),
        asyncio.create_task(_again(_SECONDS_BETWEEN_NEWS, sweep_news)),
        asyncio.create_task(_again(_SECONDS_BETWEEN_CLOCKS, deliveries.bring_forward)),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _again(seconds: float, do: Callable[[], Awaitable[object]]) -> None:
    while True:
        try:
            await do()
        except Exception:
            log.exception("housekeeping failed; trying again")
        await asyncio.sleep(seconds)
