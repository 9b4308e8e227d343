"""The batch fields of this schema: those of the executor, with the scope that a caller needs to ask for one."""

import functools
from collections.abc import Collection, Sequence
from typing import Any

from gqlstock.graphql import access
from gqlstock.graphql.executor import batch_field
from gqlstock.graphql.executor.batch import Function
from gqlstock.rules.scopes import Scope


def field(function: Function, *, description: str, scope: Scope | None = None, work: int = 0) -> Any:
    """A field of a type, worked out by a batch function; ``scope`` and ``work`` as in ``access``."""
    checked = function if scope is None else _checked(function, scope)
    return batch_field(checked, description=description, metadata={"scope": scope, "work": work})


def seen_list(function: Function, *, description: str, scopes: Collection[Scope]) -> Any:
    """A list that cannot be null: empty for a caller with none of the scopes.

    An error in its place would take the object that it is a part of away, such as an order that was just placed.
    """

    @functools.wraps(function)
    async def run(parents: Sequence[Any], info: Any, **arguments: Any) -> Sequence[Any]:
        if not any(info.context.caller.may(scope) for scope in scopes):
            return [[] for _ in parents]
        return await function(parents, info, **arguments)

    return batch_field(run, description=description, metadata={"scope": None, "seen_with": frozenset(scopes)})


def _checked(function: Function, scope: Scope) -> Function:
    @functools.wraps(function)
    async def run(parents: Sequence[Any], info: Any, **arguments: Any) -> Sequence[Any]:
        access.require(info.context.caller, scope)
        return await function(parents, info, **arguments)

    return run
