"""The application factory of each server process."""

import importlib
from typing import Any

from gqlstock.cli.group import importing


def application() -> Any:
    """The application, configured by this process's environment."""
    # Imported late: building the schema takes most of a second, which the supervisor of workers need not spend.
    with importing():
        app = importlib.import_module("gqlstock.app")
    return app.from_env()
