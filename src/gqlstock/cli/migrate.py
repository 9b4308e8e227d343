"""``gqlstock migrate``: bring the database up to date. Run again it changes nothing."""

import asyncio

import typer

from gqlstock.cli import session
from gqlstock.services import databases, status


def migrate() -> None:
    """Bring the database up to date."""
    url = session.config().database
    asyncio.run(databases.prepare(url))
    typer.echo(f"The database {status.named(url)} is up to date.")
