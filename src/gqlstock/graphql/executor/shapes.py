"""How a column of values becomes a column of the response: leaves written, lists cut, objects walked, failures placed.

A column is looked at once, by the types of what is in it; where they are all plain, nothing is done value by value but
what each value needs. A step gives the finished column, or a coroutine of it where something has to be awaited.
"""

from collections.abc import AsyncIterable, Callable
from functools import lru_cache
from itertools import chain, islice
from types import GeneratorType, NoneType
from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLBoolean,
    GraphQLCompositeType,
    GraphQLEnumType,
    GraphQLError,
    GraphQLID,
    GraphQLLeafType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLString,
    Undefined,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from graphql.pyutils import is_iterable

from gqlstock.graphql.executor.awaiting import Column, Step, settled, then, together
from gqlstock.graphql.executor.faults import UP, Failure, Fault, Marred, column, held
from gqlstock.graphql.executor.places import Chosen, Items, Places
from gqlstock.graphql.executor.runtime_types import RuntimeTypes

if TYPE_CHECKING:
    from gqlstock.graphql.executor.plan import Field
    from gqlstock.graphql.executor.walk import Walk

# What a value of some class can be.
_PLAIN, _NULL, _FAILED, _AWAITABLE = range(4)


@lru_cache(maxsize=4_096)
def _sort(kind: Any) -> int:
    if kind is NoneType or kind is type(Undefined):
        return _NULL
    if issubclass(kind, Exception):
        return _FAILED
    # Some generators can be awaited: those are told by looking at each.
    return _AWAITABLE if hasattr(kind, "__await__") or kind is GeneratorType else _PLAIN


class Shape:
    """What the values of a field, or the items of a list, become."""

    def __init__(self, field: "Field", *, nullable: bool) -> None:
        self.field = field
        self.nullable = nullable

    def complete(self, values: Column, places: Places, walk: "Walk") -> Step:
        """The column of the response that stands for these values."""
        if not values:
            return values
        worst = max(map(_sort, {*map(type, values)}))
        if worst == _PLAIN:
            return self._plain(values, places, walk)
        if worst == _AWAITABLE:
            return self._awaited(values, places, walk)
        return self._mixed(values, places, walk)

    def _plain(self, values: Column, places: Places, walk: "Walk") -> Step:
        """The column of values none of which is null, an exception or awaitable."""
        raise NotImplementedError

    async def _awaited(self, values: Column, places: Places, walk: "Walk") -> Column:
        step = self._mixed(await settled(values, walk.executor.is_awaitable), places, walk)
        return step if isinstance(step, list) else await step

    def _mixed(self, values: Column, places: Places, walk: "Walk") -> Step:
        there = [i for i, value in enumerate(values) if _sort(type(value)) not in (_NULL, _FAILED)]  # type: ignore[arg-type]
        if len(there) == len(values):
            return self._plain(values, places, walk)
        if not there:
            return self._put_back(values, [], [])
        present = self._plain([values[i] for i in there], Chosen(places, there), walk)
        return then(present, lambda done: self._put_back(values, there, done))

    def _put_back(self, values: Column, there: list[int], done: Column) -> Column:
        out = [self._nothing(value) for value in values]
        for index, value in zip(there, done, strict=True):
            out[index] = value
        return self._allowed(out)

    def _nothing(self, value: Any) -> Any:
        """What stands for a null or an exception."""
        if isinstance(value, Exception):
            return self.failed(value)
        return None if self.nullable else self.failed(TypeError(self.field.null_refused))

    def _allowed(self, values: Column) -> Column:
        """The values, and null in place of those that cannot be, where null is allowed."""
        marred = Fault in map(type, values)
        if marred and self.nullable:
            values = [value.as_null() if type(value) is Fault else value for value in values]
        return column(values, marred=marred)

    def failed(self, error: Exception) -> Fault:
        """What stands for a value that failed."""
        return Fault(None if self.nullable else UP, [Failure(error, self.field.nodes)])


class Leaf(Shape):
    """Scalars and enums."""

    def __init__(self, field: "Field", kind: GraphQLLeafType, *, nullable: bool) -> None:
        super().__init__(field, nullable=nullable)
        self._kind = kind
        self._write = _writer(kind)
        unchanged = _UNCHANGED.get(kind, frozenset())
        self._unchanged = unchanged | {NoneType} if nullable else unchanged

    def complete(self, values: Column, places: Places, walk: "Walk") -> Step:
        if self._unchanged.issuperset(map(type, values)):
            return values
        return super().complete(values, places, walk)

    def _plain(self, values: Column, places: Places, walk: "Walk") -> Step:
        write = self._write
        try:
            out = [write(value) for value in values]
        except Exception:
            return self._one_by_one(values, walk)
        if NoneType in map(type, out) or Undefined in out:
            return self._one_by_one(values, walk)
        return out

    def _one_by_one(self, values: Column, walk: "Walk") -> Column:
        return self._allowed([self._written(value, walk) for value in values])

    def _written(self, value: Any, walk: "Walk") -> Any:
        try:
            return walk.executor.complete_leaf_value(self._kind, value)
        except Exception as error:
            return self.failed(error)


