"""While no synchronous standby answers, no change is visible that a failover could lose."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest

from gqlstock.config import Config
from gqlstock.rules.product_upsert import ProductRow, UpsertRequest
from gqlstock.rules.scopes import SYSTEM
from gqlstock.services import upsert_products
from gqlstock.store.db import connection, transactions, versions
from gqlstock.store.db.connection import DatabaseUrl
from gqlstock.store.db.outages import Patience
from gqlstock.store.warehouses import Warehouse
from support import postgres_servers
from support import shop_builders as make
from support.postgres_servers import PostgresServer, new_servers
from support.server_processes import PATIENCE

pytestmark = pytest.mark.skipif(postgres_servers.binaries() is None, reason="needs the programs of a PostgreSQL server")

_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
_COMMIT = "SELECT pg_logical_emit_message(true, 'test', '')"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with new_servers(1) as (found,):
        found.create()
        with found.running(fsync="off"):
            asyncio.run(versions.migrate(database(found)))
            yield found


def database(server: PostgresServer) -> DatabaseUrl:
    return Config.from_env({"GQLSTOCK_DATABASE_URL": server.url}).database


@pytest.fixture
async def watching(server: PostgresServer) -> AsyncIterator[asyncpg.Connection]:
    """A connection that another program has. The database is open."""
    connected = await asyncpg.connect(server.url)
    async with connection.opened(database(server), everywhere=True, patience=Patience(outage=60, statement=60)):
        yield connected
    await connected.close()


@contextlib.asynccontextmanager
async def standby_away(server: PostgresServer, watching: asyncpg.Connection) -> AsyncIterator[None]:
    """Commits wait for a standby during the block."""
    server.change(synchronous_standby_names="away")
    try:
        deadline = time.monotonic() + PATIENCE
        while not await waits(watching):
            assert time.monotonic() < deadline, "commits do not wait"
        yield
    finally:
        server.change(synchronous_standby_names="")


async def waits(watching: asyncpg.Connection) -> bool:
    """Whether a commit waits."""
    try:
        await watching.execute(_COMMIT, timeout=0.5)
    except TimeoutError:
        return True
    return False


async def until_waiting(watching: asyncpg.Connection, call: "asyncio.Task[Any]") -> None:
    """Wait until the COMMIT of the call waits for the standby."""
    async with asyncio.timeout(PATIENCE):
        while not await watching.fetchval(_WAITING):
            assert not call.done(), "it did not wait"
            await asyncio.sleep(0.02)


async def test_a_change_whose_caller_leaves_during_its_commit_stays_invisible(
    server: PostgresServer, watching: asyncpg.Connection
) -> None:
    await make.warehouse("BERLIN", name="Before")

    async with standby_away(server, watching):
        call = asyncio.create_task(transactions.run(lambda: Warehouse.filter(code="BERLIN").update(name="After")))
        await until_waiting(watching, call)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        await asyncio.sleep(1)
        name = await watching.fetchval("SELECT name FROM warehouse")

    assert call.cancelled()
    assert name == "Before"


async def test_a_repeated_upsert_is_answered_when_a_standby_has_the_first(
    server: PostgresServer, watching: asyncpg.Connection
) -> None:
    request = UpsertRequest((ProductRow("MUG", {"name": "Mug"}),))
    first = await upsert_products.upsert(SYSTEM, request, "key")

    async with standby_away(server, watching):
        again = asyncio.create_task(upsert_products.upsert(SYSTEM, request, "key"))
        await until_waiting(watching, again)

    async with asyncio.timeout(PATIENCE):
        assert (await again).ids == first.ids
