"""Converts arguments to what resolvers expect, by converters that are compiled once for each type.

Strawberry converts the types that are not simple: ``Maybe``, global ids, and inputs with their own ``from_input``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING
from functools import partial
from typing import Any

import strawberry
from strawberry.relay import GlobalID
from strawberry.scalars import is_scalar
from strawberry.types.arguments import StrawberryArgument, convert_argument
from strawberry.types.base import StrawberryList, StrawberryMaybe, StrawberryOptional, has_object_definition
from strawberry.types.enum import StrawberryEnumDefinition, has_enum_definition
from strawberry.types.lazy_type import LazyType

Convert = Callable[[Any], Any]


def conversion(
    arguments: Sequence[StrawberryArgument], converter: Any
) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """The converter for the arguments of a field."""
    name_of = converter.config.name_converter.from_argument
    known = [(name_of(one), one.python_name, _conversion(one.type, converter)) for one in arguments]
    return lambda given: {name: convert(given[key]) for key, name, convert in known if key in given}


def _conversion(type_: Any, converter: Any) -> Convert:
    if isinstance(type_, StrawberryMaybe) or type_ is GlobalID:
        return _as_strawberry_does(type_, converter)
    if isinstance(type_, StrawberryOptional):
        return _conversion(type_.of_type, converter)
    if isinstance(type_, LazyType):
        return _conversion(type_.resolve_type(), converter)
    if isinstance(type_, StrawberryList):
        return partial(_listed, _conversion(type_.of_type, converter))
    if isinstance(type_, StrawberryEnumDefinition) or has_enum_definition(type_):
        return _same
    if is_scalar(type_, converter.scalar_registry):
        return _same
    if has_object_definition(type_) and type_.__strawberry_definition__.from_input is None:
        return _Object(type_, converter)
    return _as_strawberry_does(type_, converter)


def _as_strawberry_does(type_: Any, converter: Any) -> Convert:
    registry, config = converter.scalar_registry, converter.config
    return lambda value: convert_argument(value, type_, registry, config)


def _same(value: Any) -> Any:
    return value


def _listed(convert: Convert, value: Any) -> Any:
    """A new list each time, because graphql-core shares one default value between all requests."""
    if value is None or value is strawberry.UNSET:
        return value
    return list(value) if convert is _same else [convert(one) for one in value]


class _Object:
    """Builds an input object. The fields are read with the first value, because a type may contain itself."""

    def __init__(self, type_: Any, converter: Any) -> None:
        self._type = type_
        self._converter = converter
        self._nothing: dict[str, None] = {}
        self._fields: list[tuple[str, str, Convert]] | None = None

    def __call__(self, value: Any) -> Any:
        if value is None or value is strawberry.UNSET:
            return value
        given = {name: convert(value[key]) for key, name, convert in self._fields or self._known() if key in value}
        return self._type(**{**self._nothing, **given})

    def _known(self) -> list[tuple[str, str, Convert]]:
        definition = self._type.__strawberry_definition__
        name_of = self._converter.config.name_converter.from_field
        # Omitted fields without a default are None.
        without = [f for f in definition.fields if f.default_value is MISSING and f.default_factory is MISSING]
        self._nothing = {field.python_name: None for field in without if definition.is_input}
        self._fields = [
            (name_of(f), f.python_name, _conversion(f.resolve_type(type_definition=definition), self._converter))
            for f in definition.fields
        ]
        return self._fields
