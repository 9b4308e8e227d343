"""The commands, one per file. ``session`` provides the configuration and the database."""

import importlib
import os
from typing import Annotated, Any

import typer

from gqlstock.cli.group import Imported, PlainErrors, commands

_MODULES = {
    "init": "gqlstock.cli.init",
    "serve": "gqlstock.cli.serve",
    "migrate": "gqlstock.cli.migrate",
    "token": "gqlstock.cli.token",
    "import": "gqlstock.cli.import_",
    "export": "gqlstock.cli.export",
    "backup": "gqlstock.cli.backup",
    "cache": "gqlstock.cli.cache",
    "verify": "gqlstock.cli.verify",
    "doctor": "gqlstock.cli.doctor",
    "schema": "gqlstock.cli.schema",
    "demo": "gqlstock.cli.demo.command",
}


class _Commands(PlainErrors):
    def __init__(self, **given: Any) -> None:
        super().__init__(**given | {"commands": Imported(_MODULES)})


app = commands("The inventory server behind headless storefronts.", _Commands)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gqlstock {importlib.import_module('importlib.metadata').version('gqlstock')}")
        raise typer.Exit


@app.callback()
def gqlstock(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """The inventory server behind headless storefronts."""
    if context.invoked_subcommand == "doctor":
        return  # which reports them as problems
    for line in importlib.import_module("gqlstock.config").unknown(os.environ):
        typer.echo(line, err=True)
