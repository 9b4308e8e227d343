"""Latency of orders and reads while items are locked, either by a long transaction or by the import of a file of levels.

    .venv/bin/python benchmarks/waiting.py [--database URL] [--items 6000] [--warehouses 10]

Uses SQLite in a temporary directory, or a temporary PostgreSQL database next to the one in the URL. Server, import and
clients share the machine. SQLite has no item locks, so only the import is measured there.
"""

import argparse
import asyncio
import contextlib
import os
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import httpx

import databases
import serving
import shop
from databases import Cluster, Directory, Place
from gqlstock.formats import levels
from gqlstock.rules.scopes import SYSTEM
from gqlstock.services import imports
from gqlstock.services.import_reading import File
from gqlstock.store.db import connection

_ORDER = "mutation($input: PlaceOrderInput!) { placeOrder(input: $input) { userErrors { code } } }"
_READ = "query($sku: String!) { product(sku: $sku) { name availability { status salableQuantity } } }"
_CALLS = 300
_WAITING = 50


class Client:
    def __init__(self, http: httpx.AsyncClient, port: int, token: str) -> None:
        self._http = http
        self._url = f"http://127.0.0.1:{port}/graphql"
        self._headers = {"Authorization": f"Bearer {token}"}

    async def _ask(self, query: str, **variables: Any) -> Any:
        answer = await self._http.post(self._url, json={"query": query, "variables": variables}, headers=self._headers)
        found = answer.json()
        assert "errors" not in found, found
        return found["data"]

    async def order(self, sku: str) -> None:
        data = await self._ask(_ORDER, input={"lines": [{"sku": sku, "quantity": 1}]})
        assert data == {"placeOrder": {"userErrors": []}}, data

    async def read(self, sku: str) -> None:
        assert (await self._ask(_READ, sku=sku))["product"]


async def _times(call: Callable[[str], Awaitable[None]], skus: list[str], until: Callable[[], bool]) -> list[float]:
    """The milliseconds of consecutive calls, in order."""
    taken = []
    while not until():
        began = time.monotonic()
        await call(random.choice(skus))
        taken.append((time.monotonic() - began) * 1000)
    return sorted(taken)


def _counted(calls: int) -> Callable[[], bool]:
    left = iter(range(calls))
    return lambda: next(left, None) is None


def _show(what: str, taken: list[float]) -> None:
    half, high = taken[len(taken) // 2], taken[len(taken) * 99 // 100]
    print(
        f"{what}: {len(taken)} calls, median {half:.1f} ms, 99th percentile {high:.1f} ms, maximum {taken[-1]:.1f} ms"
    )


@contextlib.asynccontextmanager
async def _locked(url: str, sku: str) -> AsyncIterator[None]:
    """Hold the lock of an item, like another writer."""
    held: Any = await asyncpg.connect(url)
    try:
        await held.execute("BEGIN")
        await held.fetch("SELECT id FROM item WHERE sku = $1 FOR NO KEY UPDATE", sku)
        yield
    finally:
        await held.close()


async def _measure_lock(url: str, client: Client, skus: list[str]) -> None:
    # The file counts 100 of the item, enough for all waiting orders.
    hot, others = skus[99], skus[:99] + skus[100:]
    for what, call in (("orders", client.order), ("reads", client.read)):
        _show(f"{what} of other items", await _times(call, others, _counted(_CALLS)))
    async with _locked(url, hot):
        waiting = [asyncio.create_task(client.order(hot)) for _ in range(_WAITING)]
        await asyncio.sleep(1)
        for what, call in (("orders", client.order), ("reads", client.read)):
            taken = await _times(call, others, _counted(_CALLS))
            _show(f"{what} of other items while {_WAITING} orders wait for a locked item", taken)
        assert not any(one.done() for one in waiting)
    await asyncio.gather(*waiting)


async def _measure_file(url: str, client: Client, skus: list[str], file: Path, rows: int) -> None:
    command = [sys.executable, "-m", "gqlstock.cli", "import", "levels", str(file)]
    environment = {**os.environ, "GQLSTOCK_DATABASE_URL": url}
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.DEVNULL)
    ended = asyncio.create_task(process.wait())
    taken = await _times(client.order, skus, ended.done)
    seconds = time.monotonic() - began
    assert ended.result() == 0
    _show(f"orders while a file of {rows} levels is imported", taken)
    print(f"the import took {seconds:.1f} s, or {seconds / (rows / 1_000) * 1000:.0f} ms per part")


async def _with_client(server: serving.Server, token: str, work: Callable[[Client], Awaitable[None]]) -> None:
    limits = httpx.Limits(max_connections=_WAITING + 10)
    async with httpx.AsyncClient(timeout=120, limits=limits) as http:
        await work(Client(http, server.port, token))


def measure(place: Place, directory: Path, items: int, warehouses: int, *, locks: bool) -> None:
    file, skus = directory / "levels.csv", [shop.single(number) for number in range(items)]
    with databases.made(place, "waiting") as url:
        database = databases.opened_as(url)
        asyncio.run(shop.without_levels(database, items, warehouses))

        async def fill() -> str:
            async with connection.opened(database):
                await imports.run(SYSTEM, levels.FORMAT, [File("levels.csv", shop.counts(items, warehouses))])
            return await shop.token(database)

        token = asyncio.run(fill())
        lines = list(shop.counts(items, warehouses))
        file.write_text("".join([lines[0], *(line.replace("\n", "0\n") for line in lines[1:])]))
        with serving.ours(url) as server:
            if locks:
                asyncio.run(_with_client(server, token, lambda client: _measure_lock(url, client, skus)))
            rows = items * warehouses
            asyncio.run(_with_client(server, token, lambda client: _measure_file(url, client, skus, file, rows)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--database", help="the URL of a PostgreSQL database; a temporary one is created next to it")
    parser.add_argument("--items", type=int, default=6_000)
    parser.add_argument("--warehouses", type=int, default=10)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        place = Cluster(given.database) if given.database else Directory(Path(directory))
        measure(place, Path(directory), given.items, given.warehouses, locks=bool(given.database))


main()
