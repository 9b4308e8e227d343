"""Lists products and items. The public sees those that the website shows; ``catalog:read`` shows all of them."""

import contextlib
import math
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Collection, Hashable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from gqlstock.rules.availability import Assessment
from gqlstock.rules.catalog import InventoryStatus, Item
from gqlstock.rules.filters import ItemFilter, ProductFilter
from gqlstock.rules.network import SalesChannel
from gqlstock.rules.paging import OLDEST_FIRST, Key, SortOrder, Span
from gqlstock.rules.scopes import Caller, Scope
from gqlstock.services import availability, managed_stock
from gqlstock.services import categories as category_services
from gqlstock.stock import categories, present, reading
from gqlstock.stock.lists import QueryRows, QueryRowsBelow, Rows, RowsBelow
from gqlstock.store import item_lists
from gqlstock.store.db import keyset

# How many rows beyond the page are read first. Several lists read more, because each reads the rest separately.
_SPARE = 4
_SPARE_OF_MANY = 32
_MAX_PART = 500
"""Rows per batch. Assessing one batch takes a few milliseconds and blocks other requests."""

Turn = Callable[[], AbstractAsyncContextManager[None]]
"""A block of work. Other requests run between two blocks."""


@dataclass(frozen=True, slots=True)
class Audience:
    """Who reads a list, and on which website; None while no website exists."""

    caller: Caller
    channel: SalesChannel | None
    turn: Turn


async def products(chosen: ProductFilter, audience: Audience) -> Rows[Item]:
    """The products that match a filter. Raises ``Refused`` for an unknown category."""
    query = await item_lists.products(chosen, await _category_ids(chosen))
    return _shown(query, _Sieve(audience, chosen.in_stock))


async def items(chosen: ItemFilter, order: SortOrder, audience: Audience) -> Rows[Item]:
    """The products and combinations that match a filter. Raises ``Refused`` for an unknown category."""
    query = await item_lists.items(
        chosen,
        await _category_ids(chosen),
        audience.caller.warehouses,
        None if chosen.out_of_stock is None else await managed_stock.supply(audience.caller),
        totals=order.column == item_lists.TOTAL_AVAILABLE,
    )
    return _shown(query, _Sieve(audience))


async def products_below(category_ids: Collection[int], chosen: ProductFilter, audience: Audience) -> RowsBelow[Item]:
    """The products in each category and its descendants. Raises ``Refused`` for an unknown category in the filter."""
    query = await item_lists.products(chosen, await _category_ids(chosen))
    trees = await categories.subtrees(category_ids)
    below: QueryRowsBelow[Item] = QueryRowsBelow(query, "category_id", category_ids, _kept, trees)
    sieve = _Sieve(audience, chosen.in_stock)
    return below if sieve.passes_all else _VisibleRowsBelow(query, trees, below, sieve)


async def _category_ids(chosen: ProductFilter | ItemFilter) -> Collection[int] | None:
    return None if chosen.category is None else await category_services.ids_below(chosen.category)


def _shown(query: Any, sieve: "_Sieve") -> Rows[Item]:
    rows: QueryRows[Item] = QueryRows(query, _kept)
    return rows if sieve.passes_all else _VisibleRows(query, rows, sieve)


async def _kept(found: Sequence[Item]) -> Sequence[Item]:
    present.keep_items(found)
    return found


@dataclass(frozen=True, slots=True)
class _Part:
    """The visible rows of a batch, and the key of the last row examined."""

    passed: list[tuple[Item, Key]]
    looked_at: int
    end: Key | None


