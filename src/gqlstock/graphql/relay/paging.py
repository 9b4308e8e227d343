"""Keyset pagination: the arguments, the cursors, and the Relay connection types of all lists."""

import asyncio
import base64
import binascii
import functools
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Generic, TypeVar

import strawberry

from gqlstock.graphql.context import Info
from gqlstock.graphql.errors import BadUserInput, InvalidCursor
from gqlstock.rules import quantities
from gqlstock.rules.limits import COUNT_COST
from gqlstock.rules.paging import Figure, Key, SortOrder, Span
from gqlstock.rules.texts import is_storable
from gqlstock.stock.lists import Rows, RowsBelow

DEFAULT_SIZE = 50
MAX_SIZE = 250

First = Annotated[
    int | None,
    strawberry.argument(description=f"The maximum number of entries, from the start: 0 to {MAX_SIZE}."),
]
After = Annotated[str | None, strawberry.argument(description="Only entries after this cursor.")]
Last = Annotated[
    int | None,
    strawberry.argument(description=f"The maximum number of entries, from the end: 0 to {MAX_SIZE}."),
]
Before = Annotated[str | None, strawberry.argument(description="Only entries before this cursor.")]
Reverse = Annotated[bool, strawberry.argument(description="Reverses the sort order.")]

Node = TypeVar("Node")


@strawberry.type(description="The position of a page within its connection.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether there are entries after this page.")
    has_previous_page: bool = strawberry.field(description="Whether there are entries before this page.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first edge. Null on an empty page.")
    end_cursor: str | None = strawberry.field(
        description="The cursor of the last edge. On an empty page: null, or the position from which a feed continues."
    )


@strawberry.type(description="One entry of a connection.")
class Edge(Generic[Node]):
    cursor: str = strawberry.field(description="The position of this entry, for `after` and `before`.")
    node: Node = strawberry.field(description="The entry.")


Count = Callable[[], Awaitable[int]]


@strawberry.type(description="A page of a list.")
class Connection(Generic[Node]):
    cursors: strawberry.Private[Callable[[int], str]]
    more: strawberry.Private[tuple[bool, bool]]
    count: strawberry.Private["Count"]
    end: strawberry.Private[str | None] = None
    """The end cursor of an empty page, if there is one."""

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
        return await self.count()

    edges: list[Edge[Node]] = strawberry.field(
        resolver=_edges, description="The entries of this page, with their cursors."
    )
    nodes: list[Node] = strawberry.field(description="The entries of this page.")
    page_info: PageInfo = strawberry.field(
        resolver=_page_info, description="The position of this page within the connection."
    )
    total_count: int = strawberry.field(
        resolver=_total_count,
        metadata={"work": COUNT_COST},
        description="The number of entries on all pages. It is counted only if it is selected.",
    )


@dataclass(frozen=True, slots=True)
class Page:
    """The requested page of a list. Refuses conflicting arguments."""

    size: int
    backwards: bool
    after: str | None
    before: str | None

    @classmethod
    def of(cls, first: int | None, after: str | None, last: int | None, before: str | None) -> "Page":
        if first is not None and last is not None:
            raise BadUserInput("Give either first or last, not both.")
        for name, value in (("first", first), ("last", last)):
            if value is not None and not 0 <= value <= MAX_SIZE:
                raise BadUserInput(f"{name} must be between 0 and {MAX_SIZE}, not {value}.")
        size = first if first is not None else last if last is not None else DEFAULT_SIZE
        return cls(size, last is not None, after, before)

    def more(self, *, more: bool) -> tuple[bool, bool]:
        """Whether there is a next and a previous page. ``more``: there are rows beyond the page, in reading direction."""
        ahead, behind = self.before is not None, self.after is not None
        return (ahead, more) if self.backwards else (more, behind)


@dataclass(frozen=True, slots=True)
class Listed:
    """What a cursor belongs to: a list, and the type of its sort values."""

    name: str
    kind: type

    @classmethod
    def of(cls, rows: Rows[Any] | RowsBelow[Any], order: SortOrder) -> "Listed":
        return cls(rows.name, rows.kind(order))


