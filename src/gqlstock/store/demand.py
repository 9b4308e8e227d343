"""What was ordered, shipped and returned of each item in a span of time, summed by the database."""

from datetime import datetime
from decimal import Decimal

from gqlstock.store import database
from gqlstock.store.fields import from_units

_ORDERED = """
    SELECT order_line.item_id AS item_id, CAST(SUM(order_line.quantity - order_line.canceled) AS BIGINT) AS units
    FROM order_line JOIN customer_order ON customer_order.id = order_line.order_id
    WHERE customer_order.placed_at >= ? AND customer_order.placed_at < ?
      AND customer_order.status <> 'BACKORDERED' {website}
    GROUP BY order_line.item_id
"""
_SHIPPED = """
    SELECT order_line.item_id AS item_id, CAST(SUM(allocation.quantity) AS BIGINT) AS units
    FROM allocation
    JOIN shipment ON shipment.id = allocation.shipment_id
    JOIN order_line ON order_line.id = allocation.line_id
    JOIN customer_order ON customer_order.id = order_line.order_id
    WHERE shipment.shipped_at >= ? AND shipment.shipped_at < ? {website}
    GROUP BY order_line.item_id
"""
_RETURNED = """
    SELECT order_line.item_id AS item_id, CAST(SUM(allocation.quantity) AS BIGINT) AS units
    FROM allocation
    JOIN order_line ON order_line.id = allocation.line_id
    JOIN customer_order ON customer_order.id = order_line.order_id
    WHERE allocation.state = 'RETURNED' AND allocation.changed_at >= ? AND allocation.changed_at < ? {website}
    GROUP BY order_line.item_id
"""


async def ordered(since: datetime, until: datetime, website_id: int | None) -> dict[int, Decimal]:
    """Units ordered of each item and not canceled; held orders have not got any yet."""
    return await _sums(_ORDERED, since, until, website_id)


async def shipped(since: datetime, until: datetime, website_id: int | None) -> dict[int, Decimal]:
    """Units of each item that left."""
    return await _sums(_SHIPPED, since, until, website_id)


async def returned(since: datetime, until: datetime, website_id: int | None) -> dict[int, Decimal]:
    """Units of each item that came back."""
    return await _sums(_RETURNED, since, until, website_id)


async def _sums(statement: str, since: datetime, until: datetime, website_id: int | None) -> dict[int, Decimal]:
    website = "" if website_id is None else "AND customer_order.website_id = ?"
    values = [since, until] if website_id is None else [since, until, website_id]
    rows = await database.query(statement.format(website=website), *values)
    return {row["item_id"]: from_units(row["units"]) for row in rows}
