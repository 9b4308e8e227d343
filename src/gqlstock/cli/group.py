"""Groups of commands, whose files are imported when they are called. The outermost one ends failures in plain lines."""

import gc
import importlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperGroup


@contextmanager
def importing() -> Iterator[None]:
    """Import without looking for garbage meanwhile: there is hardly any, and it takes a sixth of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def commands(text: str, kind: type[TyperGroup] | None = None) -> typer.Typer:
    """A group of commands."""
    return typer.Typer(
        help=text,
        cls=kind,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


class Imported(Mapping[str, Any]):
    """Commands by name. A module has a function of its command's name, or a group as ``app``.

    With the modules of all commands, a server would take a third longer to start.
    """

    def __init__(self, modules: Mapping[str, str]) -> None:
        self._modules = modules

    def __getitem__(self, name: str) -> Any:
        with importing():
            module = importlib.import_module(self._modules[name])
        group = getattr(module, "app", None)
        if group is None:
            group = commands("")
            group.command(name)(getattr(module, name))
        command = typer.main.get_command(group)
        command.name = name
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


class PlainErrors(TyperGroup):
    """Ends every failure of a command in plain lines and exit code 1, or 130 where a person stopped it."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            # Typer ends commands by exceptions as well; the pipe that is closed is the reader's wish.
            if hasattr(error, "exit_code") or isinstance(error, typer.Abort | BrokenPipeError):
                raise
            failures = importlib.import_module("gqlstock.cli.failures")
            for line in failures.lines(error):
                typer.echo(line, err=True)
            raise typer.Exit(failures.exit_code(error)) from error

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.commands)
