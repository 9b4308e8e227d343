"""What resolvers know of the request: who calls, and what was read for it already."""

import asyncio
import contextlib
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Hashable,
    Iterable,
    Sequence,
)
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import strawberry

from gqlstock.graphql.pushes import Pushes
from gqlstock.rules.assortment import Assortment
from gqlstock.rules.catalog import Item
from gqlstock.rules.events import Topic
from gqlstock.rules.limits import PublicHolds
from gqlstock.rules.network import Network, SalesChannel
from gqlstock.rules.scopes import ANONYMOUS, Caller
from gqlstock.services import availability
from gqlstock.services.availability import Showing
from gqlstock.store import warehouses
from gqlstock.store.outbox import Cursor, Entry

T = TypeVar("T")


class Questions(Protocol):
    """How often an address has asked about the stock of an item."""

    @property
    def wait(self) -> int: ...

    def ask(self, address: str, item_ids: Collection[int]) -> set[int]: ...


class Part(Protocol):
    """Some entries of the feed, and what is worked out for them: once for all who are handed the same part."""

    entries: Sequence[Entry]

    async def once(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T: ...


class Feed(Protocol):
    """Where news comes from: each entry once, in commit order, from behind a cursor or from now on."""

    def parts(self, topics: Sequence[Topic], after: Cursor | None) -> AsyncGenerator[Part, None]: ...


class Storefront(Protocol):
    """What the shop shows: of each SKU what it is now, then each change that this caller can see."""

    def watch(self, skus: Sequence[str], website: str | None, caller: Caller) -> AsyncGenerator["Shown", None]: ...


class Shown(Protocol):
    """What the shop shows of an item, the same object for all who are shown it, and what is made of it once for them."""

    def once(self, make: Callable[[Showing], T]) -> T: ...


Subscribed = Callable[[Caller, str | None], contextlib.AbstractContextManager[None]]
"""Counts a subscription of a caller from an address for as long as it lasts."""


def _uncounted(_caller: Caller, _host: str | None) -> contextlib.AbstractContextManager[None]:
    return contextlib.nullcontext()


@dataclass
class Context:
    """One for each HTTP request; over a websocket one for the connection, so that nothing read is kept in it."""

    feed: Feed
    storefront: Storefront
    caller: Caller = ANONYMOUS
    authorization: str | None = None
    host: str | None = None
    """The address that it comes from."""
    address: str | None = None
    """The same as it is counted; None where it is not."""
    questions: Questions | None = None
    public_holds: PublicHolds = PublicHolds()
    public_orders: bool = False
    private_webhooks: bool = False
    pushes: Pushes = field(default_factory=Pushes)
    counted: Subscribed = _uncounted
    connection_params: dict[str, Any] | None = None
    remembers: bool = False
    """Whether it is made for one operation: what only mutations change is then read once between them."""
    _network: asyncio.Future[Network] | None = None
    _assortments: list[Assortment] = field(default_factory=list)
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    _working: asyncio.Lock = field(default_factory=asyncio.Lock)
    _found: dict[Hashable, asyncio.Future[Any]] = field(default_factory=dict)

    def subscribed(self) -> contextlib.AbstractContextManager[None]:
        """For as long as a subscription lasts; refused when there are too many."""
        return self.counted(self.caller, self.host)

    def of_anybody(self, caller: Caller) -> "Context":
        """The context of a push for all who may see what this caller may see: nothing in it is of one of them."""
        return Context(
            self.feed,
            self.storefront,
            caller=caller,
            public_orders=self.public_orders,
            private_webhooks=self.private_webhooks,
            pushes=self.pushes,
        )

    async def network(self) -> Network:
        """The websites and their warehouses."""
        if not self.remembers:
            return await warehouses.network()
        if self._network is None:
            # The task rather than its result: fields that ask at once share it.
            self._network = asyncio.ensure_future(warehouses.network())
        return await self._network

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Do a piece of work that takes some milliseconds. Between two of one request all others have their turn."""
        async with self._working:
            yield
            await asyncio.sleep(0)

    async def once(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """What is the same for all fields of one request that ask with that key, such as a count under many aliases."""
        if not self.remembers:
            return await make()
        if key not in self._found:
            self._found[key] = asyncio.ensure_future(make())
        found: T = await self._found[key]
        return found

    async def assortment(self, items: Iterable[Item], channel: SalesChannel) -> Assortment:
        """What the availability and the settings of items on a website come from; read once for all fields that ask."""
        wanted = list(items)
        network = await self.network()
        if not self.remembers:
            return await availability.assortment(wanted, channel, network)
        async with self._reading:
            for known in self._assortments:
                if known.channel.id == channel.id and known.has(wanted):
                    return known
            self._assortments.append(await availability.assortment(wanted, channel, network))
            return self._assortments[-1]

    async def passing_assortment(self, items: Iterable[Item], channel: SalesChannel) -> Assortment:
        """The same for items that are only looked at: it is not remembered."""
        return await availability.assortment(list(items), channel, await self.network())

    def forget(self) -> None:
        """Read again what a mutation may have changed."""
        self._network = None
        self._assortments.clear()
        self._found.clear()


Info = strawberry.Info[Context, None]
