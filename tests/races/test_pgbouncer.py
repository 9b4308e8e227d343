"""Servers behind a PgBouncer in transaction mode, which gives each transaction any of a few connections."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from gqlstock.rules.webhooks import WebhookTopic
from gqlstock.services import verification, webhooks
from gqlstock.store.db.connection import DatabaseUrl, Postgres
from support import command_line, pgbouncer, server_processes, webhook_receiver
from support import shop_builders as make
from support.settled_news import settled
from support.subscriptions import connected, pushed, subscribe

pytestmark = pytest.mark.skipif(pgbouncer.PROGRAM is None, reason="needs pgbouncer")

ORDER = 'mutation { placeOrder(input: { lines: [{ sku: "MUG", quantity: 1 }] }) { order { number } } }'
ORDERS = "subscription { orderChanges { order { number } } }"
LEFT = '{ product(sku: "MUG") { availability { salableQuantity } } }'
CLIENTS, ORDERS_EACH = 30, 5


@pytest.fixture
def url(database_url: DatabaseUrl) -> Postgres:
    if not isinstance(database_url, Postgres):
        pytest.skip("needs PostgreSQL")
    return database_url


async def test_two_servers_sell_and_tell_all_of_it_through_two_connections(
    db: None, url: Postgres, database_env: dict[str, str], tmp_path: Path
) -> None:
    count = CLIENTS * ORDERS_EACH
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=count)
    await make.setting(product="MUG", display_stock_quantity=True)
    await settled()
    token = await make.token()
    async with (
        webhook_receiver.receiving() as receiver,
        pgbouncer.running(url, tmp_path, connections=2) as through,
    ):
        await webhooks.create(receiver.url(), [WebhookTopic.ORDER_PLACED], private_addresses=True)
        env = {
            **database_env,
            "GQLSTOCK_DATABASE_URL": f"{through}?statement_cache_size=0",
            "GQLSTOCK_WEBHOOK_PRIVATE_ADDRESSES": "true",
        }
        async with (
            server_processes.running(env, tmp_path) as here,
            server_processes.running(env, tmp_path) as there,
            server_processes.client(token) as http,
            server_processes.client() as public,
            connected(there, token) as socket,
        ):
            await subscribe(socket, ORDERS)

            async def buy(number: int) -> list[str]:
                placed, at = [], (here, there)[number % 2]
                for _ in range(ORDERS_EACH):
                    placed.append((await server_processes.ask(http, at, ORDER))["placeOrder"]["order"]["number"])
                    await server_processes.ask(public, at, LEFT)
                return placed

            buying = [asyncio.create_task(buy(number)) for number in range(CLIENTS)]
            heard = [(await pushed(socket))["order"]["number"] for _ in range(count)]
            placed = [number for of_client in await asyncio.gather(*buying) for number in of_client]
            left = await server_processes.ask(public, here, LEFT)
            told = [message.told["data"]["order"]["number"] for message in await receiver.has(count)]

    assert len(set(placed)) == count
    assert Counter(heard) == Counter(told) == Counter(placed)
    assert left["product"]["availability"]["salableQuantity"] == 0
    assert await verification.verify() == []


@pytest.mark.parametrize(
    ("ignored", "query", "told"),
    [
        (
            "extra_float_digits",
            "?statement_cache_size=0",
            "unsupported startup parameter: jit. In pgbouncer.ini, set "
            "ignore_startup_parameters = jit, default_transaction_read_only, lock_timeout, "
            "idle_in_transaction_session_timeout.",
        ),
        (
            pgbouncer.IGNORED,
            "",
            'prepared statement "__asyncpg_stmt_1__" already exists. The pooler does not keep prepared statements: '
            "add ?statement_cache_size=0 to GQLSTOCK_DATABASE_URL.",
        ),
    ],
    ids=["startup parameters", "prepared statements"],
)
async def test_what_pgbouncer_or_the_url_lacks_is_told(
    url: Postgres, tmp_path: Path, ignored: str, query: str, told: str
) -> None:
    async with pgbouncer.running(url, tmp_path, connections=1, ignored=ignored) as through:
        env = {"GQLSTOCK_DATABASE_URL": through + query}
        for _ in range(2):
            with command_line.running("verify", env=env) as process:
                _, error = await asyncio.to_thread(process.communicate, timeout=command_line.PATIENCE)

    at = f"{url.credentials['database']} at 127.0.0.1:{through.rpartition(':')[2].partition('/')[0]}"
    assert error == f"The database {at} cannot be reached: {told}\n"
