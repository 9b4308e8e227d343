"""How processes wake each other when there is news. It carries no news: a wake-up that is lost only costs a moment."""

import asyncio
import importlib
import logging
from collections.abc import Callable
from typing import Any, Protocol

log = logging.getLogger(__name__)

_CHANNEL = "gqlstock:news"
_SECONDS_BEFORE_RETRY = 1.0


class Bus(Protocol):
    def announce(self) -> None:
        """Wake the other processes soon."""

    async def run(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` for each wake-up of another process, until cancelled."""


class OneProcess:
    """There is nobody else to wake."""

    def announce(self) -> None: ...

    async def run(self, wake: Callable[[], None]) -> None: ...


class RedisBus:
    """Any number of processes, through Redis."""

    def __init__(self, url: str) -> None:
        # The client is an extra of the package: imported when somebody asks for it.
        self._redis: Any = importlib.import_module("redis.asyncio").Redis.from_url(url)
        self._news = asyncio.Event()

    def announce(self) -> None:
        self._news.set()

    async def run(self, wake: Callable[[], None]) -> None:
        try:
            await asyncio.gather(self._publish(), self._listen(wake))
        finally:
            await self._redis.aclose()

    async def _publish(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self._redis.publish(_CHANNEL, b"")
            except Exception as error:
                log.warning("Redis cannot be told of news: %s", error)

    async def _listen(self, wake: Callable[[], None]) -> None:
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as channel:
                    await channel.subscribe(_CHANNEL)
                    wake()
                    async for _ in channel.listen():
                        wake()
            except Exception as error:
                log.warning("Redis cannot be listened to, trying again: %s", error)
            await asyncio.sleep(_SECONDS_BEFORE_RETRY)

    async def ping(self) -> None:
        await self._redis.ping()
