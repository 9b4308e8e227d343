"""Batch fields: one function call resolves a field for many parents.

    async def author(parents: Sequence[Book], info: Info, *, website: str | None = None) -> list[Author | Exception]:
        ...

    class Book:
        author: Author = batch_field(author, description="…")

The function returns one value for each parent, in their order. An exception in place of a value is the error of that parent
alone. ``info`` is the first parent's. Under any executor, one call gets all parents of an operation that need the function
with equal arguments within one iteration of the event loop. ``at_hand`` returns the value of a parent that already has it,
else None. If all parents have it, the function is not called.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import strawberry

Function = Callable[..., Awaitable[Sequence[Any]]]

AtHand = Callable[[Any], Any]

MARK = "batch"
"""The key of the function in a field's metadata."""
AT_HAND = "at_hand"
"""The key of the ``at_hand`` function in a field's metadata."""


def batch_field(
    function: Function, *, at_hand: AtHand | None = None, metadata: dict[str, Any] | None = None, **options: Any
) -> Any:
    """A field that a batch function resolves. ``options`` are those of ``strawberry.field``."""
    arguments = list(inspect.signature(function).parameters.values())[2:]

    def resolve(self: Any, info: strawberry.Info[Any, Any], **given: Any) -> Any:
        known = at_hand(self) if at_hand is not None else None
        return load_one(function, self, info, given) if known is None else known

    own = inspect.signature(resolve).parameters
    resolve.__signature__ = inspect.Signature([own["self"], own["info"], *arguments])  # type: ignore[attr-defined]
    resolve.__module__ = function.__module__
    resolve.__name__ = function.__name__
    marks = {MARK: function, AT_HAND: at_hand}
    return strawberry.field(resolver=resolve, metadata={**(metadata or {}), **marks}, **options)


def load_one(function: Function, parent: Any, info: Any, arguments: dict[str, Any]) -> "asyncio.Future[Any]":
    """The value for one parent, computed together with those of the others."""
    return _call(function, info, arguments).join([parent], _deliver_one)


def load(function: Function, parents: list[Any], info: Any, arguments: dict[str, Any]) -> "asyncio.Future[list[Any]]":
    """The values for some parents, computed together with those of the others. Fails only by cancellation."""
    return _call(function, info, arguments).join(parents, _deliver_many)


Deliver = Callable[["asyncio.Future[Any]", Sequence[Any]], None]


def _deliver_one(future: "asyncio.Future[Any]", values: Sequence[Any]) -> None:
    if isinstance(values[0], Exception):
        future.set_exception(values[0])
    else:
        future.set_result(values[0])


def _deliver_many(future: "asyncio.Future[Any]", values: Sequence[Any]) -> None:
    future.set_result(values)


class _Call:
    """One call of a batch function. Others may join it until the current iteration of the event loop ends."""

    def __init__(self, key: tuple[Any, int], function: Function, info: Any, arguments: dict[str, Any]) -> None:
        self.arguments = arguments
        self._key = key
        self._function = function
        self._info = info
        self._parents: list[Any] = []
        self._joined: list[tuple[asyncio.Future[Any], int, Deliver]] = []
        self._awaited = 0
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None
        self._loop.call_soon(self._start)

    def join(self, parents: list[Any], deliver: Deliver) -> "asyncio.Future[Any]":
        future: asyncio.Future[Any] = self._loop.create_future()
        self._parents += parents
        self._joined.append((future, len(parents), deliver))
        self._awaited += 1
        future.add_done_callback(self._leave)
        return future

    def _leave(self, future: "asyncio.Future[Any]") -> None:
        """Cancel the call when all its waiters are gone."""
        self._awaited -= 1
        if not self._awaited and future.cancelled() and self._task is not None:
            self._task.cancel()

    def _start(self) -> None:
        waiting = _waiting[self._key]
        waiting.remove(self)
        if not waiting:
            del _waiting[self._key]
        if self._awaited:
            self._task = self._loop.create_task(self._run())

    async def _run(self) -> None:
        try:
            values = list(await self._function(self._parents, self._info, **self.arguments))
            if len(values) != len(self._parents):
                name = getattr(self._function, "__name__", "a batch function")
                raise TypeError(f"{name} returned {len(values)} values for {len(self._parents)} parents.")
        except Exception as error:
            values = [error] * len(self._parents)
        start = 0
        for future, count, deliver in self._joined:
            if not future.done():
                deliver(future, values[start : start + count])
            start += count


# The calls that can still be joined, by function and operation. The id of its variables dictionary identifies an operation;
# its calls keep the dictionary alive while they are listed here.
_waiting: dict[tuple[Any, int], list[_Call]] = {}


def _call(function: Function, info: Any, arguments: dict[str, Any]) -> _Call:
    key = (function, id(info._raw_info.variable_values))
    waiting = _waiting.setdefault(key, [])
    for call in waiting:
        if call.arguments == arguments:
            return call
    call = _Call(key, function, info, arguments)
    waiting.append(call)
    return call
