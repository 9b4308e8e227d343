"""Subscribes over websockets, over server-sent events, and directly through the schema."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from gqlstock.adapters.bus import OneProcess
from gqlstock.delivery.feed import OutboxFeed
from gqlstock.delivery.storefront import Storefront
from gqlstock.graphql.context import Context, Deployment
from gqlstock.graphql.http.pushes import Pushes as SharedPushes
from gqlstock.graphql.schema.root import build
from gqlstock.rules.scopes import Caller, Scope
from support.server_processes import Server
from support.settled_news import settled

PATIENCE = 10


@contextlib.asynccontextmanager
async def connected(to: Server, token: str | None = None, **options: Any) -> AsyncIterator[ClientConnection]:
    """An acknowledged websocket connection."""
    protocol = [Subprotocol("graphql-transport-ws")]
    async with connect(to.websocket_url, subprotocols=protocol, **options) as socket:
        await send(socket, type="connection_init", payload={"Authorization": f"Bearer {token}"} if token else {})
        assert await received(socket) == {"type": "connection_ack"}
        yield socket


async def send(socket: ClientConnection, **message: Any) -> None:
    await socket.send(json.dumps(message))


async def received(socket: ClientConnection, patience: float = PATIENCE) -> dict[str, Any]:
    async with asyncio.timeout(patience):  # wait_for may swallow a cancellation in Python 3.11
        message: dict[str, Any] = json.loads(await socket.recv())
    return message


async def subscribe(socket: ClientConnection, query: str, id: str = "1", **variables: Any) -> None:
    await send(socket, id=id, type="subscribe", payload={"query": query, "variables": variables})
    await asyncio.sleep(0.3)  # the protocol does not acknowledge subscriptions


async def pushed(socket: ClientConnection, id: str = "1", patience: float = PATIENCE) -> Any:
    """The one field of the next push."""
    message = await received(socket, patience)
    assert (message["type"], message["id"]) == ("next", id), message
    (value,) = message["payload"]["data"].values()
    return value


@contextlib.asynccontextmanager
async def streamed(
    http: httpx.AsyncClient, to: Server, query: str, accept: str = "text/event-stream", **variables: Any
) -> AsyncIterator[AsyncIterator[tuple[str, Any]]]:
    """The events of a stream, each with its name and data. Comments have no name."""
    body = {"query": query, "variables": variables}
    async with http.stream("POST", to.url, json=body, headers={"accept": accept}, timeout=PATIENCE) as response:
        assert response.status_code == 200, await response.aread()
        assert response.headers["content-type"].startswith("text/event-stream")
        yield _events(response)


async def _events(response: httpx.Response) -> AsyncIterator[tuple[str, Any]]:
    name = ""
    async for line in response.aiter_lines():
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif line.startswith(":"):
            yield "", line
        elif field in ("data", "data:"):
            yield name, json.loads(value) if value else None


class Shop:
    """The parts of a process that subscriptions need: the schema with its own feed and storefront."""

    def __init__(self, feed: OutboxFeed, storefront: Storefront) -> None:
        self.pushes = SharedPushes()
        self.feed = feed
        self.storefront = storefront

    @contextlib.asynccontextmanager
    async def subscribed(
        self, query: str, *scopes: Scope, within: Collection[int] | None = None, **variables: Any
    ) -> AsyncIterator["Pushes"]:
        """Subscribe as a caller with these scopes, or without any as the public. ``within``: its warehouses, if limited."""
        # Earlier changes must not be pushed.
        await settled()
        mine = None if within is None else frozenset(within)
        caller = Caller("test", "test", frozenset(scopes), authenticated=bool(scopes), warehouses=mine)
        context = Context(Deployment(self.feed, self.storefront, pushes=self.pushes), caller=caller)
        results = await build().subscribe(query, variable_values=variables, context_value=context)
        heard = Pushes(results)
        try:
            await asyncio.sleep(0.05)
            yield heard
        finally:
            await heard.close()


class Pushes:
    """The pushes of a subscription."""

    def __init__(self, results: Any) -> None:
        self._heard: asyncio.Queue[Any] = asyncio.Queue()
        self._reading = asyncio.create_task(self._read(results))

    async def _read(self, results: AsyncGenerator[Any, None]) -> None:
        async with contextlib.aclosing(results):
            async for result in results:
                self._heard.put_nowait(result)

    async def close(self) -> None:
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def next(self) -> Any:
        """The one field of the next push."""
        result = await asyncio.wait_for(self._heard.get(), PATIENCE)
        assert not result.errors, result.errors
        (value,) = result.data.values()
        return value

    async def error(self) -> str:
        """The code of the error that arrives instead."""
        result = await asyncio.wait_for(self._heard.get(), PATIENCE)
        code: str = result.errors[0].extensions["code"]
        return code

    async def until_end(self) -> list[Any]:
        """The results that are left when the subscription ends."""
        await asyncio.wait_for(asyncio.shield(self._reading), PATIENCE)
        return [self._heard.get_nowait() for _ in range(self._heard.qsize())]

    async def nothing(self, seconds: float = 0.25) -> bool:
        """Whether nothing arrives for that long."""
        await asyncio.sleep(seconds)
        return self._heard.empty()


@contextlib.asynccontextmanager
async def open_shop(**options: Any) -> AsyncIterator[Shop]:
    feed = OutboxFeed(OneProcess())
    storefront = Storefront(feed, **options)
    async with feed.running(), storefront.running():
        yield Shop(feed, storefront)
