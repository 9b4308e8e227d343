"""Sums the free units of items over warehouses in SQL. Reports use the sums to select the items they read."""

from collections.abc import Collection
from decimal import Decimal

from gqlstock.rules.catalog import InventoryTracking
from gqlstock.rules.quantities import ZERO
from gqlstock.store import levels as level_rows
from gqlstock.store.db import sql
from gqlstock.store.db.fields import from_units, to_units

_ITEMS_PER_STATEMENT = 10_000
# Untracked products, and products whose combinations are tracked, have no levels of their own.
_WITHOUT_UNITS = (InventoryTracking.DO_NOT_TRACK.value, InventoryTracking.TRACK_WITH_OPTIONS.value)
_AT_MOST = """
    SELECT item.id FROM item
    LEFT JOIN inventory_level ON inventory_level.item_id = item.id AND inventory_level.deleted_at IS NULL
        AND inventory_level.warehouse_id IN ({places})
    WHERE item.deleted_at IS NULL AND item.tracking NOT IN (?, ?) {categories}
    GROUP BY item.id
    HAVING CAST(COALESCE(SUM(CASE WHEN available > 0 THEN available END), 0) AS BIGINT) <= ?
    ORDER BY item.id
"""
_FREE = """
    SELECT item_id, CAST(SUM(CASE WHEN available > 0 THEN available ELSE 0 END) AS BIGINT) AS units, MAX(held) AS held
    FROM inventory_level WHERE item_id IN ({items}) AND warehouse_id IN ({places}) AND deleted_at IS NULL
    GROUP BY item_id
"""


async def items_with_at_most(
    most: Decimal, warehouse_ids: Collection[int], category_ids: Collection[int] | None = None
) -> list[int]:
    """The ids of items in use with at most ``most`` free units. Expired holds count as held until they are swept."""
    categories = "" if category_ids is None else f"AND item.category_id IN ({sql.slots(category_ids)})"
    statement = _AT_MOST.format(places=sql.slots(warehouse_ids), categories=categories)
    rows = await sql.query(statement, *warehouse_ids, *_WITHOUT_UNITS, *(category_ids or ()), to_units(most))
    return [row["id"] for row in rows]


async def of(item_ids: Collection[int], warehouse_ids: Collection[int]) -> dict[int, Decimal]:
    """The free units of each item."""
    free = dict.fromkeys(item_ids, ZERO)
    with_holds = []
    for part in sql.parts(free, _ITEMS_PER_STATEMENT):
        statement = _FREE.format(items=sql.slots(part), places=sql.slots(warehouse_ids))
        for row in await sql.query(statement, *part, *warehouse_ids):
            free[row["item_id"]] = from_units(row["units"])
            if row["held"]:
                with_holds.append(row["item_id"])
    # Items with holds are read level by level, because some holds may have expired.
    for item_id, levels in (await level_rows.levels_of(with_holds)).items():
        available_units = [level.available for level in levels if level.warehouse_id in warehouse_ids]
        free[item_id] = sum((max(available, ZERO) for available in available_units), ZERO)
    return free
