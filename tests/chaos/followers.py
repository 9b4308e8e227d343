"""Subscribers that leave or are cut off, resume from their last cursor at any server, and write down what they were told."""

import asyncio
import bisect
import contextlib
import json
import random
import time
from collections.abc import AsyncGenerator, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from websockets.exceptions import WebSocketException

from chaos.load import last_cursor
from gqlstock.graphql.schema.changes import feeds
from gqlstock.rules.events import Topic
from gqlstock.rules.feed import START, Cursor
from gqlstock.store import outbox
from support.server_processes import Server
from support.subscriptions import connected, send, streamed

FEEDS = {
    "inventoryChanges": ("{ cursor level { id } }", Topic.LEVEL),
    "orderChanges": ("{ cursor order { number } }", Topic.ORDER),
}
_SILENCE = 4.0
# Seconds until a subscriber leaves of its own accord: servers keep most subscriptions through a fault.
_STAYS = (1.0, 8.0)
_QUICKLY = {"open_timeout": 3, "close_timeout": 0.2, "ping_interval": 1, "ping_timeout": 2}


class Refused(Exception):
    """The cursor was refused with INVALID_CURSOR."""


@dataclass
class Part:
    """What came after a cursor. ``refused``: whether reading on was refused with INVALID_CURSOR at its end."""

    start: str
    told: list[str] = field(default_factory=list)
    refused: bool = False

    @property
    def cursor(self) -> str:
        return self.told[-1] if self.told else self.start


class Follower:
    """Follows one feed over websockets or server-sent events."""

    def __init__(self, feed: str, transport: str, servers: Sequence[Server], token: str, chance: random.Random) -> None:
        self.name = f"{feed} over {transport}"
        fields, self.topic = FEEDS[feed]
        self._query = f"subscription ($after: String) {{ {feed}(after: $after) {fields} }}"
        self._transport = transport
        self._servers = servers
        self._token = token
        self._chance = chance
        self.parts: list[Part] = []
        self.resumed = 0
        self.told_at = 0.0
        """When it was told something last."""
        self.unexpected: list[str] = []
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self.parts = [Part(await last_cursor(self._chance.choice(self._servers), self._token))]
        self._task = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _follow(self) -> None:
        while True:
            try:
                await self._listen(self._chance.choice(self._servers))
            except Refused:
                await self._start_over()
            except (
                OSError,
                TimeoutError,
                EOFError,
                WebSocketException,
                httpx.HTTPError,
                AssertionError,
                json.JSONDecodeError,
            ):
                pass
            self.resumed += 1
            await asyncio.sleep(self._chance.uniform(0.05, 0.3))

    async def _start_over(self) -> None:
        self.parts[-1].refused = True
        while True:
            with contextlib.suppress(OSError, httpx.HTTPError, json.JSONDecodeError, KeyError, TypeError):
                self.parts.append(Part(await last_cursor(self._chance.choice(self._servers), self._token)))
                return
            await asyncio.sleep(0.1)

    async def _listen(self, server: Server) -> None:
        stays = asyncio.timeout(self._chance.uniform(*_STAYS))
        async with stays, contextlib.aclosing(self._messages(server)) as messages:
            while True:
                async with asyncio.timeout(_SILENCE):
                    message = await anext(messages, None)
                if message is None:
                    return
                self._write(message)

    def _write(self, message: Any) -> None:
        if isinstance(message, dict) and not message.get("errors"):
            (change,) = message["data"].values()
            self.parts[-1].told.append(change["cursor"])
            self.told_at = time.monotonic()
            return
        errors = message["errors"] if isinstance(message, dict) else message
        codes = {error.get("extensions", {}).get("code") for error in errors}
        if "INVALID_CURSOR" in codes:
            raise Refused
        self.unexpected += [f"{self.name}: {error}" for error in errors if codes - {"INTERNAL", "UNAVAILABLE"}]
        raise OSError("the stream has ended")

    async def _messages(self, server: Server) -> AsyncGenerator[Any, None]:
        after = self.parts[-1].cursor
        if self._transport == "websocket":
            async with connected(server, self._token, **_QUICKLY) as socket:
                await send(
                    socket, id="1", type="subscribe", payload={"query": self._query, "variables": {"after": after}}
                )
                async for text in socket:
                    message = json.loads(text)
                    if message["type"] == "complete":
                        return
                    if message["type"] in ("next", "error"):
                        yield message["payload"]
        else:
            headers = {"authorization": f"Bearer {self._token}"}
            async with (
                httpx.AsyncClient(verify=False, headers=headers, timeout=3) as http,
                streamed(http, server, self._query, after=after) as events,
            ):
                async for name, data in events:
                    if name == "next":
                        yield data
                    elif name == "complete":
                        return


def followers(servers: Sequence[Server], token: str, chance: random.Random) -> list[Follower]:
    return [Follower(feed, how, servers, token, chance) for feed in FEEDS for how in ("websocket", "SSE")]


async def news(topic: Topic, after: Cursor) -> list[Cursor]:
    """All changes that are in the database after a cursor, in order."""
    found: list[Cursor] = []
    while entries := await outbox.after(found[-1] if found else after, 5_000, [topic]):
        found += [entry.cursor for entry in entries]
    return found


async def problems(following: Sequence[Follower], start: Cursor, patience: float, *, may_lose: bool) -> list[str]:
    """The differences between what followers received since a cursor and the open database.

    Waits until nobody is behind; what is missing then is a problem. ``may_lose``: whether the database may have lost changes.
    """
    deadline = time.monotonic() + patience
    while True:
        there = {topic: await news(topic, start) for _, topic in FEEDS.values()}
        known = {start, *(cursor for changes in there.values() for cursor in changes)}
        found = [
            f"{follower.name}: {fault}"
            for follower in following
            for part in follower.parts
            if (
                fault := fault_of(
                    part, there[follower.topic], known, last=part is follower.parts[-1], may_lose=may_lose
                )
            )
        ]
        if not found or time.monotonic() > deadline:
            return found + [error for follower in following for error in follower.unexpected]
        await asyncio.sleep(0.5)


def fault_of(
    part: Part, there: Sequence[Cursor], known: Collection[Cursor], *, last: bool, may_lose: bool = False
) -> str | None:
    """What is wrong with what a follower was told. ``there``: the changes of its feed in the database, in order; ``known``:
    those of all feeds; ``last``: whether it should have been told all of them by now.

    ``may_lose``: of two transactions at once, a standby may have only the one with the later cursor. Then the other one's
    change was told before, is lost, and no cursor shows it.
    """
    told = [cursor for cursor in map(feeds.place, part.told) if cursor is not None]
    first = bisect.bisect_right(there, feeds.place(part.start) or START)
    numbers = {cursor: number for number, cursor in enumerate(there)}
    kept = [numbers[cursor] for cursor in told if cursor in numbers]
    lost = len(told) - len(kept)
    if len(set(told)) < len(told):
        return f"{len(told) - len(set(told))} changes were told twice"
    if lost and not may_lose:
        return f"{lost} changes were told that the database does not have"
    if kept != list(range(first, first + len(kept))):
        return "a change is missing among those that were told, or the order is another one"
    if part.refused:
        return None if feeds.place(part.cursor) not in known else "INVALID_CURSOR, though the database has its cursor"
    if told and told[-1] not in numbers:
        return "the database does not have the last change that was told, and there was no INVALID_CURSOR"
    if last and first + len(kept) < len(there):
        return f"{len(kept)} of {len(there) - first} changes were told"
    return None
