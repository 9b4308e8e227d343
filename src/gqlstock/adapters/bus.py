"""Wakes other processes after commits. Wake-ups carry no data, so a lost one only causes a short delay."""

import asyncio
import importlib
import logging
from collections.abc import Callable
from typing import Any, Protocol

from gqlstock.adapters.outages import Outage

log = logging.getLogger(__name__)

_CHANNEL = "gqlstock:news"
_SECONDS_BEFORE_RETRY = 1.0


class Bus(Protocol):
    def announce(self) -> None:
        """Wake the other processes soon."""

    async def run(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` for each wake-up from another process, until canceled."""


class OneProcess:
    """For a single process: does nothing."""

    def announce(self) -> None: ...

    async def run(self, wake: Callable[[], None]) -> None: ...


class RedisBus:
    """For any number of processes, through Redis."""

    def __init__(self, url: str) -> None:
        # The client is an extra of the package, so it is only imported when used.
        self._redis: Any = importlib.import_module("redis.asyncio").Redis.from_url(url)
        self._pending = asyncio.Event()
        self._outage = Outage(
            log,
            "Redis is unavailable; events from other processes take up to a second until it is back: %s",
            "Redis is back.",
        )

    def announce(self) -> None:
        self._pending.set()

    async def run(self, wake: Callable[[], None]) -> None:
        try:
            await asyncio.gather(self._publish(), self._listen(wake))
        finally:
            await self._redis.aclose()

    async def _publish(self) -> None:
        while True:
            await self._pending.wait()
            self._pending.clear()
            try:
                await self._redis.publish(_CHANNEL, b"")
            except Exception as error:
                self._outage.failed("publish", error)
            else:
                self._outage.worked("publish")

    async def _listen(self, wake: Callable[[], None]) -> None:
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as channel:
                    await channel.subscribe(_CHANNEL)
                    # Publishing is only tried after the next commit.
                    self._outage.worked("listen", "publish")
                    wake()
                    async for _ in channel.listen():
                        wake()
            except Exception as error:
                self._outage.failed("listen", error)
            await asyncio.sleep(_SECONDS_BEFORE_RETRY)

    async def ping(self) -> None:
        await self._redis.ping()
