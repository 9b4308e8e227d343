"""Subscribers that disconnect or are cut off, resume at any server from their last cursor, and record what they receive."""

import asyncio
import bisect
import contextlib
import json
import random
import time
from collections.abc import AsyncGenerator, Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from websockets.exceptions import WebSocketException

from gqlstock.graphql.schema.changes import feeds
from gqlstock.rules import orders as order_rules
from gqlstock.rules.events import Topic
from gqlstock.rules.feed import START, Cursor
from gqlstock.store import outbox
from support.server_processes import Server
from support.stock_evidence import Evidence
from support.subscriptions import connected, send, streamed

State = tuple[Hashable, Any]
"""An object and its state."""


def _level(change: Mapping[str, Any]) -> State:
    level = change["level"]
    return (level["item"]["sku"], level["warehouse"]["code"]), level["onHand"]


def _order(change: Mapping[str, Any]) -> State:
    return order_rules.id_of(change["order"]["number"]), change["order"]["status"]


FEEDS: dict[str, tuple[str, Topic, Callable[[Mapping[str, Any]], State]]] = {
    "inventoryChanges": ("{ cursor level { onHand item { sku } warehouse { code } } }", Topic.LEVEL, _level),
    "orderChanges": ("{ cursor order { number status } }", Topic.ORDER, _order),
}
_MAX_SHOWN = 3
# A subscriber reconnects after this many seconds without a message.
_READ_TIMEOUT = 4.0
# The range of seconds after which a subscriber disconnects, because most subscriptions survive a fault.
_CONNECTION_SECONDS = (1.0, 8.0)
_SOCKET_TIMEOUTS = {"open_timeout": 3, "close_timeout": 0.2, "ping_interval": 1, "ping_timeout": 2}


class Refused(Exception):
    """The cursor was refused with INVALID_CURSOR."""


@dataclass
class Segment:
    """The cursors received after a start cursor. ``refused``: whether its last cursor was refused with INVALID_CURSOR."""

    start: str
    received: list[str] = field(default_factory=list)
    refused: bool = False

    @property
    def cursor(self) -> str:
        return self.received[-1] if self.received else self.start


class Follower:
    """Follows one feed over websockets or server-sent events."""

    def __init__(self, feed: str, transport: str, servers: Sequence[Server], token: str, chance: random.Random) -> None:
        self.name = f"{feed} over {transport}"
        fields, self.topic, self._state = FEEDS[feed]
        self._query = f"subscription ($after: String) {{ {feed}(after: $after) {fields} }}"
        self._transport = transport
        self._servers = servers
        self._token = token
        self._chance = chance
        self.segments: list[Segment] = []
        self.refusals: list[str] = []
        """The cursors that were refused with INVALID_CURSOR. Each is tried twice."""
        self.resumed = 0
        self.received_at = 0.0
        """When the latest change was received, in monotonic seconds."""
        self.unexpected: list[str] = []
        self.last: dict[Hashable, Any] = {}
        """The latest state of each object that was received."""
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self.segments = [Segment(await _last_cursor(self._chance.choice(self._servers), self._token))]
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
                # A server may have read lost changes for the subscription, and the cursor may be valid nevertheless.
                if self.refusals[-1:] == [self.segments[-1].cursor]:
                    await self._start_over()
                else:
                    self.refusals.append(self.segments[-1].cursor)
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
        self.segments[-1].refused = True
        while True:
            with contextlib.suppress(OSError, httpx.HTTPError, json.JSONDecodeError, KeyError, TypeError):
                self.segments.append(Segment(await _last_cursor(self._chance.choice(self._servers), self._token)))
                return
            await asyncio.sleep(0.1)

    async def _listen(self, server: Server) -> None:
        connection_time = asyncio.timeout(self._chance.uniform(*_CONNECTION_SECONDS))
        async with connection_time, contextlib.aclosing(self._messages(server)) as messages:
            while True:
                async with asyncio.timeout(_READ_TIMEOUT):
                    message = await anext(messages, None)
                if message is None:
                    return
                self._record(message)

    def _record(self, message: Any) -> None:
        if isinstance(message, dict) and not message.get("errors"):
            (change,) = message["data"].values()
            self.segments[-1].received.append(change["cursor"])
            object, state = self._state(change)
            self.last[object] = state
            self.received_at = time.monotonic()
            return
        errors = message["errors"] if isinstance(message, dict) else message
        codes = {error.get("extensions", {}).get("code") for error in errors}
        if "INVALID_CURSOR" in codes:
            raise Refused
        self.unexpected += [
            f"{self.name}: {error}" for error in errors if "retryAfter" not in error.get("extensions", {})
        ]
        raise OSError("the stream has ended")

    async def _messages(self, server: Server) -> AsyncGenerator[Any, None]:
        after = self.segments[-1].cursor
        if self._transport == "websocket":
            async with connected(server, self._token, **_SOCKET_TIMEOUTS) as socket:
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
    transports = ("websocket", "SSE")
    return [Follower(feed, transport, servers, token, chance) for feed in FEEDS for transport in transports]


