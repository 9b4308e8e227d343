"""What is known of the request that is being worked on, for the log and the figures: its id, who calls, what it asks.

Whoever learns something adds it; outside of a request, as in commands and background work, it is told to nobody.
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
    """One GraphQL operation, from before it is parsed. ``kind`` is query, mutation or subscription once that is known."""

    name: str | None = None
    kind: str = UNKNOWN
    field: str = UNKNOWN
    """Its first field."""
    caller: str | None = None
    authenticated: bool = False
    valid: bool = False
    """Whether it got as far as being executed."""
    started: float = dataclasses.field(default_factory=time.perf_counter)
    seconds: float = 0.0
    errors: defaultdict[str, int] = dataclasses.field(default_factory=lambda: defaultdict(int))
    """How many errors it has with each code."""
    refusals: defaultdict[str, int] = dataclasses.field(default_factory=lambda: defaultdict(int))
    """How many user errors it has with each code."""
    orders: int = 0
    """How many orders it placed."""

    @property
    def is_subscription(self) -> bool:
        return self.kind == "subscription"


@dataclass(slots=True)
class Trail:
    """One HTTP request, or one websocket connection with all its operations."""

    id: str
    transport: str
    began: Callable[["Trail", Operation], None]
    """Called once it is known what an operation asks."""
    ended: Callable[["Trail", Operation], None]
    parent: str | None = None
    """What it is part of, as ``traceparent`` says it."""
    operation: Operation | None = None
    """The last one that began."""
    answering: int = 0
    """How many operations with one answer are running."""


current: ContextVar[Trail | None] = ContextVar("trail", default=None)
operation: ContextVar[Operation | None] = ContextVar("operation", default=None)


def request_id() -> str | None:
    trail = current.get()
    return trail.id if trail is not None else None


def left() -> Context:
    """The context for work that goes on for everybody once the request that began it is over."""
    context = copy_context()
    context.run(current.set, None)
    context.run(operation.set, None)
    return context


def refused(code: str) -> None:
    """Add that something was refused."""
    running = operation.get()
    if running is not None:
        running.refusals[code] += 1


def order_placed() -> None:
    """Add that an order was placed."""
    running = operation.get()
    if running is not None:
        running.orders += 1
