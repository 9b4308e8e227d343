"""What goes wrong, kept in the place where it went wrong, and carried up as the specification says where null goes."""

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any, Final

from graphql import FieldNode, GraphQLError
from graphql.error import located_error


class _Up(Enum):
    UP = "up"


UP: Final = _Up.UP
"""Stands for a null that may not be here, so that what holds it becomes null."""


class Failure:
    """An exception, and the path to where it happened from the inside out, as far as it was carried up."""

    __slots__ = ("error", "nodes", "path")

    def __init__(self, error: Exception, nodes: Sequence[FieldNode]) -> None:
        self.error = error
        self.nodes = nodes
        self.path: list[str | int] = []

    def located(self) -> GraphQLError:
        return located_error(self.error, self.nodes, self.path[::-1])


class Fault:
    """Stands in a column for a value at or below which something failed. ``value`` is what is left of it, or ``UP``."""

    __slots__ = ("failures", "value")

    def __init__(self, value: Any, failures: list[Failure]) -> None:
        self.value = value
        self.failures = failures

    def under(self, key: str | int) -> list[Failure]:
        """The failures as seen from what holds the value under that key."""
        for failure in self.failures:
            failure.path.append(key)
        return self.failures

    def as_null(self) -> "Fault":
        """The fault where null is allowed."""
        return Fault(None, self.failures) if self.value is UP else self


class Marred(list[Any]):
    """A column with at least one ``Fault`` in it."""


def column(values: list[Any], *, marred: bool) -> list[Any]:
    return Marred(values) if marred else values


def held(parts: Iterable[tuple[Any, Any]], *, into: Any) -> Any:
    """An object or a list of these parts, by key or index: itself, or a ``Fault`` if one of them is faulty.

    What comes behind a part that may not be null is not looked at: nothing of it is left.
    """
    failures: list[Failure] = []
    for key, value in parts:
        if type(value) is not Fault:
            continue
        failures += value.under(key)
        if value.value is UP:
            return Fault(UP, failures)
        into[key] = value.value
    return Fault(into, failures) if failures else into
