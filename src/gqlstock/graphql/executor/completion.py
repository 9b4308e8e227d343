"""Completes columns: serializes leaves, flattens and rebuilds lists, resolves objects field by field.

A column is checked once, by the classes of its values. If none is null, failed or awaitable, the values need no checks of
their own. Completion of objects and resolution of their fields call each other recursively.
"""

from collections.abc import AsyncIterable
from functools import lru_cache, partial
from itertools import chain, islice
from types import GeneratorType, NoneType
from typing import Any

from graphql import GraphQLError, GraphQLObjectType, Undefined
from graphql.pyutils import is_iterable

from gqlstock.graphql.executor.columns import Column, EventualColumn, gather, settle, then
from gqlstock.graphql.executor.execution import Execution
from gqlstock.graphql.executor.failures import FailedColumn, assembled, failed, with_nulls
from gqlstock.graphql.executor.leaves import complete_leaves
from gqlstock.graphql.executor.paths import FieldPaths, ItemPaths, Paths, SubsetPaths
from gqlstock.graphql.executor.plan import FieldPlan, LeafShape, ListShape, ObjectShape, SelectionPlan, Shape
from gqlstock.graphql.executor.resolution import resolve
from gqlstock.graphql.executor.runtime_types import runtime_types

# The kinds of values, by class.
_PLAIN, _NULL, _FAILED, _AWAITABLE = range(4)


def execute_selection(
    selection: SelectionPlan, objects: list[Any], paths: Paths, execution: Execution
) -> EventualColumn:
    """The response objects for these objects."""
    if not selection.fields:
        return [{} for _ in objects]
    columns = [execute_field(field, objects, paths, execution) for field in selection.fields]
    return gather(columns, partial(join, selection.keys))


def execute_field(field: FieldPlan, objects: list[Any], paths: Paths, execution: Execution) -> EventualColumn:
    """The completed values of the field for these objects."""
    own = FieldPaths(paths, field.key, field.parent.name) if field.needs_paths else paths
    values = resolve(field, objects, own, execution)
    if isinstance(values, list):
        return _complete(values, field.shape, field, own, execution)
    return _complete_later(values, field, own, execution)


def join(keys: list[str], columns: list[Column]) -> Column:
    """The response objects: row by row, the columns' values under these keys."""
    rows: Column = [dict(zip(keys, row, strict=False)) for row in zip(*columns, strict=False)]
    if FailedColumn not in map(type, columns):
        return rows
    return FailedColumn(assembled(row.items(), into=row) for row in rows)


async def _complete_later(values: Any, field: FieldPlan, paths: Paths, execution: Execution) -> Column:
    done = _complete(await values, field.shape, field, paths, execution)
    return done if isinstance(done, list) else await done


def _complete(values: Column, shape: Shape, field: FieldPlan, paths: Paths, execution: Execution) -> EventualColumn:
    if not values or (type(shape) is LeafShape and shape.unchanged.issuperset(map(type, values))):
        return values
    worst = max(map(_kind_of_class, {*map(type, values)}))
    if worst == _PLAIN:
        return _complete_plain(values, shape, field, paths, execution)
    if worst == _AWAITABLE:
        return _complete_awaitables(values, shape, field, paths, execution)
    return _complete_mixed(values, shape, field, paths, execution)


@lru_cache(maxsize=4_096)
def _kind_of_class(cls: Any) -> int:
    if cls is NoneType or cls is type(Undefined):
        return _NULL
    if issubclass(cls, Exception):
        return _FAILED
    # Some generators are awaitable, so each one is checked.
    return _AWAITABLE if hasattr(cls, "__await__") or cls is GeneratorType else _PLAIN


async def _complete_awaitables(
    values: Column, shape: Shape, field: FieldPlan, paths: Paths, execution: Execution
) -> Column:
    settled = await settle(values, execution.executor.is_awaitable)
    done = _complete_mixed(settled, shape, field, paths, execution)
    return done if isinstance(done, list) else await done


def _complete_mixed(
    values: Column, shape: Shape, field: FieldPlan, paths: Paths, execution: Execution
) -> EventualColumn:
    """Complete the values that are present, and keep the nulls and failures in their places."""
    indexes = [i for i, value in enumerate(values) if _kind_of_class(type(value)) not in (_NULL, _FAILED)]  # type: ignore[arg-type]
    if len(indexes) == len(values):
        return _complete_plain(values, shape, field, paths, execution)
    if not indexes:
        return _put_back([], indexes, values, shape, field)
    present = [values[i] for i in indexes]
    done = _complete_plain(present, shape, field, SubsetPaths(paths, indexes), execution)
    return then(done, lambda found: _put_back(found, indexes, values, shape, field))


def _put_back(done: Column, indexes: list[int], values: Column, shape: Shape, field: FieldPlan) -> Column:
    out = [_null_or_failed(value, shape, field) for value in values]
    for index, value in zip(indexes, done, strict=True):
        out[index] = value
    return with_nulls(out, nullable=shape.nullable)


