"""Finds levels in the warehouses that the caller has access to."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gqlstock.rules.catalog import Item
from gqlstock.rules.filters import LevelFilter
from gqlstock.rules.ledger import Level
from gqlstock.rules.paging import Key, SortOrder, Span
from gqlstock.rules.refusals import invalid
from gqlstock.rules.scopes import Caller
from gqlstock.services import categories
from gqlstock.stock import network, present
from gqlstock.stock.lists import QueryRows, QueryRowsBelow, Rows, RowsBelow
from gqlstock.store import levels as rows

_FEW_WAREHOUSES = 50
"""With at most this many warehouses, all levels of an item are read and cached together."""


async def one(sku: str, warehouse: str, caller: Caller) -> Level | None:
    """The level in use of an item in a warehouse, by SKU and code."""
    item = (await present.by_sku([sku])).get(sku)
    return None if item is None else (await in_warehouse(warehouse, [item.id], caller)).get(item.id)


async def in_warehouse(code: str, item_ids: Collection[int], caller: Caller) -> Mapping[int, Level]:
    """The levels in use of items in a warehouse, by item."""
    place = await network.warehouse(code)
    if place is None or not caller.reaches(place.id):
        return {}
    if len((await present.network()).codes) > _FEW_WAREHOUSES:
        return await rows.levels_in(place.id, item_ids)
    found = await present.levels_of(item_ids)
    return {level.item_id: level for levels in found.values() for level in levels if level.warehouse_id == place.id}


async def matching(chosen: LevelFilter, caller: Caller) -> Rows[Level]:
    """The levels that match a filter. Raises ``Refused`` for an unknown website or category."""
    return QueryRows(await _query(chosen, caller), rows.current)


async def in_warehouses(warehouse_ids: Collection[int], chosen: LevelFilter, caller: Caller) -> RowsBelow[Level]:
    """Like ``matching``, for each warehouse."""
    return QueryRowsBelow(await _query(chosen, caller), "warehouse_id", warehouse_ids, rows.current)


async def of_items(items: Sequence[Item], chosen: LevelFilter, caller: Caller) -> RowsBelow[Level]:
    """Like ``matching``, for each item."""
    found = QueryRowsBelow[Level](await _query(chosen, caller), "item_id", [item.id for item in items], rows.current)
    return found if chosen != LevelFilter() else _AllOfItems(items, caller, found)


async def _query(chosen: LevelFilter, caller: Caller) -> Any:
    sold_from = None if chosen.website is None else await _sold_from(chosen.website)
    in_categories = None if chosen.category is None else await categories.ids_below(chosen.category)
    return await rows.matching(chosen, caller.warehouses, sold_from=sold_from, in_categories=in_categories)


async def _sold_from(website: str) -> list[int]:
    channel = (await present.network()).find(website)
    if channel is None:
        raise invalid(f"There is no website {website:.80}.")
    return [one.warehouse_id for one, _ in channel.assigned]


@dataclass(slots=True)
class _AllOfItems:
    """All levels in use of each item.

    Availability loads them as well. A first page by SKU that is large enough for all of them reuses these: the levels of an
    item have the same SKU and are sorted by id.
    """

    items: Sequence[Item]
    caller: Caller
    rows: QueryRowsBelow[Level]
    found: Mapping[int, Sequence[tuple[Level, Key]]] | None = field(default=None, init=False)

    @property
    def name(self) -> str:
        return self.rows.name

    def kind(self, order: SortOrder) -> type:
        return self.rows.kind(order)

    async def pages(self, span: Span) -> Mapping[int, Sequence[tuple[Level, Key]]]:
        is_first_by_sku = span.order.column == "item__sku" and span.after is None and span.before is None
        if not is_first_by_sku or len((await present.network()).codes) >= span.limit:
            return await self.rows.pages(span)
        levels = await present.levels_of(item.id for item in self.items)
        self.found = {
            item.id: [
                (level, (item.sku, level.id)) for level in levels[item.id] if self.caller.reaches(level.warehouse_id)
            ]
            for item in self.items
        }
        if not span.order.descending:
            return self.found
        return {item_id: found[::-1] for item_id, found in self.found.items()}

    async def counts(self) -> Mapping[int, int]:
        if self.found is None:
            return await self.rows.counts()
        return {item_id: len(found) for item_id, found in self.found.items()}
