"""How often each address came lately: in memory, or in Redis for all processes together.

Two dictionaries that change places with each window have nothing to expire; the libraries for this walk through all
addresses on every request. When Redis does not answer, each process counts for itself until it does.
"""

import importlib
import logging
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from gqlstock.rules import rates
from gqlstock.rules.limits import Rate

log = logging.getLogger(__name__)

_MOST_ADDRESSES = 100_000
_OTHERS = "others"
_SECONDS_TO_ANSWER = 0.25
_SECONDS_WITHOUT = 5.0


@dataclass(slots=True)
class _Windows:
    number: int = 0
    current: Counter[str] = field(default_factory=Counter)
    before: Counter[str] = field(default_factory=Counter)


class InProcess:
    """Counts for this process alone."""

    def __init__(self) -> None:
        self._windows: dict[str, _Windows] = {}

    async def hit(self, kind: str, address: str, rate: Rate) -> float | None:
        """Count one; the seconds that the address has to wait, None if it need not."""
        now = time.time()
        number, windows = rates.window(rate, now), self._windows.setdefault(kind, _Windows())
        if windows.number != number:
            windows.before = windows.current if windows.number == number - 1 else Counter()
            windows.number, windows.current = number, Counter()
        if len(windows.current) >= _MOST_ADDRESSES and address not in windows.current:
            address = _OTHERS
        windows.current[address] += 1
        return rates.wait(rate, now, windows.before[address], windows.current[address])

    async def aclose(self) -> None: ...


class InRedis:
    """Counts for all processes."""

    def __init__(self, url: str) -> None:
        retry = importlib.import_module("redis.asyncio.retry").Retry
        none = importlib.import_module("redis.backoff").NoBackoff
        self._redis: Any = importlib.import_module("redis.asyncio").Redis.from_url(
            url,
            socket_timeout=_SECONDS_TO_ANSWER,
            socket_connect_timeout=_SECONDS_TO_ANSWER,
            retry=retry(none(), 0),
        )
        self._alone = InProcess()
        self._without_until = 0.0

    async def hit(self, kind: str, address: str, rate: Rate) -> float | None:
        if time.monotonic() < self._without_until:
            return await self._alone.hit(kind, address, rate)
        now = time.time()
        number, name = rates.window(rate, now), f"gqlstock:rate:{kind}:{address}"
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.incr(f"{name}:{number}").expire(f"{name}:{number}", 2 * rate.seconds)
                current, _, before = await pipeline.get(f"{name}:{number - 1}").execute()
        except Exception as error:
            log.warning("Redis does not count requests, each process does for %g seconds: %s", _SECONDS_WITHOUT, error)
            self._without_until = time.monotonic() + _SECONDS_WITHOUT
            return await self._alone.hit(kind, address, rate)
        return rates.wait(rate, now, int(before or 0), current)

    async def aclose(self) -> None:
        await self._redis.aclose()
