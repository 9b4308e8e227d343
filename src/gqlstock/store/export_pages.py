"""Keyset pages of rows for exports. They are the driver's rows, without an object per row."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from gqlstock.rules.catalog import Item
from gqlstock.rules.orders import Order
from gqlstock.store import holds
from gqlstock.store.db import records, sql
from gqlstock.store.db.fields import to_units

_LEVELS = """SELECT l.id, l.item_id, i.product_id, i.sku,
        (SELECT w.code FROM warehouse w WHERE w.id = l.warehouse_id) AS warehouse,
        l.on_hand, l.reserved, l.planned, l.backordered, l.held, l.incoming, l.available, l.updated_at
    FROM ({levels}) l JOIN item i ON i.id = l.item_id"""
_BY_ID = "SELECT * FROM inventory_level WHERE id > ? AND deleted_at IS NULL {within} ORDER BY id LIMIT ?"
_OF_ITEMS = "SELECT * FROM inventory_level WHERE item_id IN ({slots}) AND deleted_at IS NULL"
_HELD, _AVAILABLE = 9, 11
"""The indexes of the columns that an expired hold changes."""
_MOVEMENTS = """SELECT m.id, m.level_id, i.sku, (SELECT w.code FROM warehouse w WHERE w.id = l.warehouse_id) AS warehouse,
        m.kind, m.quantity, m.on_hand_after, m.reason, m.reference, m.actor, m.order_id, m.created_at
    FROM (SELECT * FROM stock_movement WHERE id > ? {within} ORDER BY id LIMIT ?) m
    JOIN inventory_level l ON l.id = m.level_id JOIN item i ON i.id = l.item_id ORDER BY m.id"""
# Subqueries, because PostgreSQL may scan whole tables for a join.
_SETTINGS = """SELECT o.id, o.scope, o.values_set, CASE
        WHEN o.scope = 'LEVEL' THEN (
            SELECT i.sku || '@' || w.code FROM inventory_level l JOIN item i ON i.id = l.item_id
            JOIN warehouse w ON w.id = l.warehouse_id WHERE l.id = o.owner_id AND l.deleted_at IS NULL)
        WHEN o.scope IN ('COMBINATION', 'PRODUCT') THEN (
            SELECT i.sku FROM item i WHERE i.id = o.owner_id AND i.deleted_at IS NULL)
        WHEN o.scope = 'CATEGORY' THEN (SELECT c.slug FROM category c WHERE c.id = o.owner_id)
        WHEN o.scope = 'WEBSITE' THEN (SELECT s.code FROM website s WHERE s.id = o.owner_id)
        WHEN o.scope = 'ORGANIZATION' THEN (SELECT g.code FROM organization g WHERE g.id = o.owner_id) END AS owner
    FROM setting_override o WHERE o.id > ? ORDER BY o.id LIMIT ?"""

Rows = Sequence[Sequence[Any]]


async def levels(after: int, limit: int, within: Collection[int] | None, now: datetime) -> Rows:
    """The next levels in use by id. ``within``: only in these warehouses."""
    condition, values = "", [after]
    if within is not None:
        condition, values = f"AND warehouse_id IN ({sql.slots(within)})", [after, *within]
    statement = f"{_LEVELS.format(levels=_BY_ID.format(within=condition))} ORDER BY l.id"
    return await _without_expired(await sql.fetch_raw(statement, *values, limit), now)


async def levels_of(item_ids: Collection[int], now: datetime) -> Rows:
    """The levels in use of these items."""
    statement = _LEVELS.format(levels=_OF_ITEMS.format(slots=sql.slots(item_ids)))
    return await _without_expired(await sql.fetch_raw(statement, *item_ids), now)


async def _without_expired(rows: Rows, now: datetime) -> Rows:
    """The levels without the units of expired holds."""
    held = [row[0] for row in rows if row[_HELD]]
    expired = {level: to_units(units.expired) for level, units in (await holds.expiring_units(held, now)).items()}
    return [_without(row, expired[row[0]]) if expired.get(row[0]) else row for row in rows] if held else rows


def _without(row: Sequence[Any], units: int) -> Sequence[Any]:
    changed = list(row)
    changed[_HELD] -= units
    changed[_AVAILABLE] += units
    return changed


async def movements(after: int, limit: int, within: Collection[int] | None) -> Rows:
    """The next movements by id. ``within``: only in these warehouses."""
    condition, values = "", [after]
    if within is not None:
        levels = f"SELECT 1 FROM inventory_level WHERE id = level_id AND warehouse_id IN ({sql.slots(within)})"
        condition, values = f"AND EXISTS ({levels})", [after, *within]
    return await sql.fetch_raw(_MOVEMENTS.format(within=condition), *values, limit)


async def items(after: int, limit: int) -> list[Item]:
    """The next items in use by id: a product comes before its combinations."""
    return await records.where(Item, "id > ? AND deleted_at IS NULL ORDER BY id LIMIT ?", after, limit)


async def orders(after: int, limit: int) -> list[Order]:
    """The next orders by id."""
    return await records.where(Order, "id > ? ORDER BY id LIMIT ?", after, limit)


async def settings(after: int, limit: int) -> Rows:
    """The next setting overrides by id. The owner is None if it was deleted."""
    return await sql.fetch_raw(_SETTINGS, after, limit)
