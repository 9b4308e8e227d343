"""Compiles queries once for each shape. Queries of one shape differ in the values of their filters alone.

Tortoise takes longer to compile the query of a page than SQLite to run it.
"""

from collections.abc import Hashable, Iterator
from typing import Any

from tortoise.expressions import Q
from tortoise.fields.data import BigIntField, CharField
from tortoise.queryset import QuerySet

from gqlstock.store.db import sql
from gqlstock.store.db.connection import is_postgres, reading

_MAX_SHAPES = 500
# Fields that store ints and texts as they are. Their subclasses may not.
_PLAIN_FIELDS = (BigIntField, CharField)

Statement = tuple[str, list[int | None]]
"""The text, and for each parameter the number of its value; None is the limit."""

_statements: dict[Hashable, Statement | None] = {}
"""By shape; None where parameters are not just the values."""


class ShapedQ(Q):
    """A condition of another kind, which knows its values and can be made with others."""

    def __init__(self, shape: Hashable, values: list[Any]) -> None:
        super().__init__()
        self.shape = shape
        self.values = values

    def with_values(self, values: list[Any]) -> "ShapedQ":
        raise NotImplementedError


def compiled(query: QuerySet[Any]) -> tuple[Any, str, list[Any]]:
    """As ``sql.compiled``, for a query that only filters, sorts and limits the rows of one table."""
    values: list[Any] = []
    shapes = tuple([_shape(query.model, one, values) for one in query._q_objects])
    more = query._annotations or query._offset or query._distinct or query._group_bys or query._select_related
    if None in shapes or query._limit is None or more:
        return sql.compiled(query)
    shape = query.model, shapes, tuple(query._orderings), query._limit, is_postgres()
    if shape not in _statements:
        if len(_statements) >= _MAX_SHAPES:
            _statements.clear()
        _statements[shape] = _statement(query, values)
    found = _statements[shape]
    if found is None:
        return sql.compiled(query)
    text, places = found
    return reading(), text, [query._limit if place is None else values[place] for place in places]


def _shape(model: Any, condition: Q, values: list[Any]) -> Hashable:
    """What a condition has besides its values, which are added to ``values``; None where they cannot be told apart."""
    if isinstance(condition, ShapedQ):
        values += condition.values
        return type(condition), condition.shape
    if type(condition) is not Q:
        return None
    filters = tuple([_filter_shape(model, *one, values) for one in condition.filters.items()])
    children = tuple([_shape(model, one, values) for one in condition.children])
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
    """Compiled with values of which no two are equal, so that each parameter tells which value it is."""
    marks = [f"mark {number}" if isinstance(one, str) else -1_000_000 - number for number, one in enumerate(values)]
    marked = query.all()
    rest = iter(marks)
    marked._q_objects = [_with_values(one, rest) for one in query._q_objects]
    _, text, parameters = sql.compiled(marked)
    numbers: dict[Any, int | None] = {mark: number for number, mark in enumerate(marks)} | {query._limit: None}
    known = [one for one in parameters if one in numbers]
    if sorted(map(str, known)) != sorted(map(str, [*marks, query._limit])) or len(known) < len(parameters):
        return None
    return text, [numbers[one] for one in parameters]


def _with_values(condition: Q, values: Iterator[Any]) -> Q:
    if isinstance(condition, ShapedQ):
        return condition.with_values([next(values) for _ in condition.values])
    filters = {lookup: _others(value, values) for lookup, value in condition.filters.items()}
    children = [_with_values(one, values) for one in condition.children]
    made = Q(*children, join_type=condition.join_type, **filters)
    if condition._is_negated:
        made.negate()
    return made


def _others(value: Any, values: Iterator[Any]) -> Any:
    if value is None:
        return None
    return [next(values) for _ in value] if isinstance(value, list | tuple | set | frozenset) else next(values)
