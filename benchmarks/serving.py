"""The servers under test, on loopback: ``gqlstock serve`` and the hand-written code."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import by_hand_app
import client

_PATIENCE = 30.0


_METRICS = b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@dataclass(frozen=True, slots=True)
class CacheFigures:
    """A server's cache metrics: hits and misses of answers, and the size of the whole cache in bytes."""

    hits: int
    misses: int
    size: int


@dataclass(frozen=True, slots=True)
class Server:
    port: int
    process: subprocess.Popen[bytes]
    ready_after: float

    def memory(self) -> float:
        """The resident memory of the process and its children in MB."""
        return sum(_resident(pid) for pid in _family(self.process.pid))

    def busy(self) -> float:
        """The CPU seconds that they have used so far."""
        return sum(_taken(pid) for pid in _family(self.process.pid))

    def cache(self) -> CacheFigures | None:
        """The cache metrics from /metrics; None if there are none."""
        lines = client.once(self.port, _METRICS).decode().splitlines()
        figures = {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[:1] != "#")}
        hits = figures.get('gqlstock_cache_hits_total{kind="answer"}')
        misses = figures.get('gqlstock_cache_misses_total{kind="answer"}')
        if hits is None and misses is None:
            return None
        return CacheFigures(int(hits or 0), int(misses or 0), int(figures.get("gqlstock_cache_bytes", 0)))


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in _family(int(child)))]


def _resident(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:")), 0.0)


def _taken(pid: int) -> float:
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


@contextlib.contextmanager
def ours(url: str, workers: int = 1, **environment: str) -> Iterator[Server]:
    """Run ``gqlstock serve`` during the block."""
    command = [sys.executable, "-m", "gqlstock.cli", "serve", "--workers", str(workers)]
    with _running(command, {"GQLSTOCK_DATABASE_URL": url, "GQLSTOCK_LOG_LEVEL": "warning", **environment}) as server:
        yield server


@contextlib.contextmanager
def by_hand(url: str, token: str, workers: int = 1) -> Iterator[Server]:
    """Run the hand-written code under the same uvicorn during the block."""
    command = [sys.executable, by_hand_app.__file__, "--workers", str(workers)]
    with _running(command, {by_hand_app.DATABASE: url, by_hand_app.TOKEN: token}) as server:
        yield server


@contextlib.contextmanager
def _running(command: list[str], environment: Mapping[str, str]) -> Iterator[Server]:
    port, began = _free_port(), time.monotonic()
    process = subprocess.Popen([*command, "--port", str(port)], env={**os.environ, **environment})
    try:
        _wait_for(port, process)
        yield Server(port, process, time.monotonic() - began)
    finally:
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"The server exited with {process.returncode}.")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE) as asking:
            asking.sendall(b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            if asking.recv(100).startswith(b"HTTP/1.1 200 "):
                return
        time.sleep(0.01)
    raise TimeoutError(f"No server is ready on port {port}.")
