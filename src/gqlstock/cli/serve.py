"""``gqlstock serve``: runs the server, in one process or several. The database must be up to date."""

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

# uvicorn's options for connections.
CONNECTIONS: dict[str, Any] = {
    # Pushed messages are small: compression costs more than it saves, and takes 40 KB of memory per websocket.
    "ws_per_message_deflate": False,
    "http": heads_within(Limits().head_seconds),
    # Longer than the 60 seconds for which proxies (nginx, AWS) keep idle connections. If the server closed one first, a
    # request already on its way would end in a 502.
    "timeout_keep_alive": 75,
    # A client that is unresponsive for a minute keeps its websocket.
    "ws_ping_timeout": 90.0,
    # On a busy machine a worker may take longer than uvicorn's default of five seconds to answer its supervisor.
    "timeout_worker_healthcheck": 30,
    # ``logs`` configures logging.
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
        # Check the database once before starting workers. A single process does so itself.
        session.run(_nothing)
    session.listening(host, port).close()
    if workers > 1 and config.redis is None:
        session.say(
            "Without GQLSTOCK_REDIS_URL, processes cannot notify each other: events take up to a second between them."
        )
    # By default, mail links to this server's own unsubscribe page. The variable passes its address to the workers.
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
    # uvicorn re-raises the signal that stopped it after shutdown. This is not a failure.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    server = uvicorn.Server(config)
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    return 0 if server.started else 1


def _many(config: uvicorn.Config) -> int:
    bound = config.bind_socket()
    # uvicorn creates the socket without IPPROTO_TCP, so asyncio does not set TCP_NODELAY. Without it, the body of a response
    # waits up to 40 ms for the acknowledgement of its head.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with _counting_together():
        workers = _Workers(config, [bound])
        workers.run()
    return 1 if workers.could_not_start else 0


class _Workers(Multiprocess):
    """uvicorn's supervisor, without blocking health checks.

    uvicorn's own blocks until each worker answers; meanwhile it notices neither dead workers nor signals. A second signal
    kills the workers immediately.
    """

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket]) -> None:
        super().__init__(config, sockets)
        self.should_exit = _Exit(self.signal_queue)
        self.could_not_start = False
        self._has_started = False
        """Whether any worker has started."""
        self._asked: dict[Process, float] = {}
        """When each worker was last pinged."""

    def keep_subprocess_alive(self) -> None:
        for index, process in enumerate(self.processes):
            if self.should_exit.is_set():
                return
            if self._is_well(process):
                continue
            process.kill()
            process.join()
            if process.exitcode == _STARTUP_FAILURE and not self._has_started:
                log.error("Process %s could not start.", process.pid)
                self.could_not_start = True
                self.should_exit.set()
                return
            # A worker that has started shows that the configuration is right. If its replacement cannot start, as during an
            # outage of the database, the other workers go on.
            failed = "could not start" if process.exitcode == _STARTUP_FAILURE else "died or stopped responding"
            log.error("Process %s %s; replacing it.", process.pid, failed)
            self._asked.pop(process, None)
            self.processes[index] = Process(self.config, self.sockets)
            self.processes[index].start()
        self._asked = {process: at for process, at in self._asked.items() if process in self.processes}

    def _is_well(self, process: Process) -> bool:
        """Whether a worker is alive and has not missed the deadline of its last ping. Pings it again once it has answered."""
        if not process.process.is_alive():
            return False
        try:
            if process in self._asked:
                if not process.parent_conn.poll(0):
                    return time.monotonic() - self._asked[process] < self.config.timeout_worker_healthcheck
                self._has_started = process.parent_conn.recv() or self._has_started
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
    """Is set as soon as a termination signal is queued. uvicorn itself handles signals only between other work."""

    def __init__(self, signals: list[int]) -> None:
        super().__init__()
        self._signals = signals

    def is_set(self) -> bool:
        return super().is_set() or any(number in _SIGNALS for number in self._signals)


@contextlib.contextmanager
def _counting_together() -> Iterator[None]:
    """Provide a temporary directory in which workers share metrics, unless one is configured."""
    if MULTIPROCESS in os.environ:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="gqlstock-metrics-") as directory:
        os.environ[MULTIPROCESS] = directory
        yield


async def _nothing() -> None:
    """Do nothing: ``session.run`` checks that the database exists and is up to date."""
