"""Lists of products and items: their filters and orders, and for the public only what the website shows."""

import contextlib
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import strawberry

from gqlstock.graphql import access, nodes, paging
from gqlstock.graphql.availability import channel_of
from gqlstock.graphql.context import Info
from gqlstock.graphql.enums import described
from gqlstock.graphql.levels import category_ids, limited, searched
from gqlstock.graphql.paging import Connection, Once, Page, Pages
from gqlstock.rules.assortment import Assortment
from gqlstock.rules.availability import Assessment
from gqlstock.rules.catalog import InventoryStatus, InventoryTracking, Item
from gqlstock.rules.network import SalesChannel
from gqlstock.rules.scopes import Scope
from gqlstock.store import catalog, categories
from gqlstock.store import search as search_rows
from gqlstock.store.db import keyset
from gqlstock.store.db.keyset import Key, SortOrder

# How many rows are looked at for a page of those that a website shows: a little more than the page, then ever more.
_SPARE = 32
_GROWTH = 8
_MOST = 500
"""Rows per part. Assessing one part takes some milliseconds, and other requests wait meanwhile."""

Keep = Callable[[Assessment], bool]
Read = Callable[[Sequence[Item], SalesChannel], Awaitable[Assortment]]


class ProductSort(StrEnum):
    NAME = "name"
    SKU = "sku"
    NEWEST = "id"
    UPDATED = "updated_at"

    def order(self, *, reverse: bool) -> SortOrder:
        return SortOrder(self.value, reverse != (self is ProductSort.NEWEST))


described(
    ProductSort,
    "What products can be sorted by.",
    {
        "NAME": "Their name.",
        "SKU": "Their SKU.",
        "NEWEST": "When they were made, latest first.",
        "UPDATED": "When they were last changed, longest ago first.",
    },
)


class InventoryItemSort(StrEnum):
    SKU = "sku"
    NAME = "name"
    AVAILABLE = "total_available"
    UPDATED = "updated_at"


described(
    InventoryItemSort,
    "What items can be sorted by.",
    {
        "SKU": "Their SKU.",
        "NAME": "Their name.",
        "AVAILABLE": "What is available in all, least first.",
        "UPDATED": "When they were last changed, longest ago first.",
    },
)


@strawberry.input(description="Which products to list; everything given must hold.")
class ProductFilter:
    updated_since: datetime | None = strawberry.field(default=None, description="Only changed at or after that moment.")
    search: str | None = strawberry.field(
        default=None, description="Looks in name, SKU, code and barcode, without case and accents."
    )
    category: str | None = strawberry.field(default=None, description="Only in this category or one below it, by slug.")
    in_stock: bool | None = strawberry.field(
        default=None, description="Only those that are, or are not, IN_STOCK on the website."
    )
    published: bool | None = strawberry.field(default=None, description="Only published or unpublished ones.")
    tracking: InventoryTracking | None = strawberry.field(default=None, description="Only counted in this way.")
    skus: list[str] | None = strawberry.field(default=None, description="Only of these SKUs.")


@strawberry.input(description="Which items to list; everything given must hold.")
class InventoryItemFilter:
    search: str | None = strawberry.field(
        default=None, description="Looks in name, SKU, code and barcode, without case and accents."
    )
    skus: list[str] | None = strawberry.field(default=None, description="Only of these SKUs.")
    category: str | None = strawberry.field(default=None, description="Only in this category or one below it, by slug.")
    warehouse: str | None = strawberry.field(default=None, description="Only with a level in this warehouse, by code.")
    available_below: Decimal | None = strawberry.field(
        default=None, description="Only with less available in all active warehouses together."
    )
    updated_since: datetime | None = strawberry.field(default=None, description="Only changed at or after that moment.")


async def products(
    info: Info, chosen: ProductFilter | None, order: SortOrder, page: Page, website: str | None
) -> Connection[Any]:
    """A page of products."""
    return await _page(info, await _products(chosen), order, page, website, chosen.in_stock if chosen else None)


async def products_below(
    info: Info,
    category_ids: Sequence[int],
    chosen: ProductFilter | None,
    order: SortOrder,
    page: Page,
    website: str | None,
) -> list[Connection[Any]]:
    """A page of products for each category, of those in it and below it."""
    found, in_stock = await _products(chosen), chosen.in_stock if chosen else None
    trees = await categories.subtrees(category_ids)
    keep = _keep(info, in_stock)
    channel = await channel_of(info, website)
    node = _shown_on(website)
    if keep is None:
        return await paging.nested(page, order, found, "category_id", category_ids, node, groups=trees)
    kept: Keep = keep
    below = found.filter(category_id__in={member for tree in trees.values() for member in tree})

    async def fetch(order: SortOrder, after: Key | None, before: Key | None, limit: int) -> Pages:
        if channel is None:
            return {}
        most = limit + _SPARE
        parts = await keyset.pages(below, "category_id", order, after=after, before=before, limit=most, groups=trees)
        here = await info.context.assortment(
            {row.id: row for part in parts.values() for row, _ in part}.values(), channel
        )
        out = {}
        for head, part in parts.items():
            out[head] = [(row, key) for row, key in part if kept(here.assess(row))]
            if len(out[head]) < limit and len(part) == most:
                # Little of it is shown: the rest of this one is looked through by itself.
                rest = found.filter(category_id__in=trees[head])
                out[head] += await _sift(info, rest, order, part[-1][1], before, limit, channel, kept)
        return {head: rows[:limit] for head, rows in out.items()}

    async def count() -> Mapping[int, int]:
        shown: Counter[int] = Counter()
        async for part in _parts(
            info, below, SortOrder("id"), None, None, _MOST, channel, kept, info.context.passing_assortment
        ):
            shown.update(row.category_id for row, _ in part)
        return {head: sum(shown[member] for member in set(tree)) for head, tree in trees.items()}

    of = paging.Listed.of(found, order)

    def same() -> Hashable:
        return paging.counted_alike(below, "category_id", trees), website, in_stock

    return await paging.many(page, order, fetch, count, category_ids, node, of, same)


