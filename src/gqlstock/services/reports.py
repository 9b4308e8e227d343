"""Reports items with low stock."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal

from gqlstock.rules import counting, sourcing
from gqlstock.rules.catalog import Item
from gqlstock.rules.fallback import SettingsLookup
from gqlstock.rules.ledger import Level
from gqlstock.rules.network import Network, SalesChannel
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.scopes import SYSTEM, Caller
from gqlstock.rules.sourcing import Source
from gqlstock.stock import present
from gqlstock.store import catalog, free_units
from gqlstock.store import settings as setting_rows
from gqlstock.store.db import sql

_ITEMS_PER_PART = 1_000
"""Items per batch. Bounds the memory of a report."""


@dataclass(frozen=True, slots=True)
class LowStock:
    """A counted item at or below its minimum."""

    item: Item
    available: Decimal
    minimum: Decimal

    @property
    def short(self) -> Decimal:
        """The units missing from the minimum."""
        return self.minimum - self.available


async def low_stock(
    network: Network,
    *,
    channel: SalesChannel | None = None,
    warehouse_id: int | None = None,
    category_ids: Sequence[int] | None = None,
    caller: Caller = SYSTEM,
) -> list[LowStock]:
    """Counted items with A <= minimumStockQuantity; combinations instead of their product. (nopCommerce)

    A is summed over the website's active warehouses or over one warehouse, limited to those the caller has access to.
    """
    places = {warehouse_id for warehouse_id in network.active if caller.reaches(warehouse_id)}
    if channel is not None:
        places &= {one.warehouse_id for one in channel.warehouses}
    if warehouse_id is not None:
        places &= {warehouse_id}
    found: list[LowStock] = []
    for part in sql.parts(await _scarce(places, category_ids), _ITEMS_PER_PART):
        rows = (await catalog.items_in_use(part)).values()
        with present.passing():
            lookup = await present.settings(rows, network)
            levels = await present.levels_of([row.id for row in rows])
        for row in rows:
            low = _low(row, [level for level in levels[row.id] if level.warehouse_id in places], lookup, channel)
            if low is not None:
                found.append(low)
        # Lets other tasks run between two batches.
        await asyncio.sleep(0)
    return found


async def _scarce(places: Collection[int], category_ids: Sequence[int] | None) -> list[int]:
    """The items that may be low: those at or below the highest minimum plus the highest threshold."""
    minimums = await setting_rows.quantities_set("minimum_stock_quantity")
    if not minimums:
        return []
    thresholds = await setting_rows.quantities_set("out_of_stock_threshold")
    return await free_units.items_with_at_most(max(minimums) + max(thresholds | {ZERO}), places, category_ids)


def _low(item: Item, levels: Sequence[Level], lookup: SettingsLookup, channel: SalesChannel | None) -> LowStock | None:
    product = lookup.product(item)
    if not counting.is_stocked(item, product):
        return None
    settings = lookup.settings(item, channel or lookup.home(levels), levels)
    minimum = settings.minimum_stock_quantity
    if minimum is None or not lookup.is_counted(item, settings):
        return None
    sources = [Source(level.warehouse_id, level, lookup.level_backorders(level, settings)) for level in levels]
    available = sourcing.stock(settings, sources).available
    return LowStock(item, available, minimum) if available <= minimum else None
