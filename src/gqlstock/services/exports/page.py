"""A page of an export: its rows as JSON objects in the names of the API, and the key that the next page begins after."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from gqlstock.rules import moments
from gqlstock.rules.scopes import Caller

Row = dict[str, Any]

Page = Callable[[Caller, Any], Awaitable[tuple[list[Row], Any]]]
"""The page after a key; after None the first one. The key is None where no row is left."""


def optional(moment: datetime | None) -> str | None:
    """A moment in the form of the API."""
    return None if moment is None else moments.wire(moment)
