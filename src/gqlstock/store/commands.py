"""Reads and locks the records of a batch of commands, with one statement per type of record."""

from collections.abc import Collection
from typing import Any, TypeVar

from gqlstock.rules.alerts import AlertState, LowInventoryAlert
from gqlstock.rules.allocation import OPEN_STATES, Allocation, AllocationState
from gqlstock.rules.catalog import Item
from gqlstock.rules.holds import HeldUnits, StockHold
from gqlstock.rules.orders import Order, OrderLine
from gqlstock.rules.receiving import StockAnnouncement
from gqlstock.rules.shipments import Shipment
from gqlstock.rules.transfers import InventoryTransfer, InventoryTransferLine
from gqlstock.store.db import connection, sql
from gqlstock.store.db.records import by_id, where

R = TypeVar("R")

# PostgreSQL accepts at most 32,767 parameters per statement.
_IDS_PER_STATEMENT = 30_000


async def _of(kind: type[R], column: str, ids: Collection[int]) -> list[R]:
    return await where(kind, f"{column} IN ({sql.slots(ids)}) ORDER BY id", *ids) if ids else []


async def items_of_levels(level_ids: Collection[int]) -> dict[int, int]:
    """The item of each level."""
    if not level_ids:
        return {}
    rows = await sql.fetch_raw(
        f"SELECT id, item_id FROM inventory_level WHERE id IN ({sql.slots(level_ids)})", *level_ids
    )
    return {row["id"]: row["item_id"] for row in rows}


async def lock_items(ids: Collection[int], *, waiting: bool = False) -> list[Item]:
    """Lock items in id order and return them. Without ``waiting``, skip items that are locked elsewhere.

    SQLite has no row locks: nothing is locked or returned.
    """
    return await _locked(Item, ids, waiting=waiting)


async def lock(kind: type[Any], ids: Collection[int], *, waiting: bool = False) -> list[int]:
    return [record.id for record in await _locked(kind, ids, waiting=waiting)]


async def _locked(kind: type[R], ids: Collection[int], *, waiting: bool) -> list[R]:
    if not ids or not connection.is_postgres():
        return []
    skip = "" if waiting else " SKIP LOCKED"
    return await where(kind, f"id IN ({sql.slots(ids)}) ORDER BY id FOR NO KEY UPDATE{skip}", *ids)


async def whole_orders(ids: Collection[int]) -> list[Any]:
    """Orders with their lines, allocations and shipments."""
    lines = await _of(OrderLine, "order_id", ids)
    return [
        *(await by_id(Order, ids)).values(),
        *lines,
        *await _of(Allocation, "line_id", [line.id for line in lines]),
        *await _of(Shipment, "order_id", ids),
    ]


async def whole_holds(ids: Collection[int]) -> list[Any]:
    """Holds with their held units."""
    return [*(await by_id(StockHold, ids)).values(), *await _of(HeldUnits, "hold_id", ids)]


async def whole_transfers(ids: Collection[int]) -> list[Any]:
    """Transfers with their lines and announcements."""
    return [
        *(await by_id(InventoryTransfer, ids)).values(),
        *await _of(InventoryTransferLine, "transfer_id", ids),
        *await _of(StockAnnouncement, "transfer_id", ids),
    ]


async def open_alerts(item_ids: Collection[int]) -> list[LowInventoryAlert]:
    """The open alerts of items. Any number of ids."""
    found: list[LowInventoryAlert] = []
    for part in sql.parts(item_ids, _IDS_PER_STATEMENT):
        condition = f"state = ? AND item_id IN ({sql.slots(part)}) ORDER BY id"
        found += await where(LowInventoryAlert, condition, AlertState.RAISED.value, *part)
    return found


async def queues(
    level_ids: Collection[int],
) -> tuple[list[Allocation], list[Order], list[OrderLine], list[Shipment]]:
    """The waiting allocations of levels, in the order in which they are filled, with their orders, lines and shipments."""
    condition = f"state = ? AND level_id IN ({sql.slots(level_ids)})"
    values = (AllocationState.BACKORDERED.value, *level_ids)
    waiting = await where(Allocation, f"{condition} ORDER BY COALESCE(split_from, id), id", *values)
    # Any number of allocations may wait, so their lines are not listed by id.
    of_lines = f"id IN (SELECT line_id FROM allocation WHERE {condition})"
    lines = await where(OrderLine, f"{of_lines} ORDER BY id", *values) if waiting else []
    of_orders = f"id IN (SELECT order_id FROM order_line WHERE {of_lines})"
    orders = await where(Order, f"{of_orders} ORDER BY id", *values) if waiting else []
    packed = {allocation.shipment_id for allocation in waiting if allocation.shipment_id is not None}
    of_shipments = f"id IN (SELECT shipment_id FROM allocation WHERE {condition})"
    shipments = await where(Shipment, f"{of_shipments} ORDER BY id", *values) if packed else []
    return waiting, orders, lines, shipments


async def waiting_of(order_ids: Collection[int]) -> tuple[list[Allocation], list[OrderLine]]:
    """The waiting allocations of orders, with their lines."""
    waiting: list[Allocation] = []
    lines: list[OrderLine] = []
    for part in sql.parts(order_ids, _IDS_PER_STATEMENT):
        of_orders = f"SELECT id FROM order_line WHERE order_id IN ({sql.slots(part)})"
        condition = f"state = ? AND line_id IN ({of_orders})"
        values = (AllocationState.BACKORDERED.value, *part)
        waiting += await where(Allocation, f"{condition} ORDER BY id", *values)
        of_lines = f"id IN (SELECT line_id FROM allocation WHERE {condition}) ORDER BY id"
        lines += await where(OrderLine, of_lines, *values)
    return waiting, lines


async def contents(shipment_ids: Collection[int]) -> list[Allocation]:
    """The allocations in shipments."""
    return await _of(Allocation, "shipment_id", shipment_ids)


async def arriving(level_ids: Collection[int]) -> list[StockAnnouncement]:
    """The open announcements of levels."""
    condition = f"level_id IN ({sql.slots(level_ids)}) AND withdrawn_at IS NULL AND received < quantity ORDER BY id"
    return await where(StockAnnouncement, condition, *level_ids)


async def open_allocations(level_ids: Collection[int]) -> list[Allocation]:
    """The open allocations of levels."""
    condition = f"level_id IN ({sql.slots(level_ids)}) AND state IN (?, ?) ORDER BY id"
    return await where(Allocation, condition, *level_ids, *(state.value for state in OPEN_STATES))
