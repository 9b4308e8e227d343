"""Servers that benchmarks ask over loopback, and a client that costs little: 16 connections that each ask again and again."""

import asyncio
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import by_hand

CONNECTIONS = 16
_PATIENCE = 20.0


def by_hand_app() -> Starlette:
    """The answers by hand behind a bare Starlette handler: which one is told by what is asked."""
    db = by_hand.connect(os.environ["BENCHMARK_FILE"])

    async def answer(request: Request) -> Response:
        asked = json.loads(await request.body())["query"]
        told = by_hand.page(db) if "products(" in asked else by_hand.one(db, "P0001")
        return Response(told, media_type="application/json")

    return Starlette(routes=[Route("/graphql", answer, methods=["POST"])])


@contextlib.contextmanager
def started(path: Path) -> Iterator[Mapping[str, int]]:
    """A server for each way, by the port that it listens on."""
    environments = {
        "graphql-core": ("gqlstock.app:from_env", {"GQLSTOCK_EXECUTOR": "graphql-core"}),
        "breadth-first": ("gqlstock.app:from_env", {}),
        "by hand": ("serving:by_hand_app", {"BENCHMARK_FILE": str(path), "PYTHONPATH": str(Path(__file__).parent)}),
    }
    with contextlib.ExitStack() as stack:
        ports = {}
        for name, (app, more) in environments.items():
            ports[name] = _free_port()
            env = {**os.environ, "GQLSTOCK_DATABASE_URL": f"sqlite:///{path}", **more}
            command = [sys.executable, "-m", "uvicorn", "--factory", app, "--port", str(ports[name])]
            process = subprocess.Popen([*command, "--log-level", "warning"], env=env)
            stack.callback(process.wait)
            stack.callback(process.terminate)
        for port in ports.values():
            _wait_for(port)
        yield ports


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            httpx.get(f"http://127.0.0.1:{port}/healthz")
            return
        time.sleep(0.1)
    raise TimeoutError(f"Nothing listens on {port}.")


async def in_turns(
    ports: Mapping[str, int], token: str, query: str, rounds: int, seconds: float = 2.0
) -> dict[str, float]:
    """The median of the answers a second of each server, asked in turns."""
    rates: dict[str, list[float]] = {name: [] for name in ports}
    for _ in range(rounds):
        for name, port in ports.items():
            counts = await asyncio.gather(*(_ask(port, token, query, seconds) for _ in range(CONNECTIONS)))
            rates[name].append(sum(counts) / seconds)
    return {name: statistics.median(found) for name, found in rates.items()}


async def _ask(port: int, token: str, query: str, seconds: float) -> int:
    """How many answers one connection gets."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = json.dumps({"query": query}).encode()
    request = (
        b"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        b"Authorization: Bearer %b\r\nContent-Length: %d\r\n\r\n%b" % (token.encode(), len(body), body)
    )
    until, count = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        answer = await reader.readexactly(length)
        if b" 200 " not in head[:16] or b'"errors"' in answer:
            raise RuntimeError(head + answer)
        count += 1
    writer.close()
    return count
