"""Derives the shape of a field from its GraphQL type: leaf, list or object, and whether it is nullable."""

from collections.abc import Callable
from functools import lru_cache
from types import NoneType
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLID,
    GraphQLLeafType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLString,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)

from gqlstock.graphql.executor.plan import LeafShape, ListShape, ObjectShape, Shape

# Values of these classes need no serialization.
_UNCHANGED: dict[GraphQLLeafType, frozenset[type]] = {
    GraphQLString: frozenset({str}),
    GraphQLID: frozenset({str}),
    GraphQLBoolean: frozenset({bool}),
}


def shape_of(type_: GraphQLOutputType) -> Shape:
    nullable = not is_non_null_type(type_)
    inner: Any = get_nullable_type(type_)
    if is_list_type(inner):
        return ListShape(shape_of(inner.of_type), nullable)
    if is_leaf_type(inner):
        unchanged = _UNCHANGED.get(inner, frozenset())
        return LeafShape(inner, nullable, _serializer(inner), unchanged | {NoneType} if nullable else unchanged)
    only = inner if isinstance(inner, GraphQLObjectType) and inner.is_type_of is None else None
    return ObjectShape(inner, nullable, only, {})


@lru_cache(maxsize=1_024)
def _serializer(type_: GraphQLLeafType) -> Callable[[Any], Any]:
    """The serializer of a type. Enum members are looked up; values that are not found are serialized one by one."""
    members = getattr(type_, "wrapped_cls", None)
    if not isinstance(type_, GraphQLEnumType) or members is None:
        return type_.coerce_output_value
    return {member: type_.coerce_output_value(member) for member in members}.__getitem__