# Values of these types are sent as they are.
_UNCHANGED: dict[GraphQLLeafType, frozenset[type]] = {
    GraphQLString: frozenset({str}),
    GraphQLID: frozenset({str}),
    GraphQLBoolean: frozenset({bool}),
}


@lru_cache(maxsize=1_024)
def _writer(kind: GraphQLLeafType) -> Callable[[Any], Any]:
    """What writes a value of a scalar or an enum; an enum's members are looked up. What it refuses is tried again."""
    members = getattr(kind, "wrapped_cls", None)
    if not isinstance(kind, GraphQLEnumType) or members is None:
        return kind.coerce_output_value
    return {member: kind.coerce_output_value(member) for member in members}.__getitem__


class Many(Shape):
    """Lists: completed as one column of all their items, and cut again."""

    def __init__(self, field: "Field", item: Shape, *, nullable: bool) -> None:
        super().__init__(field, nullable=nullable)
        self._item = item

    def _plain(self, values: Column, places: Places, walk: "Walk") -> Step:
        if not {list, tuple}.issuperset(map(type, values)):
            listed = [self._listed(value, walk) for value in values]
            if any(one is not value for one, value in zip(listed, values, strict=True)):
                return self.complete(listed, places, walk)
        sizes = [len(value) for value in values]
        items = list(chain.from_iterable(values))
        done = self._item.complete(items, Items(places, sizes), walk)
        return then(done, lambda found: self._cut(found, sizes))

    def _cut(self, items: Column, sizes: list[int]) -> Column:
        rest = iter(items)
        lists: Column = [list(islice(rest, size)) for size in sizes]
        if type(items) is not Marred:
            return lists
        return self._allowed([held(enumerate(one), into=one) for one in lists])

    def _listed(self, value: Any, walk: "Walk") -> Any:
        """The value as a list; what is awaited for one; or why it is none."""
        if isinstance(value, list | tuple):
            return value
        if walk.executor.is_async_iterable(value):
            return _collected(value)
        if not is_iterable(value):
            return GraphQLError(self.field.list_expected)
        try:
            return list(value)
        except Exception as error:
            return error


async def _collected(items: AsyncIterable[Any]) -> Column:
    return [item async for item in items]


class Composite(Shape):
    """Objects, interfaces and unions: the objects of each type are walked together."""

    def __init__(self, field: "Field", kind: GraphQLCompositeType, *, nullable: bool) -> None:
        super().__init__(field, nullable=nullable)
        self._types = RuntimeTypes(field, kind)

    def _plain(self, values: Column, places: Places, walk: "Walk") -> Step:
        types = self._types.of(values, places, walk)
        if isinstance(types, GraphQLObjectType):
            return self._walked(types, values, places, walk)
        if any(map(walk.executor.is_awaitable, types)):
            return self._typed_later(types, values, places, walk)
        return self._grouped(types, values, places, walk)

    async def _typed_later(self, types: Column, values: Column, places: Places, walk: "Walk") -> Column:
        step = self._grouped(await settled(types, walk.executor.is_awaitable), values, places, walk)
        return step if isinstance(step, list) else await step

    def _grouped(self, types: Column, values: Column, places: Places, walk: "Walk") -> Step:
        groups: dict[GraphQLObjectType, list[int]] = {}
        out: Column = [None] * len(values)
        for index, kind in enumerate(types):
            if isinstance(kind, Exception):
                out[index] = self.failed(kind)
            else:
                groups.setdefault(kind, []).append(index)
        steps = [
            self._walked(kind, [values[i] for i in chosen], Chosen(places, chosen), walk)
            for kind, chosen in groups.items()
        ]

        def put_back(columns: Column) -> Column:
            for chosen, done in zip(groups.values(), columns, strict=True):
                for index, value in zip(chosen, done, strict=True):
                    out[index] = value
            return self._allowed(out)

        return together(steps, put_back)

    def _walked(self, kind: GraphQLObjectType, values: Column, places: Places, walk: "Walk") -> Step:
        try:
            selection = walk.below(self.field, kind)
        except GraphQLError as error:
            return self._allowed([self.failed(error) for _ in values])
        return then(selection.run(values, places, walk), self._allowed)


def shape(field: "Field", kind: GraphQLOutputType) -> Shape:
    """What the values of a field of that type become."""
    nullable = not is_non_null_type(kind)
    inner: Any = get_nullable_type(kind)
    if is_list_type(inner):
        return Many(field, shape(field, inner.of_type), nullable=nullable)
    if is_leaf_type(inner):
        return Leaf(field, inner, nullable=nullable)
    return Composite(field, inner, nullable=nullable)
