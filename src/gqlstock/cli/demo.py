"""``gqlstock demo``: a shop to try things on, on a database that is gone afterwards."""

import asyncio
import contextlib
import importlib
import os
import signal
import socket
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
import uvicorn

from gqlstock.cli import migrate, session
from gqlstock.cli.demo_shop import Shop, stock_up
from gqlstock.cli.demo_shoppers import keep_shopping
from gqlstock.cli.serve import CONNECTIONS
from gqlstock.config import UNSUBSCRIBE, Config, unsubscribe_page
from gqlstock.services import tokens
from gqlstock.store import database
from gqlstock.store.database import SqliteFile

_HOST = "127.0.0.1"
_GRACE = 5


def demo(port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8000) -> None:
    """Run a sample shop with shoppers that buy, until you stop it."""
    # Imported here, as building the schema takes most of a second; and first, as an import is no good place to be stopped.
    create_app = importlib.import_module("gqlstock.app").create_app
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    with (
        contextlib.suppress(KeyboardInterrupt),
        session.listening(_HOST, port) as listening,
        tempfile.TemporaryDirectory(prefix="gqlstock-demo-") as directory,
    ):
        database_url = SqliteFile(str(Path(directory) / "demo.db"))
        config = replace(session.config(), database=database_url, redis_url=None, public_orders=True)
        if UNSUBSCRIBE not in os.environ:
            config = replace(config, unsubscribe_url=unsubscribe_page(*listening.getsockname()[:2]))
        asyncio.run(_run(config, create_app(config), listening))


def _stop(number: int, frame: object) -> None:
    """Both Ctrl-C and a kill end the demo in the same way, before and after the server has its own handlers."""
    raise KeyboardInterrupt


class _Server(uvicorn.Server):
    """The server, with a word when it is open."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.open = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.open.set()


async def _run(config: Config, application: Any, listening: socket.socket) -> None:
    await migrate.prepare(config.database)
    async with database.opened(config.database):
        shop = await stock_up()
        token = await tokens.create("demo", ["admin"])
    url = f"http://{_HOST}:{listening.getsockname()[1]}/graphql"
    server = _Server(uvicorn.Config(application, log_level="warning", timeout_graceful_shutdown=_GRACE, **CONNECTIONS))
    shoppers = asyncio.create_task(_shoppers(server, url, token, shop))
    try:
        await server.serve(sockets=[listening])
    finally:
        shoppers.cancel()
        await asyncio.gather(shoppers, return_exceptions=True)


async def _shoppers(server: _Server, url: str, token: str, shop: Shop) -> None:
    await server.open.wait()
    typer.echo(_welcome(url, token))
    await keep_shopping(url, token, shop)


def _welcome(url: str, token: str) -> str:
    return f"""
The demo shop is open: {url}
Its dashboard, with the token below: {url.removesuffix("graphql")}#token={token}
Shoppers are buying. Stop it with Ctrl-C; its database is thrown away then.

A token that may do everything:  {token}
Send it as the header  Authorization: Bearer TOKEN.  These need none, but for the second:

  {{ products(first: 5) {{ nodes {{ sku name availability {{ status salableQuantity onlyLeft }} }} }} }}

  {{ lowInventoryAlerts(first: 5) {{ nodes {{ sku quantityLeft threshold state raisedAt }} }} }}

  mutation {{ placeOrder(input: {{ lines: [{{ sku: "MUG-BLUE", quantity: 2 }}] }}) {{
    order {{ number status }} userErrors {{ message }} }} }}
"""
