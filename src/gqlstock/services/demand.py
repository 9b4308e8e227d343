"""Reports of what was ordered, item by item and category by category."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from gqlstock.rules import demand as rules
from gqlstock.rules.catalog import InventoryTracking, counts_combinations
from gqlstock.rules.demand import Demand, Outlook
from gqlstock.rules.ledger import total
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.scopes import SYSTEM, Caller
from gqlstock.services.lookup import Lookup, lookup
from gqlstock.store import catalog, database, inventory, keyset
from gqlstock.store import demand as rows
from gqlstock.store.catalog import Category, Item
from gqlstock.store.inventory import Figures
from gqlstock.store.keyset import Key, Order
from gqlstock.store.warehouses import Channel, Network

_PART = 5_000


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


async def by_item(
    network: Network,
    *,
    days: int,
    cover_days: int,
    channel: Channel | None = None,
    category_ids: Sequence[int] | None = None,
    caller: Caller = SYSTEM,
) -> list[ItemDemand]:
    """Every counted item that has a level or was ordered: its demand, and what that says of the caller's stock."""
    demands = await _demands(days, channel)
    places = {site.warehouse_id for site in channel.sites} if channel else set(network.active)
    places = {warehouse_id for warehouse_id in places if caller.reaches(warehouse_id)}
    items = catalog.live_items()
    if category_ids is not None:
        items = items.filter(catalog.in_categories(category_ids))
    found: list[ItemDemand] = []
    after: Key | None = None
    now = database.now()
    while True:
        part = await keyset.page(items, Order("id"), after=after, before=None, limit=_PART)
        known = await lookup([row for row, _ in part], network)
        levels = await inventory.levels_of([row.id for row, _ in part])
        for row, _ in part:
            here = [level for level in levels[row.id] if level.warehouse_id in places]
            if not _is_stocked(row, known) or not (here or row.id in demands):
                continue
            demand = demands.get(row.id, Demand())
            available = sum((max(level.available, ZERO) for level in here), ZERO)
            outlook = rules.outlook(
                demand,
                available,
                total(level.state for level in here).incoming,
                days=days,
                cover_days=cover_days,
                decimals=_decimals(row, here, known, channel),
                now=now,
            )
            found.append(ItemDemand(row, demand, available, outlook))
        if len(part) < _PART:
            return found
        after = part[-1][1]


async def by_category(network: Network, *, days: int, channel: Channel | None = None) -> list[CategoryDemand]:
    """What was ordered of each category with what lies below it, by slug; those of which nothing was are left out."""
    demands = await _demands(days, channel)
    items = await catalog.with_products((await catalog.items(demands.keys())).values())
    sums: dict[int, tuple[Decimal, Decimal]] = {}
    of_item = {item_id: _category(items[item_id], items) for item_id in demands}
    chains = await catalog.chains({category_id for category_id in of_item.values() if category_id is not None})
    for item_id, category_id in of_item.items():
        for one, _ in chains.get(category_id, []) if category_id is not None else []:
            ordered, before = sums.get(one, (ZERO, ZERO))
            sums[one] = (ordered + demands[item_id].ordered, before + demands[item_id].ordered_before)
    known = await catalog.categories(sums.keys())
    return [
        CategoryDemand(known[category_id], *sums[category_id])
        for category_id in sorted(sums, key=lambda category_id: known[category_id].slug)
    ]


async def _demands(days: int, channel: Channel | None) -> dict[int, Demand]:
    """The demand for each item that has units: a combination of a product tracked without options is its product's."""
    now = database.now()
    since = now - timedelta(days=days)
    website_id = channel.id if channel else None
    parts = (
        await rows.ordered(since, now, website_id),
        await rows.ordered(since - timedelta(days=days), since, website_id),
        await rows.shipped(since, now, website_id),
        await rows.returned(since, now, website_id),
    )
    items = await catalog.with_products((await catalog.items({i for part in parts for i in part})).values())
    stocked = [_by_stock_item(part, items) for part in parts]
    return {
        item_id: Demand(*(part.get(item_id, ZERO) for part in stocked))
        for item_id in {i for part in stocked for i in part}
    }


def _by_stock_item(units: Mapping[int, Decimal], items: Mapping[int, Item]) -> dict[int, Decimal]:
    sums: dict[int, Decimal] = {}
    for item_id, quantity in units.items():
        item = items[item_id]
        product = items[item.product_id] if item.product_id is not None else item
        owner = item_id if counts_combinations(product.tracking) else product.id
        sums[owner] = sums.get(owner, ZERO) + quantity
    return sums


def _category(item: Item, items: Mapping[int, Item]) -> int | None:
    return (items[item.product_id] if item.product_id is not None else item).category_id


def _is_stocked(item: Item, known: Lookup) -> bool:
    product = known.product(item)
    counted = product.tracking is not InventoryTracking.DO_NOT_TRACK
    return counted and item.is_product != counts_combinations(product.tracking)


def _decimals(item: Item, levels: Sequence[Figures], known: Lookup, channel: Channel | None) -> bool:
    return known.settings(item, channel or known.home(levels), levels).quantity_uses_decimals
