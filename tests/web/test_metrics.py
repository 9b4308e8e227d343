"""What Prometheus is told, and that no caller can make it many series."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from gqlstock.adapters.metrics import CacheFigures, Figures, Lookups, Metrics, Pool
from gqlstock.app import create_app
from gqlstock.config import Config, ConfigError
from gqlstock.services import tokens
from gqlstock.store.db import connection
from gqlstock.store.db.connection import DatabaseUrl, Postgres, SqliteFile
from gqlstock.trail import Operation, Trail
from support import server_processes
from support import shop_builders as make
from support.server_processes import PATIENCE, Server
from support.subscriptions import connected, streamed, subscribe
from support.worker_databases import POSTGRES

ORDER = """mutation Buy($quantity: Quantity!) {
  placeOrder(input: {lines: [{sku: "MUG", quantity: $quantity}]}) { order { number } }
}"""
SHELF = 'subscription { availabilityChanges(skus: ["MUG"]) { sku } }'


def value(text: str, series: str) -> float | None:
    """The value of a series as it is written, None when there is none."""
    found = re.search(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else None


@pytest.fixture
async def http(db: None, database_url: DatabaseUrl) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(replace(Config.from_env({}), database=database_url, public_orders=True))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gqlstock") as client:
        yield client


async def ask(http: httpx.AsyncClient, query: str, token: str | None = None, **variables: Any) -> None:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    await http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)


async def test_orders_and_what_was_not_oversold_are_counted(http: httpx.AsyncClient) -> None:
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=5)

    for quantity in (2, 2, 2):
        await ask(http, ORDER, quantity=quantity)
    text = (await http.get("/metrics")).text

    assert value(text, "gqlstock_orders_placed_total") == 2
    assert value(text, 'gqlstock_refusals_total{code="INSUFFICIENT_STOCK"}') == 1
    assert value(text, 'gqlstock_operations_total{operation="Buy",type="mutation"}') == 3
    assert value(text, 'gqlstock_operation_seconds_count{operation="Buy",type="mutation"}') == 3
    assert value(text, 'gqlstock_http_requests_total{status="200"}') == 3


async def test_an_order_that_is_asked_for_again_by_its_key_is_counted_once(http: httpx.AsyncClient) -> None:
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=5)
    token = await tokens.create("till", ["admin"])
    again = ORDER.replace("lines:", 'idempotencyKey: "cart-1", lines:')

    for _ in range(2):
        await ask(http, again, token, quantity=1)

    assert value((await http.get("/metrics")).text, "gqlstock_orders_placed_total") == 1


async def test_errors_are_counted_by_their_code(http: httpx.AsyncClient) -> None:
    await ask(http, "{ nope }")
    await ask(http, "{ orders { totalCount } }")
    await ask(http, "{ unclosed")
    text = (await http.get("/metrics")).text

    assert value(text, 'gqlstock_errors_total{code="BAD_USER_INPUT"}') == 2
    assert value(text, 'gqlstock_errors_total{code="UNAUTHENTICATED"}') == 1
    assert value(text, 'gqlstock_operations_total{operation="unknown",type="unknown"}') == 2
    assert value(text, 'gqlstock_operations_total{operation="unnamed",type="query"}') == 1


async def test_what_waits_for_delivery_is_told(http: httpx.AsyncClient) -> None:
    """No process delivers here: what is committed waits."""
    await make.shop()
    await make.product("MUG")
    before = value((await http.get("/metrics")).text, "gqlstock_outbox_waiting")
    await make.stock("MUG", on_hand=5)
    text = (await http.get("/metrics")).text

    assert before is not None
    waiting, oldest = value(text, "gqlstock_outbox_waiting"), value(text, "gqlstock_outbox_oldest_seconds")
    assert waiting is not None
    assert oldest is not None
    assert waiting > before
    assert 0 < oldest < 60
    assert value(text, 'gqlstock_deliveries_waiting{kind="webhook"}') == 0
    assert value(text, "gqlstock_database_up") == 1


@pytest.mark.skipif(POSTGRES is None, reason="needs GQLSTOCK_TEST_DATABASE_URL")
async def test_a_transaction_of_another_database_that_feeds_wait_for_is_told(http: httpx.AsyncClient) -> None:
    url = Config.from_env({"GQLSTOCK_DATABASE_URL": str(POSTGRES)}).database
    assert isinstance(url, Postgres)
    other = await asyncpg.connect(**{**url.credentials, "database": "postgres"})
    try:
        async with other.transaction():
            await other.execute("SELECT pg_current_xact_id(), pg_sleep(0.2)")
            held_back = value((await http.get("/metrics")).text, "gqlstock_feed_held_back_seconds")
            age = await other.fetchval("SELECT EXTRACT(epoch FROM clock_timestamp() - now())::float8")
    finally:
        await other.close()

    assert held_back is not None
    assert held_back > 0.2
    async with asyncio.timeout(PATIENCE):
        while (value((await http.get("/metrics")).text, "gqlstock_feed_held_back_seconds") or 0) >= age:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_sqlite_holds_no_feed_back(sqlite_file: SqliteFile) -> None:
    async with connection.opened(sqlite_file, everywhere=True):
        app = create_app(replace(Config.from_env({}), database=sqlite_file))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gqlstock") as client:
            text = (await client.get("/metrics")).text

    assert value(text, "gqlstock_feed_held_back_seconds") == 0


def ended(metrics: Metrics, name: str, *, authenticated: bool = False) -> None:
    metrics.ended(
        Trail("1", "http", metrics.began, metrics.ended),
        Operation(name=name, kind="query", valid=True, authenticated=authenticated),
    )


async def broken() -> Figures:
    raise ConnectionError("no database")


async def test_names_of_the_public_are_bounded_and_leave_those_of_tokens_their_room() -> None:
    metrics = Metrics(broken, lambda: Pool(0, 0, 1), lambda: CacheFigures(0, {}), names=10)

    for number in range(1_000):
        ended(metrics, f"Junk{number}")
    ended(metrics, "Nightly", authenticated=True)
    text = (await metrics.text()).decode()

    assert len(re.findall(r"^gqlstock_operations_total", text, re.MULTILINE)) == 12
    assert value(text, 'gqlstock_operations_total{operation="other",type="query"}') == 990
    assert value(text, 'gqlstock_operations_total{operation="Nightly",type="query"}') == 1


async def test_lookups_in_memory_are_counted_on_from_the_last_look() -> None:
    seen = {"answer": Lookups(hits=3, misses=2, drops=1)}
    metrics = Metrics(broken, lambda: Pool(0, 0, 1), lambda: CacheFigures(1_000, seen))

    await metrics.text()
    seen["answer"] = Lookups(hits=5, misses=2, drops=1)
    text = (await metrics.text()).decode()

    assert value(text, "gqlstock_cache_bytes") == 1_000
    assert value(text, 'gqlstock_cache_hits_total{kind="answer"}') == 5
    assert value(text, 'gqlstock_cache_misses_total{kind="answer"}') == 2
    assert value(text, 'gqlstock_cache_drops_total{kind="answer"}') == 1


async def test_without_its_database_it_tells_the_rest() -> None:
    metrics = Metrics(broken, lambda: Pool(3, 4, 10), lambda: CacheFigures(0, {}))
    metrics.delivered("webhook", "refused")

    text = (await metrics.text()).decode()

    assert value(text, "gqlstock_database_up") == 0
    assert value(text, 'gqlstock_deliveries_total{kind="webhook",outcome="refused"}') == 1
    assert value(text, 'gqlstock_database_connections{state="in_use"}') == 3
    assert value(text, "gqlstock_outbox_waiting") is None
    assert value(text, "process_open_fds") is not None


async def test_a_token_keeps_it_to_who_has_it(db: None, database_url: DatabaseUrl) -> None:
    token = "s3cret-s3cret-s3cret"
    config = replace(Config.from_env({"GQLSTOCK_METRICS_TOKEN": token}), database=database_url)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(create_app(config)), base_url="http://gqlstock"
    ) as client:
        without = await client.get("/metrics")
        wrong = await client.get("/metrics", headers={"authorization": "Bearer s3cret"})
        right = await client.get("/metrics", headers={"authorization": f"Bearer {token}"})

    assert [without.status_code, wrong.status_code, right.status_code] == [401, 401, 200]
    assert token not in repr(config)


def test_a_short_token_is_refused_and_not_told() -> None:
    with pytest.raises(ConfigError) as caught:
        Config.from_env({"GQLSTOCK_METRICS_TOKEN": "s3cret"})

    assert str(caught.value) == (
        "GQLSTOCK_METRICS_TOKEN: write at least 16 characters without a space, such as letters and digits."
    )


async def told(http: httpx.AsyncClient, of: Server) -> str:
    return (await http.get(f"http://127.0.0.1:{of.port}/metrics")).text


async def test_workers_count_together(db: None, database_env: dict[str, str], tmp_path: Path) -> None:
    """Whichever of them answers, it says what all of them counted."""
    await make.shop()
    await make.product("MUG")
    asked = 40

    async with (
        server_processes.serving(database_env, tmp_path, "--workers", "2") as serving,
        server_processes.client() as lasting,
    ):
        for _ in range(asked):
            async with server_processes.client() as http:
                await server_processes.ask(http, serving, "query Me { viewer { name } }")
        async with connected(serving) as socket, streamed(lasting, serving, SHELF) as events:
            await subscribe(socket, SHELF)
            await anext(events)
            texts = []
            for _ in range(8):
                async with server_processes.client() as http:
                    texts.append(await told(http, serving))
        counts = {value(text, 'gqlstock_operations_total{operation="Me",type="query"}') for text in texts}
        subscribers = {
            transport: {
                value(text, f'gqlstock_subscribers{{subscription="availabilityChanges",transport="{transport}"}}')
                for text in texts
            }
            for transport in ("sse", "websocket")
        }
        async with asyncio.timeout(PATIENCE), server_processes.client() as http:
            over = 'gqlstock_subscribers{subscription="availabilityChanges",transport="websocket"}'
            while value(await told(http, serving), over) != 0:  # noqa: ASYNC110
                await asyncio.sleep(0.1)

    assert counts == {asked}
    assert subscribers == {"sse": {1}, "websocket": {1}}
    assert "Traceback" not in serving.log.read_text()
