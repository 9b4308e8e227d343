"""``gqlstock serve``: the server, on a database that is up to date."""

import os
from typing import Annotated, Any

import typer
import uvicorn

from gqlstock.cli import session
from gqlstock.config import UNSUBSCRIBE, unsubscribe_page

# How connections that last are kept.
CONNECTIONS: dict[str, Any] = {
    # Pushes are small: compressing each costs more than it saves, and 40 KB of memory for each websocket.
    "ws_per_message_deflate": False,
    # A client that is busy for a minute keeps its websocket.
    "ws_ping_timeout": 90.0,
    # A stream of server-sent events has no end of its own.
    "timeout_graceful_shutdown": 5,
}


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(help="Number of processes.", min=1)] = 1,
) -> None:
    """Serve the API at /graphql."""
    config = session.config()
    session.run(_nothing)
    session.listening(host, port).close()
    if workers > 1 and config.redis_url is None:
        session.say(
            "Without GQLSTOCK_REDIS_URL the processes do not wake each other: news takes up to a second from one to another."
        )
    # Where nothing else is set, letters lead to this server's own page: the processes are told where that is.
    os.environ.setdefault(UNSUBSCRIBE, unsubscribe_page(host, port))
    uvicorn.run("gqlstock.app:from_env", factory=True, host=host, port=port, workers=workers, **CONNECTIONS)


async def _nothing() -> None:
    """Only whether the database is there and up to date."""
