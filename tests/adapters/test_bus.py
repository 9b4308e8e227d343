"""What the bus logs while Redis is away, and what is found out about a Redis."""

import asyncio
import contextlib
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gqlstock.adapters import bus as buses
from gqlstock.adapters.bus import RedisBus
from gqlstock.rules.diagnosis.processes import RedisFacts
from gqlstock.rules.providers import Sentinels
from support.server_processes import PATIENCE, free_port

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


async def test_a_redis_that_is_away_is_told_with_the_reason_and_without_its_password() -> None:
    port = free_port()

    facts = await buses.inspect(f"redis://shop:secret@127.0.0.1:{port}/0")

    assert facts.address == f"127.0.0.1:{port}"
    assert facts.error is not None
    assert facts == RedisFacts(facts.address, error=facts.error)
    assert "secret" not in facts.error


async def test_a_service_of_sentinels_is_told_with_their_addresses() -> None:
    port = free_port()

    facts = await buses.inspect(Sentinels((("127.0.0.1", port),), "stock", password="secret"))

    assert facts.address == f"stock (127.0.0.1:{port})"
    assert facts.error is not None
    assert "secret" not in facts.error


@pytest.mark.skipif(REDIS is None, reason="needs Redis")
async def test_a_redis_that_answers_is_told_with_its_version_and_who_listens() -> None:
    bus = RedisBus(str(REDIS))
    async with running(bus) as woken:
        await asyncio.wait_for(woken.wait(), 10)
        facts = await buses.inspect(str(REDIS))

    assert facts.error is None
    assert facts.version is not None
    assert facts.version.split(".")[0].isdecimal()
    # Other processes may listen to the same server.
    assert facts.listeners is not None
    assert facts.listeners >= 1


@contextlib.contextmanager
def restricted(directory: Path, port: int) -> Iterator[None]:
    """A Redis whose users may not ask for its state."""
    file = directory / "redis.conf"
    file.write_text(f'port {port}\nbind 127.0.0.1\nsave ""\nuser default on nopass ~* &* +@all -info -pubsub\n')
    server = subprocess.Popen(["redis-server", str(file)], cwd=directory, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        server.terminate()
        server.wait(PATIENCE)


@pytest.mark.skipif(REDIS is None, reason="needs Redis")
async def test_a_user_who_may_not_ask_for_the_version_is_no_failure(tmp_path: Path) -> None:
    port = free_port()
    with restricted(tmp_path, port):
        async with asyncio.timeout(PATIENCE):
            while (facts := await buses.inspect(f"redis://127.0.0.1:{port}/0")).error is not None:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    assert facts == RedisFacts(f"127.0.0.1:{port}")
