"""Batch fields: a field that needs more than its object's own attributes is written once, for many parents at a time.

    async def availability(parents: Sequence[Product], info: Info, *, website: WebsiteArg = None) -> list[Availability]:
        ...

    class Product:
        availability: Availability | None = batch.field(availability, description="…")

Under Strawberry's own executor the parents of one tick that ask the same with the same arguments are gathered; an
executor that knows all parents calls the function itself: it finds it as ``batch`` in the field's metadata. A function
may give an exception in place of one value; that is then that parent's error alone.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

import strawberry

from gqlstock.graphql import access
from gqlstock.rules.scopes import Scope

if TYPE_CHECKING:
    from gqlstock.graphql.context import Context

Function = Callable[..., Awaitable[Sequence[Any]]]
_Waiting = list[tuple[Any, "asyncio.Future[Any]"]]


class Batches:
    """The calls of batch fields that wait for the end of the tick."""

    def __init__(self) -> None:
        self._waiting: dict[Any, _Waiting] = {}

    def load(self, function: Function, parent: Any, info: Any, arguments: dict[str, Any]) -> "asyncio.Future[Any]":
        """The field's value for one parent, worked out together with those of the others."""
        loop = asyncio.get_running_loop()
        key = (function, repr(arguments) if arguments else "")
        waiting = self._waiting.get(key)
        if waiting is None:
            waiting = self._waiting[key] = []
            loop.call_soon(lambda: loop.create_task(self._run(key, function, info, arguments)))
        future: asyncio.Future[Any] = loop.create_future()
        waiting.append((parent, future))
        return future

    async def _run(self, key: Any, function: Function, info: Any, arguments: dict[str, Any]) -> None:
        waiting = self._waiting.pop(key)
        try:
            values = await function([parent for parent, _ in waiting], info, **arguments)
            assert len(values) == len(waiting), f"{function.__name__} gave {len(values)} values for {len(waiting)}"
        except Exception as error:
            values = [error] * len(waiting)
        for (_, future), value in zip(waiting, values, strict=True):
            if future.done():
                continue
            if isinstance(value, Exception):
                future.set_exception(value)
            else:
                future.set_result(value)


def field(function: Function, *, description: str, scope: Scope | None = None) -> Any:
    """A field of a type, worked out by a batch function; ``scope`` is what a caller needs to ask for it."""
    signature = inspect.signature(function)
    arguments = list(signature.parameters.values())[2:]

    def resolve(self: Any, info: "strawberry.Info[Context, None]", **given: Any) -> Any:
        if scope is not None:
            access.require(info.context.caller, scope)
        return info.context.batches.load(function, self, info, given)

    own = inspect.signature(resolve).parameters
    resolve.__signature__ = inspect.Signature([own["self"], own["info"], *arguments])  # type: ignore[attr-defined]
    resolve.__module__ = function.__module__
    resolve.__name__ = function.__name__
    return strawberry.field(resolver=resolve, description=description, metadata={"batch": function, "scope": scope})