async def _products(chosen: ProductFilter | None) -> Any:
    """The products that a filter lets through, but for what a website makes of their stock."""
    found = catalog.live_products()
    if chosen is None:
        return found
    found = await _filtered(found, chosen.search, chosen.skus, chosen.category, chosen.updated_since)
    if chosen.published is not None:
        found = found.filter(published=chosen.published)
    if chosen.tracking is not None:
        found = found.filter(tracking=chosen.tracking)
    return found


async def items(
    info: Info, chosen: InventoryItemFilter | None, order: SortOrder, page: Page, website: str | None
) -> Connection[Any]:
    """A page of products and combinations. What tells how much is there wants inventory:read."""
    found = catalog.live_items()
    by_quantity = order.column == "total_available"
    if chosen is not None:
        by_quantity = by_quantity or chosen.available_below is not None
        found = await _filtered(found, chosen.search, chosen.skus, chosen.category, chosen.updated_since)
        if chosen.warehouse is not None:
            access.require(info.context.caller, Scope.INVENTORY_READ)
            there = {"levels__warehouse__code": chosen.warehouse, "levels__deleted_at": None}
            mine = info.context.caller.warehouses
            found = found.filter(**there, **({"levels__warehouse_id__in": mine} if mine is not None else {}))
    if by_quantity:
        access.require(info.context.caller, Scope.INVENTORY_READ)
        found = catalog.with_total_available(found, info.context.caller.warehouses)
        if chosen is not None and chosen.available_below is not None:
            found = catalog.available_below(found, chosen.available_below)
    return await _page(info, found, order, page, website, None)


async def _filtered(
    found: Any, search: str | None, skus: list[str] | None, category: str | None, since: datetime | None
) -> Any:
    if search:
        found = found.filter(await search_rows.items(searched(search)))
    if skus is not None:
        found = found.filter(sku__in=limited(skus, "skus"))
    if category is not None:
        found = found.filter(catalog.in_categories(await category_ids(category)))
    if since is not None:
        found = found.filter(updated_at__gte=since)
    return found


async def _page(
    info: Info, found: Any, order: SortOrder, page: Page, website: str | None, in_stock: bool | None
) -> Connection[Any]:
    keep = _keep(info, in_stock)
    channel = await channel_of(info, website)
    node = _shown_on(website)
    if keep is None:
        return await paging.rows(page, order, found, node)
    kept: Keep = keep

    async def fetch(order: SortOrder, after: Key | None, before: Key | None, limit: int) -> Sequence[tuple[Any, Key]]:
        return await _sift(info, found, order, after, before, limit, channel, kept)

    async def counted() -> int:
        parts = _parts(info, found, SortOrder("id"), None, None, _MOST, channel, kept, info.context.passing_assortment)
        return sum([len(part) async for part in parts])

    def count(once: Once) -> Awaitable[int]:
        return once((keyset.identity(found), website, in_stock), counted)

    return await paging.connection(page, order, fetch, count, node, paging.Listed.of(found, order))


def _shown_on(website: str | None) -> Callable[[Item], Any]:
    return lambda row: nodes.on_website(nodes.show(row), website)


def _keep(info: Info, in_stock: bool | None) -> Keep | None:
    """What a caller sees of a list: the public what the website shows, and whoever asks what is in stock or is not."""
    everything = info.context.caller.may(Scope.CATALOG_READ)
    if everything and in_stock is None:
        return None

    def keep(assessment: Assessment) -> bool:
        if not everything and not assessment.visible:
            return False
        return in_stock is None or (assessment.status is InventoryStatus.IN_STOCK) == in_stock

    return keep


async def _sift(
    info: Info,
    found: Any,
    order: SortOrder,
    after: Key | None,
    before: Key | None,
    limit: int,
    channel: SalesChannel | None,
    keep: Keep,
) -> list[tuple[Any, Key]]:
    """The next rows that pass, and no more than that."""
    kept: list[tuple[Any, Key]] = []
    parts = _parts(
        info, found, order, after, before, min(limit + _SPARE, _MOST), channel, keep, info.context.assortment
    )
    async with contextlib.aclosing(parts):
        async for part in parts:
            kept += part
            if len(kept) >= limit:
                break
    return kept[:limit]


async def _parts(
    info: Info,
    found: Any,
    order: SortOrder,
    after: Key | None,
    before: Key | None,
    size: int,
    channel: SalesChannel | None,
    keep: Keep,
    read: Read,
) -> AsyncGenerator[list[tuple[Any, Key]], None]:
    """The rows that pass, part by part; what a website shows is worked out, so that rows are looked at first.

    Ever larger parts are read, up to a limit, and no more than one of them is in memory. ``read`` gives what the first
    one is worked out from: for a page it is remembered for the fields below.
    """
    if channel is None:
        return
    last = False
    while not last:
        async with info.context.turn():
            part = await keyset.page(found, order, after=after, before=before, limit=size)
            here = await read([row for row, _ in part], channel)
            passed = [(row, key) for row, key in part if keep(here.assess(row))]
        yield passed
        last = len(part) < size
        after = part[-1][1] if part else after
        size, read = min(size * _GROWTH, _MOST), info.context.passing_assortment
