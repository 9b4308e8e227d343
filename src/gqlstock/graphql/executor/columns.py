"""Columns of values, and how they are awaited: concurrently, and only where a value is awaitable.

A column holds the values of one field for all objects at one place in the response. A column never fails; it contains the
exceptions of its values.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

from graphql.pyutils.gather_with_cancel import gather_with_cancel

Column = list[Any]
EventualColumn = Column | Awaitable[Column]
"""A column, or an awaitable of it."""


def then(column: EventualColumn, convert: Callable[[Column], Column]) -> EventualColumn:
    """The converted column, immediately if the column is ready."""
    return convert(column) if isinstance(column, list) else _then_later(column, convert)


async def _then_later(column: Awaitable[Column], convert: Callable[[Column], Column]) -> Column:
    return convert(await column)


def gather(columns: list[EventualColumn], join: Callable[[list[Column]], Column]) -> EventualColumn:
    """The joined columns, immediately if all of them are ready."""
    awaited = [index for index, column in enumerate(columns) if not isinstance(column, list)]
    return _gather_later(columns, awaited, join) if awaited else join(cast("list[Column]", columns))


async def _gather_later(columns: list[Any], awaited: list[int], join: Callable[[list[Column]], Column]) -> Column:
    if len(awaited) == 1:
        (only,) = awaited
        columns[only] = await columns[only]
    else:
        await _await_each(columns, awaited)
    return join(columns)


async def settle(values: Sequence[Any], is_awaitable: Callable[[Any], bool]) -> Column:
    """The values, each awaitable replaced by its result or its exception."""
    if len(values) == 1 and is_awaitable(values[0]):
        try:
            return [await values[0]]
        except Exception as error:
            return [error]
    out = [_outcome(value) if is_awaitable(value) else value for value in values]
    await _await_each(out, [index for index, value in enumerate(values) if out[index] is not value])
    return out


async def _outcome(awaitable: Awaitable[Any]) -> Any:
    try:
        return await awaitable
    except Exception as error:
        return error


async def _await_each(values: list[Any], awaited: list[int]) -> None:
    """Replace the values at these indexes by their results."""
    results = await gather_with_cancel(*(values[index] for index in awaited))
    for index, result in zip(awaited, results, strict=True):
        values[index] = result
