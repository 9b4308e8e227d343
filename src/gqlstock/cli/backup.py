"""``gqlstock backup``: a copy of the SQLite database as it is at one moment, while servers work on it."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from gqlstock.cli import session
from gqlstock.cli.failures import Failure
from gqlstock.services import status
from gqlstock.store.db import connection, sqlite
from gqlstock.store.db.connection import SqliteFile


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE.db", help="Where to; a file that is not there yet.")],
) -> None:
    """Copy the SQLite database to a file, while servers work on it."""
    url = session.config().database
    if not isinstance(url, SqliteFile):
        raise Failure("This copies SQLite; PostgreSQL is backed up by pg_dump: docs/backup.md has the commands.")
    asyncio.run(_check(url))
    if file.exists():
        raise Failure(f"{file} is there already: name another file.")
    part = file.with_name(f"{file.name}.part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)  # tokens' hashes and endpoints' secrets are in it
    sqlite.copy(url.path, part)
    part.rename(file)
    typer.echo(f"The database is copied to {file}.")


async def _check(url: SqliteFile) -> None:
    """A database of any version is copied, as it should be before it is migrated."""
    async with connection.opened(url):
        await status.check_migrated(url)
