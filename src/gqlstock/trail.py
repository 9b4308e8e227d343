"""Context of the current request for logs and metrics: its id, its caller and its operation.

Any layer adds what it learns. Outside a request, as in commands and background work, additions are dropped.
"""

import dataclasses
import time
from collections import defaultdict
from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass

UNKNOWN = "unknown"


@dataclass(slots=True)
class Operation:
    """One GraphQL operation, from before parsing. ``kind`` is query, mutation or subscription once known."""

    name: str | None = None
    kind: str = UNKNOWN
    field: str = UNKNOWN
    """The operation's first field."""
    caller: str | None = None
    authenticated: bool = False
    valid: bool = False
    """Whether it passed validation and was executed."""
    started: float = dataclasses.field(default_factory=time.perf_counter)
    seconds: float = 0.0
    errors: defaultdict[str, int] = dataclasses.field(default_factory=lambda: defaultdict(int))
    """The number of errors, by code."""
    refusals: defaultdict[str, int] = dataclasses.field(default_factory=lambda: defaultdict(int))
    """The number of user errors, by code."""
    orders: int = 0
    """The number of orders it placed."""

    @property
    def is_subscription(self) -> bool:
        return self.kind == "subscription"


@dataclass(slots=True)
class Trail:
    """One HTTP request, or one websocket connection with all its operations."""

    id: str
    transport: str
    began: Callable[["Trail", Operation], None]
    """Called once an operation's name and kind are known."""
    ended: Callable[["Trail", Operation], None]
    parent: str | None = None
    """The parent span, from the ``traceparent`` header."""
    operation: Operation | None = None
    """The operation that started last."""
    answering: int = 0
    """The number of running queries and mutations."""


current: ContextVar[Trail | None] = ContextVar("trail", default=None)
operation: ContextVar[Operation | None] = ContextVar("operation", default=None)


def request_id() -> str | None:
    trail = current.get()
    return trail.id if trail is not None else None


def left() -> Context:
    """A context for work that outlives the request that started it and serves others too."""
    context = copy_context()
    context.run(current.set, None)
    context.run(operation.set, None)
    return context


def refused(code: str) -> None:
    """Record a refusal."""
    running = operation.get()
    if running is not None:
        running.refusals[code] += 1


def order_placed() -> None:
    """Record a placed order."""
    running = operation.get()
    if running is not None:
        running.orders += 1
