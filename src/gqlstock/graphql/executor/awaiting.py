"""How what has to be awaited is awaited: side by side, and only where there is something to await.

A step is a finished column, or an awaitable of it. No step fails: what goes wrong stands in the column.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

from graphql.pyutils.gather_with_cancel import gather_with_cancel

Column = list[Any]
Step = Column | Awaitable[Column]


def then(step: Step, follow: Callable[[Column], Column]) -> Step:
    """What follows of a column, at once if it is there."""
    return follow(step) if isinstance(step, list) else _later(step, follow)


async def _later(step: Awaitable[Column], follow: Callable[[Column], Column]) -> Column:
    return follow(await step)


def together(steps: list[Step], follow: Callable[[list[Column]], Column]) -> Step:
    """What follows of some columns, at once if they are all there."""
    awaited = [index for index, step in enumerate(steps) if not isinstance(step, list)]
    return _gathered(steps, awaited, follow) if awaited else follow(cast("list[Column]", steps))


async def _gathered(steps: list[Any], awaited: list[int], follow: Callable[[list[Column]], Column]) -> Column:
    if len(awaited) == 1:
        (only,) = awaited
        steps[only] = await steps[only]
    else:
        await _fill(steps, awaited)
    return follow(steps)


async def settled(values: Sequence[Any], is_awaitable: Callable[[Any], bool]) -> Column:
    """The values, and in place of what can be awaited what it gave, or the exception that it ended with."""
    if len(values) == 1 and is_awaitable(values[0]):
        try:
            return [await values[0]]
        except Exception as error:
            return [error]
    out = [_outcome(value) if is_awaitable(value) else value for value in values]
    await _fill(out, [index for index, value in enumerate(values) if out[index] is not value])
    return out


async def _outcome(awaitable: Awaitable[Any]) -> Any:
    try:
        return await awaitable
    except Exception as error:
        return error


async def _fill(places: list[Any], awaited: list[int]) -> None:
    """Put what they give in the place of those that are awaited."""
    found = await gather_with_cancel(*(places[index] for index in awaited))
    for index, value in zip(awaited, found, strict=True):
        places[index] = value
