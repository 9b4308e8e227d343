"""Connections by key: the arguments, the cursors, and the Relay types that every list of rows is answered with."""

import asyncio
import base64
import binascii
import functools
import json
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Generic, TypeVar

import strawberry

from gqlstock.graphql.context import Info
from gqlstock.graphql.errors import BadUserInput, InvalidCursor
from gqlstock.graphql.validation import is_storable
from gqlstock.rules import quantities
from gqlstock.rules.limits import COUNT_COST
from gqlstock.store.db import keyset
from gqlstock.store.db.keyset import Groups, Key, SortOrder

DEFAULT_SIZE = 50
MAX_SIZE = 250

First = Annotated[int | None, strawberry.argument(description=f"The most to give, from the front: 0 to {MAX_SIZE}.")]
After = Annotated[str | None, strawberry.argument(description="Only what comes behind this cursor.")]
Last = Annotated[int | None, strawberry.argument(description=f"The most to give, from the back: 0 to {MAX_SIZE}.")]
Before = Annotated[str | None, strawberry.argument(description="Only what comes before this cursor.")]
Reverse = Annotated[bool, strawberry.argument(description="Whether to turn the order round.")]

Node = TypeVar("Node")


@strawberry.type(description="Where a page of a connection stands.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether more comes behind this page.")
    has_previous_page: bool = strawberry.field(description="Whether something comes before this page.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first edge.")
    end_cursor: str | None = strawberry.field(description="The cursor of the last edge.")


@strawberry.type(description="One entry of a connection.")
class Edge(Generic[Node]):
    cursor: str = strawberry.field(description="Where this entry stands, to page on from here.")
    node: Node = strawberry.field(description="The entry itself.")


Once = Callable[[Hashable, Callable[[], Awaitable[Any]]], Awaitable[Any]]
"""Returns the result kept for a key, or computes and keeps it: ``Context.once``."""
Count = Callable[[Once], Awaitable[int]]


@strawberry.type(description="A page of a list.")
class Connection(Generic[Node]):
    cursors: strawberry.Private[Callable[[int], str]]
    more: strawberry.Private[tuple[bool, bool]]
    count: strawberry.Private["Count"]
    end: strawberry.Private[str | None] = None
    """Where a page without entries ends, if that is told."""

    def _edges(self) -> list[Edge[Node]]:
        return [Edge(cursor=self.cursors(index), node=node) for index, node in enumerate(self.nodes)]

    def _page_info(self) -> PageInfo:
        has_next_page, has_previous_page = self.more
        return PageInfo(
            has_next_page=has_next_page,
            has_previous_page=has_previous_page,
            start_cursor=self.cursors(0) if self.nodes else None,
            end_cursor=self.cursors(len(self.nodes) - 1) if self.nodes else self.end,
        )

    async def _total_count(self, info: Info) -> int:
        return await self.count(info.context.once)

    edges: list[Edge[Node]] = strawberry.field(
        resolver=_edges, description="The entries of this page with their cursors."
    )
    nodes: list[Node] = strawberry.field(description="The entries of this page.")
    page_info: PageInfo = strawberry.field(resolver=_page_info, description="Where this page stands.")
    total_count: int = strawberry.field(
        resolver=_total_count,
        metadata={"work": COUNT_COST},
        description="How many entries there are on all pages together; counted only when asked for.",
    )


@dataclass(frozen=True, slots=True)
class Page:
    """What a caller asks for of a list. Refused when the four do not go together."""

    size: int
    backwards: bool
    after: str | None
    before: str | None

    @classmethod
    def of(cls, first: int | None, after: str | None, last: int | None, before: str | None) -> "Page":
        if first is not None and last is not None:
            raise BadUserInput("first and last do not go together: give one of them.")
        for name, value in (("first", first), ("last", last)):
            if value is not None and not 0 <= value <= MAX_SIZE:
                raise BadUserInput(f"{name} cannot be {value}: 0 to {MAX_SIZE}.")
        size = first if first is not None else last if last is not None else DEFAULT_SIZE
        return cls(size, last is not None, after, before)

    def more(self, *, more: bool) -> tuple[bool, bool]:
        """Whether something comes behind the page, and before it; ``more`` was found in the direction that was read."""
        ahead, behind = self.before is not None, self.after is not None
        return (ahead, more) if self.backwards else (more, behind)