async def _last_cursor(server: Server, token: str) -> str:
    """The cursor of the latest stock change."""
    query = "{ inventoryChanges(last: 1) { pageInfo { endCursor } } }"
    async with httpx.AsyncClient(verify=False, headers={"authorization": f"Bearer {token}"}, timeout=5) as http:
        answer = (await http.post(server.url, json={"query": query})).json()
    cursor: str = answer["data"]["inventoryChanges"]["pageInfo"]["endCursor"]
    return cursor


async def changes_after(topic: Topic, after: Cursor) -> list[Cursor]:
    """The cursors of all changes in the database after a cursor, in order."""
    found: list[Cursor] = []
    while entries := await outbox.after(found[-1] if found else after, 5_000, [topic]):
        found += [entry.cursor for entry in entries]
    return found


async def problems(
    following: Sequence[Follower], start: Cursor, evidence: Iterable[Evidence] | None, patience: float
) -> list[str]:
    """The differences between the changes that followers received after a cursor and those in the open database.

    Waits until all followers have caught up, or until the patience is over. ``evidence``: the final state of what the load
    changed; None if the database may have lost changes.
    """
    may_lose, final = evidence is None, _final(evidence or ())
    deadline = time.monotonic() + patience
    while True:
        stored = {topic: await changes_after(topic, start) for _, topic, _ in FEEDS.values()}
        known = {start, *(cursor for changes in stored.values() for cursor in changes)}
        found = [
            f"{follower.name}: {problem}"
            for follower in following
            for segment in follower.segments
            if (
                problem := feed_problem(
                    segment, stored[follower.topic], known, last=segment is follower.segments[-1], may_lose=may_lose
                )
            )
        ]
        for follower in following:
            if follower.refusals and not may_lose:
                found.append(f"{follower.name}: INVALID_CURSOR")
            found += [f"{follower.name}: {one}" for one in state_problems(follower.last, final[follower.topic])]
        if not found or time.monotonic() > deadline:
            return found + [error for follower in following for error in follower.unexpected]
        await asyncio.sleep(0.5)


def _final(evidence: Iterable[Evidence]) -> dict[Topic, dict[Hashable, Any]]:
    """The final onHand of each level that the load has moved, and the final status of each order."""
    final: dict[Topic, dict[Hashable, Any]] = {topic: {} for _, topic, _ in FEEDS.values()}
    for one in evidence:
        final[Topic.ORDER] |= {id: status for id, (status, _) in one.orders.items()}
        for place, figures in one.levels.items():
            # The first row of the ledger is the initial stock.
            if figures is not None and len(one.ledger[place]) > 1:
                final[Topic.LEVEL][place] = figures[0]
    return final


def state_problems(received: Mapping[Hashable, Any], final: Mapping[Hashable, Any]) -> list[str]:
    """How the states that a follower received last differ from the final ones. An outbox entry may be missing."""
    wrong = [object for object, state in final.items() if received.get(object) != state]
    return [f"the last change of {one} showed {received.get(one)}, not {final[one]}" for one in wrong[:_MAX_SHOWN]]


def feed_problem(
    segment: Segment, stored: Sequence[Cursor], known: Collection[Cursor], *, last: bool, may_lose: bool = False
) -> str | None:
    """How the received changes differ from those in the database. ``stored``: the changes of the feed in the database, in
    order; ``known``: the cursors of all feeds; ``last``: whether the segment should reach the latest change.

    ``may_lose``: of two concurrent transactions, a standby may have only the one with the later cursor. The other change may
    have been received before it was lost, and the later cursor stays valid.
    """
    received = [cursor for cursor in map(feeds.place, segment.received) if cursor is not None]
    first = bisect.bisect_right(stored, feeds.place(segment.start) or START)
    numbers = {cursor: number for number, cursor in enumerate(stored)}
    kept = [numbers[cursor] for cursor in received if cursor in numbers]
    lost = len(received) - len(kept)
    if repeated := len(received) - len(set(received)):
        return f"{repeated} changes were received twice"
    if lost and not may_lose:
        return f"{lost} received changes are not in the database"
    if kept != list(range(first, first + len(kept))):
        return "a change is missing or out of order"
    if segment.refused:
        return None if feeds.place(segment.cursor) not in known else "INVALID_CURSOR, but the cursor is in the database"
    if received and received[-1] not in numbers:
        return "the last received change is not in the database, but its cursor was not refused"
    if last and first + len(kept) < len(stored):
        return f"{len(kept)} of {len(stored) - first} changes were received"
    return None
