"""Connections of the pools to PostgreSQL, and when they were opened."""

import contextlib
from typing import Any

import asyncpg


class Connection(asyncpg.Connection):  # type: ignore[misc]
    generation = 0
    """The primary's generation when the connection was opened."""

    def get_reset_query(self) -> str:
        # No statement changes session state, so a reset would only cost a round trip.
        return ""


def generation_of(connection: Any) -> int:
    """The primary's generation when a connection was opened; 0 if the server has closed it meanwhile."""
    found: int = getattr(connection, "generation", 0)
    return found


def discard(connection: Any) -> None:
    """Close a connection of the pool without a message to the server."""
    # A connection that the server has closed is not in the pool any more.
    with contextlib.suppress(asyncpg.InterfaceError):
        connection.terminate()
