"""The feed as clients know it: the cursors, of which there is one kind for all feeds, and reading on from one."""

import base64
import contextlib
from collections.abc import AsyncGenerator, Sequence
from typing import Annotated

import strawberry

from gqlstock.graphql.context import Info, Part
from gqlstock.graphql.errors import InvalidCursor
from gqlstock.rules.events import Topic
from gqlstock.rules.feed import Cursor, OutOfReach

# Up to version 0.1 a cursor was a transaction and an id.
_NUMBERS_UNMARKED = 2

AfterArg = Annotated[
    str | None,
    strawberry.argument(
        description=(
            "What was committed since this cursor comes first, then what is new. Any feed's cursor will do. One from "
            "before the news that is kept, or of a history that a restored database does not have, is refused with "
            "INVALID_CURSOR."
        )
    ),
]


def place(told: str | None) -> Cursor | None:
    """The place in the feed that a cursor stands for; refused when it is none."""
    if told is None:
        return None
    try:
        name, *numbers = base64.b64decode(told.encode(), altchars=b"-_", validate=True).decode("ascii").split(":")
        if name == "feed" and all(number.isdigit() and len(number) < 19 for number in numbers):
            if len(numbers) == _NUMBERS_UNMARKED:
                raise InvalidCursor(f"{told[:60]!r} is of an earlier version, which did not mark cursors: start anew.")
            return Cursor(*map(int, numbers))
    except (ValueError, TypeError):
        pass
    raise InvalidCursor(f"{told[:60]!r} is no cursor of this feed.")


def parts(info: Info, topics: Sequence[Topic], after: str | None) -> AsyncGenerator[Part, None]:
    """The news of these topics from behind a cursor, or from now on; refused when there would be a gap."""
    return parts_behind(info, topics, place(after))


async def parts_behind(
    info: Info, topics: Sequence[Topic], after: Cursor | None, subject: int | None = None
) -> AsyncGenerator[Part, None]:
    """As ``parts``, from behind a place; with a subject, only the news about it."""
    try:
        async with contextlib.aclosing(info.context.deployment.feed.parts(topics, after, subject)) as news:
            async for part in news:
                # What is done with a part is some work for each subscriber.
                await info.context.deployment.pushes.turns.wait()
                yield part
    except OutOfReach as error:
        raise InvalidCursor(str(error)) from None
