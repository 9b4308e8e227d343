"""``gqlstock backup``: a consistent copy of the SQLite database, taken while servers use it."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from gqlstock.cli import session
from gqlstock.cli.failures import Failure
from gqlstock.services import databases


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE.db", help="The file to write. It must not exist.")],
) -> None:
    """Copy the SQLite database to a file. Servers may keep running."""
    url = session.config().database
    asyncio.run(databases.check_copyable(url))
    if file.exists():
        raise Failure(f"{file} already exists: name another file.")
    databases.copy(url, file)
    typer.echo(f"Copied the database to {file}.")
