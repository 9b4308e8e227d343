"""Alerts after a change of settings, websites or warehouses: the items that it concerns are assessed again, in parts."""

from collections.abc import Collection

from gqlstock.services.posting import watch
from gqlstock.stock.settings_lookup import lookup
from gqlstock.store import database, inventory, reassessments, settings

PART = 500
"""How many items one transaction assesses at most."""


async def run() -> int:
    """Assess everything that is to be assessed again; gives the number of items."""
    assessed = 0
    while (items := await database.transaction(_part)) is not None:
        assessed += items
    return assessed


async def _part() -> int | None:
    item_ids = await reassessments.take(PART, watched=await settings.is_set("notify_below"))
    if item_ids is None:
        return None
    await reassess(item_ids)
    return len(item_ids)


async def reassess(item_ids: Collection[int]) -> None:
    """Raise and resolve the alerts of these items by what is in effect now."""
    claim = await inventory.claim(item_ids)
    await watch(item_ids, claim, await lookup(claim.items.values()))
