"""Reports of demand, by item and by category. ``rules.demand`` computes the figures."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from gqlstock.rules import counting
from gqlstock.rules import demand as rules
from gqlstock.rules.catalog import Item
from gqlstock.rules.categories import Category
from gqlstock.rules.demand import Demand, Outlook
from gqlstock.rules.fallback import SettingsLookup
from gqlstock.rules.ledger import Level, total
from gqlstock.rules.network import Network, SalesChannel
from gqlstock.rules.paging import OLDEST_FIRST, Key
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.scopes import SYSTEM, Caller
from gqlstock.stock import present
from gqlstock.store import catalog, categories, free_units
from gqlstock.store import demand as rows
from gqlstock.store.db import clock, keyset, sql
from gqlstock.store.demand import Within

_ITEMS_PER_PART = 1_000
_ITEMS_PER_STEP = 500
"""How many items ``soonest`` reads at a time until it has enough."""


@dataclass(frozen=True, slots=True)
class ItemDemand:
    item: Item
    demand: Demand
    available: Decimal
    outlook: Outlook


@dataclass(frozen=True, slots=True)
class CategoryDemand:
    category: Category
    ordered: Decimal
    ordered_before: Decimal


class Report:
    """The demand for items. Items are read on request, because most items are not ordered in a month."""

    def __init__(
        self,
        network: Network,
        demands: Mapping[int, Demand],
        *,
        days: int,
        cover_days: int,
        channel: SalesChannel | None,
        category_ids: Sequence[int] | None,
        caller: Caller,
    ) -> None:
        self._network = network
        self._demands = demands
        self._days = days
        self._cover_days = cover_days
        self._channel = channel
        self._category_ids = category_ids
        places = {one.warehouse_id for one in channel.warehouses} if channel else network.active
        self._places = {warehouse_id for warehouse_id in places if caller.reaches(warehouse_id)}
        self._now = clock.now()

    async def of_ordered(self) -> list[ItemDemand]:
        """The counted items that were ordered."""
        ids = sorted(item_id for item_id, demand in self._demands.items() if demand.ordered > 0)
        found: list[ItemDemand] = []
        for part in sql.parts(ids, _ITEMS_PER_PART):
            found += await self._of(list((await catalog.items_in_use(part)).values()))
        return found

    async def soonest(self, after: Key | None, limit: int) -> list[ItemDemand]:
        """At least ``limit`` of the ordered items that run out next, after a key of days of cover and item id.

        Returns fewer only if no more exist. Only these items are read.
        """
        free = await free_units.of(
            [item_id for item_id, demand in self._demands.items() if demand.ordered > 0], self._places
        )
        covers = [(rules.cover(self._demands[item_id], free[item_id], self._days), item_id) for item_id in free]
        places = sorted((cover, item_id) for cover, item_id in covers if cover is not None)
        ids = [place[1] for place in places if after is None or place > after]
        found: list[ItemDemand] = []
        for part in sql.parts(ids, _ITEMS_PER_STEP):
            in_use = await catalog.items_in_use(part)
            found += await self._of([in_use[item_id] for item_id in part if item_id in in_use])
            if len(found) >= limit:
                break
        return found

    async def of_all(self) -> list[ItemDemand]:
        """The counted items that have a level or were ordered."""
        items = catalog.live_items()
        if self._category_ids is not None:
            items = items.filter(catalog.in_categories(self._category_ids))
        found: list[ItemDemand] = []
        after: Key | None = None
        while True:
            part = await keyset.page(items, OLDEST_FIRST, after=after, before=None, limit=_ITEMS_PER_PART)
            found += await self._of([row for row, _ in part])
            if len(part) < _ITEMS_PER_PART:
                return found
            after = part[-1][1]

    async def _of(self, items: Sequence[Item]) -> list[ItemDemand]:
        # Lets other tasks run between two batches.
        await asyncio.sleep(0)
        with present.passing():
            lookup = await present.settings(items, self._network)
            levels = await present.levels_of([item.id for item in items])
        found = []
        for item in items:
            here = [level for level in levels[item.id] if level.warehouse_id in self._places]
            if counting.is_stocked(item, lookup.product(item)) and (here or item.id in self._demands):
                found.append(self._row(item, here, lookup))
        return found

    def _row(self, item: Item, here: Sequence[Level], lookup: SettingsLookup) -> ItemDemand:
        demand = self._demands.get(item.id, Demand())
        available = sum((max(level.available, ZERO) for level in here), ZERO)
        outlook = rules.outlook(
            demand,
            available,
            total(here).incoming,
            days=self._days,
            cover_days=self._cover_days,
            decimals=_uses_decimals(item, here, lookup, self._channel),
            now=self._now,
        )
        return ItemDemand(item, demand, available, outlook)


async def by_item(
    network: Network,
    *,
    days: int,
    cover_days: int,
    channel: SalesChannel | None = None,
    category_ids: Sequence[int] | None = None,
    caller: Caller = SYSTEM,
) -> Report:
    """The demand for each item, and the outlook for the stock that the caller sees."""
    return Report(
        network,
        await _demands(days, channel, category_ids),
        days=days,
        cover_days=cover_days,
        channel=channel,
        category_ids=category_ids,
        caller=caller,
    )


async def by_category(*, days: int, channel: SalesChannel | None = None) -> list[CategoryDemand]:
    """The demand for each category, including its subcategories, by slug. Categories without orders are left out."""
    demands = await _demands(days, channel)
    sums: dict[int, tuple[Decimal, Decimal]] = {}
    of_item = await rows.categories(demands.keys())
    chains = await categories.chains({category_id for category_id in of_item.values() if category_id is not None})
    for item_id, category_id in of_item.items():
        for one, _ in chains.get(category_id, []) if category_id is not None else []:
            ordered, before = sums.get(one, (ZERO, ZERO))
            sums[one] = (ordered + demands[item_id].ordered, before + demands[item_id].ordered_before)
    known = await categories.categories(sums.keys())
    return [
        CategoryDemand(known[category_id], *sums[category_id])
        for category_id in sorted(sums, key=lambda category_id: known[category_id].slug)
    ]


async def _demands(
    days: int, channel: SalesChannel | None, category_ids: Sequence[int] | None = None
) -> dict[int, Demand]:
    """The demand for each item that has stock. Combinations of products tracked without options count for their product."""
    now = clock.now()
    since = now - timedelta(days=days)
    within = Within(channel.id if channel else None, category_ids)
    parts = (
        await rows.ordered(since, now, within),
        await rows.ordered(since - timedelta(days=days), since, within),
        await rows.shipped(since, now, within),
        await rows.returned(since, now, within),
    )
    owners = await rows.stock_items({item_id for part in parts for item_id in part})
    stocked = [_by_stock_item(part, owners) for part in parts]
    return {
        item_id: Demand(*(part.get(item_id, ZERO) for part in stocked))
        for item_id in {i for part in stocked for i in part}
    }


def _by_stock_item(units: Mapping[int, Decimal], owners: Mapping[int, int]) -> dict[int, Decimal]:
    sums: dict[int, Decimal] = {}
    for item_id, quantity in units.items():
        sums[owners[item_id]] = sums.get(owners[item_id], ZERO) + quantity
    return sums


def _uses_decimals(item: Item, levels: Sequence[Level], lookup: SettingsLookup, channel: SalesChannel | None) -> bool:
    return lookup.settings(item, channel or lookup.home(levels), levels).quantity_uses_decimals
