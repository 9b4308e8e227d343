"""Deletes products and combinations, with their levels. ``rules.item_use`` decides which items can be deleted."""

from collections.abc import Collection, Sequence

from gqlstock.rules.catalog import Item
from gqlstock.rules.events import ItemChange, items_changed
from gqlstock.rules.item_use import ItemUse
from gqlstock.rules.ledger import Level
from gqlstock.services import alerts
from gqlstock.stock import ledger
from gqlstock.store import catalog, levels, orders, outbox
from gqlstock.store.db import clock


async def use(item_ids: Collection[int]) -> ItemUse:
    """The levels in use and the open orders of items. Writers lock the items first."""
    return ItemUse(await _levels_in_use(item_ids), await orders.open_orders_of(item_ids))


async def _levels_in_use(item_ids: Collection[int]) -> list[Level]:
    """The levels in use of items, without the units of expired holds."""
    found = await levels.of_items(item_ids, clock.now())
    return [level for level in found.levels if level.deleted_at is None]


async def retire(items: Sequence[Item]) -> None:
    """Delete locked, unused items with their levels, and resolve their alerts."""
    if not items:
        return
    now = clock.now()
    ids = [item.id for item in items]
    unused = await _levels_in_use(ids)
    await catalog.retire(items, now)
    await ledger.retire(unused, now)
    await alerts.resolve(ids, now)
    await outbox.add(items_changed(items, ItemChange.DELETED))
