"""Pushes to subscribers: each is executed and encoded once for all subscribers who receive the same.

Subscribers share a push if the resolver yields the same object and they have the same document, the same relevant variables
and the same rights. A shared push runs for a caller without a name, so it cannot contain data of the first subscriber. When
in doubt, pushes are not shared.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from typing import Any, NamedTuple, TypeVar

import orjson
from cachetools import LRUCache
from graphql import FieldNode, FragmentSpreadNode, GraphQLError, Node, Undefined, VariableNode
from graphql.execution import Executor
from strawberry.types import ExecutionResult

from gqlstock import trail
from gqlstock.graphql.errors import coded
from gqlstock.graphql.http.turns import Turns
from gqlstock.rules.scopes import Caller
from gqlstock.stock import reading
from gqlstock.stock.reading import Reading

T = TypeVar("T")

_MOST_BYTES = 16_000_000
"""The size of the cache of finished pushes."""
_BYTES_BESIDE = 2_000
"""The approximate size of a push besides its text: its key, and its event with rows."""


def encode(data: object) -> str:
    """A value as JSON."""
    try:
        # Decoded, because websocket clients expect text frames.
        return orjson.dumps(data).decode()
    except TypeError:
        # orjson refuses lone surrogates, which may occur in error messages.
        return json.dumps(data, separators=(",", ":"))


class Push(ExecutionResult):
    """The finished result of one event. ``encoded`` is the whole result as JSON, ``event`` its source."""

    def __init__(self, event: object, data: dict[str, Any] | None, errors: list[GraphQLError] | None) -> None:
        told = {"data": data, "errors": [error.formatted for error in errors]} if errors else {"data": data}
        self.event = event
        self.encoded = encode(told)
        self.errors = errors
        self.extensions = None

    @property
    def data(self) -> dict[str, Any] | None:  # type: ignore[override]
        """Parsed from the text, because the original objects are not kept."""
        read: dict[str, Any] | None = orjson.loads(self.encoded)["data"]
        return read


class Key(NamedTuple):
    """What a push depends on besides its event."""

    document: bytes
    operation: str | None
    variables: bytes
    caller: Caller


class _Subscription:
    """What all events of one subscription share."""

    __slots__ = ("context", "key")

    def __init__(self, executor: Executor[Any]) -> None:
        self.key = _key(executor)
        context = executor.context_value
        self.context = context if self.key is None else context.of_anybody(self.key.caller)


class Pushes:
    """One per process."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self.turns = Turns()
        self.executed = 0
        """The number of executed pushes. All others were shared."""
        self._finished: LRUCache[tuple[int, Key], Push] = LRUCache(most_bytes, getsizeof=_size)
        self._running: dict[tuple[int, Key], asyncio.Task[Push]] = {}

    def push(self, event: "_Event") -> Push | Awaitable[Push]:
        """The push of an event for a subscriber, when it is the subscriber's turn."""
        if not self.turns.take():
            return self._later(event)
        return self._find(event)

    async def _later(self, event: "_Event") -> Push:
        await self.turns.wait()
        found = self._find(event)
        return found if isinstance(found, Push) else await found

    def _find(self, event: "_Event") -> Push | Awaitable[Push]:
        if event.subscription.key is None:
            return self._executed(event)
        # The push keeps its payload alive, so the payload's id stays unique.
        key = id(event.payload), event.subscription.key
        finished = self._finished.get(key)
        if finished is not None:
            return finished
        running = self._running.get(key)
        if running is None:
            made = self._executed(event)
            if isinstance(made, Push):
                return self._keep(key, made)
            # A separate task, because the first caller may be canceled while others wait.
            running = asyncio.create_task(self._run(key, made), context=trail.left())
            self._running[key] = running
        return asyncio.shield(running)

    def _executed(self, event: "_Event") -> Push | Awaitable[Push]:
        """Execute a push at one instant."""
        self.executed += 1
        read = reading.later()
        with reading.within(read):
            result = event.execute()
        return (
            _finish_later(event.payload, read, result)
            if hasattr(result, "__await__")
            else _finish(event.payload, result)
        )

    async def _run(self, key: tuple[int, Key], making: Awaitable[Push]) -> Push:
        try:
            return self._keep(key, await making)
        finally:
            del self._running[key]

    def _keep(self, key: tuple[int, Key], push: Push) -> Push:
        # Errors may be temporary, so a push with errors is not reused.
        if not push.errors and _size(push) <= self._finished.maxsize:
            self._finished[key] = push
        return push