@dataclass(frozen=True, slots=True)
class Listed:
    """What a cursor belongs to: a list, and the kind of the values that it is sorted by."""

    name: str
    kind: type

    @classmethod
    def of(cls, query: Any, order: SortOrder) -> "Listed":
        return cls(query.model._meta.db_table, keyset.kind(query, order))


class Figure(Decimal):
    """A number that was worked out, and need not be a quantity."""


REPORT = Listed("report", Figure)
"""A list that was worked out, sorted by a figure."""


def cursor(of: Listed, order: SortOrder, key: Key) -> str:
    """A key as an opaque text, bound to the list and the order that it belongs to."""
    value, row_id = key
    told = [of.name, order.column, int(order.descending), row_id, _tell(value)]
    return base64.urlsafe_b64encode(json.dumps(told, separators=(",", ":")).encode()).decode()


def key(of: Listed, order: SortOrder, cursor: str | None) -> Key | None:
    """The key that a cursor stands for; refused when it is none, or of another list."""
    if cursor is None:
        return None
    try:
        told = json.loads(base64.b64decode(cursor.encode(), altchars=b"-_", validate=True))
        name, column, descending, row_id, value = told
        if [name, column, descending] != [of.name, order.column, int(order.descending)]:
            raise ValueError
        return _HEARD[of.kind](value), _whole(row_id)
    except (ValueError, TypeError, binascii.Error, OverflowError, RecursionError):
        raise InvalidCursor(f"{cursor[:60]!r} is no cursor of this list.") from None


def _tell(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, datetime) else value


def _whole(told: Any) -> int:
    if type(told) is not int or abs(told) >= 2**63:
        raise ValueError
    return told


def _text(told: Any) -> str:
    if not isinstance(told, str) or not is_storable(told):
        raise ValueError
    return told


def _figure(told: Any) -> Decimal:
    try:
        figure = Decimal(_text(told))
    except InvalidOperation:
        raise ValueError from None
    if not figure.is_finite():
        raise ValueError
    return figure


def _moment(told: Any) -> datetime:
    moment = datetime.fromisoformat(told)
    if moment.tzinfo is None:
        raise ValueError
    return moment.astimezone(UTC)


# How a value is read back, by its kind.
_HEARD: dict[type, Callable[[Any], Any]] = {
    int: _whole,
    str: _text,
    Decimal: quantities.parse,
    Figure: _figure,
    datetime: _moment,
}


async def connection(
    page: Page,
    order: SortOrder,
    fetch: Callable[[SortOrder, Key | None, Key | None, int], Awaitable[Sequence[tuple[Any, Key]]]],
    count: Count,
    node: Callable[[Any], Any],
    of: Listed = REPORT,
) -> Connection[Any]:
    """A page of rows: ``fetch`` gives the next ones of an order between two keys, ``node`` shows one."""
    after, before = key(of, order, page.after), key(of, order, page.before)
    walked = order.reversed() if page.backwards else order
    ends = (before, after) if page.backwards else (after, before)
    found = list(await fetch(walked, *ends, page.size + 1))
    return _connection(page, of, order, found, count, node)


def _connection(
    page: Page,
    of: Listed,
    order: SortOrder,
    found: list[tuple[Any, Key]],
    count: Count,
    node: Callable[[Any], Any],
) -> Connection[Any]:
    more = len(found) > page.size
    kept = found[: page.size]
    if page.backwards:
        kept.reverse()
    return Connection(
        nodes=[node(row) for row, _ in kept],
        cursors=lambda index: cursor(of, order, kept[index][1]),
        more=page.more(more=more),
        count=count,
    )


