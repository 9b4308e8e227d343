"""Restores a backup of the whole database under a running server."""

import contextlib
import sqlite3
from pathlib import Path

from gqlstock.store.db import sql, sqlite, transactions
from gqlstock.store.db.connection import DatabaseUrl, SqliteFile
from support.settled_news import settled

_KEPT = "kept"


async def take(url: DatabaseUrl) -> None:
    """Back up the current state of the database."""
    await settled()
    if isinstance(url, SqliteFile):
        _copy_of(url).unlink(missing_ok=True)
        sqlite.copy(url.path, _copy_of(url))
        return
    await sql.execute(f"DROP SCHEMA IF EXISTS {_KEPT} CASCADE")
    await sql.execute(f"CREATE SCHEMA {_KEPT}")
    for table in await _tables():
        await sql.execute(f"CREATE TABLE {_KEPT}.{table} AS TABLE public.{table}")
    await sql.execute(
        f"CREATE TABLE {_KEPT}.sequences AS SELECT sequencename, COALESCE(last_value, 1) AS last_value, "
        "last_value IS NOT NULL AS called FROM pg_sequences WHERE schemaname = 'public'"
    )


async def restore(url: DatabaseUrl) -> None:
    """Restore the backup. Ids that were assigned since are assigned again."""
    if isinstance(url, SqliteFile):
        with (
            contextlib.closing(sqlite3.connect(_copy_of(url))) as copy,
            contextlib.closing(sqlite3.connect(url.path)) as live,
        ):
            copy.backup(live)
        return

    async def work() -> None:
        await sql.execute("SET LOCAL session_replication_role = replica")
        for table in await _tables():
            await sql.execute(f"DELETE FROM public.{table}")
            await sql.execute(f"INSERT INTO public.{table} SELECT * FROM {_KEPT}.{table}")
        await sql.execute(
            f"SELECT setval(format('public.%I', sequencename)::regclass, last_value, called) FROM {_KEPT}.sequences"
        )

    await transactions.run(work)
    await sql.execute(f"DROP SCHEMA {_KEPT} CASCADE")
    await settled()


def _copy_of(url: SqliteFile) -> Path:
    return Path(f"{url.path}.kept")


async def _tables() -> list[str]:
    found = await sql.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
    return [row["tablename"] for row in found if row["tablename"] != "tortoise_migrations"]
