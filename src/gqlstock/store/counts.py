"""Counts of levels from imported files, and the stored onHand to compare them with. ``stock.ledger`` writes levels."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from gqlstock.store.db import sql
from gqlstock.store.db.fields import from_units

Key = tuple[int, int]
"""The ids of an item and a warehouse."""


@dataclass(frozen=True, slots=True)
class Count:
    """The count of one level, with its line in the file."""

    line: int
    item_id: int
    warehouse_id: int
    on_hand: Decimal

    @property
    def key(self) -> Key:
        return self.item_id, self.warehouse_id


async def on_hand_of(item_ids: Collection[int]) -> dict[Key, Decimal]:
    """The onHand of the levels in use of these items."""
    rows = await sql.fetch_raw(
        f"""SELECT item_id, warehouse_id, on_hand FROM inventory_level
            WHERE item_id IN ({sql.slots(item_ids)}) AND deleted_at IS NULL""",
        *item_ids,
    )
    return {(row["item_id"], row["warehouse_id"]): from_units(row["on_hand"]) for row in rows}


async def of_one_reason(item_ids: Collection[int], reason: str) -> dict[Key, Decimal]:
    """The onHand of the levels in use that has only this reason, and orders: every other movement has it."""
    if not item_ids:
        return {}
    rows = await sql.fetch_raw(
        f"""SELECT l.item_id, l.warehouse_id, l.on_hand FROM inventory_level l
            WHERE l.item_id IN ({sql.slots(item_ids)}) AND l.deleted_at IS NULL AND l.on_hand > 0 AND NOT EXISTS (
                SELECT 1 FROM stock_movement m
                WHERE m.level_id = l.id AND m.order_id IS NULL AND (m.reason IS NULL OR m.reason <> ?))""",
        *item_ids,
        reason,
    )
    return {(row["item_id"], row["warehouse_id"]): from_units(row["on_hand"]) for row in rows}
