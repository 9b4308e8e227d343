"""Items of which little is there: those that a report has to look at. Whether they are low is judged elsewhere."""

from collections.abc import Collection
from decimal import Decimal

from gqlstock.rules.catalog import InventoryTracking
from gqlstock.store import database
from gqlstock.store.fields import to_units

# What is not counted, and products whose combinations are, have no levels that tell anything.
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


async def items(
    most: Decimal, warehouse_ids: Collection[int], category_ids: Collection[int] | None = None
) -> list[int]:
    """The ids of items in use with at most so many units free in these warehouses together."""
    categories = "" if category_ids is None else f"AND item.category_id IN ({database.slots(category_ids)})"
    statement = _AT_MOST.format(places=database.slots(warehouse_ids), categories=categories)
    rows = await database.query(statement, *warehouse_ids, *_WITHOUT_UNITS, *(category_ids or ()), to_units(most))
    return [row["id"] for row in rows]
