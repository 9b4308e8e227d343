"""Which object type each value of a field is of. Decided by its class where that settles it, else value by value."""

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from graphql import GraphQLCompositeType, GraphQLObjectType, GraphQLResolveInfo
from graphql.execution.executor import invalid_return_type_error
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.cast import TYPE_CAST_ATTRIBUTE
from strawberry.types.union import StrawberryUnion

from gqlstock.graphql.executor.places import Places

if TYPE_CHECKING:
    from gqlstock.graphql.executor.plan import Field
    from gqlstock.graphql.executor.walk import Walk

Info = GraphQLResolveInfo[Any]
Found = GraphQLObjectType | Exception


class RuntimeTypes:
    def __init__(self, field: "Field", kind: GraphQLCompositeType) -> None:
        self._field = field
        self._kind = kind
        self._only = kind if isinstance(kind, GraphQLObjectType) and kind.is_type_of is None else None
        self._by_class: dict[type, GraphQLObjectType] = {}

    def of(
        self, values: list[Any], places: Places, walk: "Walk"
    ) -> GraphQLObjectType | list[Found | Awaitable[GraphQLObjectType]]:
        """The type of all values, or that of each: a type, why there is none, or what is awaited for it."""
        if self._only is not None:
            return self._only
        known, classes = self._by_class, {*map(type, values)}
        if classes <= known.keys() and not any(hasattr(value, TYPE_CAST_ATTRIBUTE) for value in values):
            if len(classes) == 1:
                return known[classes.pop()]
            return [known[type(value)] for value in values]
        infos = [walk.info(self._field, path) for path in places.fields]
        return [self._find(value, info, walk) for value, info in zip(values, infos, strict=True)]

    def _find(self, value: Any, info: Info, walk: "Walk") -> Found | Awaitable[GraphQLObjectType]:
        try:
            if isinstance(self._kind, GraphQLObjectType):
                return self._checked(self._kind, value, info, walk)
            told: Any = (self._kind.resolve_type or walk.executor.type_resolver)(value, info, self._kind)
            if walk.executor.is_awaitable(told):
                return self._find_later(told, value, info, walk)
            return self._checked(self._named(told, value, info, walk), value, info, walk)
        except Exception as error:
            return error

    async def _find_later(self, told: Awaitable[str], value: Any, info: Info, walk: "Walk") -> GraphQLObjectType:
        found = self._checked(self._named(await told, value, info, walk), value, info, walk)
        return found if isinstance(found, GraphQLObjectType) else await found

    def _named(self, told: Any, value: Any, info: Info, walk: "Walk") -> GraphQLObjectType:
        return walk.executor.ensure_valid_runtime_type(told, self._kind, self._field.details, info, value)  # type: ignore[arg-type]

    def _checked(
        self, kind: GraphQLObjectType, value: Any, info: Info, walk: "Walk"
    ) -> GraphQLObjectType | Awaitable[GraphQLObjectType]:
        """The type, if the value is of it."""
        if kind.is_type_of is not None:
            fits: Any = kind.is_type_of(value, info)
            if walk.executor.is_awaitable(fits):
                return self._checked_later(kind, value, fits)
            if not fits:
                raise invalid_return_type_error(kind, value, self._field.details)
        if self._told_by_class(kind, value):
            self._by_class[type(value)] = kind
        return kind

    async def _checked_later(self, kind: GraphQLObjectType, value: Any, fits: Awaitable[bool]) -> GraphQLObjectType:
        if not await fits:
            raise invalid_return_type_error(kind, value, self._field.details)
        return kind

    def _told_by_class(self, kind: GraphQLObjectType, value: Any) -> bool:
        """Whether all objects of this one's class are of that type: it is the class that defines the type.

        Not where somebody wrote a function that decides, nor for types made from generic ones, nor what is cast.
        """
        defined = _definition(kind)
        if not isinstance(defined, StrawberryObjectDefinition) or hasattr(value, TYPE_CAST_ATTRIBUTE):
            return False
        if defined.origin is not type(value) or defined.is_graphql_generic or defined.is_type_of is not None:
            return False
        if self._kind is kind:
            return True
        asked = _definition(self._kind)
        if isinstance(asked, StrawberryObjectDefinition):
            return asked.resolve_type is None and isinstance(value, asked.origin)
        return type(asked) is StrawberryUnion


def _definition(kind: Any) -> Any:
    return kind.extensions.get("strawberry-definition")
