"""What is done again and again while the server runs: expired holds leave the figures, what is old is forgotten."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

from gqlstock.services import deliveries, holds, idempotency

log = logging.getLogger(__name__)

# An expired hold counts nowhere from its moment; the fills and news that follow are to come within ten seconds.
_SECONDS_BETWEEN_HOLDS = 3.0
_SECONDS_BETWEEN_ANSWERS = 3_600.0
_ANSWERS_KEPT = timedelta(hours=48)
_SECONDS_BETWEEN_DELIVERIES = 3_600.0


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[None]:
    """Keep house for the block."""
    tasks = [
        asyncio.create_task(_again(_SECONDS_BETWEEN_HOLDS, holds.sweep)),
        asyncio.create_task(_again(_SECONDS_BETWEEN_ANSWERS, lambda: idempotency.forget(_ANSWERS_KEPT))),
        asyncio.create_task(_again(_SECONDS_BETWEEN_DELIVERIES, deliveries.forget)),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _again(seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    while True:
        try:
            await work()
        except Exception:
            log.exception("housekeeping failed; trying again")
        await asyncio.sleep(seconds)
