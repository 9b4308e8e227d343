"""The commands, one per file. ``session`` provides the configuration and the database."""

from typing import Any

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
    "schema": "gqlstock.cli.schema",
    "demo": "gqlstock.cli.demo.command",
}


class _Commands(PlainErrors):
    def __init__(self, **given: Any) -> None:
        super().__init__(**given | {"commands": Imported(_MODULES)})


app = commands("The inventory server behind headless storefronts.", _Commands)


@app.callback()
def gqlstock() -> None:
    """The inventory server behind headless storefronts."""
