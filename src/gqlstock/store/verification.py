"""Reads stored figures together with their sources. ``services.verification`` compares them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from gqlstock.rules.allocation import Allocation
from gqlstock.rules.ledger import Level, MovementKind, StockMovement
from gqlstock.rules.orders import Order, OrderLine
from gqlstock.rules.receiving import StockAnnouncement
from gqlstock.rules.shipments import Shipment
from gqlstock.rules.transfers import InventoryTransfer, InventoryTransferLine
from gqlstock.store.db import sql
from gqlstock.store.db.fields import from_units
from gqlstock.store.db.records import where

R = TypeVar("R")

_ROWS_PER_PART = 2_000
# An order can have 500 lines.
_ORDERS_PER_PART = 200

# A single statement, so all figures of a level are of the same moment. Each source of figures is a CTE.
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
               CAST(SUM(CASE WHEN state = 'BACKORDERED' THEN allocation.quantity ELSE 0 END) AS BIGINT) AS backordered,
               COUNT(*) AS open_allocations
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
           page.available, page.deleted_at, item.deleted_at AS item_deleted_at, item.sku, warehouse.code AS warehouse,
           COALESCE(moved.on_hand, 0) AS moved_on_hand, moved.wrong_movement,
           wrong.on_hand_after AS wrong_stored, CAST(wrong.total AS BIGINT) AS wrong_derived,
           COALESCE(allocated.reserved, 0) AS allocated_reserved,
           COALESCE(allocated.planned, 0) AS allocated_planned,
           COALESCE(kept.held, 0) AS kept_held,
           COALESCE(allocated.backordered, 0) AS allocated_backordered,
           COALESCE(allocated.open_allocations, 0) AS open_allocations,
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


async def levels() -> AsyncIterator[list[dict[str, Any]]]:
    """All levels with the sums of their sources, in ten-thousandths, in parts."""
    last = 0
    while rows := await sql.query(_LEVELS, last, _ROWS_PER_PART):
        yield rows
        last = rows[-1]["id"]


async def parts(kind: type[R], size: int = _ROWS_PER_PART) -> AsyncIterator[list[R]]:
    """All records of a type by id, in parts."""
    last = 0
    while found := await where(kind, "id > ? ORDER BY id LIMIT ?", last, size):
        yield found
        last = found[-1].id  # type: ignore[attr-defined]


async def item_ids() -> AsyncIterator[list[int]]:
    """The ids of all items, in parts."""
    last = 0
    while rows := await sql.query("SELECT id FROM item WHERE id > ? ORDER BY id LIMIT ?", last, _ROWS_PER_PART):
        yield [row["id"] for row in rows]
        last = rows[-1]["id"]


async def movements() -> AsyncIterator[list[tuple[StockMovement, Level]]]:
    """All movements with their levels, in parts."""
    async for part in parts(StockMovement):
        first, last = part[0].id, part[-1].id
        found = await _levels("SELECT level_id FROM stock_movement WHERE id BETWEEN ? AND ?", first, last)
        yield [(movement, found[movement.level_id]) for movement in part]


@dataclass(frozen=True, slots=True)
class OrderBook:
    """An order with all its records."""

    order: Order
    lines: list[OrderLine]
    allocations: dict[int, list[Allocation]]
    """By line, in id order."""
    shipments: list[Shipment]
    moved: dict[int, dict[MovementKind, Decimal]]
    """The sums of the order's movements, by level and kind."""
    levels: dict[int, Level]
    """The levels of its allocations, and possibly others."""
    products: dict[int, int | None]
    """The product of each item: None for products. May include other items."""


_LINES_OF = "SELECT id FROM order_line WHERE order_id BETWEEN ? AND ?"
_MOVED = """SELECT order_id, level_id, kind, CAST(SUM(quantity) AS BIGINT) AS units FROM stock_movement
    WHERE order_id BETWEEN ? AND ? GROUP BY order_id, level_id, kind"""
_PRODUCTS = """SELECT id, product_id FROM item
    WHERE id IN (SELECT item_id FROM order_line WHERE order_id BETWEEN ? AND ?)"""


