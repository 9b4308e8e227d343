"""Nobody misses news: cut off, on another process, without Redis, beside slow ones, among many."""

import asyncio
import contextlib
import os
import random
import time
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

from gqlstock.graphql.relay import nodes
from gqlstock.rules import orders as order_rules
from gqlstock.store.db.connection import DatabaseUrl, Postgres
from gqlstock.store.inventory import StockMovement
from support import load_generator, server_processes
from support import shop_builders as make
from support.broker import Broker
from support.server_processes import Server
from support.settled_news import settled
from support.subscriptions import connected, pushed, send, subscribe

CHANGES = """subscription ($after: String) {
  inventoryChanges(after: $after) { cursor changedAt movement { id level { id } } }
}"""
LAST = "{ inventoryChanges(last: 1) { pageInfo { endCursor } } }"
ALERTS = "subscription { lowInventoryAlerts { cursor alert { id state sku quantityLeft } } }"
ORDERS = "subscription { orderChanges { cursor order { number } } }"
PLACE = 'mutation { placeOrder(input: { lines: [{ sku: "MUG", quantity: 1 }] }) { order { number } } }'
# Pushes of some kilobytes: what a client does not read fills the buffers on the way soon.
REASONS = " ".join(f"m{number}: movement {{ reason }}" for number in range(3))
LARGE = f"""subscription ($after: String) {{
  inventoryChanges(after: $after) {{ cursor movement {{ id level {{ id }} }} {REASONS} }}
}}"""
CUTS = 50


async def ledger() -> dict[str, list[str]]:
    """The movements of each level, in their order."""
    found: dict[str, list[str]] = {}
    for row in await StockMovement.all().order_by("id"):
        level = nodes.global_id("InventoryLevel", row.level_id)
        found.setdefault(level, []).append(nodes.global_id("StockMovement", row.id))
    return found


class Book:
    """What a client wrote down of what it was told, and where it was."""

    def __init__(self, cursor: str | None = None) -> None:
        self.cursor = cursor
        self.told: dict[str, list[str]] = {}
        self.count = 0
        self.latest = 0.0
        """How late the latest news was, in seconds."""

    def write(self, change: dict[str, Any]) -> None:
        movement = change["movement"]
        self.told.setdefault(movement["level"]["id"], []).append(movement["id"])
        self.cursor = change["cursor"]
        self.count += 1
        if "changedAt" in change:
            self.latest = max(self.latest, time.time() - datetime.fromisoformat(change["changedAt"]).timestamp())

    async def listen(self, socket: ClientConnection, count: int | None = None) -> None:
        """Write down what comes; until that many are in the book, if that is said."""
        while count is None or self.count < count:
            self.write(await pushed(socket))


@contextlib.asynccontextmanager
async def serving(env: dict[str, str], directory: Path, count: int) -> AsyncIterator[list[Server]]:
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(server_processes.running(env, directory)) for _ in range(count)]


async def test_a_client_cut_off_fifty_times_ends_with_exactly_what_the_ledger_has(
    db: None, database_url: DatabaseUrl, database_env: dict[str, str], tmp_path: Path
) -> None:
    """Under 200 changes a second; on PostgreSQL through two processes, each time at either of them."""
    await make.shop()
    skus = await load_generator.stocked(10)
    token = await make.token()
    before = await ledger()
    await settled()
    dice = random.Random(4711)
    async with (
        serving(database_env, tmp_path, 2 if isinstance(database_url, Postgres) else 1) as servers,
        server_processes.client(token) as http,
    ):
        start = (await server_processes.ask(http, servers[0], LAST))["inventoryChanges"]["pageInfo"]["endCursor"]
        book = Book(start)
        async with load_generator.changing(servers, token, skus, 200) as made:
            for _ in range(CUTS):
                async with connected(dice.choice(servers), token) as socket:
                    variables = {"after": book.cursor}
                    await send(socket, id="1", type="subscribe", payload={"query": CHANGES, "variables": variables})
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(dice.uniform(0, 0.25)):
                            await book.listen(socket)
                    socket.transport.abort()
        written = {level: rows[len(before[level]) :] for level, rows in (await ledger()).items()}
        total = sum(len(rows) for rows in written.values())
        async with connected(dice.choice(servers), token) as socket:
            await subscribe(socket, CHANGES, after=book.cursor)
            await book.listen(socket, total)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await book.listen(socket)

    assert made.count >= 500
    assert book.told == written


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    started = Broker(server_processes.free_port(), tmp_path)
    await started.start()
    yield started
    started.stop()


