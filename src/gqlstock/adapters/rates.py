"""Counts recent requests per address: in memory, or in Redis for all processes together.

While Redis does not answer, each process counts on its own.
"""

import logging
import time

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from gqlstock.adapters import redis
from gqlstock.adapters.outages import Outage
from gqlstock.rules.limits import Rate
from gqlstock.rules.providers import Sentinels

log = logging.getLogger(__name__)

_MAX_ADDRESSES = 100_000
_OTHERS = "others"
_SECONDS_BETWEEN_SWEEPS = 1.0
_SECONDS_TO_ANSWER = 0.25
_SECONDS_WITHOUT_REDIS = 5.0


class _Memory(MemoryStorage):
    """Sweeps expired counters once a second. The library's own storage scans all addresses on each request."""

    _swept_at = 0.0

    async def _MemoryStorage__schedule_expiry(self) -> None:
        if time.monotonic() - self._swept_at >= _SECONDS_BETWEEN_SWEEPS:
            self._swept_at = time.monotonic()
            await super()._MemoryStorage__schedule_expiry()  # type: ignore[misc]


class InProcess:
    """Counts in this process only."""

    def __init__(self) -> None:
        self._storage = _Memory()
        self._limiter = SlidingWindowCounterRateLimiter(self._storage)

    async def hit(self, kind: str, address: str, rate: Rate) -> float | None:
        """Count a request. Returns the seconds that the address must wait; None if it need not."""
        return await _hit(self._limiter, kind, _OTHERS if self._is_full else address, rate)

    @property
    def _is_full(self) -> bool:
        return len(self._storage.expirations) >= _MAX_ADDRESSES

    async def aclose(self) -> None:
        await self._storage.reset()


class InRedis:
    """Counts for all processes together."""

    def __init__(self, servers: str | Sentinels) -> None:
        self._redis = redis.client(servers, seconds=_SECONDS_TO_ANSWER)
        pool = self._redis.connection_pool
        self._storage = RedisStorage(
            "async+redis://", implementation="redispy", key_prefix="gqlstock:rate", connection_pool=pool
        )
        self._limiter = SlidingWindowCounterRateLimiter(self._storage)
        self._fallback = InProcess()
        self._fall_back_until = 0.0
        self._outage = Outage(
            log,
            "Redis does not answer; each process counts requests on its own until it does: %s",
            "Redis answers; all processes count requests together again.",
        )

    async def hit(self, kind: str, address: str, rate: Rate) -> float | None:
        if time.monotonic() < self._fall_back_until:
            return await self._fallback.hit(kind, address, rate)
        try:
            wait = await _hit(self._limiter, kind, address, rate)
        except Exception as error:
            self._outage.failed("hit", redis.reason(error))
            self._fall_back_until = time.monotonic() + _SECONDS_WITHOUT_REDIS
            return await self._fallback.hit(kind, address, rate)
        self._outage.worked("hit")
        return wait

    async def aclose(self) -> None:
        await self._fallback.aclose()
        await redis.close(self._redis)


async def _hit(limiter: SlidingWindowCounterRateLimiter, kind: str, address: str, rate: Rate) -> float | None:
    item = RateLimitItemPerSecond(rate.most, rate.seconds)
    if await limiter.hit(item, kind, address):
        return None
    window = await limiter.get_window_stats(item, kind, address)
    # The library uses this machine's clock.
    return max(window.reset_time - time.time(), 1.0)  # noqa: TID251
