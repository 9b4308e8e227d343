"""How a command is run: configuration, an open database that is up to date, and every failure as plain lines on stderr."""

import asyncio
import gc
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from typer.core import TyperGroup

from gqlstock.config import Config, ConfigError
from gqlstock.rules.refusals import Refused
from gqlstock.services import status
from gqlstock.services.status import NotUsable
from gqlstock.store.db import connection

log = logging.getLogger(__name__)
T = TypeVar("T")

_STOPPED = 130


class Failure(Exception):
    """What went wrong, as the line that is printed."""


class Stopped(Failure):
    """What became of the work that a person stopped; the exit code is that of Ctrl-C."""


class _Plain(TyperGroup):
    """Ends every failure of a command in plain lines and exit code 1, or 130 where a person stopped it."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            # Typer ends commands by exceptions as well; the pipe that is closed is the reader's wish.
            if hasattr(error, "exit_code") or isinstance(error, typer.Abort | BrokenPipeError):
                raise
            for line in _told(error):
                say(line)
            raise typer.Exit(_STOPPED if isinstance(error, Stopped) else 1) from error


def _told(error: Exception) -> list[str]:
    """A failure as lines for people."""
    if isinstance(error, Failure | ConfigError | NotUsable):
        return [str(error)]
    if isinstance(error, Refused):
        return [refusal.message for refusal in error.refusals]
    if isinstance(error, OSError) and error.filename:
        return [f"{error.filename}: {error.strerror}"]
    log.debug("unforeseen", exc_info=error)
    first = next(iter(str(error).splitlines()), "")
    return [f"gqlstock stopped over an error that it did not foresee: {type(error).__name__}: {first}"]


def commands(text: str, *, plain_errors: bool = False) -> typer.Typer:
    """A group of commands; the outermost one has the plain errors."""
    return typer.Typer(
        help=text,
        cls=_Plain if plain_errors else None,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


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


@contextmanager
def bar(*, silent: bool = False) -> Iterator[Callable[[str, int, int | None], None]]:
    """A progress bar on stderr, where that is a terminal. Gives what is told how much of how much is done of what."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    silent = silent or not console.is_terminal
    with Progress(*columns, console=console, disable=silent, transient=True) as progress:
        task = progress.add_task("Begun", total=None)

        def told(what: str, done: int, of: int | None) -> None:
            progress.update(task, description=what, completed=done, total=of)

        yield told
