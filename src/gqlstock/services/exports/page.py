"""A page of an export: its rows as JSON objects with the API's field names, and the key that the next page starts after."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from gqlstock.rules import moments
from gqlstock.rules.scopes import Caller

Row = dict[str, Any]

Page = Callable[[Caller, Any], Awaitable[tuple[list[Row], Any]]]
"""Returns the page after a key, the first page for None, and its last key; None if no rows are left."""


def optional(moment: datetime | None) -> str | None:
    """A timestamp in the API's format; None stays None."""
    return None if moment is None else moments.wire(moment)
