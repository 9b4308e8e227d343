"""A server that is asked to end: what it has begun it answers, what lasts is told to go elsewhere, and nothing is lost."""

import asyncio
import contextlib
import os
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from gqlstock.rules import orders as order_rules
from gqlstock.services import verification
from gqlstock.store.db.connection import DatabaseUrl, Postgres, SqliteFile
from gqlstock.store.orders import Order
from support import server_processes
from support import shop_builders as make
from support.server_processes import PATIENCE, Server
from support.subscriptions import connected, received, send, streamed, subscribe

# Two on a quiet machine; it was up to thirty.
_SECONDS = 8

ORDER = 'mutation Buy { placeOrder(input: {lines: [{sku: "MUG", quantity: 1}]}) { order { number } } }'
SHELF = 'subscription { availabilityChanges(skus: ["MUG"]) { sku } }'


@pytest.fixture
async def env(db: None, database_env: dict[str, str]) -> dict[str, str]:
    """A shop that sells a thousand MUGs to anybody."""
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=1_000)
    return {**database_env, "GQLSTOCK_PUBLIC_ORDERS": "true"}


@contextlib.asynccontextmanager
async def held_up(url: DatabaseUrl) -> AsyncIterator[None]:
    """Nobody else can place an order for the block."""
    if isinstance(url, SqliteFile):
        with contextlib.closing(sqlite3.connect(url.path, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")
        return
    assert isinstance(url, Postgres)
    held = await asyncpg.connect(**url.credentials)
    try:
        async with held.transaction():
            await held.execute("LOCK TABLE outbox IN EXCLUSIVE MODE")
            yield
    finally:
        await held.close()


async def ended(by: Server, patience: float = PATIENCE) -> int:
    return await asyncio.to_thread(by.process.wait, patience)


async def numbers() -> set[str]:
    """The numbers of the orders that there are."""
    return {order_rules.number(order.id) for order in await Order.all()}


async def close_code(socket: Any) -> tuple[int, str]:
    """The code and the reason with which the server closes a websocket that says nothing any more."""
    async with asyncio.timeout(PATIENCE):
        async for _ in socket:  # ends by itself on 1000 and 1001
            pass
    return socket.close_code, socket.close_reason


async def test_what_was_begun_is_answered_before_the_end(
    env: dict[str, str], database_url: DatabaseUrl, tmp_path: Path
) -> None:
    async with (
        server_processes.serving(env, tmp_path) as serving,
        server_processes.client() as http,
        connected(serving) as socket,
        connected(serving) as idle,
    ):
        async with held_up(database_url):
            over_http = asyncio.create_task(http.post(serving.url, json={"query": ORDER}))
            await send(socket, id="1", type="subscribe", payload={"query": ORDER})
            await asyncio.sleep(0.5)
            serving.process.terminate()
            await asyncio.sleep(0.5)
            not_ready = await http.get(f"http://127.0.0.1:{serving.port}/readyz")
            await send(idle, id="1", type="subscribe", payload={"query": ORDER})
            await asyncio.sleep(0.2)
        answer = await over_http
        over_websocket = await received(socket)
        codes = [await close_code(socket), await close_code(idle)]
        code = await ended(serving)

    assert (not_ready.status_code, not_ready.text) == (503, "stopping\n")
    assert answer.status_code == 200
    assert codes == [(1001, "The server is going away.")] * 2
    assert code == 0
    # The one that was asked for when the end had begun was not placed.
    assert await numbers() == {
        answer.json()["data"]["placeOrder"]["order"]["number"],
        over_websocket["payload"]["data"]["placeOrder"]["order"]["number"],
    }
    assert "Traceback" not in serving.log.read_text()


async def test_orders_while_the_server_ends_are_answered_and_there_or_consistent(
    env: dict[str, str], tmp_path: Path
) -> None:
    answers: Counter[str] = Counter()
    told: set[str] = set()

    async def keep_buying(http: httpx.AsyncClient, url: str) -> None:
        while True:
            try:
                answer = await http.post(url, json={"query": ORDER})
            except httpx.TransportError as error:
                answers[type(error).__name__] += 1
                return
            answers[str(answer.status_code)] += 1
            told.add(answer.json()["data"]["placeOrder"]["order"]["number"])

    async with server_processes.serving(env, tmp_path) as serving, server_processes.client() as http:
        buyers = [asyncio.create_task(keep_buying(http, serving.url)) for _ in range(16)]
        await asyncio.sleep(1)
        serving.process.terminate()
        await asyncio.gather(*buyers)
        code = await ended(serving)

    assert code == 0
    assert {answer for answer in answers if answer.isdigit()} == {"200"}
    assert len(told) > 16
    assert told <= await numbers()
    assert await verification.verify() == []
    assert "Traceback" not in serving.log.read_text()


async def test_streams_end_and_websockets_are_told_that_the_server_goes_away(
    env: dict[str, str], tmp_path: Path
) -> None:
    async with (
        server_processes.serving(env, tmp_path) as serving,
        server_processes.client() as http,
        connected(serving) as socket,
        streamed(http, serving, SHELF) as events,
    ):
        await subscribe(socket, SHELF)
        first = await anext(events)
        began = time.monotonic()
        serving.process.terminate()
        rest = [event async for event in events]
        closed = await close_code(socket)
        code = await ended(serving)

    assert first == ("next", {"data": {"availabilityChanges": {"sku": "MUG"}}})
    # Without "complete": a client takes it up again elsewhere.
    assert rest == []
    assert closed == (1001, "The server is going away.")
    assert code == 0
    assert time.monotonic() - began < 5


async def test_idle_connections_are_closed_at_once(env: dict[str, str], tmp_path: Path) -> None:
    async with server_processes.serving(env, tmp_path) as serving:
        connections = [await asyncio.open_connection("127.0.0.1", serving.port) for _ in range(3)]
        # The last one has not asked for anything yet.
        for reader, writer in connections[:2]:
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n")
            assert (await reader.readuntil(b"ok\n")).startswith(b"HTTP/1.1 200 OK\r\n")
        began = time.monotonic()
        serving.process.terminate()
        async with asyncio.timeout(PATIENCE):
            rest = [await reader.read() for reader, _ in connections]
        code = await ended(serving)
        taken = time.monotonic() - began
        for _, writer in connections:
            writer.close()

    assert rest == [b"", b"", b""]
    assert code == 0
    assert taken < 5


async def test_a_second_signal_ends_it_at_once(env: dict[str, str], database_url: DatabaseUrl, tmp_path: Path) -> None:
    async with (
        server_processes.serving(env, tmp_path) as serving,
        server_processes.client() as http,
        held_up(database_url),
    ):
        unanswered = asyncio.create_task(http.post(serving.url, json={"query": ORDER}))
        await asyncio.sleep(0.5)
        serving.process.terminate()
        await asyncio.sleep(0.5)
        still_there = serving.process.poll()
        serving.process.terminate()
        code = await ended(serving, 2)
        with pytest.raises(httpx.TransportError):
            await unanswered

    assert (still_there, code) == (None, -signal.SIGTERM)
    assert await numbers() == set()


async def test_workers_end_as_well(env: dict[str, str], tmp_path: Path) -> None:
    async with (
        server_processes.serving(env, tmp_path, "--workers", "2") as serving,
        connected(serving) as first,
        connected(serving) as second,
        server_processes.client() as http,
    ):
        placed = await server_processes.ask(http, serving, ORDER)
        serving.process.terminate()
        closed = [await close_code(first), await close_code(second)]
        code = await ended(serving)

    assert placed["placeOrder"]["order"] is not None
    assert closed == [(1001, "The server is going away.")] * 2
    assert code == 0
    assert "Traceback" not in serving.log.read_text()


async def test_a_second_signal_ends_workers_at_once(
    env: dict[str, str], database_url: DatabaseUrl, tmp_path: Path
) -> None:
    async with (
        server_processes.serving(env, tmp_path, "--workers", "2") as serving,
        server_processes.client() as http,
        held_up(database_url),
    ):
        unanswered = asyncio.create_task(http.post(serving.url, json={"query": ORDER}))
        await asyncio.sleep(0.5)
        serving.process.terminate()
        await asyncio.sleep(1.5)
        still_there = serving.process.poll()
        serving.process.terminate()
        await ended(serving, 2)
        with pytest.raises(httpx.TransportError):
            await unanswered

    assert still_there is None
    assert await numbers() == set()


async def test_workers_are_replaced_one_after_another(env: dict[str, str], tmp_path: Path) -> None:
    """``kill -HUP``: somebody answers all the time."""
    refused = 0

    async with server_processes.serving(env, tmp_path, "--workers", "2") as serving:
        before = children(serving)
        serving.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 3 * PATIENCE
        while children(serving) & before:
            assert time.monotonic() < deadline, serving.log.read_text()
            async with server_processes.client() as http:
                try:
                    await server_processes.ask(http, serving, "{ viewer { authenticated } }")
                except httpx.ConnectError:
                    refused += 1
            await asyncio.sleep(0.05)

    assert refused == 0


async def test_a_worker_that_was_killed_is_replaced_within_seconds_whatever_it_was_doing(
    env: dict[str, str], tmp_path: Path
) -> None:
    async with server_processes.serving(env, tmp_path, "--workers", "2") as serving, server_processes.client() as http:
        before = await both(serving)
        killed, left = sorted(before)
        # It is asked whether it is well, and does not answer any more.
        os.kill(killed, signal.SIGSTOP)
        await asyncio.sleep(1.5)
        os.kill(killed, signal.SIGKILL)
        began = time.monotonic()
        while len(children(serving) - {killed}) < 2:
            assert time.monotonic() - began < _SECONDS, serving.log.read_text()
            await asyncio.sleep(0.02)
        await server_processes.ask(http, serving, "{ viewer { authenticated } }")
        after = children(serving)

    assert left in after
    assert killed not in after


async def test_a_worker_that_cannot_be_replaced_yet_does_not_end_the_others(
    sqlite_file: SqliteFile, tmp_path: Path
) -> None:
    """As during an outage of the database."""
    env = {"GQLSTOCK_DATABASE_URL": f"sqlite:///{sqlite_file.path}"}
    file, away = sqlite_file.path, str(tmp_path / "away.db")

    async with server_processes.serving(env, tmp_path, "--workers", "2") as serving, server_processes.client() as http:
        killed, left = sorted(await both(serving))
        await asyncio.sleep(1.5)  # until the supervisor knows that they have started
        os.rename(file, away)
        os.kill(killed, signal.SIGKILL)
        deadline = time.monotonic() + PATIENCE
        while "could not start" not in serving.log.read_text():
            assert time.monotonic() < deadline, serving.log.read_text()
            await asyncio.sleep(0.1)
        await asyncio.sleep(1)
        alive = await http.get(f"http://127.0.0.1:{serving.port}/healthz")
        after = children(serving)
        os.rename(away, file)
        # Only the new worker can answer.
        os.kill(left, signal.SIGSTOP)
        await server_processes.ready(serving)
        os.kill(left, signal.SIGCONT)

    assert alive.status_code == 200
    assert left in after


async def test_the_end_is_heard_at_once_while_a_worker_does_not_answer_or_is_being_started(
    env: dict[str, str], tmp_path: Path
) -> None:
    async with server_processes.serving(env, tmp_path, "--workers", "2") as serving, server_processes.client() as http:
        stopped, killed = sorted(await both(serving))
        os.kill(stopped, signal.SIGSTOP)
        await asyncio.sleep(1.5)
        os.kill(killed, signal.SIGKILL)
        while len(children(serving) - {killed}) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        (started,) = children(serving) - {killed, stopped}
        serving.process.terminate()
        began = time.monotonic()
        while started in children(serving):
            assert time.monotonic() - began < _SECONDS, serving.log.read_text()
            await asyncio.sleep(0.02)
        os.kill(stopped, signal.SIGCONT)
        code = await ended(serving)
        with pytest.raises(httpx.ConnectError):
            await http.get(serving.url)

    assert code == 0


async def both(of: Server) -> set[int]:
    """The numbers of two workers, when each has answered."""
    while len(found := children(of)) < 2:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    async with asyncio.timeout(PATIENCE):
        while any(len(os.listdir(f"/proc/{number}/task")) < 2 for number in found):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return found


def children(of: Server) -> set[int]:
    """The workers' numbers: the children that listen."""
    found = set()
    for entry in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if entry.isdigit() and f"PPid:\t{of.process.pid}\n" in Path(f"/proc/{entry}/status").read_text():
                arguments = Path(f"/proc/{entry}/cmdline").read_text()
                if "spawn_main" in arguments:
                    found.add(int(entry))
    return found


async def test_before_the_end_it_goes_on_for_a_while_without_being_ready(env: dict[str, str], tmp_path: Path) -> None:
    async with server_processes.serving({**env, "GQLSTOCK_DRAIN_SECONDS": "2"}, tmp_path) as serving:
        serving.process.terminate()
        await asyncio.sleep(0.7)
        async with server_processes.client() as http:
            ready = await http.get(f"http://127.0.0.1:{serving.port}/readyz")
            placed = await server_processes.ask(http, serving, ORDER)
        code = await ended(serving)

    assert (ready.status_code, ready.text) == (503, "stopping\n")
    assert placed["placeOrder"]["order"] is not None
    assert code == 0