@pytest.mark.skipif("GQLSTOCK_TEST_REDIS_URL" not in os.environ, reason="needs GQLSTOCK_TEST_REDIS_URL")
async def test_redis_stopped_and_started_again_loses_no_news_and_orders_go_on(
    db: None, database_env: dict[str, str], tmp_path: Path, broker: Broker
) -> None:
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=100)
    token = await make.token()
    env = {**database_env, "GQLSTOCK_REDIS_URL": broker.url}
    placed: list[str] = []
    slowest = 0.0
    async with (
        serving(env, tmp_path, 2) as (here, there),
        server_processes.client(token) as http,
        connected(there, token) as socket,
    ):
        await subscribe(socket, ORDERS)

        async def order(count: int) -> None:
            nonlocal slowest
            for _ in range(count):
                began = time.monotonic()
                data = await server_processes.ask(http, here, PLACE)
                slowest = max(slowest, time.monotonic() - began)
                placed.append(data["placeOrder"]["order"]["number"])

        await order(5)
        broker.stop()
        await order(10)
        await broker.start()
        await order(5)
        heard = [(await pushed(socket))["order"]["number"] for _ in range(20)]

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.5):
                await pushed(socket)

    assert heard == placed
    assert slowest < 5
    assert len({order_rules.id_of(number) for number in placed}) == 20


async def test_two_hundred_dashboards_all_get_an_alert(db: None, database_env: dict[str, str], tmp_path: Path) -> None:
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=10)
    await make.setting(notify_below=5)
    token = await make.token()
    async with server_processes.running(database_env, tmp_path) as started, contextlib.AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(connected(started, token)) for _ in range(200)]
        for socket in sockets:
            await send(socket, id="1", type="subscribe", payload={"query": ALERTS})
        await asyncio.sleep(2)

        await make.stock("MUG", on_hand=4)
        async with asyncio.timeout(10):
            alerts = [(await pushed(socket))["alert"] for socket in sockets]

    assert {(alert["sku"], alert["state"], alert["quantityLeft"]) for alert in alerts} == {("MUG", "RAISED", 4)}
    assert len(alerts) == 200


async def test_one_that_stops_reading_costs_no_memory_and_holds_nobody_up(
    db: None, database_env: dict[str, str], tmp_path: Path
) -> None:
    """Five seconds at 500 changes a second; benchmarks/slow_reader.py takes a minute."""
    await make.shop()
    skus = await load_generator.stocked(20)
    token = await make.token()
    async with (
        server_processes.running(database_env, tmp_path) as started,
        connected(started, token, max_queue=1, sock=load_generator.narrow(started)) as stalled,
        connected(started, token) as reading,
    ):
        slow, quick = Book(), Book()
        await subscribe(reading, CHANGES)
        await subscribe(stalled, LARGE)
        listening = asyncio.create_task(quick.listen(reading))
        async with load_generator.changing([started], token, skus, 500, reason="x" * 900):
            await asyncio.sleep(2)
            before = load_generator.memory(started)
            await asyncio.sleep(3)
            grown = load_generator.memory(started) - before
        total = sum(len(rows) for rows in (await ledger()).values()) - len(skus)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        # The other one has not read anything yet.
        await quick.listen(reading, total)
        await slow.listen(stalled, total)

    assert total > 1_000
    # It would be held up for as long as the other does not read: longer than this, on a busy machine too.
    assert quick.latest < 10
    assert grown < 20
    assert slow.told == quick.told
