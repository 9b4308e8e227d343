"""Eras of the outbox. Each PostgreSQL server counts its own transaction numbers, and each server has an era of its own.

A database that was restored on or moved to another server continues with other numbers. Then a new era begins, and the
outbox is read in the order of (era, tx, id). Every connection checks the era before its first use, so that a server only
writes in its own era. SQLite has no transaction numbers and stays in era 0.
"""

import logging
from typing import Any

import asyncpg

log = logging.getLogger(__name__)

# The era has numbers that this server has not assigned yet: they are from another server.
_IS_AHEAD = """COALESCE(GREATEST(
    (SELECT tx FROM outbox WHERE era = outbox_era.era ORDER BY tx DESC, id DESC LIMIT 1),
    (SELECT tx FROM outbox_horizon WHERE era = outbox_era.era)
) >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint, FALSE)"""
_HAS_MOVED = f"(COALESCE(outbox_era.system <> $1, FALSE) OR {_IS_AHEAD})"
_IS_CURRENT = f"SELECT system IS NOT DISTINCT FROM COALESCE($1, system) AND NOT {_HAS_MOVED} FROM outbox_era"
# The first of several connections changes the row. The others wait for its lock and find the row changed.
_BEGIN = f"""INSERT INTO outbox_era (id, era, system) VALUES (1, 0, $1)
    ON CONFLICT (id) DO UPDATE SET
        era = outbox_era.era + {_HAS_MOVED}::int,
        system = COALESCE($1, outbox_era.system)
    WHERE outbox_era.system IS DISTINCT FROM COALESCE($1, outbox_era.system) OR {_HAS_MOVED}
    RETURNING era"""


async def check(connection: Any) -> None:
    """Begin a new era when the outbox has the numbers of another server."""
    try:
        system = await _system(connection)
        if not await connection.fetchval(_IS_CURRENT, system):
            era = await connection.fetchval(_BEGIN, system)
            if era:
                log.warning("the database was restored or moved: era %s of the outbox begins", era)
    except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError):
        pass  # not migrated yet: nothing is written
    except (asyncpg.InsufficientPrivilegeError, asyncpg.ReadOnlySQLTransactionError):
        pass  # only reads: a connection that writes begins the era


async def _system(connection: Any) -> int | None:
    """The server's identifier; None without permission to read it. Then only the numbers are compared."""
    try:
        found: int = await connection.fetchval("SELECT system_identifier FROM pg_control_system()")
    except (asyncpg.InsufficientPrivilegeError, asyncpg.UndefinedFunctionError, asyncpg.FeatureNotSupportedError):
        return None
    return found
