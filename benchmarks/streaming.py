"""A stream of a million levels while orders are placed: duration, peak server memory and order latency.

    .venv/bin/python benchmarks/streaming.py [--levels 1000000] [--clients 4] [--postgres postgres://…/name]

Uses SQLite in a temporary directory, or a temporary PostgreSQL database next to the one in the URL. At the end, the rows
and the feed after their cursor must exactly match the levels in the database.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

import databases
import serving
from databases import Cluster, Directory, Place, opened_as
from gqlstock.rules.catalog import new_product
from gqlstock.services import set_up_shop, warehouses
from gqlstock.services.warehouses import AssignedWarehouse
from gqlstock.store import catalog
from gqlstock.store.db import clock, connection, sql, transactions, versions
from gqlstock.store.warehouses import Warehouse

_PLACES = 100
_ITEMS_AT_ONCE = 2_000
_PAUSE = 0.02
_FIGURES = ("onHand", "reserved", "planned", "backordered", "held", "incoming", "available")
_ORDER = """mutation ($sku: String!) {
  placeOrder(input: { lines: [{ sku: $sku, quantity: 1 }] }) { order { number } userErrors { message } }
}"""
_CHANGES = """query ($after: String) {
  inventoryChanges(first: 250, after: $after) {
    nodes { level { id onHand reserved planned backordered held incoming available } }
    pageInfo { hasNextPage endCursor }
  }
}"""


@dataclass(slots=True)
class Streamed:
    seconds: float
    size: int
    first: float
    """The seconds until the first bytes."""


async def fill(url: str, levels: int) -> str:
    """Create a shop with this many levels in a hundred warehouses. Returns an admin token."""

    async with connection.opened(opened_as(url), create=True):
        pass
    await versions.migrate(opened_as(url))
    async with connection.opened(opened_as(url)):
        made = await set_up_shop.set_up("W00", "shop")
        assert made.token is not None
        now = clock.now()
        rows = [(f"W{number:02}", "Warehouse", True, now, now) for number in range(1, _PLACES)]

        async def places() -> None:
            await sql.insert(Warehouse, ("code", "name", "active", "created_at", "updated_at"), rows)

        await transactions.run(places)
        assigned = [AssignedWarehouse(f"W{number:02}") for number in range(10)]
        await warehouses.update_website("shop", {"warehouses": assigned})
        items = levels // _PLACES
        for start in range(0, items, _ITEMS_AT_ONCE):
            numbers = range(start, min(start + _ITEMS_AT_ONCE, items))
            part = [replace(new_product(f"P{number}", "Product", now), slug=f"p{number}") for number in numbers]
            await transactions.run(lambda part=part: catalog.insert(part))  # type: ignore[misc]
        await sql.execute(
            """INSERT INTO inventory_level (item_id, warehouse_id, on_hand, reserved, planned, held, backordered, incoming,
                   available, updated_at)
               SELECT i.id, w.id, 10000000, 0, 0, 0, 0, 0, 10000000, i.updated_at FROM item i CROSS JOIN warehouse w
               ORDER BY i.id, w.id"""
        )
        await sql.analyze("item", "inventory_level")
        return made.token


class Http:
    """A connection for GraphQL requests."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._head = f"POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n"
        self._open: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, query: str, **variables: Any) -> Any:
        if self._open is None:
            self._open = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._open
        body = json.dumps({"query": query, "variables": variables}).encode()
        head = f"{self._head}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        received = (await reader.readuntil(b"\r\n\r\n")).lower()
        answer = orjson.loads(
            await reader.readexactly(int(received.partition(b"content-length:")[2].split(b"\r\n", 1)[0]))
        )
        assert "errors" not in answer, answer
        return answer["data"]


