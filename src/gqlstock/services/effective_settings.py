"""The effective settings of items and levels, and the places that they come from."""

from collections.abc import Sequence

from gqlstock.rules import fallback
from gqlstock.rules.fallback import Origin, Place
from gqlstock.rules.ledger import Level
from gqlstock.rules.settings import Settings
from gqlstock.services import assortments
from gqlstock.services.assortments import Wanted
from gqlstock.stock import network, present


async def of_items(wanted: Sequence[Wanted]) -> list[Settings]:
    """The settings of each item on its requested website."""
    found = await assortments.assortments(wanted)
    if not found:
        # While no website exists, only the settings of the item and of the system apply.
        known = await present.settings([item for item, _ in wanted])
        return [known.settings(item, None) for item, _ in wanted]
    return [found[website].settings(item) for item, website in wanted]


async def origins_of_items(wanted: Sequence[Wanted]) -> list[list[Origin]]:
    """Where each of these settings comes from."""
    known = await present.settings([item for item, _ in wanted])
    channels = {website: await assortments.channel(website) for _, website in wanted}
    return [fallback.origins(known.places(item, channels[website])) for item, website in wanted]


async def of_levels(levels: Sequence[Level]) -> list[Settings]:
    """The settings of each level, through the first-created website that sells from its warehouse."""
    return [fallback.resolve(places) for places in await _places(levels)]


async def origins_of_levels(levels: Sequence[Level]) -> list[list[Origin]]:
    """Where each of these settings comes from."""
    return [fallback.origins(places) for places in await _places(levels)]


async def _places(levels: Sequence[Level]) -> list[list[Place]]:
    items = await present.items({level.item_id for level in levels})
    warehouses = await network.warehouses({level.warehouse_id for level in levels})
    known = await present.settings(items.values())
    return [
        known.places(
            items[level.item_id],
            known.network.selling_from({level.warehouse_id}),
            (level.id, f"{items[level.item_id].sku}@{warehouses[level.warehouse_id].code}"),
        )
        for level in levels
    ]