def cursor(of: Listed, order: SortOrder, key: Key) -> str:
    """A key as an opaque text, bound to its list and sort order."""
    value, row_id = key
    told = [of.name, order.column, int(order.descending), row_id, _tell(value)]
    return base64.urlsafe_b64encode(json.dumps(told, separators=(",", ":")).encode()).decode()


def key(of: Listed, order: SortOrder, cursor: str | None) -> Key | None:
    """The key of a cursor. Refuses invalid cursors, and those of other lists or orders."""
    if cursor is None:
        return None
    try:
        told = json.loads(base64.b64decode(cursor.encode(), altchars=b"-_", validate=True))
        name, column, descending, row_id, value = told
        if [name, column, descending] != [of.name, order.column, int(order.descending)]:
            raise ValueError
        heard = None if value is None and order.nullable else _HEARD[of.kind](value)
        return heard, _whole(row_id)
    except (ValueError, TypeError, binascii.Error, OverflowError, RecursionError):
        raise InvalidCursor(f"{cursor[:60]!r} is not a cursor of this list.") from None


def _tell(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, datetime) else value


def _whole(value: Any) -> int:
    if type(value) is not int or abs(value) >= 2**63:
        raise ValueError
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or not is_storable(value):
        raise ValueError
    return value


def _figure(value: Any) -> Decimal:
    try:
        figure = Decimal(_text(value))
    except InvalidOperation:
        raise ValueError from None
    if not figure.is_finite():
        raise ValueError
    return figure


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError
    return moment.astimezone(UTC)


# Parses a sort value of a cursor, by its type.
_HEARD: dict[type, Callable[[Any], Any]] = {
    int: _whole,
    str: _text,
    Decimal: quantities.parse,
    Figure: _figure,
    datetime: _moment,
}


async def connection(page: Page, order: SortOrder, rows: Rows[Any], node: Callable[[Any], Any]) -> Connection[Any]:
    """A page of a list. ``node`` shows a row."""
    of = Listed.of(rows, order)
    found = await rows.page(_span(page, of, order))
    return _connection(page, of, order, found, rows.count, node)


async def connections(
    page: Page, order: SortOrder, rows: RowsBelow[Any], parents: Sequence[int], node: Callable[[Any], Any]
) -> list[Connection[Any]]:
    """The same page of the list below each parent, by id."""
    of = Listed.of(rows, order)
    found = await rows.pages(_span(page, of, order))
    counts = _Counts(rows)
    return [
        _connection(page, of, order, found.get(parent, ()), functools.partial(counts.of, parent), node)
        for parent in parents
    ]


def _span(page: Page, of: Listed, order: SortOrder) -> Span:
    """The rows to read for a page: one more than it shows, to know whether there is a next page."""
    after, before = key(of, order, page.after), key(of, order, page.before)
    if page.backwards:
        return Span(order.reversed(), before, after, page.size + 1)
    return Span(order, after, before, page.size + 1)


def _connection(
    page: Page,
    of: Listed,
    order: SortOrder,
    found: Sequence[tuple[Any, Key]],
    count: Count,
    node: Callable[[Any], Any],
) -> Connection[Any]:
    more = len(found) > page.size
    kept = list(found[: page.size])
    if page.backwards:
        kept.reverse()
    return Connection(
        nodes=[node(row) for row, _ in kept],
        cursors=lambda index: cursor(of, order, kept[index][1]),
        more=page.more(more=more),
        count=count,
    )


class _Counts:
    """The number of rows below each parent, counted for all parents when the first count is needed."""

    def __init__(self, rows: RowsBelow[Any]) -> None:
        self._rows = rows
        self._task: asyncio.Future[Mapping[int, int]] | None = None

    async def of(self, parent: int) -> int:
        if self._task is None:
            self._task = asyncio.ensure_future(self._rows.counts())
        return (await self._task).get(parent, 0)
