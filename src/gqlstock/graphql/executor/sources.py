"""Where the values of a field come from: an attribute, a batch function, a resolver, or the type's name."""

from collections.abc import Callable, Mapping
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from graphql import GraphQLField
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

from gqlstock.graphql.executor import batch, inputs
from gqlstock.graphql.executor.places import Places

if TYPE_CHECKING:
    from gqlstock.graphql.executor.plan import Field
    from gqlstock.graphql.executor.walk import Walk


class Source:
    def values(self, field: "Field", objects: list[Any], places: Places, walk: "Walk") -> Any:
        """The field's value of each object, an exception where it failed; or what is awaited for all of them."""
        raise NotImplementedError


class TypeName(Source):
    def values(self, field: "Field", objects: list[Any], places: Places, walk: "Walk") -> Any:
        return [field.parent.name] * len(objects)


class Attribute(Source):
    def __init__(self, read: Callable[[Any], Any]) -> None:
        self._read = read

    def values(self, field: "Field", objects: list[Any], places: Places, walk: "Walk") -> Any:
        try:
            return list(map(self._read, objects))
        except Exception:
            return [self._one(value) for value in objects]

    def _one(self, value: Any) -> Any:
        try:
            return self._read(value)
        except Exception as error:
            return error


class Converted(Source):
    """A Strawberry field with nothing around its resolver: called as Strawberry would, its arguments converted once."""

    def __init__(self, field: StrawberryField, converter: Any) -> None:
        self._field = field
        self._converter = converter
        self._same: dict[str, Any] | None = None

    @cached_property
    def _convert(self) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
        return inputs.conversion(self._field.arguments, self._converter)

    def _info(self, field: "Field", path: Any, walk: "Walk") -> Any:
        return walk.converter.config.info_class(_raw_info=walk.info(field, path), _field=self._field)

    def _arguments(self, field: "Field", walk: "Walk") -> dict[str, Any]:
        """The arguments as the resolver wants them; raises what is wrong with them."""
        if self._same is not None:
            return self._same
        given = walk.arguments(field)
        converted = self._convert(given)
        if field.same is given:
            self._same = converted
        return converted


class Batch(Converted):
    def __init__(self, field: StrawberryField, converter: Any) -> None:
        super().__init__(field, converter)
        self._function: batch.Function = field.metadata[batch.MARK]

    def values(self, field: "Field", objects: list[Any], places: Places, walk: "Walk") -> Any:
        try:
            info = self._info(field, places.at(0), walk)
            return batch.load(self._function, objects, info, self._arguments(field, walk))
        except Exception as error:
            return [error] * len(objects)


class Method(Converted):
    def __init__(self, field: StrawberryField, resolver: StrawberryResolver[Any], converter: Any) -> None:
        super().__init__(field, converter)
        self._takes_self = resolver.self_parameter is not None
        self._source_names = [p.name for p in (resolver.parent_parameter, resolver.root_parameter) if p is not None]
        self._info_name = resolver.info_parameter.name if resolver.info_parameter is not None else None

    def values(self, field: "Field", objects: list[Any], places: Places, walk: "Walk") -> Any:
        return [self._one(field, value, path, walk) for value, path in zip(objects, places.paths, strict=True)]

    def _one(self, field: "Field", value: Any, path: Any, walk: "Walk") -> Any:
        try:
            info = self._info(field, path, walk)
            arguments = dict(self._arguments(field, walk))
            for name in self._source_names:
                arguments[name] = value
            if self._info_name is not None:
                arguments[self._info_name] = info
            return self._field.get_result(value, info, [value] if self._takes_self else [], arguments)
        except Exception as error:
            return error


class Resolver(Source):
    def __init__(self, resolve: Callable[..., Any] | None) -> None:
        self._resolve = resolve

    def values(self, field: "Field", objects: list[Any], places: Places, walk: "Walk") -> Any:
        resolve = self._resolve or walk.executor.field_resolver
        return [self._one(resolve, field, value, path, walk) for value, path in zip(objects, places.paths, strict=True)]

    def _one(self, resolve: Callable[..., Any], field: "Field", value: Any, path: Any, walk: "Walk") -> Any:
        info = walk.info(field, path)
        try:
            return resolve(value, info, **walk.arguments(field))
        except Exception as error:
            return error


def source(name: str, definition: GraphQLField, converter: Any) -> Source:
    """Where the values of a field come from. Whatever is not known to be simpler is asked object by object."""
    if name == "__typename":
        return TypeName()
    field = definition.extensions.get("strawberry-definition")
    if not isinstance(field, StrawberryField) or field.extensions or field.is_subscription:
        return Resolver(definition.resolve)
    if converter._get_field_exception_handlers(field):
        return Resolver(definition.resolve)
    if field.base_resolver is None:
        return Attribute(_reader(field))
    return Batch(field, converter) if batch.MARK in field.metadata else Method(field, field.base_resolver, converter)


def _reader(field: StrawberryField) -> Callable[[Any], Any]:
    if field.default_resolver is getattr and type(field).get_result is StrawberryField.get_result:
        return attrgetter(field.python_name)
    return lambda value: field.get_result(value, info=None, args=[], kwargs={})