async def _finish_later(event: object, read: Reading, result: Awaitable[Any]) -> Push:
    with reading.within(read):
        try:
            return _finish(event, await result)
        finally:
            await read.end()


def _finish(event: object, result: Any) -> Push:
    return Push(event, result.data, [coded(error) for error in result.errors] if result.errors else None)


def _size(push: Push) -> int:
    return len(push.encoded) + _BYTES_BESIDE


class SharesPushes:
    """A mixin for executors: events of subscriptions go through the context's ``pushes``, and subscriptions are counted."""

    _subscription: _Subscription | None = None

    def build_per_event_executor(self, payload: Any) -> Any:
        if self._subscription is None:
            self._subscription = _Subscription(self)  # type: ignore[arg-type]
        build = super().build_per_event_executor  # type: ignore[misc]
        return _Event(self.context_value.deployment.pushes, self._subscription, build, payload)  # type: ignore[attr-defined]

    def cancellable_iterable(self, iterable: AsyncIterable[T]) -> AsyncIterable[T]:
        events: Any = super().cancellable_iterable(iterable)  # type: ignore[misc]
        return _counted(self.context_value, events)  # type: ignore[attr-defined]


class _Event:
    """A lazy executor of one event. Nothing long-lived refers to it."""

    __slots__ = ("_build", "_pushes", "payload", "subscription")

    def __init__(
        self, pushes: Pushes, subscription: _Subscription, build: Callable[[Any], Any], payload: object
    ) -> None:
        self._pushes = pushes
        self._build = build
        self.subscription = subscription
        self.payload = payload

    def execute_operation(self, _: bool | None = None) -> Push | Awaitable[Push]:
        return self._pushes.push(self)

    def execute(self) -> Any:
        executor = self._build(self.payload)
        executor.context_value = self.subscription.context
        return executor.execute_operation(False)


async def _counted(context: Any, events: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """The events of a subscription, which is counted while it is open."""
    try:
        with context.subscribed():
            async for event in events:
                yield event
    finally:
        await events.aclose()


def _key(executor: Executor[Any]) -> Key | None:
    """The key of a push. None if its dependencies are not certain."""
    operation = executor.operation
    if operation.loc is None:
        return None
    shown = _variables_shown(executor)
    sources = executor.variable_values.sources
    # Omitted variables have the document's defaults.
    given = {name: sources[name].value for name in shown & sources.keys() if sources[name].value is not Undefined}
    try:
        variables = orjson.dumps(given, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return None
    name = operation.name.value if operation.name is not None else None
    # Digests keep keys small, regardless of the document's length.
    document = operation.loc.source.body.encode("utf-8", "surrogatepass")
    return Key(_digest(document), name, _digest(variables), executor.context_value.caller.unnamed)


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()


def _variables_shown(executor: Executor[Any]) -> set[str]:
    """The variables that an answer depends on: all except those used only in arguments of the subscription field.

    Those arguments only select events.
    """
    found: set[str] = set()
    seen: set[tuple[str, bool]] = set()
    operation = executor.operation
    waiting: list[tuple[Any, bool]] = [
        (operation.selection_set, True),
        *((one, True) for one in operation.directives or ()),
    ]
    while waiting:
        node, is_root = waiting.pop()
        if isinstance(node, VariableNode):
            found.add(node.name.value)
            continue
        if isinstance(node, FragmentSpreadNode) and (node.name.value, is_root) not in seen:
            seen.add((node.name.value, is_root))
            waiting.append((executor.fragment_definitions[node.name.value], is_root))
        is_field = isinstance(node, FieldNode)
        for key in node.keys:
            if key == "loc" or (key == "arguments" and is_field and is_root):
                continue
            value = getattr(node, key)
            below = value if isinstance(value, list | tuple) else (value,)
            waiting += [(one, is_root and not is_field) for one in below if isinstance(one, Node)]
    return found
