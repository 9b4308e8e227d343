"""``gqlstock migrate``: bring the database up to date. Run again it changes nothing."""

import asyncio

import typer

from gqlstock.cli import session
from gqlstock.services import order_tokens, status, warehouses
from gqlstock.store.db import connection, versions


def migrate() -> None:
    """Bring the database up to date."""
    asyncio.run(prepare(session.config().database))
    typer.echo("The database is up to date.")


async def prepare(url: connection.DatabaseUrl) -> None:
    """The tables, and the rows that everything else starts from."""
    async with connection.opened(url, create=True):
        await status.check_known(url)
    await versions.migrate(url)
    async with connection.opened(url):
        await warehouses.ensure_default_organization()
        await order_tokens.ensure_key()
