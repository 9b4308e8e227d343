"""Wakes other processes after commits. Wake-ups carry no data, so a lost one only causes a short delay."""

import asyncio
import importlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Protocol
from urllib.parse import urlsplit

from gqlstock.adapters import redis
from gqlstock.adapters.outages import Outage
from gqlstock.rules.diagnosis.processes import RedisFacts
from gqlstock.rules.providers import Sentinels

log = logging.getLogger(__name__)

_CHANNEL = "gqlstock:news"
_SECONDS_BEFORE_RETRY = 1.0
_SECONDS_TO_ANSWER = 5.0


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

    def __init__(self, servers: str | Sentinels) -> None:
        # The second attempt finds the new master after a failover, or Redis after a restart.
        self._redis = redis.client(servers, seconds=_SECONDS_TO_ANSWER, attempts=2)
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
            await redis.close(self._redis)

    async def _publish(self) -> None:
        while True:
            await self._pending.wait()
            self._pending.clear()
            try:
                await self._redis.publish(_CHANNEL, b"")
            except Exception as error:
                self._outage.failed("publish", redis.reason(error))
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
                    await _hear(channel, wake)
            except Exception as error:
                self._outage.failed("listen", redis.reason(error))
            await asyncio.sleep(_SECONDS_BEFORE_RETRY)

    async def ping(self) -> None:
        await self._redis.ping()


async def _hear(channel: Any, wake: Callable[[], None]) -> None:
    """Call ``wake`` for each message. Raises ``TimeoutError`` if Redis does not answer a ping.

    Without pings, a server that vanished without closing the connection would be listened to forever.
    """
    is_asked = False
    while True:
        message = await channel.get_message(timeout=_SECONDS_TO_ANSWER)
        if message is not None:
            is_asked = False
            if message["type"] == "message":
                wake()
        elif is_asked:
            raise TimeoutError("it does not answer a ping")
        else:
            is_asked = True
            await channel.ping()


async def inspect(servers: str | Sentinels) -> RedisFacts:
    """The facts about a Redis, without user and password."""
    address, client = _address(servers), redis.client(servers, seconds=_SECONDS_TO_ANSWER)
    try:
        await client.ping()
        server = await _permitted(client.info("server"))
        listeners = await _permitted(client.pubsub_numsub(_CHANNEL))
    except Exception as error:
        reason = redis.reason(error).partition("\n")[0].rstrip(".")
        return RedisFacts(address, error=reason or "no answer in time")
    finally:
        await redis.close(client)
    return RedisFacts(
        address,
        version=server["redis_version"] if server is not None else None,
        listeners=int(listeners[0][1]) if listeners is not None else None,
    )


def _address(servers: str | Sentinels) -> str:
    if isinstance(servers, Sentinels):
        return f"{servers.service} ({', '.join(f'{host}:{port}' for host, port in servers.addresses)})"
    parts = urlsplit(servers)
    return f"{parts.hostname}:{parts.port or 6379}"


async def _permitted(answer: Awaitable[Any]) -> Any:
    """The answer to a command; None if the Redis user may not run it."""
    try:
        return await answer
    except importlib.import_module("redis.exceptions").NoPermissionError:
        return None
