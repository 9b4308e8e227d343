"""Deletes products and combinations, with their levels. Items with stock or open orders cannot be deleted."""

from collections.abc import Sequence

from gqlstock.rules import orders as order_rules
from gqlstock.rules import refusals
from gqlstock.rules.catalog import Item
from gqlstock.rules.events import items_changed
from gqlstock.rules.ledger import Level
from gqlstock.rules.refusals import wrong_state
from gqlstock.services import alerts
from gqlstock.stock import ledger
from gqlstock.store import catalog, levels, orders, outbox
from gqlstock.store.db import clock


async def check_unused(items: Sequence[Item], in_use: Sequence[Level], at: str = "sku") -> None:
    """Refuse while a level of one of the items has any figure, or an open order has one of them.

    ``in_use``: levels in use, at least all those of the items.
    """
    if not items:
        return
    by_id = {item.id: item for item in items}
    for level in in_use:
        if level.item_id in by_id and any(level.figures):
            raise wrong_state(f"{by_id[level.item_id].sku} still has stock or claims in a warehouse.", at)
    order_id = await orders.open_order_of([item.id for item in items])
    if order_id is not None:
        names = refusals.shown(", ".join(item.sku for item in items))
        raise wrong_state(f"Order {order_rules.number(order_id)} still waits for one of: {names}.", at)


async def levels_in_use(items: Sequence[Item]) -> list[Level]:
    """The levels in use of locked items, without expired holds."""
    found = await levels.of_items({item.id for item in items}, clock.now())
    return [level for level in found.levels if level.deleted_at is None]


async def retire(items: Sequence[Item], at: str = "sku") -> None:
    """Delete locked items with their levels, and resolve their alerts."""
    now = clock.now()
    unused = await levels_in_use(items)
    await check_unused(items, unused, at)
    await catalog.retire(items, now)
    await ledger.retire(unused, now)
    await alerts.resolve([item.id for item in items], now)
    await outbox.add(items_changed(items))
