"""Compiles each query shape once. Queries of one shape differ only in their filter values.

Tortoise takes longer to compile the query of a page than SQLite takes to run it.
"""

from collections.abc import Hashable, Iterator
from typing import Any

from tortoise.expressions import Q
from tortoise.fields.data import BigIntField, CharField
from tortoise.queryset import QuerySet

from gqlstock.store.db import sql
from gqlstock.store.db.connection import is_postgres, reading

_MAX_SHAPES = 500
# Fields that store ints and strings as they are. Their subclasses may not.
_PLAIN_FIELDS = (BigIntField, CharField)

Statement = tuple[str, list[int | None]]
"""The SQL, and for each parameter the index of its value; None stands for the limit."""

_statements: dict[Hashable, Statement | None] = {}
"""By shape; None if the statement has parameters other than filter values and the limit."""


class ShapedQ(Q):
    """A custom condition that exposes its values and can be rebuilt with others."""

    def __init__(self, shape: Hashable, values: list[Any]) -> None:
        super().__init__()
        self.shape = shape
        self.values = values

    def with_values(self, values: list[Any]) -> "ShapedQ":
        raise NotImplementedError


def compiled(query: QuerySet[Any]) -> tuple[Any, str, list[Any]]:
    """Like ``sql.compiled``, for a query that only filters, sorts and limits the rows of one table."""
    values: list[Any] = []
    shapes = tuple([_shape(query.model, condition, values) for condition in query._q_objects])
    more = query._annotations or query._offset or query._distinct or query._group_bys or query._select_related
    if None in shapes or query._limit is None or more:
        return sql.compiled(query)
    shape = query.model, shapes, tuple(query._orderings), query._limit, is_postgres()
    if shape not in _statements:
        if len(_statements) >= _MAX_SHAPES:
            _statements.clear()
        _statements[shape] = _statement(query, values)
    statement = _statements[shape]
    if statement is None:
        return sql.compiled(query)
    text, indexes = statement
    return reading(), text, [query._limit if index is None else values[index] for index in indexes]


def _shape(model: Any, condition: Q, values: list[Any]) -> Hashable:
    """A condition without its values, which are appended to ``values``; None if the two cannot be separated."""
    if isinstance(condition, ShapedQ):
        values += condition.values
        return type(condition), condition.shape
    if type(condition) is not Q:
        return None
    filters = tuple([_filter_shape(model, *item, values) for item in condition.filters.items()])
    children = tuple([_shape(model, child, values) for child in condition.children])
    if None in filters or None in children:
        return None
    return condition.join_type, condition._is_negated, filters, children


def _filter_shape(model: Any, lookup: str, value: Any, values: list[Any]) -> Hashable:
    if value is None:
        return lookup, None
    name, _, operator = lookup.partition("__")
    if type(model._meta.fields_map.get(name)) not in _PLAIN_FIELDS or operator not in ("", "in", "gt", "lt"):
        return None
    listed = list(value) if operator == "in" and isinstance(value, list | tuple | set | frozenset) else [value]
    if not {int, str}.issuperset(map(type, listed)):
        return None
    values += listed
    return lookup, tuple(map(type, listed))


def _statement(query: QuerySet[Any], values: list[Any]) -> Statement | None:
    """Compile a query with distinct markers as values, so each parameter identifies its value."""
    markers = [
        f"marker {index}" if isinstance(value, str) else -1_000_000 - index for index, value in enumerate(values)
    ]
    with_markers = query.all()
    rest = iter(markers)
    with_markers._q_objects = [_with_values(condition, rest) for condition in query._q_objects]
    _, text, parameters = sql.compiled(with_markers)
    indexes: dict[Any, int | None] = {marker: index for index, marker in enumerate(markers)} | {query._limit: None}
    known = [parameter for parameter in parameters if parameter in indexes]
    if sorted(map(str, known)) != sorted(map(str, [*markers, query._limit])) or len(known) < len(parameters):
        return None
    return text, [indexes[parameter] for parameter in parameters]


def _with_values(condition: Q, values: Iterator[Any]) -> Q:
    if isinstance(condition, ShapedQ):
        return condition.with_values([next(values) for _ in condition.values])
    filters = {lookup: _replaced(value, values) for lookup, value in condition.filters.items()}
    children = [_with_values(child, values) for child in condition.children]
    made = Q(*children, join_type=condition.join_type, **filters)
    if condition._is_negated:
        made.negate()
    return made


def _replaced(value: Any, values: Iterator[Any]) -> Any:
    if value is None:
        return None
    return [next(values) for _ in value] if isinstance(value, list | tuple | set | frozenset) else next(values)
