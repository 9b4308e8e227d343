"""The examples that run beside a shop: each in a process of its own, against a real server."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from gqlstock.rules.scopes import SYSTEM
from gqlstock.services import ship
from gqlstock.services.ship import CreateShipmentRequest
from gqlstock.store import catalog
from gqlstock.store.db import clock
from gqlstock.store.inventory import InventoryLevel, StockMovement
from support import server_processes
from support import shop_builders as make
from support.settled_news import settled

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


@pytest.fixture
async def shop(db: None, database_env: dict[str, str], tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    """A shop of three items in two warehouses with a server; gives what the ERP's environment has."""
    await make.warehouse("BERLIN")
    await make.warehouse("LYON")
    await make.website("shop", warehouses=["BERLIN", "LYON"])
    for sku in ("MUG", "CUP", "JAR"):
        await make.product(sku)
        await make.stock(sku, on_hand=5)
    token = await make.token("inventory:read", "inventory:write", name="erp")
    async with server_processes.running(database_env, tmp_path) as running:
        yield {"GQLSTOCK_URL": running.url, "GQLSTOCK_TOKEN": token}


async def sync(shop: dict[str, str], what: str, file: Path) -> tuple[int, list[str], str]:
    """The exit code, and what it prints; nothing of that is a traceback. All that was written before is news by then."""
    await settled()
    command = [sys.executable, str(EXAMPLES / "erp_sync.py"), what, str(file)]
    done = await asyncio.to_thread(
        lambda: subprocess.run(command, env={**os.environ, **shop}, capture_output=True, text=True, timeout=60)
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout.splitlines(), done.stderr


async def on_hand(sku: str, warehouse: str = "BERLIN") -> int:
    item = (await catalog.by_sku([sku]))[sku]
    found = {"BERLIN": 1, "LYON": 2}[warehouse]
    level = await InventoryLevel.get(item_id=item.id, warehouse_id=found)
    return int(level.on_hand)


async def test_the_erp_writes_what_is_right_and_hears_which_rows_are_not(shop: dict[str, str], tmp_path: Path) -> None:
    counts = tmp_path / "counts.csv"
    counts.write_text("sku,warehouse,on_hand\nMUG,BERLIN,12\nNOBODY,BERLIN,3\nCUP,LYON,7\nJAR,BERLIN,-1\n")

    code, printed, told = await sync(shop, "push", counts)

    assert code == 1
    assert [line.split(",")[:3] for line in printed] == [
        ["NOBODY", "BERLIN", "NOT_FOUND"],
        ["JAR", "BERLIN", "INVALID_INPUT"],
    ]
    assert told == "4 rows, 2 refused\n"
    assert [await on_hand("MUG"), await on_hand("CUP", "LYON"), await on_hand("JAR")] == [12, 7, 5]
    assert (await StockMovement.all().order_by("-id").first()).reference == "counts.csv"  # type: ignore[union-attr]


async def test_the_erp_writes_the_same_file_once(shop: dict[str, str], tmp_path: Path) -> None:
    counts = tmp_path / "counts.csv"
    rows = [f"{sku},BERLIN,{12 if sku == 'MUG' else 5}" for sku in ("MUG", "CUP", "JAR")]
    counts.write_text("\n".join(["sku,warehouse,on_hand", *rows]))

    await sync(shop, "push", counts)
    await make.order("MUG", 2)
    code, _, _ = await sync(shop, "push", counts)

    # Written again it would have undone the sale.
    assert (code, await on_hand("MUG")) == (0, 10)


async def test_a_count_of_the_erp_from_before_a_sale_leaves_the_sale_alone(
    shop: dict[str, str], tmp_path: Path
) -> None:
    counted = clock.now().isoformat()
    await make.order("MUG", 2)
    counts = tmp_path / "counts.csv"
    counts.write_text(f"sku,warehouse,on_hand,counted_at\nMUG,BERLIN,9,{counted}\n")

    code, printed, _ = await sync(shop, "push", counts)

    assert (code, printed, await on_hand("MUG")) == (0, [], 7)


async def test_the_erp_follows_what_changes_from_where_it_was_and_reads_all_when_that_is_out_of_reach(
    shop: dict[str, str], tmp_path: Path
) -> None:
    stock = tmp_path / "stock.csv"

    await sync(shop, "pull", stock)
    first = stock.read_text().splitlines()
    await make.order("MUG", 2)
    await make.stock("JAR", "LYON", 8)
    code, _, _ = await sync(shop, "pull", stock)
    then = stock.read_text().splitlines()
    # What nobody told of is not read again.
    stock.write_text("SPOON,BERLIN,1,1\n")
    await make.stock("CUP", "BERLIN", 6)
    await sync(shop, "pull", stock)
    after = stock.read_text().splitlines()
    stock.with_suffix(".csv.cursor").write_text("bm90aGluZw==")
    await sync(shop, "pull", stock)

    assert first == ["CUP,BERLIN,5,5", "JAR,BERLIN,5,5", "MUG,BERLIN,5,5"]
    assert (code, then) == (0, ["CUP,BERLIN,5,5", "JAR,BERLIN,5,5", "JAR,LYON,8,8", "MUG,BERLIN,3,3"])
    assert after == ["CUP,BERLIN,6,6", "SPOON,BERLIN,1,1"]
    assert stock.read_text().splitlines() == ["CUP,BERLIN,6,6", "JAR,BERLIN,5,5", "JAR,LYON,8,8", "MUG,BERLIN,3,3"]


async def test_a_pull_without_the_scope_says_so_and_writes_nothing(shop: dict[str, str], tmp_path: Path) -> None:
    stock = tmp_path / "stock.csv"

    code, printed, told = await sync({**shop, "GQLSTOCK_TOKEN": await make.token("orders:read")}, "pull", stock)

    assert (code, printed) == (1, [])
    assert "403 Forbidden" in told
    assert not stock.exists()


class CutOff(BaseHTTPRequestHandler):
    """A stream that ends too early."""

    def do_GET(self) -> None:
        assert self.path == "/export/levels.jsonl"
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b'{"cursor":"x"}\n{"sku":"MUG","warehouse":"BERLIN","onHand":1,"available":1}\n')

    def log_message(self, format: str, *args: Any) -> None:
        pass


