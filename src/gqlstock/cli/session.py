"""What commands run on: the configuration, an open database that is up to date, a socket that listens."""

import asyncio
import gc
import os
import socket
from collections.abc import Awaitable, Callable
from typing import TypeVar

import typer

from gqlstock.cli.failures import Failure
from gqlstock.config import Config
from gqlstock.services import status
from gqlstock.store.db import connection

T = TypeVar("T")


def say(line: str) -> None:
    """A line for the person at the terminal; stdout is for what the command gives."""
    typer.echo(line, err=True)


def config() -> Config:
    return Config.from_env(os.environ)


def run(work: Callable[[], Awaitable[T]]) -> T:
    """Run ``work`` on the configured database, which must be up to date."""
    url = config().database

    # What is imported stays, and what a command makes has hardly ever circles: there is little to collect.
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)

    async def opened() -> T:
        async with connection.opened(url):
            await status.check_usable(url)
            return await work()

    return asyncio.run(opened())


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens there, or a plain line that says why not."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise Failure(f"{host}:{port} cannot be listened on: {reason}. Another --port may be free.") from None
