"""``gqlstock backup``: a consistent copy of the SQLite database, taken while servers use it."""

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
    file: Annotated[Path, typer.Argument(metavar="FILE.db", help="The file to write. It must not exist.")],
) -> None:
    """Copy the SQLite database to a file. Servers may keep running."""
    url = session.config().database
    if not isinstance(url, SqliteFile):
        raise Failure("This command copies SQLite databases. Back up PostgreSQL with pg_dump; see docs/backup.md.")
    asyncio.run(_check(url))
    if file.exists():
        raise Failure(f"{file} already exists: name another file.")
    part = file.with_name(f"{file.name}.part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)  # it contains token hashes and webhook secrets
    sqlite.copy(url.path, part)
    part.rename(file)
    typer.echo(f"Copied the database to {file}.")


async def _check(url: SqliteFile) -> None:
    """Accept a database of any version, because a backup should precede a migration."""
    async with connection.opened(url):
        await status.check_migrated(url)
