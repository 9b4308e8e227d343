"""The command ``gqlstock demo``: sets up the shop, serves it and runs the simulation until stopped."""

import asyncio
import contextlib
import importlib
import os
import random
import signal
import socket
import tempfile
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
import uvicorn

from gqlstock.cli import session
from gqlstock.cli.demo import pictures, story, welcome
from gqlstock.cli.demo.api import Api
from gqlstock.cli.demo.opening import stock_up
from gqlstock.cli.serve import CONNECTIONS
from gqlstock.config import UNSUBSCRIBE, Config, SqliteFile, site, unsubscribe_page
from gqlstock.services import databases, tokens

_GRACE = 5
_SEED = 4711
_PATIENCE = 30


def demo(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8000,
) -> None:
    """Run a sample shop with simulated shoppers until you stop it."""
    # Imported late, because building the schema takes most of a second, and before signal handlers interrupt imports.
    create_app = importlib.import_module("gqlstock.app").create_app
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    with (
        contextlib.suppress(KeyboardInterrupt),
        session.listening(host, port) as listening,
        tempfile.TemporaryDirectory(prefix="gqlstock-demo-") as directory,
    ):
        database_url = SqliteFile(str(Path(directory) / "demo.db"))
        config = replace(session.config(), database=database_url, redis=None, public_orders=True)
        if UNSUBSCRIBE not in os.environ:
            config = replace(config, unsubscribe_url=unsubscribe_page(*listening.getsockname()[:2]))
        application = create_app(config)
        pictures.serve(application)
        asyncio.run(_run(config, application, listening))


def _stop(number: int, frame: object) -> None:
    """Make Ctrl-C and SIGTERM end the demo the same way, with or without the server's own handlers."""
    raise KeyboardInterrupt


class _Server(uvicorn.Server):
    """A server that runs a background coroutine while it is up."""

    def __init__(self, config: uvicorn.Config, meanwhile: Callable[[], Coroutine[Any, Any, None]]) -> None:
        super().__init__(config)
        self._meanwhile = meanwhile
        self._going_on: list[asyncio.Task[None]] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._going_on = [asyncio.create_task(self._meanwhile())]

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Cancel these first: after the shutdown, their requests would fail.
        for task in self._going_on:
            task.cancel()
        await asyncio.gather(*self._going_on, return_exceptions=True)
        await super().shutdown(sockets)


async def _run(config: Config, application: Any, listening: socket.socket) -> None:
    address = site(*listening.getsockname()[:2])
    await databases.prepare(config.database)
    async with databases.usable(config.database):
        shop = await stock_up(address)
        token = await tokens.create("demo", ["admin"])
        workers = {name: await tokens.create(name, scopes) for name, scopes in story.WHO_WORKS_HERE.items()}

    async def tell() -> None:
        typer.echo(welcome.text(address, token))
        chance = random.Random(_SEED)
        # The demo uses plain HTTP. Skipping verification avoids loading certificates, which takes a while.
        async with httpx.AsyncClient(timeout=_PATIENCE, verify=False) as client:
            habits = story.habits(Api(client, f"{address}/graphql", workers), shop, chance)
            await story.tell(habits, chance, asyncio.sleep)

    options = uvicorn.Config(application, log_level="warning", timeout_graceful_shutdown=_GRACE, **CONNECTIONS)
    await _Server(options, tell).serve(sockets=[listening])
