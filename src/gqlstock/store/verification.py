"""What ledger, orders and levels say of the same figures, side by side. Whether they agree is judged elsewhere."""

from collections.abc import AsyncIterator
from typing import Any

from gqlstock.store import database

_READ_AT_ONCE = 2_000

# One statement, so that all figures of a level are of one moment. Every source of a figure is a part of its own.
_LEVELS = """
    WITH page AS (
        SELECT * FROM inventory_level WHERE id > ? ORDER BY id LIMIT ?
    ), running AS (
        SELECT id, level_id, quantity, on_hand_after,
               SUM(quantity) OVER (PARTITION BY level_id ORDER BY id) AS total
        FROM stock_movement WHERE level_id IN (SELECT id FROM page)
    ), moved AS (
        SELECT level_id, CAST(SUM(quantity) AS BIGINT) AS on_hand,
               MIN(CASE WHEN on_hand_after <> total THEN id END) AS wrong_movement
        FROM running GROUP BY level_id
    ), allocated AS (
        SELECT allocation.level_id,
               CAST(SUM(CASE WHEN decrement = 'ON_SHIPMENT' AND shipment_id IS NULL
                             THEN allocation.quantity ELSE 0 END) AS BIGINT) AS reserved,
               CAST(SUM(CASE WHEN decrement = 'ON_SHIPMENT' AND shipment_id IS NOT NULL
                             THEN allocation.quantity ELSE 0 END) AS BIGINT) AS planned,
               CAST(SUM(CASE WHEN state = 'BACKORDERED' THEN allocation.quantity ELSE 0 END) AS BIGINT) AS backordered
        FROM allocation JOIN order_line ON order_line.id = allocation.line_id
        WHERE allocation.level_id IN (SELECT id FROM page) AND state IN ('ON_HAND', 'BACKORDERED')
        GROUP BY allocation.level_id
    ), kept AS (
        SELECT held_units.level_id, CAST(SUM(held_units.quantity) AS BIGINT) AS held
        FROM held_units JOIN stock_hold ON stock_hold.id = held_units.hold_id
        WHERE held_units.level_id IN (SELECT id FROM page) AND stock_hold.state = 'ACTIVE'
        GROUP BY held_units.level_id
    ), announced AS (
        SELECT level_id, CAST(SUM(quantity - received) AS BIGINT) AS incoming
        FROM stock_announcement
        WHERE level_id IN (SELECT id FROM page) AND withdrawn_at IS NULL AND received < quantity
        GROUP BY level_id
    )
    SELECT page.id, page.on_hand, page.reserved, page.planned, page.held, page.backordered, page.incoming,
           page.available, item.sku, warehouse.code AS warehouse,
           COALESCE(moved.on_hand, 0) AS moved_on_hand, moved.wrong_movement,
           wrong.on_hand_after AS wrong_stored, CAST(wrong.total AS BIGINT) AS wrong_derived,
           COALESCE(allocated.reserved, 0) AS allocated_reserved,
           COALESCE(allocated.planned, 0) AS allocated_planned,
           COALESCE(kept.held, 0) AS kept_held,
           COALESCE(allocated.backordered, 0) AS allocated_backordered,
           COALESCE(announced.incoming, 0) AS announced_incoming
    FROM page
    JOIN item ON item.id = page.item_id
    JOIN warehouse ON warehouse.id = page.warehouse_id
    LEFT JOIN moved ON moved.level_id = page.id
    LEFT JOIN running wrong ON wrong.id = moved.wrong_movement
    LEFT JOIN allocated ON allocated.level_id = page.id
    LEFT JOIN kept ON kept.level_id = page.id
    LEFT JOIN announced ON announced.level_id = page.id
    ORDER BY page.id
"""

_LINES = """
    WITH page AS (
        SELECT id, order_id, sku, quantity, canceled FROM order_line WHERE id > ? ORDER BY id LIMIT ?
    ), allocated AS (
        SELECT line_id, CAST(SUM(quantity) AS BIGINT) AS quantity,
               CAST(SUM(CASE WHEN state = 'CANCELED' THEN quantity ELSE 0 END) AS BIGINT) AS canceled,
               CAST(SUM(CASE WHEN state IN ('SHIPPED', 'RETURNED') THEN quantity ELSE 0 END) AS BIGINT) AS shipped
        FROM allocation WHERE line_id IN (SELECT id FROM page) GROUP BY line_id
    )
    SELECT page.id, page.order_id, page.sku, page.quantity, page.canceled, customer_order.status,
           COALESCE(allocated.quantity, 0) AS allocated,
           COALESCE(allocated.canceled, 0) AS allocated_canceled,
           COALESCE(allocated.shipped, 0) AS allocated_shipped
    FROM page
    JOIN customer_order ON customer_order.id = page.order_id
    LEFT JOIN allocated ON allocated.line_id = page.id
    ORDER BY page.id
"""


def levels() -> AsyncIterator[list[dict[str, Any]]]:
    """Every level with what its movements and allocations add up to, in ten-thousandths, a part at a time."""
    return _pages(_LEVELS)


def lines() -> AsyncIterator[list[dict[str, Any]]]:
    """Every order line with what its allocations add up to, in ten-thousandths, a part at a time."""
    return _pages(_LINES)


async def _pages(statement: str) -> AsyncIterator[list[dict[str, Any]]]:
    last = 0
    while rows := await database.query(statement, last, _READ_AT_ONCE):
        yield rows
        last = rows[-1]["id"]
