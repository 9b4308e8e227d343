"""Connections whose request does not come: closed in time, and no other."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import uvicorn

from gqlstock.cli.connections import heads_within
from gqlstock.cli.serve import CONNECTIONS
from support import server_processes

SECONDS = 0.5
HEAD = b"GET / HTTP/1.1\r\nHost: here\r\n"
PROBE = b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n"


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answers when the body is there, after as long as the path says."""
    more = True
    while more:
        more = (await receive()).get("more_body", False)
    await asyncio.sleep(float(scope["path"][1:] or 0))
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[int]:
    """A server of that app, on the port given, which closes idle connections later than these tests take."""
    port = server_processes.free_port()
    config = uvicorn.Config(
        app,
        port=port,
        http=heads_within(SECONDS),  # type: ignore[arg-type]
        log_config=None,
        lifespan="off",
        timeout_keep_alive=30,
    )
    started = uvicorn.Server(config)
    running = asyncio.create_task(started.serve())
    while not started.started:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    try:
        yield port
    finally:
        started.should_exit = True
        await running


@contextlib.asynccontextmanager
async def opened(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def closed_after(port: int, *parts: bytes, pause: float = 0.1, answers: int = 0) -> float:
    """How long after its first part a connection is closed that sends one part after another."""
    async with opened(port) as (reader, writer):
        for _ in range(answers):
            writer.write(HEAD + b"\r\n")
            assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200 ")
        began = time.monotonic()

        async def dribble() -> None:
            for part in parts:
                writer.write(part)
                await asyncio.sleep(pause)

        sending = asyncio.create_task(dribble())
        try:
            async with asyncio.timeout(10 * SECONDS):
                with contextlib.suppress(ConnectionError):
                    assert await reader.read() == b""
        finally:
            sending.cancel()
        return time.monotonic() - began


async def test_a_connection_whose_head_does_not_come_is_closed() -> None:
    async with serving() as port:
        taken = await asyncio.gather(
            closed_after(port),
            closed_after(port, HEAD),
            closed_after(port, b"GET / HT"),
            closed_after(port, *[HEAD[n : n + 1] for n in range(len(HEAD))]),
            closed_after(port, HEAD, *[b"x-%d: y\r\n" % n for n in range(100)]),
            closed_after(port, *[b"\r\n"] * 100),
        )

    assert all(SECONDS * 0.9 < one < SECONDS + 1 for one in taken), taken


async def test_on_a_connection_that_was_kept_the_time_begins_with_the_next_request() -> None:
    async with serving() as port:
        taken = await asyncio.gather(
            closed_after(port, HEAD, answers=1),
            closed_after(port, *[HEAD[n : n + 1] for n in range(len(HEAD))], answers=3),
            closed_after(port, *[b"\r\n"] * 100, answers=1),
        )

    assert all(SECONDS * 0.9 < one < SECONDS + 1 for one in taken), taken


async def test_what_is_idle_between_requests_or_slow_in_its_body_or_its_answer_is_let_be() -> None:
    async with (
        serving() as port,
        opened(port) as (idle, to_idle),
        opened(port) as (body, to_body),
        opened(port) as (answer, to_answer),
    ):
        to_idle.write(HEAD + b"\r\n")
        assert (await idle.readuntil(b"ok")).startswith(b"HTTP/1.1 200 ")
        to_body.write(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 8\r\n\r\n")
        # Behind a request that takes its time comes one in two parts.
        to_answer.write(HEAD.replace(b"/", b"/%.1f" % (2 * SECONDS), 1) + b"\r\n")
        to_answer.write(HEAD)
        for _ in range(8):
            to_body.write(b"x")
            await asyncio.sleep(SECONDS / 4)
        to_idle.write(HEAD + b"\r\n")
        to_answer.write(b"\r\n")

        assert (await idle.readuntil(b"ok")).startswith(b"HTTP/1.1 200 ")
        assert (await body.readuntil(b"ok")).startswith(b"HTTP/1.1 200 ")
        assert (await answer.readuntil(b"ok")).startswith(b"HTTP/1.1 200 ")


async def test_serve_closes_in_ten_seconds_what_sends_no_whole_head_and_keeps_what_is_idle(
    database_env: dict[str, str], tmp_path: Path
) -> None:
    async with (
        server_processes.serving(database_env, tmp_path) as serving,
        opened(serving.port) as (reader, writer),
        opened(serving.port) as (idle, to_idle),
    ):
        to_idle.write(PROBE)
        first = await idle.readuntil(b"ok\n")
        writer.write(HEAD)
        began = time.monotonic()
        async with asyncio.timeout(20):
            assert await reader.read() == b""
        taken = time.monotonic() - began
        to_idle.write(PROBE)
        second = await idle.readuntil(b"ok\n")

    assert 9 < taken < 15
    assert [answer.split(b"\r\n")[0] for answer in (first, second)] == [b"HTTP/1.1 200 OK"] * 2


def test_serve_and_the_demo_keep_idle_connections_longer_than_the_60_seconds_of_proxies() -> None:
    assert uvicorn.Config(app, **CONNECTIONS).timeout_keep_alive > 60
