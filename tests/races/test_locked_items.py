"""An item that somebody else has locked holds up what changes that item, and nothing else."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from gqlstock.services import verification
from gqlstock.store.db.connection import DatabaseUrl, Postgres
from support import server_processes
from support import shop_builders as make
from support.item_locks import ItemLock, item_locked
from support.server_processes import Server

PRODUCTS = "{ products(first: 5) { nodes { sku } } }"
# Answers take milliseconds; the locks of these tests last until what is measured has been answered or given up.
_AT_ONCE = 3.0


@dataclass
class Shop:
    """A server, and a client of it."""

    http: httpx.AsyncClient
    at: Server
    database: Postgres
    env: dict[str, str]

    def start(self, mutation: str, sku: str) -> asyncio.Task[dict[str, Any]]:
        """Ask for one unit, or change the product, and go on."""
        name = f"{mutation[0].upper()}{mutation[1:]}Input"
        query = f"mutation($input: {name}!) {{ {mutation}(input: $input) {{ userErrors {{ code }} }} }}"
        lines = [{"sku": sku, "quantity": 1}]
        given = {"sku": sku, "barcode": "4711"} if mutation == "updateProduct" else {"lines": lines}
        return asyncio.create_task(server_processes.ask(self.http, self.at, query, input=given))

    async def order(self, sku: str) -> None:
        answer = await asyncio.wait_for(self.start("placeOrder", sku), _AT_ONCE)
        assert answer == {"placeOrder": {"userErrors": []}}

    async def read(self) -> None:
        answer = await asyncio.wait_for(server_processes.ask(self.http, self.at, PRODUCTS), _AT_ONCE)
        assert [one["sku"] for one in answer["products"]["nodes"]] == ["CUP", "JUG", "MUG"]

    async def check_ready(self) -> None:
        answer = await self.http.get(f"http://127.0.0.1:{self.at.port}/readyz")
        assert answer.status_code == 200, answer.text


@pytest.fixture
async def shop(
    db: None, database_url: DatabaseUrl, database_env: dict[str, str], tmp_path: Path
) -> AsyncIterator[Shop]:
    if not isinstance(database_url, Postgres):
        pytest.skip("needs GQLSTOCK_TEST_DATABASE_URL")
    await make.shop()
    for sku in ("MUG", "CUP", "JUG"):
        await make.product(sku)
        await make.stock(sku, on_hand=100)
    token = await make.token("orders:write", "inventory:write", "catalog:write")
    async with server_processes.running(database_env, tmp_path) as one, server_processes.client(token) as http:
        yield Shop(http, one, database_url, database_env)
    assert await verification.verify() == []


async def waiting(shop: Shop, lock: ItemLock, mutation: str, count: int, at_the_lock: int) -> list[asyncio.Task[Any]]:
    """Calls for MUG that all wait, so many of them for the lock itself unless the server lets fewer come so far."""
    calls = []
    for _ in range(count):
        calls.append(shop.start(mutation, "MUG"))
        # Each by itself: no two of them are written together.
        await asyncio.sleep(0.1)
    await lock.until_waiting(at_the_lock)
    return calls


async def done(lock: ItemLock, calls: list[asyncio.Task[dict[str, Any]]]) -> None:
    """Those that waited are answered once nobody has the lock."""
    await lock.release()
    for answer in await asyncio.gather(*calls):
        ((_, payload),) = answer.items()
        assert payload == {"userErrors": []}


async def while_locked(lock: ItemLock, calls: list[asyncio.Task[dict[str, Any]]], step: Awaitable[None]) -> None:
    """Take a step while the item is locked; then let those go on that waited."""
    try:
        await step
    finally:
        await done(lock, calls)


async def test_orders_of_a_locked_item_do_not_delay_orders_of_others(shop: Shop) -> None:
    async with item_locked(shop.database, "MUG") as lock:
        calls = await waiting(shop, lock, "placeOrder", 3, at_the_lock=1)
        await while_locked(lock, calls, shop.order("CUP"))


async def test_holds_of_a_locked_item_do_not_delay_orders_of_others(shop: Shop) -> None:
    async with item_locked(shop.database, "MUG") as lock:
        calls = await waiting(shop, lock, "holdStock", 12, at_the_lock=10)
        await while_locked(lock, calls, shop.order("CUP"))


async def test_holds_of_a_locked_item_do_not_delay_reads(shop: Shop) -> None:
    async with item_locked(shop.database, "MUG") as lock:
        calls = await waiting(shop, lock, "holdStock", 12, at_the_lock=10)
        await while_locked(lock, calls, shop.read())


async def test_a_server_whose_writers_wait_for_a_locked_item_is_ready(shop: Shop) -> None:
    async with item_locked(shop.database, "MUG") as lock:
        calls = await waiting(shop, lock, "holdStock", 12, at_the_lock=10)
        await while_locked(lock, calls, shop.check_ready())


async def test_changes_of_a_locked_product_do_not_delay_orders_of_others(shop: Shop) -> None:
    async with item_locked(shop.database, "MUG") as lock:
        calls = await waiting(shop, lock, "updateProduct", 12, at_the_lock=3)
        # They wait on connections of their own.
        calls += await waiting(shop, lock, "placeOrder", 3, at_the_lock=5)
        await while_locked(lock, calls, shop.order("CUP"))


async def test_an_import_does_not_delay_orders_of_what_it_does_not_name(shop: Shop, tmp_path: Path) -> None:
    """The import has reached MUG, and waits for JUG as long as a large file would take."""
    counts = tmp_path / "counts.csv"
    counts.write_text("sku,warehouse,on_hand\nMUG,BERLIN,90\nJUG,BERLIN,90\n")
    async with item_locked(shop.database, "JUG") as lock:
        importing = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gqlstock.cli", "import", "levels", str(counts)),
            env={**os.environ, **shop.env},
            stdout=asyncio.subprocess.DEVNULL,
        )
        await lock.until_waiting(1)
        calls = await waiting(shop, lock, "placeOrder", 3, at_the_lock=2)
        await while_locked(lock, calls, shop.order("CUP"))
        assert await importing.wait() == 0
