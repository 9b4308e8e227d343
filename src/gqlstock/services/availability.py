"""Reads the assortment of a website. What it shows and sells is decided in ``rules.assortment``."""

from collections.abc import Iterable
from dataclasses import dataclass

from gqlstock.rules.assortment import Assortment
from gqlstock.rules.availability import Assessment
from gqlstock.rules.catalog import Item
from gqlstock.rules.network import Network, SalesChannel
from gqlstock.store import catalog, levels, settings
from gqlstock.store.db import clock


async def assortment(items: Iterable[Item], channel: SalesChannel, network: Network | None = None) -> Assortment:
    """These items as one website sells them. The number of statements does not depend on the number of items."""
    wanted = await catalog.with_products(items)
    combinations = await catalog.counted_combinations(wanted.values())
    wanted |= {combination.id: combination for members in combinations.values() for combination in members}
    lookup = await settings.lookup(wanted.values(), network)
    return Assortment(channel, lookup, combinations, await levels.levels_of(wanted.keys()), clock.now())


@dataclass(frozen=True, slots=True)
class Showing:
    """An item as a website shows it."""

    item: Item
    website: str
    assessment: Assessment


def is_visible(item: Item, assessment: Assessment) -> bool:
    """Whether the public can find the item on the website."""
    return assessment.visible and item.deleted_at is None
