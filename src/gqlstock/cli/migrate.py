"""``gqlstock migrate``: bring the database up to date. Run again it changes nothing."""

import asyncio

import typer

from gqlstock.cli import session
from gqlstock.services import databases


def migrate() -> None:
    """Bring the database up to date."""
    asyncio.run(databases.prepare(session.config().database))
    typer.echo("The database is up to date.")
