"""The batch fields of this schema: the executor's batch fields, with the scope that a caller needs."""

import functools
from collections.abc import Callable, Collection, Sequence
from typing import Any

from gqlstock.graphql import access
from gqlstock.graphql.errors import CodedError
from gqlstock.graphql.executor import batch_field
from gqlstock.graphql.executor.batch import AtHand, Function
from gqlstock.rules.scopes import Scope

Parents = Callable[[Any], bool]
"""A condition on a parent."""


def field(
    function: Function,
    *,
    description: str,
    name: str | None = None,
    scope: Scope | None = None,
    work: int = 0,
    at_hand: AtHand | None = None,
    null_for: Parents | None = None,
) -> Any:
    """A field that a batch function resolves. ``scope`` and ``work`` are as in ``access.field``.

    ``name``: the field's name, if it differs from the attribute's. ``null_for``: parents for which the field is null without
    the scope. For other parents it is an error.
    """
    assert scope is None or at_hand is None, "The scope is not checked for values that are at hand."
    checked = function if scope is None else _checked(function, scope, null_for)
    marks = {"scope": scope, "work": work}
    return batch_field(checked, name=name, description=description, at_hand=at_hand, metadata=marks)


def seen_list(
    function: Function, *, description: str, scopes: Collection[Scope], seen_for: Parents | None = None
) -> Any:
    """A non-null list that is empty for callers with none of the scopes.

    An error would null its parent, for example an order that was just placed. ``seen_for``: the parents for which the caller
    needs no scope.
    """

    @functools.wraps(function)
    async def run(parents: Sequence[Any], info: Any, **arguments: Any) -> Sequence[Any]:
        if any(info.context.caller.may(scope) for scope in scopes):
            return await function(parents, info, **arguments)
        seen = [parent for parent in parents if seen_for is not None and seen_for(parent)]
        lists = iter(await function(seen, info, **arguments) if seen else ())
        return [next(lists) if seen_for is not None and seen_for(parent) else [] for parent in parents]

    marks = {"scope": None, "seen_with": frozenset(scopes), "seen_for": seen_for}
    return batch_field(run, description=description, metadata=marks)


def _checked(function: Function, scope: Scope, null_for: Parents | None) -> Function:
    @functools.wraps(function)
    async def run(parents: Sequence[Any], info: Any, **arguments: Any) -> Sequence[Any]:
        try:
            access.require(info.context.caller, scope)
        except CodedError as error:
            return [None if null_for is not None and null_for(parent) else error for parent in parents]
        return await function(parents, info, **arguments)

    return run