Refine = Callable[[Sequence[Any]], Awaitable[Sequence[Any]]]
"""Gives rows as they are at this moment, to be shown; their keys are what they were found by."""


async def rows(
    page: Page, order: SortOrder, query: Any, node: Callable[[Any], Any], refine: Refine | None = None
) -> Connection[Any]:
    """A page of a query's rows."""

    async def fetch(order: SortOrder, after: Key | None, before: Key | None, limit: int) -> Sequence[tuple[Any, Key]]:
        found = await keyset.page(query, order, after=after, before=before, limit=limit)
        if refine is None:
            return found
        refined = await refine([row for row, _ in found])
        return [(row, key) for row, (_, key) in zip(refined, found, strict=True)]

    def count(once: Once) -> Awaitable[int]:
        return once(keyset.identity(query), query.count)

    return await connection(page, order, fetch, count, node, Listed.of(query, order))


async def nested(
    page: Page,
    order: SortOrder,
    query: Any,
    column: str,
    parents: Sequence[Any],
    node: Callable[[Any], Any],
    refine: Refine | None = None,
    groups: Groups | None = None,
) -> list[Connection[Any]]:
    """A page of rows below each parent (by id), in one statement; counting them, if asked for, is one more.

    With ``groups`` the page of a parent is that of all that are in its group.
    """
    if groups is None and len(set(parents)) == 1:
        groups = {parents[0]: parents[:1]}
    members = {member for group in groups.values() for member in group} if groups is not None else set(parents)
    below = query.filter(**{f"{column}__in": members})

    async def fetch(order: SortOrder, after: Key | None, before: Key | None, limit: int) -> Pages:
        found = await keyset.pages(below, column, order, after=after, before=before, limit=limit, groups=groups)
        if refine is None:
            return found
        refined = iter(await refine([row for part in found.values() for row, _ in part]))
        return {parent: [(next(refined), key) for _, key in part] for parent, part in found.items()}

    async def count() -> Mapping[Any, int]:
        return await keyset.counts(below, column, groups)

    return await many(
        page, order, fetch, count, parents, node, Listed.of(query, order), lambda: counted_alike(below, column, groups)
    )


def counted_alike(below: Any, column: str, groups: Groups | None) -> Hashable:
    """The key of a count by group: the same rows can be grouped differently, as those of a category and its children."""
    grouped = None if groups is None else frozenset((parent, tuple(members)) for parent, members in groups.items())
    return keyset.identity(below), column, grouped


Pages = Mapping[Any, Sequence[tuple[Any, Key]]]
"""The rows of each parent, with their keys."""


async def many(
    page: Page,
    order: SortOrder,
    fetch: Callable[[SortOrder, Key | None, Key | None, int], Awaitable[Pages]],
    count: Callable[[], Awaitable[Mapping[Any, int]]],
    parents: Sequence[Any],
    node: Callable[[Any], Any],
    of: Listed,
    same: Callable[[], Hashable],
) -> list[Connection[Any]]:
    """As ``connection`` for many parents at once: ``fetch`` and ``count`` answer for all of them.

    What is counted with the key that ``same`` gives is counted once.
    """
    after, before = key(of, order, page.after), key(of, order, page.before)
    walked = order.reversed() if page.backwards else order
    ends = (before, after) if page.backwards else (after, before)
    found = await fetch(walked, *ends, page.size + 1)
    counts = _Counts(count, same)
    return [
        _connection(page, of, order, list(found.get(parent, ())), functools.partial(counts.of, parent), node)
        for parent in parents
    ]


class _Counts:
    """How many rows each parent has; counted for all of them when the first one asks."""

    def __init__(self, count: Callable[[], Awaitable[Mapping[Any, int]]], same: Callable[[], Hashable]) -> None:
        self._count = count
        self._same = same
        self._task: asyncio.Future[Mapping[Any, int]] | None = None

    async def of(self, parent: Any, once: Once) -> int:
        if self._task is None:
            self._task = asyncio.ensure_future(once(self._same(), self._count))
        return (await self._task).get(parent, 0)
