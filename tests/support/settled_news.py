"""Waits until committed changes are readable as events."""

import asyncio

from gqlstock.store.db import connection, sql

_RUNNING = (
    "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest, "
    "pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next"
)


async def settled() -> None:
    """Wait until every current transaction has ended, including those of other databases on the same server.

    Events are readable up to the oldest running transaction. On SQLite there is nothing to wait for.
    """
    if not connection.is_postgres():
        return
    upto = (await sql.query(_RUNNING))[0]["next"]
    async with asyncio.timeout(20):
        while True:
            if (await sql.query(_RUNNING))[0]["oldest"] >= upto:
                return
            await asyncio.sleep(0.01)
