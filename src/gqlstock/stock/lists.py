"""Lists of rows that are read page by page. ``services`` decides which rows a list contains."""

from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Generic, Protocol, TypeVar

from gqlstock.rules.paging import Figure, Key, SortOrder, Span
from gqlstock.stock import reading
from gqlstock.store.db import keyset
from gqlstock.store.db.keyset import Groups

Row = TypeVar("Row")
Row_co = TypeVar("Row_co", covariant=True)

Refine = Callable[[Sequence[Any]], Awaitable[Sequence[Any]]]
"""Returns the current versions of rows. Their sort keys remain those that they were found by."""


class Rows(Protocol[Row_co]):
    """A list. Cursors are bound to its ``name``, and contain a value of the ``kind`` that an order sorts by."""

    @property
    def name(self) -> str: ...

    def kind(self, order: SortOrder) -> type: ...

    async def page(self, span: Span) -> Sequence[tuple[Row_co, Key]]:
        """The rows of a span, each with its sort key."""

    async def count(self) -> int:
        """The number of rows on all pages."""


class RowsBelow(Protocol[Row_co]):
    """Like ``Rows``, with one list for each of many parents."""

    @property
    def name(self) -> str: ...

    def kind(self, order: SortOrder) -> type: ...

    async def pages(self, span: Span) -> Mapping[int, Sequence[tuple[Row_co, Key]]]:
        """The rows of a span for each parent. Parents without rows may be omitted."""

    async def counts(self) -> Mapping[int, int]:
        """The number of rows of each parent. Parents without rows may be omitted."""


class QueryRows(Generic[Row]):
    """The rows of a query."""

    def __init__(self, query: Any, refine: Refine | None = None) -> None:
        self._query = query
        self._refine = refine

    @property
    def name(self) -> str:
        return str(self._query.model._meta.db_table)

    def kind(self, order: SortOrder) -> type:
        return keyset.kind(self._query, order)

    async def page(self, span: Span) -> Sequence[tuple[Row, Key]]:
        found = await keyset.page(self._query, span.order, after=span.after, before=span.before, limit=span.limit)
        if self._refine is None:
            return found
        refined = await self._refine([row for row, _ in found])
        return [(row, key) for row, (_, key) in zip(refined, found, strict=True)]

    async def count(self) -> int:
        found: int = await reading.once(keyset.identity(self._query), self._query.count)
        return found


class QueryRowsBelow(Generic[Row]):
    """The rows of a query for each parent, whose id is in ``column``. One statement for any number of parents.

    With ``groups``, a parent has the rows of all members of its group.
    """

    def __init__(
        self,
        query: Any,
        column: str,
        parents: Collection[int],
        refine: Refine | None = None,
        groups: Groups | None = None,
    ) -> None:
        if groups is None and len(set(parents)) == 1:
            groups = {next(iter(parents)): list(set(parents))}
        members = {member for group in groups.values() for member in group} if groups is not None else set(parents)
        self._query = query.filter(**{f"{column}__in": members})
        self._column = column
        self._refine = refine
        self._groups = groups

    @property
    def name(self) -> str:
        return str(self._query.model._meta.db_table)

    def kind(self, order: SortOrder) -> type:
        return keyset.kind(self._query, order)

    async def pages(self, span: Span) -> Mapping[int, Sequence[tuple[Row, Key]]]:
        found = await keyset.pages(
            self._query,
            self._column,
            span.order,
            after=span.after,
            before=span.before,
            limit=span.limit,
            groups=self._groups,
        )
        if self._refine is None:
            return found
        refined = iter(await self._refine([row for part in found.values() for row, _ in part]))
        return {parent: [(next(refined), key) for _, key in part] for parent, part in found.items()}

    async def counts(self) -> Mapping[int, int]:
        found: Mapping[int, int] = await reading.once(
            self.identity(), lambda: keyset.counts(self._query, self._column, self._groups)
        )
        return found

    def identity(self) -> Hashable:
        """Equal for lists of the same rows in the same groups. A category has other groups with its children than without."""
        groups = self._groups
        grouped = None if groups is None else frozenset((parent, tuple(group)) for parent, group in groups.items())
        return keyset.identity(self._query), self._column, grouped


class ComputedRows(Generic[Row]):
    """Computed rows, sorted by a figure. ``key`` returns the figure and an id."""

    name = "report"

    def __init__(self, rows: Sequence[Row], key: Callable[[Row], Key]) -> None:
        self._rows = [(row, key(row)) for row in rows]

    def kind(self, order: SortOrder) -> type:
        return Figure

    async def page(self, span: Span) -> Sequence[tuple[Row, Key]]:
        return between(self._rows, span)

    async def count(self) -> int:
        return len(self._rows)


def between(rows: Sequence[tuple[Row, Key]], span: Span) -> list[tuple[Row, Key]]:
    """The rows of a span. ``rows``: all rows, in any order; their sort values are numbers."""
    sign = -1 if span.order.descending else 1
    after, before = (None if key is None else _at(key, sign) for key in (span.after, span.before))
    placed = sorted(((_at(key, sign), row, key) for row, key in rows), key=lambda one: one[0])
    return [(row, key) for at, row, key in placed if (after is None or at > after) and (before is None or at < before)][
        : span.limit
    ]


def _at(key: Key, sign: int) -> tuple[Decimal, int]:
    return sign * key[0], sign * key[1]
