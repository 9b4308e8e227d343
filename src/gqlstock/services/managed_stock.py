"""Reads what decides whether items are out of stock: which warehouses count, and which items are counted."""

from gqlstock.rules.counting import ManagedStock
from gqlstock.rules.network import Network
from gqlstock.rules.scopes import Caller
from gqlstock.stock import categories, present, reading
from gqlstock.store import holds
from gqlstock.store import settings as setting_rows
from gqlstock.store.item_stock import Supply


async def supply(caller: Caller) -> Supply:
    """The supply of items in the warehouses that the caller has access to."""
    network = await present.network()
    places = sorted(warehouse_id for warehouse_id in network.active if caller.reaches(warehouse_id))
    freed, until = await holds.freed(places, reading.now())
    reading.holds_until(until)
    return Supply(places, freed, await _managed(network))


async def _managed(network: Network) -> ManagedStock:
    above = await present.settings_above()
    of_websites = [above.settings(None, channel).manage_stock for channel in network.channels]
    otherwise = above.settings(None, None).manage_stock
    websites = [] if {*of_websites} <= {otherwise} else zip(network.channels, of_websites, strict=True)
    return ManagedStock(
        categories=await _of_categories(),
        websites=[
            (network.active.intersection(one.warehouse_id for one, _ in channel.assigned), value)
            for channel, value in websites
        ],
        otherwise=otherwise,
    )


async def _of_categories() -> dict[int, bool]:
    """The own or inherited value of each category that has one."""
    heads = await setting_rows.categories_with("manage_stock")
    below = {one for tree in (await categories.subtrees(heads)).values() for one in tree}
    found = await present.settings_of_categories(below)
    return {one: found[one].settings(None, None).manage_stock for one in below}
