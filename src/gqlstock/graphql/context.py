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
    Sequence,
)
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import strawberry

from gqlstock.graphql.http.pushes import Pushes
from gqlstock.rules.events import Topic
from gqlstock.rules.feed import Cursor, Entry
from gqlstock.rules.limits import PublicHolds
from gqlstock.rules.scopes import ANONYMOUS, Caller
from gqlstock.services.availability import Showing

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

    def parts(
        self, topics: Sequence[Topic], after: Cursor | None, subject: int | None = None
    ) -> AsyncGenerator[Part, None]: ...


class Storefront(Protocol):
    """What the shop shows: of each SKU what it is now, then each change that this caller can see."""

    def watch(self, skus: Sequence[str], website: str | None, caller: Caller) -> AsyncGenerator["Shown", None]: ...


class Shown(Protocol):
    """What the shop shows of an item, the same object for all who are shown it, and what is made of it once for them."""

    def once(self, make: Callable[[Showing], T]) -> T: ...


CountSubscription = Callable[[Caller, str | None], contextlib.AbstractContextManager[None]]
"""Counts a subscription of a caller from an address for as long as it lasts."""


def _uncounted(_caller: Caller, _host: str | None) -> contextlib.AbstractContextManager[None]:
    return contextlib.nullcontext()


@dataclass(frozen=True, slots=True)
class Deployment:
    """What all requests of a process share: where news comes from, what the public may do, and what is counted."""

    feed: Feed
    storefront: Storefront
    questions: Questions | None = None
    """None: questions are not counted."""
    public_orders: bool = False
    public_holds: PublicHolds = PublicHolds()
    private_webhooks: bool = False
    count_subscription: CountSubscription = _uncounted
    pushes: Pushes = field(default_factory=Pushes)


@dataclass
class Context:
    """One for each HTTP request; over a websocket one for the connection, so that nothing read is kept in it."""

    deployment: Deployment
    caller: Caller = ANONYMOUS
    authorization: str | None = None
    host: str | None = None
    """The address that it comes from."""
    address: str | None = None
    """The same as it is counted; None where it is not."""
    connection_params: dict[str, Any] | None = None
    _working: asyncio.Lock = field(default_factory=asyncio.Lock)

    def subscribed(self) -> contextlib.AbstractContextManager[None]:
        """For as long as a subscription lasts; refused when there are too many."""
        return self.deployment.count_subscription(self.caller, self.host)

    def of_anybody(self, caller: Caller) -> "Context":
        """The context of a push for all who may see what this caller may see: nothing in it is of one of them."""
        return Context(self.deployment, caller)

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Do a piece of work that takes some milliseconds. Between two of one request all others have their turn."""
        async with self._working:
            yield
            await asyncio.sleep(0)


Info = strawberry.Info[Context, None]