def _null_or_failed(value: Any, shape: Shape, field: FieldPlan) -> Any:
    if isinstance(value, Exception):
        return failed(value, field.nodes, nullable=shape.nullable)
    if shape.nullable:
        return None
    refused = TypeError(f"Cannot return null for non-nullable field {field.parent}.{field.name}.")
    return failed(refused, field.nodes, nullable=False)


def _complete_plain(
    values: Column, shape: Shape, field: FieldPlan, paths: Paths, execution: Execution
) -> EventualColumn:
    """Complete values of which none is null, an exception or awaitable."""
    if isinstance(shape, LeafShape):
        return complete_leaves(values, shape, field, execution)
    if isinstance(shape, ListShape):
        return _complete_lists(values, shape, field, paths, execution)
    return _complete_objects(values, shape, field, paths, execution)


def _complete_lists(
    values: Column, shape: ListShape, field: FieldPlan, paths: Paths, execution: Execution
) -> EventualColumn:
    """Complete the items of all lists as one column, then split it into lists."""
    if not {list, tuple}.issuperset(map(type, values)):
        listed = [_as_list(value, field, execution) for value in values]
        if any(one is not value for one, value in zip(listed, values, strict=True)):
            return _complete(listed, shape, field, paths, execution)
    sizes = [len(value) for value in values]
    items = list(chain.from_iterable(values))
    done = _complete(items, shape.item, field, ItemPaths(paths, sizes), execution)
    return then(done, lambda found: _cut(found, sizes, nullable=shape.nullable))


def _cut(items: Column, sizes: list[int], *, nullable: bool) -> Column:
    rest = iter(items)
    lists: Column = [list(islice(rest, size)) for size in sizes]
    if type(items) is not FailedColumn:
        return lists
    return with_nulls([assembled(enumerate(one), into=one) for one in lists], nullable=nullable)


def _as_list(value: Any, field: FieldPlan, execution: Execution) -> Any:
    """The value as a list, an awaitable of one, or an error if it is not a list."""
    if isinstance(value, list | tuple):
        return value
    if execution.executor.is_async_iterable(value):
        return _collect(value)
    if not is_iterable(value):
        return GraphQLError(f"Expected Iterable, but did not find one for field '{field.parent}.{field.name}'.")
    try:
        return list(value)
    except Exception as error:
        return error


async def _collect(items: AsyncIterable[Any]) -> Column:
    return [item async for item in items]


def _complete_objects(
    values: Column, shape: ObjectShape, field: FieldPlan, paths: Paths, execution: Execution
) -> EventualColumn:
    """Execute the selections, for all values of one type together."""
    types = runtime_types(values, shape, field, paths, execution)
    if isinstance(types, GraphQLObjectType):
        return _execute_objects(types, values, shape, field, paths, execution)
    if any(map(execution.executor.is_awaitable, types)):
        return _complete_typed_later(types, values, shape, field, paths, execution)
    return _complete_typed(types, values, shape, field, paths, execution)


async def _complete_typed_later(
    types: Column, values: Column, shape: ObjectShape, field: FieldPlan, paths: Paths, execution: Execution
) -> Column:
    settled = await settle(types, execution.executor.is_awaitable)
    done = _complete_typed(settled, values, shape, field, paths, execution)
    return done if isinstance(done, list) else await done


def _complete_typed(
    types: Column, values: Column, shape: ObjectShape, field: FieldPlan, paths: Paths, execution: Execution
) -> EventualColumn:
    groups: dict[GraphQLObjectType, list[int]] = {}
    out: Column = [None] * len(values)
    for index, type_ in enumerate(types):
        if isinstance(type_, Exception):
            out[index] = failed(type_, field.nodes, nullable=shape.nullable)
        else:
            groups.setdefault(type_, []).append(index)
    columns = [
        _execute_objects(type_, [values[i] for i in chosen], shape, field, SubsetPaths(paths, chosen), execution)
        for type_, chosen in groups.items()
    ]

    def put_back(done: list[Column]) -> Column:
        for chosen, column in zip(groups.values(), done, strict=True):
            for index, value in zip(chosen, column, strict=True):
                out[index] = value
        return with_nulls(out, nullable=shape.nullable)

    return gather(columns, put_back)


def _execute_objects(
    type_: GraphQLObjectType,
    values: Column,
    shape: ObjectShape,
    field: FieldPlan,
    paths: Paths,
    execution: Execution,
) -> EventualColumn:
    try:
        selection = execution.selection(field, type_)
    except GraphQLError as error:
        return FailedColumn(failed(error, field.nodes, nullable=shape.nullable) for _ in values)
    done = execute_selection(selection, values, paths, execution)
    return then(done, lambda rows: with_nulls(rows, nullable=shape.nullable))
