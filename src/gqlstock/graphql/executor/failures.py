"""Failures: kept where they happened, and propagated up as the GraphQL specification defines for nulls."""

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any, Final

from graphql import FieldNode, GraphQLError
from graphql.error import located_error


class _Propagate(Enum):
    PROPAGATE = "propagate"


PROPAGATE: Final = _Propagate.PROPAGATE
"""A null at a non-null place: the surrounding object or list becomes null."""


class Failure:
    """An exception and its path, innermost key first, as far up as it has propagated."""

    __slots__ = ("error", "nodes", "path")

    def __init__(self, error: Exception, nodes: Sequence[FieldNode]) -> None:
        self.error = error
        self.nodes = nodes
        self.path: list[str | int] = []

    def located(self) -> GraphQLError:
        return located_error(self.error, self.nodes, self.path[::-1])


class FailedValue:
    """A column's value that failed, or has a failure below it. ``value`` is what remains of it, or ``PROPAGATE``."""

    __slots__ = ("failures", "value")

    def __init__(self, value: Any, failures: list[Failure]) -> None:
        self.value = value
        self.failures = failures

    def under(self, key: str | int) -> list[Failure]:
        """The failures, their paths extended by the key of this value in its object or list."""
        for failure in self.failures:
            failure.path.append(key)
        return self.failures

    def as_null(self) -> "FailedValue":
        """The value at a nullable place."""
        return FailedValue(None, self.failures) if self.value is PROPAGATE else self


class FailedColumn(list[Any]):
    """A column with at least one ``FailedValue`` in it."""


def failed(error: Exception, nodes: Sequence[FieldNode], *, nullable: bool) -> FailedValue:
    """The failed value for an exception."""
    return FailedValue(None if nullable else PROPAGATE, [Failure(error, nodes)])


def with_nulls(values: list[Any], *, nullable: bool) -> list[Any]:
    """The column, failed values replaced by null if it is nullable. A ``FailedColumn`` if any value failed."""
    if FailedValue not in map(type, values):
        return values
    if nullable:
        return FailedColumn(value.as_null() if type(value) is FailedValue else value for value in values)
    return FailedColumn(values)


def assembled(parts: Iterable[tuple[Any, Any]], *, into: Any) -> Any:
    """An object or a list from its parts, by key or index. A ``FailedValue`` if a part is one.

    Parts after one that propagates are ignored, because the object or list becomes null.
    """
    failures: list[Failure] = []
    for key, value in parts:
        if type(value) is not FailedValue:
            continue
        failures += value.under(key)
        if value.value is PROPAGATE:
            return FailedValue(PROPAGATE, failures)
        into[key] = value.value
    return FailedValue(into, failures) if failures else into
