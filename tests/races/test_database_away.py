"""The database goes away and comes back: requests wait, then get 503, and everything goes on by itself."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from gqlstock.rules.catalog import new_product
from gqlstock.services import tokens, verification
from gqlstock.store import catalog
from gqlstock.store.db import clock, transactions
from gqlstock.store.db.connection import DatabaseUrl, Postgres
from gqlstock.store.inventory import InventoryLevel
from support import server_processes
from support import shop_builders as make
from support.command_line import running
from support.server_processes import PATIENCE, Server
from support.subscriptions import connected, pushed, received, streamed, subscribe
from support.tcp_proxy import Proxy, proxied

ORDER = 'mutation Buy { placeOrder(input: {lines: [{sku: "MUG", quantity: 1}]}) { order { number } } }'
WAIT = 3
_ROWS = 10_000
CHANGES = "subscription { inventoryChanges { level { onHand } } }"


@pytest.fixture
async def door(database_url: DatabaseUrl) -> AsyncIterator[Proxy]:
    if not isinstance(database_url, Postgres):
        pytest.skip("SQLite does not go away")
    async with proxied(database_url.credentials["host"], database_url.credentials["port"]) as proxy:
        yield proxy


@pytest.fixture
async def serving(
    db: None, door: Proxy, database_env: dict[str, str], tmp_path: Path
) -> AsyncIterator[tuple[Server, str]]:
    """A server whose database is behind the door, and a token."""
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=1_000)
    env = {**database_env, "GQLSTOCK_DATABASE_URL": behind(door, database_env["GQLSTOCK_DATABASE_URL"])}
    async with server_processes.serving(env | {"GQLSTOCK_DATABASE_WAIT_SECONDS": str(WAIT)}, tmp_path) as started:
        yield started, await tokens.create("till", ["admin"])


def behind(door: Proxy, url: str) -> str:
    """The URL of the database behind the door."""
    parts = urlsplit(url)
    account = parts.netloc.rpartition("@")[0]
    return parts._replace(netloc=f"{account}@127.0.0.1:{door.port}").geturl()


async def statuses(http: httpx.AsyncClient, of: Server) -> list[int]:
    paths = ("healthz", "readyz", "metrics")
    return [(await http.get(f"http://127.0.0.1:{of.port}/{path}")).status_code for path in paths]


async def until_placed(http: httpx.AsyncClient, of: Server) -> None:
    deadline = time.monotonic() + PATIENCE
    while "errors" in (await http.post(of.url, json={"query": ORDER})).json():
        assert time.monotonic() < deadline, of.log.read_text()
        await asyncio.sleep(0.2)


async def until_left(quantity: int, socket: ClientConnection, events: AsyncIterator[tuple[str, Any]]) -> None:
    """Wait until both subscribers have heard of that."""
    async with asyncio.timeout(PATIENCE):
        while (await pushed(socket))["level"]["onHand"] != quantity:
            pass
        async for name, data in events:
            if name and data["data"]["inventoryChanges"]["level"]["onHand"] == quantity:
                return


async def test_requests_get_503_once_it_is_away_for_too_long_and_all_goes_on_when_it_is_back(
    serving: tuple[Server, str], door: Proxy
) -> None:
    to, token = serving
    answers: list[httpx.Response] = []

    async with (
        server_processes.client(token) as http,
        connected(to, token) as socket,
        streamed(http, to, CHANGES) as events,
    ):
        await subscribe(socket, CHANGES)
        await server_processes.ask(http, to, ORDER)
        await until_left(999, socket, events)
        await door.shut()
        async with server_processes.client() as public:
            for query in ("{ products(first: 1) { nodes { sku } } }", ORDER, ORDER):
                answers.append(await http.post(to.url, json={"query": query}))
            away = await statuses(public, to)
            with pytest.raises(ConnectionClosed) as refused:
                async with connected(to, token):
                    pass
            await door.open()
            await until_placed(http, to)
            back = await statuses(public, to)
        await until_left(998, socket, events)

    assert [(answer.status_code, answer.headers["retry-after"]) for answer in answers] == [(503, "2")] * 3
    errors = [answer.json()["errors"][0] for answer in answers]
    # Clients that see no headers know as well that nothing was changed.
    assert [error["extensions"] for error in errors] == [{"code": "INTERNAL", "retryAfter": 2}] * 3
    assert all("on our side (incident " in error["message"] for error in errors)
    assert refused.value.rcvd is not None
    assert refused.value.rcvd.code == 1013
    assert (away, back) == ([200, 503, 200], [200, 200, 200])
    assert await verification.verify() == []
    log = to.log.read_text()
    assert "never retrieved" not in log
    assert "Exception in ASGI application" not in log
    assert "Traceback" not in log


async def test_a_subscription_that_cannot_read_older_changes_ends_with_an_error_and_resumes_without_a_gap(
    serving: tuple[Server, str], door: Proxy
) -> None:
    to, token = serving
    feed = "subscription ($after: String) { inventoryChanges(after: $after) { cursor } }"
    place = "{ inventoryChanges(last: 1) { pageInfo { endCursor } } }"
    missed = "query ($after: String) { inventoryChanges(first: 10, after: $after) { nodes { cursor } } }"

    async with server_processes.client(token) as http, connected(to, token) as socket:
        after = (await server_processes.ask(http, to, place))["inventoryChanges"]["pageInfo"]["endCursor"]
        for _ in range(2):
            await server_processes.ask(http, to, ORDER)
        await door.shut()
        await subscribe(socket, feed, after=after)
        ended = [await received(socket, PATIENCE) for _ in range(2)]
        await door.open()
        await until_placed(http, to)
        await subscribe(socket, feed, id="2", after=after)
        told = [await pushed(socket, id="2", patience=PATIENCE) for _ in range(3)]
        listed = await server_processes.ask(http, to, missed, after=after)

    assert [message["type"] for message in ended] == ["next", "complete"]
    assert [error["extensions"] for error in ended[0]["payload"]["errors"]] == [{"code": "INTERNAL", "retryAfter": 2}]
    assert told == listed["inventoryChanges"]["nodes"]


async def test_a_database_that_hangs_makes_it_not_ready_in_time_and_metrics_tell_the_rest(
    serving: tuple[Server, str], door: Proxy
) -> None:
    to, token = serving

    async with server_processes.client(token) as http:
        door.freeze()
        began = time.monotonic()
        hanging, metrics = await asyncio.gather(
            *(http.get(f"http://127.0.0.1:{to.port}/{path}") for path in ("readyz", "metrics"))
        )
        took = time.monotonic() - began
        door.thaw()
        await until_placed(http, to)

    assert hanging.text == "does not answer: database\n"
    assert "\ngqlstock_database_up 0.0\n" in metrics.text
    assert 2.5 < took < 4.5


async def test_orders_wait_while_it_restarts(serving: tuple[Server, str], door: Proxy) -> None:
    to, token = serving
    over = asyncio.Event()
    placed: list[str] = []
    failed: list[Any] = []

    async def keep_buying(http: httpx.AsyncClient) -> None:
        while not over.is_set():
            answer = (await http.post(to.url, json={"query": ORDER})).json()
            if "errors" in answer:
                failed.append(answer["errors"][0])
                await asyncio.sleep(0.05)
            else:
                placed.append(answer["data"]["placeOrder"]["order"]["number"])

    async with server_processes.client(token) as http:
        buyers = [asyncio.create_task(keep_buying(http)) for _ in range(8)]
        for _ in range(3):
            await asyncio.sleep(0.7)
            await door.shut()
            await asyncio.sleep(0.3)
            await door.open()
        await until_placed(http, to)
        over.set()
        await asyncio.gather(*buyers)
        there = await server_processes.ask(http, to, "{ orders { totalCount } }")

    assert failed == []
    assert len(set(placed)) == len(placed)
    assert there["orders"]["totalCount"] == len(placed) + 1
    assert await verification.verify() == []


async def test_an_import_says_that_it_may_be_partly_written_and_is_finished_by_another(
    db: None, door: Proxy, database_env: dict[str, str], tmp_path: Path
) -> None:
    await make.shop()
    skus = [f"P{number}" for number in range(_ROWS)]
    made = [replace(new_product(sku, "P", clock.now()), slug=sku.lower()) for sku in skus]
    await transactions.run(lambda: catalog.insert(made))
    file = tmp_path / "in.csv"
    file.write_text("sku,warehouse,on_hand\n" + "".join(f"{sku},BERLIN,5\n" for sku in skus))
    url = behind(door, database_env["GQLSTOCK_DATABASE_URL"])

    with running("import", "levels", str(file), env={**database_env, "GQLSTOCK_DATABASE_URL": url}) as process:
        deadline = time.monotonic() + PATIENCE
        while not await InventoryLevel.all().count():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
        await door.shut()
        stdout, stderr = await asyncio.to_thread(process.communicate, timeout=PATIENCE)
    written = await InventoryLevel.all().count()
    with running("import", "levels", str(file), env=database_env) as again:
        report, _ = await asyncio.to_thread(again.communicate, timeout=PATIENCE)

    reason, state = stderr.splitlines()
    assert (process.returncode, stdout) == (1, "")
    assert reason.startswith("gqlstock stopped: the ")
    assert state == (
        f"Stopped: {file} may be partly imported. Import it again to finish; what is already imported stays unchanged."
    )
    assert 0 < written < _ROWS
    assert report == f"Levels: {_ROWS - written} counted, {written} unchanged.\n"
