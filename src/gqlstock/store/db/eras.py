"""Eras of the outbox. Every PostgreSQL server counts its own transactions, so each server's entries form an era.

A database restored on or moved to another server gets unrelated transaction numbers. A new era then begins. The outbox is
read in the order (era, tx, id). Every connection checks the era before its first use, so a server only writes in its own
era. SQLite has no transaction numbers and stays in era 0.
"""

import logging
from typing import Any

import asyncpg

log = logging.getLogger(__name__)

# The era contains numbers that this server has not assigned yet, so another server did.
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


async def is_current(connection: Any) -> bool:
    """Whether the outbox has no transaction numbers of another server."""
    try:
        found = await connection.fetchval(_IS_CURRENT, await _system(connection))
    except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError, asyncpg.InsufficientPrivilegeError):
        return True  # not migrated yet, or not for this role: nothing is written
    return bool(found)


async def begin(connection: Any) -> None:
    """Begin a new era if the outbox has transaction numbers of another server, on a connection that may write."""
    try:
        era = await connection.fetchval(_BEGIN, await _system(connection))
    except (asyncpg.InsufficientPrivilegeError, asyncpg.ReadOnlySQLTransactionError):
        return  # the next one that may write begins it
    if era:
        log.warning("the database was restored or moved: outbox era %s begins", era)


async def _system(connection: Any) -> int | None:
    """The server's identifier; None without permission to read it. Then only transaction numbers are compared."""
    try:
        found: int = await connection.fetchval("SELECT system_identifier FROM pg_control_system()")
    except (asyncpg.InsufficientPrivilegeError, asyncpg.UndefinedFunctionError, asyncpg.FeatureNotSupportedError):
        return None
    return found
