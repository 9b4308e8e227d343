"""A webhook receiver on a free port. It stores messages, verifies them with the library, and responds as configured."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from standardwebhooks import Webhook

PATIENCE = 20.0


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    body: str

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def told(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.body)
        return told

    def verified(self, secret: str) -> dict[str, Any]:
        """The payload, if the message was signed with that secret."""
        told: dict[str, Any] = Webhook(secret).verify(self.body, self.headers)
        return told

    def is_signed(self, secret: str) -> bool:
        """Whether it was signed with that secret, however old it is."""
        at = datetime.fromtimestamp(int(self.headers["webhook-timestamp"]), UTC)
        return Webhook(secret).sign(self.id, at, self.body) in self.headers["webhook-signature"].split()


Answer = Callable[[Received], int | bytes | None]
"""A status, or the bytes of a whole response; None: never respond."""


@dataclass
class Receiver:
    port: int = 0
    answer: Answer = lambda _: 204
    received: list[Received] = field(default_factory=list)
    asked_at_once: int = 0
    _now: int = 0
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    @property
    def ids(self) -> list[str]:
        return [one.id for one in self.received]

    async def has(self, count: int) -> list[Received]:
        """Wait until that many messages have arrived."""
        async with asyncio.timeout(PATIENCE), self._news:
            await self._news.wait_for(lambda: len(self.received) >= count)
        return self.received

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._now += 1
        self.asked_at_once = max(self.asked_at_once, self._now)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._take(reader, writer)
        finally:
            self._now -= 1
            writer.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        one = Received(first.split()[1], headers, body.decode())
        async with self._news:
            self.received.append(one)
            self._news.notify_all()
        answer = self.answer(one)
        if answer is None:
            await reader.read()
            return
        if isinstance(answer, int):
            answer = f"HTTP/1.1 {answer} Told\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode()
        writer.write(answer)
        await writer.drain()


@contextlib.asynccontextmanager
async def receiving(answer: Answer = lambda _: 204) -> AsyncIterator[Receiver]:
    """A running receiver."""
    made = Receiver(answer=answer)
    server = await asyncio.start_server(made._serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