async def test_a_stream_that_is_cut_off_leaves_the_copy_as_it_was(tmp_path: Path, db: None) -> None:
    stock = tmp_path / "stock.csv"
    stock.write_text("CUP,BERLIN,6,6\n")

    with ThreadingHTTPServer(("127.0.0.1", 0), CutOff) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/graphql"
        code, _, told = await sync({"GQLSTOCK_URL": url, "GQLSTOCK_TOKEN": "gqls_x"}, "pull", stock)
        server.shutdown()

    assert code == 1
    assert told.startswith("The server does not answer: ")
    assert stock.read_text() == "CUP,BERLIN,6,6\n"
    assert not stock.with_suffix(".csv.cursor").exists()


needs_node = pytest.mark.skipif("CI" not in os.environ and shutil.which("node") is None, reason="needs node")

BUYS_AND_FOLLOWS = """
import { followOrder, place, read } from './order.js';

const [url, sku] = process.argv.slice(2);
const say = (what) => console.log(JSON.stringify(what));
try { await place(url, [{ sku, quantity: 100 }]); } catch (error) { say(error.message); }
const token = await place(url, [{ sku, quantity: 2 }]);
say((await read(url, token)).status);
say(await read(url, 'another'));
await new Promise((resolve) => followOrder(url, 'another', (order) => resolve(say(order))));
followOrder(url, token, (order) => say([order.number, order.status, order.shipments.map((one) => one.trackingNumber)]));
"""


@needs_node
async def test_the_storefronts_module_places_an_order_and_follows_it_by_its_access_token(
    db: None, database_env: dict[str, str], tmp_path: Path
) -> None:
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=5)
    for module in ("availability.js", "order.js"):
        shutil.copy(EXAMPLES / "storefront" / module, tmp_path)
    (tmp_path / "package.json").write_text('{ "type": "module" }')
    (tmp_path / "shopper.js").write_text(BUYS_AND_FOLLOWS)
    env = {**database_env, "GQLSTOCK_PUBLIC_ORDERS": "true"}

    async with server_processes.running(env, tmp_path) as started:
        shopper = await asyncio.create_subprocess_exec(
            "node", str(tmp_path / "shopper.js"), started.url, "MUG", stdout=subprocess.PIPE
        )

        async def said() -> Any:
            assert shopper.stdout is not None
            async with asyncio.timeout(server_processes.PATIENCE):
                return json.loads(await shopper.stdout.readline())

        try:
            assert await said() == "Not enough of MUG available, 100 requested."
            assert [await said() for _ in range(4)] == ["PLACED", None, None, ["100001", "PLACED", []]]
            packed = await ship.create(SYSTEM, CreateShipmentRequest("100001", "BERLIN"))
            assert await said() == ["100001", "PLACED", [None]]
            server_processes.kill(started)
            await ship.ship(SYSTEM, f"S{100_000 + packed.ids['shipment'][0]}", "JD-1", "DHL")
            async with server_processes.running(env, tmp_path, started.port):
                assert await said() == ["100001", "SHIPPED", ["JD-1"]]
        finally:
            shopper.kill()
            await shopper.wait()
