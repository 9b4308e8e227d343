"""Reads what a website may show and sell of some items; ``rules.assortment`` works it out."""

from collections.abc import Iterable
from dataclasses import dataclass

from gqlstock.rules.assortment import Assortment
from gqlstock.rules.availability import Assessment
from gqlstock.rules.catalog import InventoryTracking, Item
from gqlstock.rules.network import Network, SalesChannel
from gqlstock.stock.settings_lookup import lookup
from gqlstock.store import catalog, levels
from gqlstock.store.db import clock


async def assortment(items: Iterable[Item], channel: SalesChannel, network: Network | None = None) -> Assortment:
    """These items as one website sells them. The number of statements does not depend on that of the items."""
    wanted = await catalog.with_products(items)
    tracked = [i.id for i in wanted.values() if i.is_product and i.tracking is InventoryTracking.TRACK_WITH_OPTIONS]
    combinations = await catalog.combinations(tracked)
    wanted |= {c.id: c for made in combinations.values() for c in made}
    known = await lookup(wanted.values(), network)
    return Assortment(channel, known, combinations, await levels.levels_of(wanted.keys()), clock.now())


@dataclass(frozen=True, slots=True)
class Showing:
    """An item as a website shows it to somebody."""

    item: Item
    website: str
    assessment: Assessment


def is_visible(item: Item, assessment: Assessment) -> bool:
    """Whether the public finds the item on the website at all."""
    return assessment.visible and item.deleted_at is None
