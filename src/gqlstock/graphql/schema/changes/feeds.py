"""The feed for clients: parsing cursors, which are the same for all feeds, and reading on from one."""

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
            "Starts with the changes committed after this cursor, then continues with new ones. Cursors of all feeds are "
            "interchangeable. A cursor older than the retained changes, or unknown to a restored database, is refused with "
            "INVALID_CURSOR."
        )
    ),
]


def place(text: str | None) -> Cursor | None:
    """The feed position of a cursor. Refuses invalid cursors."""
    if text is None:
        return None
    try:
        name, *numbers = base64.b64decode(text.encode(), altchars=b"-_", validate=True).decode("ascii").split(":")
        if name == "feed" and all(number.isdigit() and len(number) < 19 for number in numbers):
            if len(numbers) == _NUMBERS_UNMARKED:
                raise InvalidCursor(
                    f"{text[:60]!r} is a cursor of an earlier version and is no longer valid. Start again without a cursor."
                )
            return Cursor(*map(int, numbers))
    except (ValueError, TypeError):
        pass
    raise InvalidCursor(f"{text[:60]!r} is not a cursor of this feed.")


def parts(info: Info, topics: Sequence[Topic], after: str | None) -> AsyncGenerator[Part, None]:
    """The changes of these topics after a cursor, or from now on. Refuses a cursor that would leave a gap."""
    return parts_behind(info, topics, place(after))


async def parts_behind(
    info: Info, topics: Sequence[Topic], after: Cursor | None, subject: int | None = None
) -> AsyncGenerator[Part, None]:
    """Like ``parts``, after a feed position. With a subject, only changes of that subject."""
    try:
        async with contextlib.aclosing(info.context.deployment.feed.parts(topics, after, subject)) as news:
            async for part in news:
                # Handling a part takes some time for each subscriber.
                await info.context.deployment.pushes.turns.wait()
                yield part
    except OutOfReach as error:
        raise InvalidCursor(str(error)) from None
