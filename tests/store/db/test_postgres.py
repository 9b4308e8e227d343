"""Sessions of PostgreSQL, whatever its server and the database are set to."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal

import asyncpg
import pytest

from gqlstock.rules.scopes import SYSTEM
from gqlstock.services import receive
from gqlstock.services.receive import AnnounceStockRequest
from gqlstock.services.stock_edits import StockLine
from gqlstock.store import announcements
from gqlstock.store.db import sql
from gqlstock.store.db.connection import DatabaseUrl
from support import shop_builders as make
from support.worker_databases import POSTGRES

pytestmark = pytest.mark.skipif(not POSTGRES, reason="needs PostgreSQL")


@pytest.fixture
async def zone_of_berlin(database_url: DatabaseUrl) -> AsyncIterator[None]:
    """The database has another time zone than UTC. Ask for it before ``db``."""
    connection = await asyncpg.connect(POSTGRES)
    try:
        name = await connection.fetchval("SELECT current_database()")
        await connection.execute(f"""ALTER DATABASE "{name}" SET timezone = 'Europe/Berlin'""")
        yield
        await connection.execute(f"""ALTER DATABASE "{name}" RESET timezone""")
    finally:
        await connection.close()


@pytest.mark.parametrize(
    "expected_at",
    [
        datetime.min.replace(tzinfo=UTC),
        datetime(1, 1, 1, 0, 30, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 30, tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
    ],
)
async def test_the_first_and_the_last_moments_are_read_in_any_time_zone(
    zone_of_berlin: None, db: None, expected_at: datetime
) -> None:
    await make.shop()
    await make.product("MUG")
    await receive.announce(SYSTEM, AnnounceStockRequest("BERLIN", (StockLine("MUG", Decimal(3)),), expected_at))

    (row,) = await sql.query(f"SELECT {announcements.dated()} AS dated FROM inventory_level l")

    assert [one.expected_at for one in announcements.arrivals(row["dated"])] == [expected_at]


async def test_statements_run_without_jit_which_takes_longer_than_most_of_them(db: None) -> None:
    assert await sql.query("SHOW jit") == [{"jit": "off"}]
    assert await sql.execute("SHOW jit") == [{"jit": "off"}]
