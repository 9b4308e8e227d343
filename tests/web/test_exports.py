"""Streamed exports: who may have them, and that rows and feed together miss nothing, whatever happens meanwhile."""

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from gqlstock.app import create_app
from gqlstock.config import Config
from gqlstock.graphql.schema.changes import feeds
from gqlstock.rules.events import Topic
from gqlstock.rules.scopes import SYSTEM
from gqlstock.services import cancel_order, catalog, exports, tokens, verification
from gqlstock.services.cancel_order import CancelOrderRequest
from gqlstock.services.exports import Kind
from gqlstock.store import outbox
from gqlstock.store.db import clock, connection, sql, transactions
from gqlstock.store.db.connection import DatabaseUrl, Postgres
from gqlstock.store.inventory import InventoryLevel
from gqlstock.store.warehouses import Warehouse
from support import importing, server_processes
from support import shop_builders as make
from support.export_clients import FIGURES, Mirror, streamed
from support.graphql_client import Client
from support.server_processes import PATIENCE
from support.settled_news import settled

PLACES = 250
ZEROES = dict.fromkeys(("reserved", "planned", "held", "backordered", "incoming"), 0)
PATHS = ["levels", "items", "movements", "orders"]
SCOPES = {
    "levels": "inventory:read",
    "items": "catalog:read",
    "movements": "inventory:read",
    "orders": "orders:read",
}


@pytest.fixture
async def client(db: None, database_url: DatabaseUrl) -> AsyncIterator[Client]:
    app = create_app(replace(Config.from_env(os.environ), database=database_url))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gqlstock") as http:
        yield Client(http)


async def get(client: Client, what: str, scopes: str | None = None) -> httpx.Response:
    headers = {} if scopes is None else {"authorization": f"Bearer {await client.token(*scopes.split())}"}
    return await client.http.get(f"/export/{what}.jsonl", headers=headers)


async def read(client: Client, what: str, scopes: str = "admin") -> tuple[str, list[dict[str, Any]]]:
    answer = await get(client, what, scopes)
    assert answer.status_code == 200, answer.text
    first, *rows = map(json.loads, answer.text.splitlines())
    assert list(first) == ["cursor"]
    return first["cursor"], rows


@pytest.mark.parametrize("what", PATHS)
async def test_a_stream_needs_the_scope_of_its_list(client: Client, what: str) -> None:
    others = " ".join(sorted({*SCOPES.values(), "orders:write", "settings:write"} - {SCOPES[what]}))

    public, lacking, allowed = (
        await get(client, what),
        await get(client, what, others),
        await get(client, what, SCOPES[what]),
    )

    assert (public.status_code, public.headers["www-authenticate"]) == (401, "Bearer")
    assert public.json() == {
        "errors": [
            {
                "message": f"A token with the scope {SCOPES[what]} is required.",
                "extensions": {"code": "UNAUTHENTICATED"},
            }
        ]
    }
    assert lacking.status_code == 403
    assert lacking.json()["errors"][0]["extensions"] == {"code": "FORBIDDEN"}
    assert allowed.status_code == 200
    assert allowed.headers["content-type"] == "application/jsonl"
    assert allowed.headers["cache-control"] == "no-store, no-transform"


async def test_an_unknown_token_is_refused(client: Client) -> None:
    answer = await client.http.get("/export/levels.jsonl", headers={"authorization": "Bearer gqls_x"})

    assert answer.status_code == 401
    assert answer.json()["errors"][0]["message"] == "The token is unknown, expired or revoked."


async def test_settings_are_not_streamed_and_nothing_is_posted(client: Client) -> None:
    assert (await get(client, "settings", "admin")).status_code == 404
    assert (await client.http.post("/export/levels.jsonl")).status_code == 405


async def test_a_head_has_no_rows(client: Client) -> None:
    headers = {"authorization": f"Bearer {await client.token('admin')}"}

    answer = await client.http.head("/export/levels.jsonl", headers=headers)

    assert (answer.status_code, answer.text) == (200, "")


async def test_an_empty_shop_has_a_cursor_that_the_feed_goes_on_from(client: Client) -> None:
    await settled()
    cursor, rows = await read(client, "levels")
    mirror = Mirror(cursor)
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG")
    await settled()

    changes = await mirror.catch_up(client)

    assert rows == []
    assert changes == 1
    assert [level["onHand"] for level in mirror.levels.values()] == [5]


async def test_a_token_for_one_warehouse_sees_its_rows(client: Client) -> None:
    for code in ("BERLIN", "LYON"):
        await make.warehouse(code)
    await make.product("MUG")
    for code in ("BERLIN", "LYON"):
        await make.stock("MUG", code)

    _, levels = await read(client.within("LYON"), "levels", "inventory:read")
    _, movements = await read(client.within("LYON"), "movements", "inventory:read")

    assert [row["warehouse"] for row in (*levels, *movements)] == ["LYON", "LYON"]