async def order_books() -> AsyncIterator[list[OrderBook]]:
    """All orders with all their records, in parts."""
    async for found in parts(Order, _ORDERS_PER_PART):
        span = found[0].id, found[-1].id
        levels_of = await _levels(f"SELECT level_id FROM allocation WHERE line_id IN ({_LINES_OF})", *span)
        products = {row["id"]: row["product_id"] for row in await sql.query(_PRODUCTS, *span)}
        books = {order.id: OrderBook(order, [], {}, [], {}, levels_of, products) for order in found}
        order_of = {}
        for line in await where(OrderLine, "order_id BETWEEN ? AND ? ORDER BY id", *span):
            books[line.order_id].lines.append(line)
            books[line.order_id].allocations[line.id] = []
            order_of[line.id] = books[line.order_id]
        for allocation in await where(Allocation, f"line_id IN ({_LINES_OF}) ORDER BY id", *span):
            order_of[allocation.line_id].allocations[allocation.line_id].append(allocation)
        for shipment in await where(Shipment, "order_id BETWEEN ? AND ? ORDER BY id", *span):
            books[shipment.order_id].shipments.append(shipment)
        for row in await sql.query(_MOVED, *span):
            if row["order_id"] in books:
                moved = books[row["order_id"]].moved.setdefault(row["level_id"], {})
                moved[MovementKind(row["kind"])] = from_units(row["units"])
        yield list(books.values())


@dataclass(frozen=True, slots=True)
class TransferBook:
    """A transfer with all its records."""

    transfer: InventoryTransfer
    lines: list[InventoryTransferLine]
    announcements: dict[int, list[tuple[StockAnnouncement, int]]]
    """By item, each with the id of its level's warehouse."""


async def transfer_books() -> AsyncIterator[list[TransferBook]]:
    """All transfers with all their records, in parts."""
    async for found in parts(InventoryTransfer, _ORDERS_PER_PART):
        span = found[0].id, found[-1].id
        books = {transfer.id: TransferBook(transfer, [], {}) for transfer in found}
        for line in await where(InventoryTransferLine, "transfer_id BETWEEN ? AND ? ORDER BY id", *span):
            books[line.transfer_id].lines.append(line)
        announced = await where(StockAnnouncement, "transfer_id BETWEEN ? AND ? ORDER BY id", *span)
        levels_of = await _levels("SELECT level_id FROM stock_announcement WHERE transfer_id BETWEEN ? AND ?", *span)
        for announcement in announced:
            level = levels_of[announcement.level_id]
            if announcement.transfer_id in books:
                of_item = books[announcement.transfer_id].announcements.setdefault(level.item_id, [])
                of_item.append((announcement, level.warehouse_id))
        yield list(books.values())


_MOVED_BY_TRANSFERS = """
    WITH moved AS (
        SELECT level.item_id, SUM(movement.quantity) AS units
        FROM stock_movement movement JOIN inventory_level level ON level.id = movement.level_id
        WHERE movement.kind IN ('TRANSFER_OUT', 'TRANSFER_IN') GROUP BY level.item_id
    ), away AS (
        SELECT item_id, SUM(quantity - received - returned) AS units FROM inventory_transfer_line GROUP BY item_id
    )
    SELECT item.sku, CAST(COALESCE(moved.units, 0) AS BIGINT) AS moved, CAST(COALESCE(away.units, 0) AS BIGINT) AS away
    FROM item LEFT JOIN moved ON moved.item_id = item.id LEFT JOIN away ON away.item_id = item.id
    WHERE COALESCE(moved.units, 0) + COALESCE(away.units, 0) <> 0 ORDER BY item.id
"""


async def moved_by_transfers() -> list[tuple[str, Decimal, Decimal]]:
    """Items whose transfer movements do not add up: the SKU, the sum of movements, and the units in transit or lost."""
    found = await sql.query(_MOVED_BY_TRANSFERS)
    return [(row["sku"], from_units(row["moved"]), from_units(row["away"])) for row in found]


async def stray_announcements() -> list[int]:
    """The ids of announcements whose transfer has no line for their item."""
    found = await sql.query(
        """SELECT a.id FROM stock_announcement a JOIN inventory_level level ON level.id = a.level_id
           WHERE a.transfer_id IS NOT NULL AND NOT EXISTS (
               SELECT 1 FROM inventory_transfer_line line
               WHERE line.transfer_id = a.transfer_id AND line.item_id = level.item_id
           ) ORDER BY a.id"""
    )
    return [row["id"] for row in found]


async def _levels(ids: str, *values: int) -> dict[int, Level]:
    """The stored levels whose ids a SELECT returns."""
    return {level.id: level for level in await where(Level, f"id IN ({ids})", *values)}
