"""Server processes on free ports. They are ready at the start of the block, and stopped at its end."""

import asyncio
import contextlib
import itertools
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

# Long enough for a machine whose cores are all busy with tests.
PATIENCE = 60.0
# As in ``gqlstock serve``, so open streams do not delay a test.
LIKE_SERVE = [
    *("--ws-per-message-deflate", "false"),
    *("--ws-ping-timeout", "90"),
    *("--timeout-keep-alive", "75"),
    *("--timeout-graceful-shutdown", "1"),
]


@dataclass(frozen=True)
class Server:
    """``log``: the output of the process."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/graphql"

    @property
    def websocket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/graphql"


# Below the ephemeral ports: an outgoing connection could take one of those before the server does.
_PORTS = range(10_000, 32_000)
# Concurrent test processes start at different ports.
_first = random.SystemRandom().choice(_PORTS)
_candidates = itertools.cycle([*range(_first, _PORTS.stop), *range(_PORTS.start, _first)])


def free_port() -> int:
    """A port on which nothing listens, a different one for each call."""
    return next(port for port in _candidates if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as found, contextlib.suppress(OSError):
        found.bind(("127.0.0.1", port))
        return True
    return False


def start(
    env: Mapping[str, str], directory: Path, port: int | None = None, application: str = "gqlstock.app:from_env"
) -> Server:
    """Start a server in an environment, without waiting until it is ready. ``application``: the function that builds it."""
    chosen = port or free_port()
    log = directory / f"server-{chosen}.log"
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "--factory",
        application,
        "--port",
        str(chosen),
        *LIKE_SERVE,
    ]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*command, "--log-level", "warning"],
            env={**os.environ, "GQLSTOCK_LOG_LEVEL": "warning", **env},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    return Server(chosen, process, log)


def serve(env: Mapping[str, str], directory: Path, *arguments: str) -> Server:
    """Start ``gqlstock serve`` in an environment, without waiting until it is ready."""
    port = free_port()
    log = directory / f"serve-{port}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "gqlstock.cli", "serve", "--port", str(port), *arguments],
            env={**os.environ, **env},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    return Server(port, process, log)


@contextlib.asynccontextmanager
async def serving(env: Mapping[str, str], directory: Path, *arguments: str) -> AsyncIterator[Server]:
    """A running ``gqlstock serve``."""
    started = serve(env, directory, *arguments)
    try:
        await ready(started)
        yield started
    finally:
        await asyncio.to_thread(stop, started)


async def ready(server: Server) -> None:
    """Wait until the server reports that it is ready."""
    # No https here: loading certificates takes longer than the request.
    async with asyncio.timeout(PATIENCE), httpx.AsyncClient(verify=False) as client:
        while True:
            assert server.process.poll() is None, server.log.read_text()
            with contextlib.suppress(httpx.TransportError):
                if (await client.get(f"http://127.0.0.1:{server.port}/readyz")).status_code == 200:
                    return
            await asyncio.sleep(0.05)


def kill(server: Server) -> None:
    """Kill the server, like a power cut."""
    server.process.send_signal(signal.SIGKILL)
    server.process.wait(PATIENCE)


def stop(server: Server) -> None:
    """Ask the server to stop, and make sure that it does."""
    server.process.terminate()
    try:
        server.process.wait(5)
    except subprocess.TimeoutExpired:
        kill(server)


@contextlib.asynccontextmanager
async def running(env: Mapping[str, str], directory: Path, port: int | None = None) -> AsyncIterator[Server]:
    """A running server."""
    server = start(env, directory, port)
    try:
        await ready(server)
        yield server
    finally:
        await asyncio.to_thread(stop, server)


def client(token: str | None = None) -> httpx.AsyncClient:
    """A client with an unlimited number of concurrent requests."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return httpx.AsyncClient(verify=False, headers=headers, timeout=PATIENCE, limits=httpx.Limits(max_connections=None))


async def ask(http: httpx.AsyncClient, server: Server, query: str, **variables: Any) -> dict[str, Any]:
    """Send a request, and return the data of the answer, which must have no errors."""
    response = await http.post(server.url, json={"query": query, "variables": variables})
    answer: dict[str, Any] = response.json()
    assert "errors" not in answer, answer
    data: dict[str, Any] = answer["data"]
    return data
