"""Reads what the settings of items come from."""

from collections.abc import Iterable

from gqlstock.rules.catalog import Item
from gqlstock.rules.fallback import Lookup
from gqlstock.rules.network import Network
from gqlstock.store import catalog, settings, warehouses


async def lookup(items: Iterable[Item], network: Network | None = None) -> Lookup:
    """The settings of these items, on every website."""
    known = await catalog.with_products(items)
    return Lookup(known, network or await warehouses.network(), await settings.fallback(known.values()))
