"""Counts of levels as files give them, and what they are compared with. ``stock.ledger`` writes them."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from gqlstock.store.db import sql
from gqlstock.store.db.fields import from_units

Key = tuple[int, int]
"""An item's id and a warehouse's."""


@dataclass(frozen=True, slots=True)
class Count:
    """What one line of a file says of one level."""

    line: int
    item_id: int
    warehouse_id: int
    on_hand: Decimal

    @property
    def key(self) -> Key:
        return self.item_id, self.warehouse_id


async def on_hand_of(item_ids: Collection[int]) -> dict[Key, Decimal]:
    """What the levels in use of these items have."""
    rows = await sql.fetch_raw(
        f"""SELECT item_id, warehouse_id, on_hand FROM inventory_level
            WHERE item_id IN ({sql.slots(item_ids)}) AND deleted_at IS NULL""",
        *item_ids,
    )
    return {(row["item_id"], row["warehouse_id"]): from_units(row["on_hand"]) for row in rows}
