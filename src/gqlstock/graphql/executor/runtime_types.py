"""Resolves the object type of each value of a field: by its class where possible, else value by value."""

from collections.abc import Awaitable
from typing import Any

from graphql import GraphQLObjectType, GraphQLResolveInfo
from graphql.execution.executor import invalid_return_type_error
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.cast import TYPE_CAST_ATTRIBUTE
from strawberry.types.union import StrawberryUnion

from gqlstock.graphql.executor.execution import Execution
from gqlstock.graphql.executor.paths import Paths
from gqlstock.graphql.executor.plan import FieldPlan, ObjectShape

Info = GraphQLResolveInfo[Any]
TypeOrError = GraphQLObjectType | Exception


def runtime_types(
    values: list[Any], shape: ObjectShape, field: FieldPlan, paths: Paths, execution: Execution
) -> GraphQLObjectType | list[TypeOrError | Awaitable[GraphQLObjectType]]:
    """The common type of all values, or one entry per value: a type, an error, or an awaitable of a type."""
    if shape.only is not None:
        return shape.only
    known, classes = shape.type_of_class, {*map(type, values)}
    if classes <= known.keys() and not any(hasattr(value, TYPE_CAST_ATTRIBUTE) for value in values):
        if len(classes) == 1:
            return known[classes.pop()]
        return [known[type(value)] for value in values]
    deciding = _Deciding(shape, field, execution)
    infos = [execution.info(field, path) for path in paths.fields]
    return [deciding.type_of(value, info) for value, info in zip(values, infos, strict=True)]


class _Deciding:
    """Resolves types value by value, as graphql-core does, and remembers the types that are known by class."""

    def __init__(self, shape: ObjectShape, field: FieldPlan, execution: Execution) -> None:
        self._shape = shape
        self._field = field
        self._executor = execution.executor

    def type_of(self, value: Any, info: Info) -> TypeOrError | Awaitable[GraphQLObjectType]:
        asked = self._shape.graphql_type
        try:
            if isinstance(asked, GraphQLObjectType):
                return self._checked(asked, value, info)
            name: Any = (asked.resolve_type or self._executor.type_resolver)(value, info, asked)
            if self._executor.is_awaitable(name):
                return self._type_of_later(name, value, info)
            return self._checked(self._named(name, value, info), value, info)
        except Exception as error:
            return error

    async def _type_of_later(self, name: Awaitable[str], value: Any, info: Info) -> GraphQLObjectType:
        found = self._checked(self._named(await name, value, info), value, info)
        return found if isinstance(found, GraphQLObjectType) else await found

    def _named(self, name: Any, value: Any, info: Info) -> GraphQLObjectType:
        return self._executor.ensure_valid_runtime_type(
            name,
            self._shape.graphql_type,  # type: ignore[arg-type]
            self._field.details,
            info,
            value,
        )

    def _checked(
        self, type_: GraphQLObjectType, value: Any, info: Info
    ) -> GraphQLObjectType | Awaitable[GraphQLObjectType]:
        """The type, if the value is an instance of it."""
        if type_.is_type_of is not None:
            fits: Any = type_.is_type_of(value, info)
            if self._executor.is_awaitable(fits):
                return self._checked_later(type_, value, fits)
            if not fits:
                raise invalid_return_type_error(type_, value, self._field.details)
        if self._is_settled_by_class(type_, value):
            self._shape.type_of_class[type(value)] = type_
        return type_

    async def _checked_later(self, type_: GraphQLObjectType, value: Any, fits: Awaitable[bool]) -> GraphQLObjectType:
        if not await fits:
            raise invalid_return_type_error(type_, value, self._field.details)
        return type_

    def _is_settled_by_class(self, type_: GraphQLObjectType, value: Any) -> bool:
        """Whether all objects of the value's class have that type, because the class defines the type.

        False if a function decides, for generic types, and for values with a type cast.
        """
        defined = _definition(type_)
        if not isinstance(defined, StrawberryObjectDefinition) or hasattr(value, TYPE_CAST_ATTRIBUTE):
            return False
        if defined.origin is not type(value) or defined.is_graphql_generic or defined.is_type_of is not None:
            return False
        if self._shape.graphql_type is type_:
            return True
        asked = _definition(self._shape.graphql_type)
        if isinstance(asked, StrawberryObjectDefinition):
            return asked.resolve_type is None and isinstance(value, asked.origin)
        return type(asked) is StrawberryUnion


def _definition(type_: Any) -> Any:
    return type_.extensions.get("strawberry-definition")