async def equal_to_the_ledger(mirror: Mirror) -> None:
    """A mirror has every level in use and every line of the ledger, as they are."""
    _, levels = await streamed(Kind.LEVELS)
    _, movements = await streamed(Kind.MOVEMENTS)
    assert mirror.levels == {
        row["id"]: {"sku": row["sku"], "warehouse": row["warehouse"]} | {name: row[name] for name in FIGURES}
        for row in levels
    }
    assert mirror.movements == {
        row["id"]: {name: row[name] for name in ("kind", "quantity", "onHandAfter")} for row in movements
    }
    assert await verification.verify() == []


async def test_rows_and_feed_are_the_ledger_while_orders_go_on(client: Client) -> None:
    await make.warehouse("BERLIN")
    await make.warehouse("LYON")
    await make.website("shop", warehouses=["BERLIN", "LYON"])
    skus = [f"P{number}" for number in range(4)]
    for sku in skus:
        await make.product(sku, options={"Size": [str(size) for size in range(300)]})
    rows = (f"{sku}-{size},BERLIN,50\n" for sku in skus for size in range(300))
    await importing.levels(["sku,warehouse,on_hand\n", *rows])
    going = True

    async def buys(number: int) -> int:
        """Orders, cancellations, new levels and deleted items, on rows before and behind what is being read."""
        count = 0
        while going or count < 5:
            sku = f"{skus[(count + number) % 4]}-{(count * 97 + number) % 300}"
            order = await make.order(sku, 1)
            if count % 3 == 0:
                await cancel_order.cancel(SYSTEM, CancelOrderRequest(str(100_000 + order)))
            if count % 4 == 0:
                await make.stock(sku, "LYON", count + 1)
            if count == 2 and number == 0:
                await make.product("GONE")
                await make.stock("GONE", "BERLIN", 0)
                await catalog.delete_product("GONE")
            count += 1
        return count

    buyers = [asyncio.create_task(buys(number)) for number in range(3)]
    cursor, levels = await read(client, "levels")
    _, movements = await read(client, "movements")
    _, again = await read(client, "levels")
    going = False
    await asyncio.gather(*buyers)
    await settled()

    mirror = Mirror(cursor)
    mirror.take_levels(levels)
    mirror.take_movements(movements)
    changes = await mirror.catch_up(client)

    assert len(levels) >= 1_200
    assert len(again) >= len(levels)
    assert changes > 10
    await equal_to_the_ledger(mirror)


async def test_what_is_committed_late_comes_after_the_cursor(client: Client, database_url: DatabaseUrl) -> None:
    """A transaction that took its ids before the cursor and commits after its rows were passed is in the feed."""
    await make.shop()
    for sku in ("MUG", "CUP"):
        await make.product(sku)
    await settled()
    written, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async def work() -> None:
            await make.stock("MUG", "BERLIN", 5)
            await transactions.write_gathered()
            written.set()
            if connection.is_postgres():
                await go_on.wait()

        await transactions.run(work)

    task = asyncio.create_task(slow())
    await written.wait()
    if not connection.is_postgres():
        await task
    await make.stock("CUP", "BERLIN", 3)
    cursor, levels = await read(client, "levels")
    mirror = Mirror(cursor)
    mirror.take_levels(levels)
    _, movements = await read(client, "movements")
    mirror.take_movements(movements)
    go_on.set()
    await task
    await settled()
    await mirror.catch_up(client)

    assert {level["sku"] for level in mirror.levels.values()} == {"MUG", "CUP"}
    await equal_to_the_ledger(mirror)


async def test_orders_and_their_feed_are_the_orders(client: Client) -> None:
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", "BERLIN", 50)
    first = await make.order("MUG", 2)
    await settled()
    cursor, rows = await read(client, "orders", "orders:read")
    await cancel_order.cancel(SYSTEM, CancelOrderRequest(str(100_000 + first)))
    second = await make.order("MUG", 1)
    await settled()

    after = feeds.place(cursor)
    assert after is not None
    changed = [entry.subject for entry in await outbox.after(after, 100, [Topic.ORDER])]

    assert [row["status"] for row in rows] == ["PLACED"]
    assert [first, second] == changed


@pytest.mark.skipif("GQLSTOCK_TEST_DATABASE_URL" not in os.environ, reason="needs GQLSTOCK_TEST_DATABASE_URL")
async def test_a_transaction_that_only_reads_holds_no_news_back(db: None, database_url: DatabaseUrl) -> None:
    assert isinstance(database_url, Postgres)
    await make.shop()
    await make.product("MUG")
    await settled()
    before = await outbox.latest()
    reader = await asyncpg.connect(**database_url.credentials)
    try:
        async with reader.transaction(isolation="repeatable_read", readonly=True):
            await reader.fetchval("SELECT COUNT(*) FROM inventory_level")
            await make.stock("MUG")
            await settled()

            assert await outbox.latest() > before
            assert await reader.fetchval("SELECT COUNT(*) FROM inventory_level") == 0
    finally:
        await reader.close()


