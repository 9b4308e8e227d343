"""The request context that resolvers receive: the caller, and what the process shares between requests."""

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
    """Counts how often an address asks about the stock of an item."""

    @property
    def wait(self) -> int: ...

    def ask(self, address: str, item_ids: Collection[int]) -> set[int]: ...


class Part(Protocol):
    """A batch of feed entries. What is computed for it is shared by all subscribers who receive the same batch."""

    entries: Sequence[Entry]

    async def once(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T: ...


class Feed(Protocol):
    """The source of changes: each entry once, in commit order, after a cursor or from now on."""

    def parts(
        self, topics: Sequence[Topic], after: Cursor | None, subject: int | None = None
    ) -> AsyncGenerator[Part, None]: ...


class Storefront(Protocol):
    """What the shop shows: the current state of each SKU, then each change that the caller can see."""

    def watch(self, skus: Sequence[str], website: str | None, caller: Caller) -> AsyncGenerator["Shown", None]: ...


class Shown(Protocol):
    """What the shop shows of an item. All subscribers share one object, and what is computed from it."""

    def once(self, make: Callable[[Showing], T]) -> T: ...


CountSubscription = Callable[[Caller, str | None], contextlib.AbstractContextManager[None]]
"""Counts a caller's subscription from an address while it is open."""


def _uncounted(_caller: Caller, _host: str | None) -> contextlib.AbstractContextManager[None]:
    return contextlib.nullcontext()


@dataclass(frozen=True, slots=True)
class Deployment:
    """What all requests of a process share: the feeds, the rights of the public, and counters."""

    feed: Feed
    storefront: Storefront
    questions: Questions | None = None
    """None: no counting."""
    public_orders: bool = False
    public_holds: PublicHolds = PublicHolds()
    private_webhooks: bool = False
    count_subscription: CountSubscription = _uncounted
    pushes: Pushes = field(default_factory=Pushes)


@dataclass
class Context:
    """One for each HTTP request or websocket connection. It keeps no rows, because connections are long-lived."""

    deployment: Deployment
    caller: Caller = ANONYMOUS
    authorization: str | None = None
    host: str | None = None
    """The client's address."""
    address: str | None = None
    """The address under which the request is rate limited. None: not limited."""
    connection_params: dict[str, Any] | None = None
    _working: asyncio.Lock = field(default_factory=asyncio.Lock)

    def subscribed(self) -> contextlib.AbstractContextManager[None]:
        """Count a subscription while it is open. Refuses it if there are too many."""
        return self.deployment.count_subscription(self.caller, self.host)

    def of_anybody(self, caller: Caller) -> "Context":
        """The context of a push that is shared by all callers with these rights. It has nothing of a single caller."""
        return Context(self.deployment, caller)

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Run work of some milliseconds. Between two turns of one request, other requests run."""
        async with self._working:
            yield
            await asyncio.sleep(0)


Info = strawberry.Info[Context, None]
