"""Opens, prepares and copies the database that a command runs on. ``status`` says whether it can be used."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from gqlstock.services import order_tokens, status, warehouses
from gqlstock.store.db import clock, connection, sqlite, versions
from gqlstock.store.db.connection import DatabaseUrl, SqliteFile


@asynccontextmanager
async def usable(url: DatabaseUrl) -> AsyncIterator[None]:
    """Open a database whose schema must be that of this version."""
    async with connection.opened(url):
        await status.check_usable(url)
        yield


def now() -> datetime:
    """The time of the open database."""
    return clock.now()


async def prepare(url: DatabaseUrl) -> None:
    """Create or migrate the tables, and create the initial rows."""
    async with connection.opened(url, create=True):
        await status.check_known(url)
    await versions.migrate(url)
    async with connection.opened(url):
        await warehouses.ensure_default_organization()
        await order_tokens.ensure_key()


async def check_copyable(url: DatabaseUrl) -> None:
    """Refuse a database that is not a SQLite file. Any version is accepted, because a backup should precede a migration."""
    if not isinstance(url, SqliteFile):
        raise status.NotUsable(
            "This command copies SQLite databases. Back up PostgreSQL with pg_dump; see docs/backup.md."
        )
    async with connection.opened(url):
        await status.check_migrated(url)


def copy(url: DatabaseUrl, file: Path) -> None:
    """Copy a consistent snapshot of a SQLite database while servers use it. The file appears when it is complete."""
    assert isinstance(url, SqliteFile)
    part = file.with_name(f"{file.name}.part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)  # it contains token hashes and webhook secrets
    sqlite.copy(url.path, part)
    part.rename(file)
