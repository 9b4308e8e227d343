"""What each process of the server runs."""

import importlib
from typing import Any

from gqlstock.cli.group import importing


def application() -> Any:
    """The application of this process's environment."""
    # Building the schema takes most of a second: the supervisor of several processes does without.
    with importing():
        app = importlib.import_module("gqlstock.app")
    return app.from_env()
