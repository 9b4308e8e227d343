"""What the bus logs while Redis is away."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from gqlstock.adapters.bus import RedisBus
from support.server_processes import free_port

REDIS = os.environ.get("GQLSTOCK_TEST_REDIS_URL")
AWAY = "Redis is unavailable; events from other processes take up to a second until it is back: "


@contextlib.asynccontextmanager
async def running(bus: RedisBus) -> AsyncIterator[asyncio.Event]:
    """Set whenever the bus wakes this process."""
    woken = asyncio.Event()
    task = asyncio.create_task(bus.run(woken.set))
    try:
        yield woken
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_redis_that_is_away_is_one_line_and_not_one_each_second(caplog: pytest.LogCaptureFixture) -> None:
    bus = RedisBus(f"redis://127.0.0.1:{free_port()}/0")

    async with running(bus):
        for _ in range(5):
            bus.announce()
            await asyncio.sleep(0.5)

    assert [message[: len(AWAY)] for message in caplog.messages] == [AWAY]


@pytest.mark.skipif(REDIS is None, reason="needs Redis")
async def test_redis_that_is_back_is_one_line_and_wakes_again(caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    bus = RedisBus(f"redis://127.0.0.1:{port}/0")

    async with running(bus) as woken:
        await asyncio.sleep(1.5)
        async with forwarded(port):
            await asyncio.wait_for(woken.wait(), 10)
            woken.clear()
            bus.announce()
            await asyncio.wait_for(woken.wait(), 10)

    assert [message[: len(AWAY)] for message in caplog.messages] == [AWAY, "Redis is back."]


@contextlib.asynccontextmanager
async def forwarded(port: int) -> AsyncIterator[None]:
    """Redis, at another port for as long as the block lasts."""
    assert REDIS is not None
    url = urlsplit(REDIS)
    pumps: set[asyncio.Task[None]] = set()

    async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.closing(target):
            while data := await source.read(65_536):
                target.write(data)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection(url.hostname, url.port or 6379)
        pumps.update({asyncio.create_task(pump(reader, there[1])), asyncio.create_task(pump(there[0], writer))})

    server = await asyncio.start_server(connected, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()
        for task in pumps:
            task.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