async def stream(port: int, token: str, file: Path) -> Streamed:
    """Write the decoded stream to a file."""
    began = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
    writer.write(f"GET /export/levels.jsonl HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n".encode())
    assert b" 200 " in (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n", 1)[0]
    first = time.perf_counter() - began
    size = 0
    with file.open("wb") as target:
        while length := int(await reader.readuntil(b"\r\n"), 16):
            target.write(await reader.readexactly(length))
            await reader.readexactly(2)
            size += length
    writer.close()
    return Streamed(time.perf_counter() - began, size, first)


async def buy(port: int, token: str, skus: Iterator[str], taken: list[float]) -> None:
    """Place orders until canceled."""
    http = Http(port, token)
    for sku in skus:
        began = time.perf_counter()
        answer = await http.ask(_ORDER, sku=sku)
        taken.append(time.perf_counter() - began)
        assert answer["placeOrder"]["order"] is not None, answer
        await asyncio.sleep(_PAUSE)


def skus(items: int, number: int, clients: int) -> Iterator[str]:
    """SKUs across the shop, different for each client."""
    turn = 0
    while True:
        yield f"P{(turn * 7_919 * clients + number) % items}"
        turn += 1


def peak(pid: int) -> float:
    """The peak memory of a process in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


async def measure(server: serving.Server, token: str, items: int, clients: int, file: Path) -> None:
    """Measure orders alone, and then with a stream."""
    alone: list[float] = []
    beside: list[float] = []
    for taken in (alone, beside):
        buyers = [
            asyncio.create_task(buy(server.port, token, skus(items, number, clients), taken))
            for number in range(clients)
        ]
        if taken is alone:
            await asyncio.sleep(5)
            before = peak(server.process.pid)
        else:
            busy = server.busy()
            found = await stream(server.port, token, file)
            busy = server.busy() - busy
        for buyer in buyers:
            buyer.cancel()
        await asyncio.gather(*buyers, return_exceptions=True)
    print(
        f"stream                {found.seconds:8.1f} s   {found.size / 1e6:.0f} MB, first bytes after {found.first:.2f} s"
    )
    print(f"CPU                   {busy:8.1f} s   of the server, with the orders")
    print(f"peak memory           {peak(server.process.pid):8.0f} MB  {before:.0f} MB before")
    for name, taken in (("orders alone", alone), ("orders beside it", beside)):
        slow = statistics.quantiles(taken, n=100)[94]
        print(
            f"{name:<22}{len(taken):8} placed, median {statistics.median(taken) * 1e3:.0f} ms, "
            f"95th percentile {slow * 1e3:.0f} ms"
        )


async def check(url: str, server: serving.Server, token: str, levels: int, file: Path) -> None:
    """Check that the rows and the feed after their cursor match the levels in the database."""
    with file.open("rb") as lines:
        cursor = orjson.loads(next(lines))["cursor"]
        found = {row["id"]: tuple(row[name] for name in _FIGURES) for row in map(orjson.loads, lines)}
    assert len(found) == levels, len(found)
    http, changes, more = Http(server.port, token), 0, True
    while more:
        page = (await http.ask(_CHANGES, after=cursor))["inventoryChanges"]
        for change in page["nodes"]:
            found[change["level"]["id"]] = tuple(change["level"][name] for name in _FIGURES)
        changes += len(page["nodes"])
        cursor, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    await stream(server.port, token, file)
    with file.open("rb") as lines:
        next(lines)
        wrong = [
            row["id"] for row in map(orjson.loads, lines) if found[row["id"]] != tuple(row[name] for name in _FIGURES)
        ]
    assert not wrong, wrong[:5]
    print(f"rows and {changes} changes after their cursor match the {levels} levels in the database")


def run(place: Place, levels: int, clients: int) -> None:
    with databases.made(place, "streaming") as url, tempfile.TemporaryDirectory() as directory:
        began = time.perf_counter()
        token = asyncio.run(fill(url, levels))
        print(f"{levels} levels created in {time.perf_counter() - began:.0f} s")
        file = Path(directory) / "levels.jsonl"
        with serving.ours(url) as server:
            asyncio.run(measure(server, token, levels // _PLACES, clients, file))
            asyncio.run(check(url, server, token, levels, file))


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--levels", type=int, default=1_000_000)
    arguments.add_argument("--clients", type=int, default=4)
    arguments.add_argument("--postgres", help="the URL of a database on the server to measure; default: SQLite")
    given = arguments.parse_args()
    if given.postgres:
        run(Cluster(given.postgres), given.levels, given.clients)
        return
    with tempfile.TemporaryDirectory() as directory:
        run(Directory(Path(directory)), given.levels, given.clients)


if __name__ == "__main__":
    main()
