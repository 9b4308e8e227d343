"""Waiting for what was committed to be readable as news."""

import asyncio

from gqlstock.store.db import connection, sql

_RUNNING = (
    "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest, "
    "pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next"
)


async def settled() -> None:
    """Wait until every transaction that runs now has ended, those of other databases of the same server as well.

    News is read below the oldest of them; on SQLite there is nothing to wait for.
    """
    if not connection.is_postgres():
        return
    upto = (await sql.query(_RUNNING))[0]["next"]
    async with asyncio.timeout(20):
        while True:
            if (await sql.query(_RUNNING))[0]["oldest"] >= upto:
                return
            await asyncio.sleep(0.01)
