"""Coerces variable values with functions that are compiled for their types.

They accept valid values only. graphql-core coerces everything else again and reports the errors.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    Undefined,
    VariableDefinitionNode,
)
from graphql.execution.get_variable_signature import get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource
from graphql.utilities.coerce_input_value import coerce_default_value

Coerce = Callable[[Any], Any]
"""Coerces a non-null value. Raises any exception if the value is invalid."""


class _Wrong(Exception):
    """The value is invalid, or its type is not compiled."""


Compiled = dict[GraphQLInputObjectType, Coerce]
_ATTRIBUTE = "compiled_inputs"
"""The attribute of a schema that holds its compiled input types."""


class Variables:
    """The variables of an operation."""

    def __init__(self, schema: GraphQLSchema, definitions: Sequence[VariableDefinitionNode]) -> None:
        compiled: Compiled = vars(schema).setdefault(_ATTRIBUTE, {})
        self._known: list[tuple[str, Any, Coerce]] | None = []
        try:
            for definition in definitions:
                signature = get_variable_signature(schema, definition)
                if isinstance(signature, GraphQLError):
                    raise _Wrong
                coerce_default_value(signature)
                self._known.append((signature.name, signature, _nullable(signature.type, compiled, ())))
        except Exception:
            self._known = None

    def values(self, given: Mapping[str, Any]) -> VariableValues | None:
        """The coerced values. None if graphql-core has to coerce them."""
        if self._known is None:
            return None
        sources: dict[str, VariableValueSource] = {}
        coerced: dict[str, Any] = {}
        try:
            for name, signature, coerce in self._known:
                value = given.get(name, Undefined)
                if value is not Undefined:
                    sources[name] = VariableValueSource(signature, value)
                    coerced[name] = coerce(value)
                    continue
                sources[name] = VariableValueSource(signature)
                default = coerce_default_value(signature)
                if default is not Undefined:
                    coerced[name] = default
                elif isinstance(signature.type, GraphQLNonNull):
                    return None
        except Exception:
            return None
        return VariableValues(sources, coerced)


def _nullable(type_: GraphQLInputType, compiled: Compiled, within: tuple[Any, ...]) -> Coerce:
    """The coercion of a type, nullable or not."""
    if isinstance(type_, GraphQLNonNull):
        coerce = _coercion(type_.of_type, compiled, within)

        def not_null(value: Any) -> Any:
            if value is None:
                raise _Wrong
            return coerce(value)

        return not_null
    coerce = _coercion(type_, compiled, within)
    return lambda value: None if value is None else coerce(value)


def _coercion(type_: Any, compiled: Compiled, within: tuple[Any, ...]) -> Coerce:
    if isinstance(type_, GraphQLList):
        return _list(_nullable(type_.of_type, compiled, within))
    if not isinstance(type_, GraphQLInputObjectType):
        return _leaf(type_.coerce_input_value)
    if type_ in within:
        # A type that contains itself would compile without end.
        raise _Wrong
    if type_ not in compiled:
        compiled[type_] = _object(type_, compiled, (*within, type_))
    return compiled[type_]


def _leaf(read: Coerce) -> Coerce:
    def coerce_leaf(value: Any) -> Any:
        coerced = read(value)
        if coerced is Undefined:
            raise _Wrong
        return coerced

    return coerce_leaf


def _list(coerce: Coerce) -> Coerce:
    def coerce_list(values: Any) -> list[Any]:
        if type(values) is not list:
            raise _Wrong
        return [coerce(value) for value in values]

    return coerce_list


def _object(type_: GraphQLInputObjectType, compiled: Compiled, within: tuple[Any, ...]) -> Coerce:
    fields = []
    for name, field in type_.fields.items():
        coerce_default_value(field)
        required = isinstance(field.type, GraphQLNonNull)
        fields.append((name, field.out_name or name, field, required, _nullable(field.type, compiled, within)))
    out_type = None if type_.out_type is GraphQLInputObjectType.out_type else type_.out_type

    def coerce_object(given: Any) -> Any:
        if type(given) is not dict:
            raise _Wrong
        coerced: dict[str, Any] = {}
        count = 0
        for name, out_name, field, required, coerce in fields:
            if name in given:
                count += 1
                coerced[out_name] = coerce(given[name])
                continue
            default = coerce_default_value(field)
            if default is not Undefined:
                coerced[out_name] = default
            elif required:
                raise _Wrong
        if count != len(given):
            raise _Wrong
        if type_.is_one_of and (count != 1 or len(coerced) != 1 or None in coerced.values()):
            raise _Wrong
        return coerced if out_type is None else out_type(coerced)

    return coerce_object
