"""What resolvers know of the request: who calls, and what was read for it already."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import strawberry

from gqlstock.rules.events import Topic
from gqlstock.rules.network import Network, SalesChannel
from gqlstock.rules.scopes import ANONYMOUS, Caller
from gqlstock.services import availability
from gqlstock.services.availability import Shelf, Showing
from gqlstock.store import warehouses
from gqlstock.store.catalog import Item
from gqlstock.store.outbox import Cursor, Entry

T = TypeVar("T")


class Part(Protocol):
    """Some entries of the feed, and what is worked out for them: once for all who are handed the same part."""

    entries: Sequence[Entry]

    async def once(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T: ...


class Feed(Protocol):
    """Where news comes from: each entry once, in commit order, from behind a cursor or from now on."""

    def parts(self, topics: Sequence[Topic], after: Cursor | None) -> AsyncGenerator[Part, None]: ...


class Storefront(Protocol):
    """What the shop shows: of each SKU what it is now, then each change that this caller can see."""

    def watch(self, skus: Sequence[str], website: str | None, caller: Caller) -> AsyncGenerator[Showing, None]: ...


@dataclass
class Context:
    """One for each HTTP request; over a websocket one for the connection, so that nothing read is kept in it."""

    feed: Feed
    storefront: Storefront
    caller: Caller = ANONYMOUS
    authorization: str | None = None
    host: str | None = None
    """The address that it comes from."""
    public_orders: bool = False
    private_webhooks: bool = False
    connection_params: dict[str, Any] | None = None
    remembers: bool = False
    """Whether it is made for one operation: what only mutations change is then read once between them."""
    _network: asyncio.Future[Network] | None = None
    _shelves: list[Shelf] = field(default_factory=list)
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def network(self) -> Network:
        """The websites and their warehouses."""
        if not self.remembers:
            return await warehouses.network()
        if self._network is None:
            # The task rather than its result: fields that ask at once share it.
            self._network = asyncio.ensure_future(warehouses.network())
        return await self._network

    async def shelf(self, items: Iterable[Item], channel: SalesChannel) -> Shelf:
        """What the availability and the settings of items on a website come from; read once for all fields that ask."""
        wanted = list(items)
        network = await self.network()
        if not self.remembers:
            return await availability.shelf(wanted, channel, network)
        async with self._reading:
            for known in self._shelves:
                if known.channel.id == channel.id and known.has(wanted):
                    return known
            self._shelves.append(await availability.shelf(wanted, channel, network))
            return self._shelves[-1]

    def forget(self) -> None:
        """Read again what a mutation may have changed."""
        self._network = None
        self._shelves.clear()


Info = strawberry.Info[Context, None]
