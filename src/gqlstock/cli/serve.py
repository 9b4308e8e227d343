"""``gqlstock serve``: the server, on a database that is up to date."""

import contextlib
import os
import signal
import socket
import tempfile
from collections.abc import Iterator
from typing import Annotated, Any

import typer
import uvicorn
from uvicorn.supervisors import Multiprocess

from gqlstock import logs
from gqlstock.adapters.metrics import MULTIPROCESS
from gqlstock.cli import session
from gqlstock.config import UNSUBSCRIBE, unsubscribe_page

_STARTUP_FAILURE = 3


# How connections that last are kept.
CONNECTIONS: dict[str, Any] = {
    # Pushes are small: compressing each costs more than it saves, and 40 KB of memory for each websocket.
    "ws_per_message_deflate": False,
    # A client that is busy for a minute keeps its websocket.
    "ws_ping_timeout": 90.0,
    # On a busy machine a worker takes longer than uvicorn's five seconds to start; it would not be replaced then.
    "timeout_worker_healthcheck": 30,
    # The log has one form, which is ours.
    "log_config": None,
    "access_log": False,
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
    logs.configure(config.log_format, config.log_level)
    server = uvicorn.Config(
        "gqlstock.app:from_env",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        ws_max_size=config.limits.body_bytes,
        timeout_graceful_shutdown=int(config.grace.total_seconds()),
        **CONNECTIONS,
    )
    code = _one(server) if workers == 1 else _many(server)
    raise typer.Exit(code)


def _one(config: uvicorn.Config) -> int:
    # The server raises the signal that ended it once more when it is done: that is no failure.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    server = uvicorn.Server(config)
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    return 0 if server.started else 1


def _many(config: uvicorn.Config) -> int:
    bound = config.bind_socket()
    # uvicorn does not say that it is TCP, so that asyncio would leave this out: head and body of an answer would wait for
    # each other's acknowledgement, 40 ms long.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with _counting_together():
        workers = _Workers(config, [bound])
        workers.run()
    return 1 if any(process.exitcode == _STARTUP_FAILURE for process in workers.processes) else 0


class _Workers(Multiprocess):
    """uvicorn's supervisor, for which a second signal ends the workers at once."""

    def terminate_all(self) -> None:
        super().terminate_all()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._kill_all)

    def _kill_all(self, *_: object) -> None:
        for process in self.processes:
            process.process.kill()


@contextlib.contextmanager
def _counting_together() -> Iterator[None]:
    """A directory in which the workers count together, unless there is one configured."""
    if MULTIPROCESS in os.environ:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="gqlstock-metrics-") as directory:
        os.environ[MULTIPROCESS] = directory
        yield


async def _nothing() -> None:
    """Only whether the database is there and up to date."""
