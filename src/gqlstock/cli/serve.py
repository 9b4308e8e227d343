"""``gqlstock serve``: the server, on a database that is up to date."""

import contextlib
import logging
import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from typing import Annotated, Any

import typer
import uvicorn
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

from gqlstock import logs
from gqlstock.adapters.metrics import MULTIPROCESS
from gqlstock.cli import session
from gqlstock.cli.connections import heads_within
from gqlstock.config import UNSUBSCRIBE, unsubscribe_page
from gqlstock.rules.limits import Limits

log = logging.getLogger(__name__)

_STARTUP_FAILURE = 3
_SIGNALS = (signal.SIGTERM, signal.SIGINT)

# How connections that last are kept.
CONNECTIONS: dict[str, Any] = {
    # Pushes are small: compressing each costs more than it saves, and 40 KB of memory for each websocket.
    "ws_per_message_deflate": False,
    "http": heads_within(Limits().head_seconds),
    # Proxies keep idle connections for 60 seconds (nginx, AWS). One that the server closes first is closed while a request
    # is on its way: whoever sent it is told 502.
    "timeout_keep_alive": 75,
    # A client that is busy for a minute keeps its websocket.
    "ws_ping_timeout": 90.0,
    # On a busy machine a worker takes longer than uvicorn's five seconds to answer its supervisor; it would be replaced.
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
    if workers > 1:
        # One process checks by itself what it runs on.
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
        "gqlstock.cli.worker:application",
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
    """uvicorn's supervisor, which looks after its workers without waiting for any of them.

    uvicorn's waits for each worker's answer, in which time it neither sees that one has died nor hears a signal. A
    second signal ends the workers at once.
    """

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket]) -> None:
        super().__init__(config, sockets)
        self.should_exit = _Exit(self.signal_queue)
        self._asked: dict[Process, float] = {}
        """When each worker was asked whether it is well, until it answers."""

    def keep_subprocess_alive(self) -> None:
        for index, process in enumerate(self.processes):
            if self.should_exit.is_set():
                return
            if self._is_well(process):
                continue
            process.kill()
            process.join()
            if process.exitcode == _STARTUP_FAILURE:
                log.error("The process %s could not start.", process.pid)
                self.should_exit.set()
                return
            log.error("The process %s ended or hung, and is replaced.", process.pid)
            self._asked.pop(process, None)
            self.processes[index] = Process(self.config, self.sockets)
            self.processes[index].start()
        self._asked = {process: at for process, at in self._asked.items() if process in self.processes}

    def _is_well(self, process: Process) -> bool:
        """Whether a worker runs, and has answered in time what it was asked last; asks it again if it has."""
        if not process.process.is_alive():
            return False
        try:
            if process in self._asked:
                if not process.parent_conn.poll(0):
                    return time.monotonic() - self._asked[process] < self.config.timeout_worker_healthcheck
                process.parent_conn.recv()
            process.parent_conn.send(b"ping")
        except (OSError, EOFError):
            return False
        self._asked[process] = time.monotonic()
        return True

    def terminate_all(self) -> None:
        super().terminate_all()
        for number in _SIGNALS:
            signal.signal(number, self._kill_all)

    def _kill_all(self, *_: object) -> None:
        for process in self.processes:
            process.process.kill()


class _Exit(threading.Event):
    """Set as soon as a signal asks for the end: uvicorn looks at the signals only between two things that it does."""

    def __init__(self, signals: list[int]) -> None:
        super().__init__()
        self._signals = signals

    def is_set(self) -> bool:
        return super().is_set() or any(number in _SIGNALS for number in self._signals)


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