async def test_no_transaction_is_open_between_two_pages(client: Client) -> None:
    """A client that reads slowly keeps no snapshot: the next page sees what was committed before it."""
    await make.warehouse("BERLIN")
    for number in range(4):
        await make.product(f"P{number}", options={"Size": [str(size) for size in range(300)]})
    rows = (f"P{number}-{size},BERLIN,5\n" for number in range(4) for size in range(300))
    await importing.levels(["sku,warehouse,on_hand\n", *rows])

    async with contextlib.aclosing(exports.stream(Kind.LEVELS, SYSTEM)) as parts:  # type: ignore[type-var]
        await anext(parts)
        first = [json.loads(line) for line in (await anext(parts)).splitlines()]
        await make.stock("P3-299", "BERLIN", 7)
        rest = [json.loads(line) async for part in parts for line in part.splitlines()]

    assert len(first) == 1_000
    assert [row["onHand"] for row in rest if row["sku"] == "P3-299"] == [7]


async def _many_levels() -> None:
    """More levels than all buffers between a server and a client that does not read."""
    at = clock.now()
    await make.product("P", options={"Size": [str(size) for size in range(PLACES)]})
    items = [row["id"] for row in await sql.query("SELECT id FROM item WHERE product_id IS NOT NULL")]
    codes = [(f"W{number:03}", "Warehouse", True, at, at) for number in range(PLACES)]

    async def work() -> None:
        places = await sql.insert(Warehouse, ("code", "name", "active", "created_at", "updated_at"), codes)
        rows = [(item, place, 50_000, 50_000, at) for item in items for place in places]
        await sql.insert(
            InventoryLevel, ("item_id", "warehouse_id", "on_hand", "available", "updated_at"), rows, ZEROES
        )

    await transactions.run(work)


async def _begun(port: int, token: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A client that asked for all levels, read the first bytes of them, and reads no more."""
    connecting = socket.socket()
    # Otherwise its buffer may grow until it holds them all.
    connecting.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    connecting.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connecting, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=connecting, limit=1_000)
    writer.write(f"GET /export/levels.jsonl HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n".encode())
    assert b"200 OK" in await reader.readuntil(b"\r\n")
    return reader, writer


async def _whole(reader: asyncio.StreamReader) -> bytes:
    rest = b""
    with contextlib.suppress(ConnectionError):
        while part := await reader.read(1_000_000):
            rest += part
    return rest


async def test_a_server_that_stops_cuts_a_stream_off(db: None, database_env: dict[str, str], tmp_path: Path) -> None:
    await _many_levels()
    token = await make.token()
    async with server_processes.serving(database_env, tmp_path) as server:
        reader, writer = await _begun(server.port, token)
        # Until all buffers are full, and the server waits for the client. It sends them all in a third of a second.
        await asyncio.sleep(1)
        server.process.terminate()
        async with asyncio.timeout(PATIENCE):
            rest = await _whole(reader)
        code = await asyncio.to_thread(server.process.wait, PATIENCE)
        writer.close()

    assert code == 0
    assert not rest.endswith(b"\r\n0\r\n\r\n")


async def test_a_client_that_goes_ends_its_stream(db: None, database_env: dict[str, str], tmp_path: Path) -> None:
    await _many_levels()
    token = await make.token()
    headers = {"authorization": f"Bearer {token}"}
    async with server_processes.serving(database_env, tmp_path) as server, httpx.AsyncClient(verify=False) as http:
        url = f"http://127.0.0.1:{server.port}/export/levels.jsonl"
        begun = [await _begun(server.port, token) for _ in range(4)]
        full = await http.get(url, headers=headers)
        for _, writer in begun:
            writer.close()
        async with asyncio.timeout(PATIENCE):
            while (after := await http.get(url, headers=headers)).status_code == 429:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    assert (full.status_code, full.headers["retry-after"]) == (429, "5")
    assert full.json()["errors"][0]["extensions"] == {"code": "TOO_MANY_REQUESTS"}
    assert after.text.count("\n") == PLACES * PLACES + 1


async def test_a_token_that_is_revoked_cuts_a_stream_off(
    db: None, database_env: dict[str, str], tmp_path: Path
) -> None:
    await _many_levels()
    token = await make.token(name="erp")
    async with server_processes.serving(database_env, tmp_path) as server:
        reader, writer = await _begun(server.port, token)
        await tokens.revoke("erp")
        # Tokens of connections that last are looked at every three seconds.
        await asyncio.sleep(4)
        async with asyncio.timeout(PATIENCE):
            rest = await _whole(reader)
        writer.close()

    assert rest
    assert not rest.endswith(b"\r\n0\r\n\r\n")
    assert (await sql.query("SELECT COUNT(*) AS n FROM inventory_level"))[0]["n"] > rest.count(b"\n")
