"""Failures, kept in the place where they happened, and carried up as the specification says for nulls."""

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any, Final

from graphql import FieldNode, GraphQLError
from graphql.error import located_error


class _Propagate(Enum):
    PROPAGATE = "propagate"


PROPAGATE: Final = _Propagate.PROPAGATE
"""Stands for a null that is not allowed, so that the object or list with it becomes null."""


class Failure:
    """An exception, and the path to where it happened, from the inside out, as far as it was carried up."""

    __slots__ = ("error", "nodes", "path")

    def __init__(self, error: Exception, nodes: Sequence[FieldNode]) -> None:
        self.error = error
        self.nodes = nodes
        self.path: list[str | int] = []

    def located(self) -> GraphQLError:
        return located_error(self.error, self.nodes, self.path[::-1])


class FailedValue:
    """A value of a column at or below which something failed; ``value`` is what is left of it, or ``PROPAGATE``."""

    __slots__ = ("failures", "value")

    def __init__(self, value: Any, failures: list[Failure]) -> None:
        self.value = value
        self.failures = failures

    def under(self, key: str | int) -> list[Failure]:
        """The failures as seen from the object or list that has the value under that key."""
        for failure in self.failures:
            failure.path.append(key)
        return self.failures

    def as_null(self) -> "FailedValue":
        """The value where null is allowed."""
        return FailedValue(None, self.failures) if self.value is PROPAGATE else self


class FailedColumn(list[Any]):
    """A column with at least one ``FailedValue`` in it."""


def failed(error: Exception, nodes: Sequence[FieldNode], *, nullable: bool) -> FailedValue:
    """Stands for a value that failed."""
    return FailedValue(None if nullable else PROPAGATE, [Failure(error, nodes)])


def with_nulls(values: list[Any], *, nullable: bool) -> list[Any]:
    """The column, with null for failed values where null is allowed; a ``FailedColumn`` if there are failed values."""
    if FailedValue not in map(type, values):
        return values
    if nullable:
        return FailedColumn(value.as_null() if type(value) is FailedValue else value for value in values)
    return FailedColumn(values)


def assembled(parts: Iterable[tuple[Any, Any]], *, into: Any) -> Any:
    """An object or a list of these parts, by key or index; a ``FailedValue`` if one of them is.

    Parts behind one that propagates are not looked at: nothing of them is left.
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