@dataclass(frozen=True, slots=True)
class _Sieve:
    """Passes the rows that an audience may see. Visibility is computed, not stored, so rows are read in batches."""

    audience: Audience
    in_stock: bool | None = None

    @property
    def identity(self) -> Hashable:
        channel = self.audience.channel
        return None if channel is None else channel.id, self.in_stock

    @property
    def sees_hidden(self) -> bool:
        return self.audience.caller.may(Scope.CATALOG_READ)

    @property
    def passes_all(self) -> bool:
        return self.in_stock is None and self.sees_hidden

    def passes(self, assessment: Assessment) -> bool:
        if not self.sees_hidden and not assessment.visible:
            return False
        return self.in_stock is None or (assessment.status is InventoryStatus.IN_STOCK) == self.in_stock

    async def first(self, query: Any, span: Span) -> list[tuple[Item, Key]]:
        """The rows of a span of the visible rows."""
        if self.audience.channel is None:
            return []
        passed: list[tuple[Item, Key]] = []
        looked_at, after = 0, span.after
        size = first = min(span.limit + _SPARE, _MAX_PART)
        while True:
            wanted = Span(span.order, after, span.before, size)
            # Caching rows that are only examined would evict others.
            part = await self._part(query, wanted, passing=size > first)
            passed += part.passed
            if len(passed) >= span.limit or part.looked_at < size:
                present.keep_items(item for item, _ in passed[: span.limit])
                return passed[: span.limit]
            looked_at, after = looked_at + part.looked_at, part.end
            lacking = (span.limit - len(passed)) * looked_at / max(len(passed), 1)
            size = min(math.ceil(lacking) + _SPARE, _MAX_PART)

    async def all(self, query: Any) -> AsyncGenerator[list[tuple[Item, Key]], None]:
        """All visible rows, in batches. They are not cached."""
        if self.audience.channel is None:
            return
        after = None
        while True:
            part = await self._part(query, Span(OLDEST_FIRST, after, None, _MAX_PART), passing=True)
            yield part.passed
            if part.looked_at < _MAX_PART:
                return
            after = part.end

    async def _part(self, query: Any, span: Span, *, passing: bool) -> _Part:
        async with self.audience.turn():
            part = await keyset.page(query, span.order, after=span.after, before=span.before, limit=span.limit)
            with present.passing() if passing else contextlib.nullcontext():
                passed = await self.sift(part)
        return _Part(passed, len(part), part[-1][1] if part else None)

    async def sift(self, rows: Sequence[tuple[Item, Key]]) -> list[tuple[Item, Key]]:
        """The visible ones of these rows."""
        if self.audience.channel is None:
            return []
        assessed = await availability.assess((row for row, _ in rows), self.audience.channel)
        return [(row, key) for row, key in rows if self.passes(assessed[row.id].full)]


@dataclass(frozen=True, slots=True)
class _VisibleRows:
    query: Any
    rows: Rows[Item]
    sieve: _Sieve

    @property
    def name(self) -> str:
        return self.rows.name

    def kind(self, order: SortOrder) -> type:
        return self.rows.kind(order)

    async def page(self, span: Span) -> Sequence[tuple[Item, Key]]:
        return await self.sieve.first(self.query, span)

    async def count(self) -> int:
        found: int = await reading.once((keyset.identity(self.query), self.sieve.identity), self._count)
        return found

    async def _count(self) -> int:
        return sum([len(part) async for part in self.sieve.all(self.query)])


@dataclass(frozen=True, slots=True)
class _VisibleRowsBelow:
    query: Any
    trees: Mapping[int, Collection[int]]
    """Each category with its descendants, whose products it lists."""
    rows: QueryRowsBelow[Item]
    sieve: _Sieve

    @property
    def name(self) -> str:
        return self.rows.name

    def kind(self, order: SortOrder) -> type:
        return self.rows.kind(order)

    async def pages(self, span: Span) -> Mapping[int, Sequence[tuple[Item, Key]]]:
        if len(self.trees) == 1:
            return {head: await self.sieve.first(self._below(head), span) for head in self.trees}
        size = span.limit + _SPARE_OF_MANY
        parts = await self.rows.pages(Span(span.order, span.after, span.before, size))
        passed = {key for _, key in await self.sieve.sift([one for part in parts.values() for one in part])}
        out = {}
        for head, part in parts.items():
            out[head] = [(row, key) for row, key in part if key in passed]
            if len(out[head]) < span.limit and len(part) == size:
                rest = Span(span.order, part[-1][1], span.before, span.limit - len(out[head]))
                out[head] += await self.sieve.first(self._below(head), rest)
        pages = {head: rows[: span.limit] for head, rows in out.items()}
        present.keep_items(item for rows in pages.values() for item, _ in rows)
        return pages

    async def counts(self) -> Mapping[int, int]:
        found: Mapping[int, int] = await reading.once((self.rows.identity(), self.sieve.identity), self._counts)
        return found

    async def _counts(self) -> Mapping[int, int]:
        shown: Counter[int | None] = Counter()
        below = self.query.filter(category_id__in={member for tree in self.trees.values() for member in tree})
        async for part in self.sieve.all(below):
            shown.update(row.category_id for row, _ in part)
        return {head: sum(shown[member] for member in set(tree)) for head, tree in self.trees.items()}

    def _below(self, head: int) -> Any:
        return self.query.filter(category_id__in=self.trees[head])
