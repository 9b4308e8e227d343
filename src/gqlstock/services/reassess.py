"""Reassess the alerts of items after a change of settings, websites or warehouses, in batches."""

from collections.abc import Collection

from gqlstock.services.lookup import lookup
from gqlstock.services.posting import watch
from gqlstock.store import database, inventory, reassessments, settings

PART = 500
"""How many items one transaction assesses at most."""


async def run() -> int:
    """Assess everything that is to be assessed again; gives the number of items."""
    assessed = 0
    if not await reassessments.is_pending():
        return assessed
    while (items := await database.transaction(_part)) is not None:
        assessed += items
    return assessed


async def _part() -> int | None:
    item_ids = await reassessments.take(PART, _watched)
    if item_ids is None:
        return None
    await reassess(item_ids)
    return len(item_ids)


async def _watched() -> bool:
    return await settings.is_set("notify_below")


async def reassess(item_ids: Collection[int]) -> None:
    """Raise and resolve the alerts of these items by what is in effect now."""
    claim = await inventory.claim(item_ids)
    await watch(item_ids, claim, await lookup(claim.items.values()))
