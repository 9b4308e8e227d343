"""Sums of the ordered, shipped and returned units of each item in a period. ``rules.demand`` evaluates them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from gqlstock.rules.catalog import InventoryTracking, counts_combinations
from gqlstock.store.db import sql
from gqlstock.store.db.fields import from_units

_ORDERED = """
    SELECT order_line.item_id AS item_id, CAST(SUM(order_line.quantity - order_line.canceled) AS BIGINT) AS units
    FROM order_line JOIN customer_order ON customer_order.id = order_line.order_id
    WHERE customer_order.placed_at >= ? AND customer_order.placed_at < ?
      AND customer_order.status <> 'BACKORDERED' {within}
    GROUP BY order_line.item_id
"""
_SHIPPED = """
    SELECT order_line.item_id AS item_id, CAST(SUM(allocation.quantity) AS BIGINT) AS units
    FROM allocation
    JOIN shipment ON shipment.id = allocation.shipment_id
    JOIN order_line ON order_line.id = allocation.line_id
    JOIN customer_order ON customer_order.id = order_line.order_id
    WHERE shipment.shipped_at >= ? AND shipment.shipped_at < ? {within}
    GROUP BY order_line.item_id
"""
_RETURNED = """
    SELECT order_line.item_id AS item_id, CAST(SUM(allocation.quantity) AS BIGINT) AS units
    FROM allocation
    JOIN order_line ON order_line.id = allocation.line_id
    JOIN customer_order ON customer_order.id = order_line.order_id
    WHERE allocation.state = 'RETURNED' AND allocation.changed_at >= ? AND allocation.changed_at < ? {within}
    GROUP BY order_line.item_id
"""


@dataclass(frozen=True, slots=True)
class Within:
    """The orders to include; None for all websites and all categories."""

    website_id: int | None = None
    category_ids: Collection[int] | None = None


async def ordered(since: datetime, until: datetime, within: Within) -> dict[int, Decimal]:
    """The ordered units of each item, without canceled units and parked orders."""
    return await _sums(_ORDERED, since, until, within)


async def shipped(since: datetime, until: datetime, within: Within) -> dict[int, Decimal]:
    """The shipped units of each item."""
    return await _sums(_SHIPPED, since, until, within)


async def returned(since: datetime, until: datetime, within: Within) -> dict[int, Decimal]:
    """The returned units of each item."""
    return await _sums(_RETURNED, since, until, within)


async def _sums(statement: str, since: datetime, until: datetime, within: Within) -> dict[int, Decimal]:
    conditions = ""
    values: list[Any] = [since, until]
    if within.website_id is not None:
        conditions += " AND customer_order.website_id = ?"
        values.append(within.website_id)
    if within.category_ids is not None:
        slots = sql.slots(within.category_ids)
        conditions += f" AND order_line.item_id IN (SELECT id FROM item WHERE category_id IN ({slots}))"
        values += within.category_ids
    rows = await sql.query(statement.format(within=conditions), *values)
    return {row["item_id"]: from_units(row["units"]) for row in rows}


_ITEMS_PER_STATEMENT = 10_000
_ITEM_ROWS = """
    SELECT item.id, item.product_id, item.category_id, COALESCE(product.tracking, item.tracking) AS tracking
    FROM item LEFT JOIN item product ON product.id = item.product_id WHERE item.id IN ({slots})
"""


async def stock_items(item_ids: Collection[int]) -> dict[int, int]:
    """The stock item of each item: the product, for a combination of a product tracked without options."""
    return {row["id"]: _stock_item(row) for row in await _item_rows(item_ids)}


def _stock_item(row: dict[str, Any]) -> int:
    has_stock = row["product_id"] is None or counts_combinations(InventoryTracking(row["tracking"]))
    return int(row["id"] if has_stock else row["product_id"])


async def categories(item_ids: Collection[int]) -> dict[int, int | None]:
    """The category of each item."""
    return {row["id"]: row["category_id"] for row in await _item_rows(item_ids)}


async def _item_rows(item_ids: Collection[int]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for part in sql.parts(item_ids, _ITEMS_PER_STATEMENT):
        found += await sql.query(_ITEM_ROWS.format(slots=sql.slots(part)), *part)
    return found
