"""The environment of commands: the configuration, an open and current database, a listening socket."""

import asyncio
import errno
import gc
import os
import socket
from collections.abc import Awaitable, Callable
from typing import TypeVar

import typer

from gqlstock.cli.failures import Failure
from gqlstock.config import Config
from gqlstock.services import databases

T = TypeVar("T")


def say(line: str) -> None:
    """Print a line for the user to stderr. stdout is reserved for the command's output."""
    typer.echo(line, err=True)


def config() -> Config:
    return Config.from_env(os.environ)


def run(work: Callable[[], Awaitable[T]]) -> T:
    """Run ``work`` on the configured database, which must be up to date."""
    url = config().database

    # Imported modules stay alive and commands create few reference cycles, so there is little to collect.
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)

    async def opened() -> T:
        async with databases.usable(url):
            return await work()

    return asyncio.run(opened())


def listening(host: str, port: int) -> socket.socket:
    """A listening socket. Raises ``Failure`` with the reason if the address is unavailable."""
    if not host:
        raise Failure("--host must not be empty. 0.0.0.0 listens on all IPv4 addresses of this machine.")
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        # A name that cannot be resolved has a code below 0, and a text to which Python adds the address.
        resolved = error.errno is not None and error.errno > 0
        reason = os.strerror(error.errno or 0) if resolved else (error.strerror or "").partition(" (while ")[0]
        wrong = "--port" if error.errno in (errno.EADDRINUSE, errno.EACCES) else "--host"
        raise Failure(f"Cannot listen on {host}:{port}: {reason}. Try another {wrong}.") from None
