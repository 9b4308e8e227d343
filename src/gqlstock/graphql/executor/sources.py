"""Finds the source of a field in its Strawberry definition. A field not known to be simpler has a resolver."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from graphql import GraphQLField
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

from gqlstock.graphql.executor import arguments, batch, derived
from gqlstock.graphql.executor.plan import (
    AttributeSource,
    BatchSource,
    MethodSource,
    ResolverSource,
    Source,
    TypeNameSource,
)


def source_of(name: str, definition: GraphQLField, converter: Any) -> Source:
    """The source of the field with that name. ``converter`` is the Strawberry schema's converter."""
    if name == "__typename":
        return TypeNameSource()
    field = definition.extensions.get("strawberry-definition")
    if not isinstance(field, StrawberryField) or field.extensions or field.is_subscription:
        return ResolverSource(definition.resolve)
    if converter._get_field_exception_handlers(field):
        return ResolverSource(definition.resolve)
    if derived.MARK in field.metadata:
        return AttributeSource(field.metadata[derived.MARK])
    if field.base_resolver is None:
        return AttributeSource(_reader(field))
    convert = arguments.conversion(field.arguments, converter)
    if batch.MARK in field.metadata:
        return BatchSource(field, field.metadata[batch.MARK], convert, field.metadata[batch.AT_HAND])
    return _method(field, field.base_resolver, convert)


def _reader(field: StrawberryField) -> Callable[[Any], Any]:
    if field.default_resolver is getattr and type(field).get_result is StrawberryField.get_result:
        return attrgetter(field.python_name)
    return lambda value: field.get_result(value, info=None, args=[], kwargs={})


def _method(field: StrawberryField, resolver: StrawberryResolver[Any], convert: Callable[..., Any]) -> MethodSource:
    return MethodSource(
        field,
        convert,
        takes_self=resolver.self_parameter is not None,
        parent_names=[p.name for p in (resolver.parent_parameter, resolver.root_parameter) if p is not None],
        info_name=resolver.info_parameter.name if resolver.info_parameter is not None else None,
    )
