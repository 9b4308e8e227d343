"""How often each address came lately: in memory, or in Redis for all processes together.

When Redis does not answer, each process counts for itself until it does.
"""

import importlib
import logging
import time
from typing import Any

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from gqlstock.rules.limits import Rate

log = logging.getLogger(__name__)

_MOST_ADDRESSES = 100_000
_OTHERS = "others"
_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_TO_ANSWER = 0.25
_SECONDS_WITHOUT = 5.0


class _Memory(MemoryStorage):
    """Looks for what has expired once a second: the library's own walks through all addresses with each request."""

    _looked_at = 0.0

    async def _MemoryStorage__schedule_expiry(self) -> None:
        if time.monotonic() - self._looked_at >= _SECONDS_BETWEEN_LOOKS:
            self._looked_at = time.monotonic()
            await super()._MemoryStorage__schedule_expiry()  # type: ignore[misc]


class InProcess:
    """Counts for this process alone."""

    def __init__(self) -> None:
        self._storage = _Memory()
        self._limiter = SlidingWindowCounterRateLimiter(self._storage)

    async def hit(self, kind: str, address: str, rate: Rate) -> float | None:
        """Count one; the seconds that the address has to wait, None if it need not."""
        return await _hit(self._limiter, kind, _OTHERS if self._is_full else address, rate)

    @property
    def _is_full(self) -> bool:
        return len(self._storage.expirations) >= _MOST_ADDRESSES

    async def aclose(self) -> None:
        await self._storage.reset()


class InRedis:
    """Counts for all processes."""

    def __init__(self, url: str) -> None:
        retry = importlib.import_module("redis.asyncio.retry").Retry
        none = importlib.import_module("redis.backoff").NoBackoff
        options: dict[str, Any] = {
            "socket_timeout": _SECONDS_TO_ANSWER,
            "socket_connect_timeout": _SECONDS_TO_ANSWER,
            "retry": retry(none(), 0),
        }
        self._storage = RedisStorage(f"async+{url}", implementation="redispy", key_prefix="gqlstock:rate", **options)
        self._limiter = SlidingWindowCounterRateLimiter(self._storage)
        self._alone = InProcess()
        self._without_until = 0.0

    async def hit(self, kind: str, address: str, rate: Rate) -> float | None:
        if time.monotonic() < self._without_until:
            return await self._alone.hit(kind, address, rate)
        try:
            return await _hit(self._limiter, kind, address, rate)
        except Exception as error:
            log.warning("Redis does not count requests, each process does for %g seconds: %s", _SECONDS_WITHOUT, error)
            self._without_until = time.monotonic() + _SECONDS_WITHOUT
            return await self._alone.hit(kind, address, rate)

    async def aclose(self) -> None:
        await self._alone.aclose()
        bridge: Any = self._storage.bridge
        await bridge.storage.aclose()


async def _hit(limiter: SlidingWindowCounterRateLimiter, kind: str, address: str, rate: Rate) -> float | None:
    item = RateLimitItemPerSecond(rate.most, rate.seconds)
    if await limiter.hit(item, kind, address):
        return None
    told = await limiter.get_window_stats(item, kind, address)
    # The library goes by this machine's clock.
    return max(told.reset_time - time.time(), 1.0)  # noqa: TID251
