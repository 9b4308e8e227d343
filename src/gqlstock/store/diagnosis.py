"""Reads the facts about the open database that ``rules.diagnosis`` judges. Changes nothing.

On PostgreSQL, what the role may not read is named instead.
"""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from tortoise.exceptions import OperationalError

from gqlstock.rules.diagnosis.mounts import Mount, mount_of
from gqlstock.rules.diagnosis.postgres import ConnectionLimit, PostgresFacts, Setting, Standby, Writer
from gqlstock.rules.diagnosis.sqlite import SqliteFacts
from gqlstock.store import outbox
from gqlstock.store.db import clock, connection, sql

T = TypeVar("T")

_MOUNTS = Path("/proc/self/mountinfo")
_RECORDS = "tortoise_migrations"

_SERVER = """SELECT current_user::text AS role, current_database()::text AS database,
    current_schema()::text AS schema,
    current_setting('server_version_num')::int AS version, pg_is_in_recovery() AS is_standby,
    pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS reads_all_statistics"""
_SETTINGS = """SELECT name, setting, source FROM pg_settings WHERE name IN (
    'fsync', 'full_page_writes', 'synchronous_commit', 'synchronous_standby_names', 'server_encoding',
    'idle_in_transaction_session_timeout', 'max_connections', 'superuser_reserved_connections', 'reserved_connections')"""
_LIMITS = """SELECT 'the CONNECTION LIMIT of the role ' || rolname AS name, rolconnlimit AS most
    FROM pg_roles WHERE rolname = current_user AND rolconnlimit >= 0
    UNION ALL SELECT 'the CONNECTION LIMIT of the database ' || datname, datconnlimit
    FROM pg_database WHERE datname = current_database() AND datconnlimit >= 0"""
_USED_BY_OTHERS = "SELECT COUNT(*) AS used FROM pg_stat_activity WHERE datname <> current_database()"
# A base backup that is running is connected as well. Without permission, the state is NULL.
_STANDBYS = """SELECT application_name AS name, sync_state IN ('sync', 'quorum') AND state = 'streaming' AS synchronous
    FROM pg_stat_replication WHERE state IS DISTINCT FROM 'backup' ORDER BY 1"""
# Every role sees the lock that a transaction has on its own number. Prepared transactions have no process.
_WRITERS = """SELECT datname AS database, usename AS user, pid AS process,
        EXTRACT(epoch FROM clock_timestamp() - xact_start)::float8 AS seconds, NULL AS prepared,
        COALESCE(starts_with(state, 'idle in transaction'), FALSE) AS idle
    FROM pg_stat_activity
    WHERE pid IN (SELECT pid FROM pg_locks WHERE locktype = 'transactionid' AND mode = 'ExclusiveLock' AND granted)
    UNION ALL SELECT database, owner, NULL, EXTRACT(epoch FROM clock_timestamp() - prepared)::float8, gid, FALSE
    FROM pg_prepared_xacts ORDER BY seconds DESC NULLS LAST"""
_TABLES = f"""SELECT relname AS name, has_table_privilege(oid, 'SELECT') AS readable,
        relname = '{_RECORDS}' OR has_table_privilege(oid, 'INSERT') AND has_table_privilege(oid, 'UPDATE')
            AND has_table_privilege(oid, 'DELETE') AS writable
    FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' ORDER BY relname"""
_SEARCH_INDEX = """SELECT COALESCE(BOOL_OR(indisvalid), FALSE) AS usable FROM pg_index
    WHERE indexrelid = to_regclass('item_search')"""


class _Attempts:
    """Reads facts, and collects which of them the role or the server refused, or that took too long."""

    def __init__(self) -> None:
        self.unreadable: list[str] = []

    async def rows(self, what: str, statement: str) -> list[dict[str, Any]]:
        return await self.result(what, sql.query(statement), [])

    async def result(self, what: str, reading: Awaitable[T], otherwise: T) -> T:
        try:
            return await reading
        except (OperationalError, TimeoutError) as error:
            self.unreadable.append(f"{what} ({str(error).partition(chr(10))[0] or 'no answer in time'})")
            return otherwise


