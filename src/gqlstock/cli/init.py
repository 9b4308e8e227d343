"""``gqlstock init``: sets up a shop that can sell. Running it again changes nothing."""

import asyncio
from typing import Annotated

import typer

from gqlstock.cli import session
from gqlstock.services import databases, set_up_shop
from gqlstock.services.set_up_shop import ShopSetup


def init(
    warehouse: Annotated[str, typer.Option(metavar="CODE", help="The warehouse that holds the stock.")],
    website: Annotated[str, typer.Option(metavar="CODE", help="The website that sells from it.")],
    warehouse_name: Annotated[str | None, typer.Option(metavar="NAME", help="Its name; by default its code.")] = None,
    website_name: Annotated[str | None, typer.Option(metavar="NAME", help="Its name; by default its code.")] = None,
    token_name: Annotated[str, typer.Option(metavar="NAME", help="The name of the admin token.")] = "admin",
) -> None:
    """Set up a shop that can sell: a database, a warehouse, a website and an admin token, which is printed only once."""
    url = session.config().database

    async def work() -> ShopSetup:
        await databases.prepare(url)
        async with databases.usable(url):
            return await set_up_shop.set_up(
                warehouse, website, warehouse_name=warehouse_name, website_name=website_name, token_name=token_name
            )

    made = asyncio.run(work())
    for line in made.lines:
        session.say(line)
    if made.token is not None:
        typer.echo(made.token)