async def can_read_tables() -> bool:
    """Whether the role may read all tables that there are."""
    return not connection.is_postgres() or all(row["readable"] for row in await sql.query(_TABLES))


async def postgres(*, up_to_date: bool) -> PostgresFacts:
    """The facts about the server of the open database. ``up_to_date``: its tables are those of this version."""
    attempts = _Attempts()
    (server,) = await sql.query(_SERVER)
    settings = {
        row["name"]: Setting(row["setting"], row["source"]) for row in await attempts.rows("settings", _SETTINGS)
    }
    used = await attempts.rows("the sessions of other databases", _USED_BY_OTHERS)
    standbys = await attempts.rows("the standbys", _STANDBYS)
    writers = await attempts.rows("the running transactions", _WRITERS)
    tables = await attempts.rows("the privileges of the role", _TABLES)
    limits = await attempts.rows("the limits of the role and the database", _LIMITS)
    index: list[dict[str, Any]] = []
    held_back = 0.0
    if up_to_date:
        index = await attempts.rows("the search index", _SEARCH_INDEX)
        held_back = await attempts.result("how long feeds have waited", outbox.seconds_held_back(), 0.0)
    return PostgresFacts(
        **server,
        settings=settings,
        limits=(*_server_limit(settings), *(ConnectionLimit(row["name"], row["most"]) for row in limits)),
        used_by_others=used[0]["used"] if used else 0,
        standbys=tuple(Standby(row["name"], row["synchronous"]) for row in standbys),
        writers=tuple(Writer(**row) for row in writers),
        held_back=held_back,
        clock_ahead=clock.seconds_ahead(),
        search_index=index[0]["usable"] if index else None,
        denied=tuple(row["name"] for row in tables if not (row["readable"] and row["writable"])),
        unreadable=tuple(attempts.unreadable),
    )


def _server_limit(settings: dict[str, Setting]) -> Sequence[ConnectionLimit]:
    most = settings.get("max_connections")
    if most is None:
        return ()
    reserved = (settings.get(name) for name in ("superuser_reserved_connections", "reserved_connections"))
    kept = sum(int(setting.value) for setting in reserved if setting is not None)
    return (ConnectionLimit(f"max_connections ({most.value}, of which {kept} are reserved)", int(most.value) - kept),)


async def sqlite(*, integrity: bool) -> SqliteFacts:
    """The facts about the open file. ``integrity``: also check all its pages, which reads all of it."""
    (journal,) = await sql.query("PRAGMA journal_mode")
    return _sqlite(connection.filename(), journal["journal_mode"], await _damage() if integrity else None)


def _sqlite(path: str, journal_mode: str, damage: tuple[str, ...] | None) -> SqliteFacts:
    file = Path(path).resolve()
    return SqliteFacts(
        file=str(file),
        octets=_octets(file) + _octets(file.with_name(f"{file.name}-wal")),
        free_octets=shutil.disk_usage(file.parent).free,
        journal_mode=journal_mode,
        mount=_mount(file),
        mode=_mode(file),
        is_writable=os.access(file, os.W_OK) and os.access(file.parent, os.W_OK),
        damage=damage,
    )


def _mode(file: Path) -> int | None:
    """The permission bits of a file; None if other users cannot reach it, or there are no such bits."""
    is_reachable = os.name == "posix" and all(directory.stat().st_mode & 0o001 for directory in file.parents)
    return file.stat().st_mode & 0o777 if is_reachable else None


def _octets(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def _mount(file: Path) -> Mount | None:
    with contextlib.suppress(OSError):
        return mount_of(str(file), _MOUNTS.read_text())
    return None


async def _damage() -> tuple[str, ...]:
    try:
        found = await sql.query("PRAGMA integrity_check(5)")
    except sqlite3.DatabaseError as error:
        return (str(error),)
    return tuple(row["integrity_check"] for row in found if row["integrity_check"] != "ok")
