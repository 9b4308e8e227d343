"""Reads and sums movements. Only ``stock.ledger`` writes them."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from tortoise.queryset import QuerySet

from gqlstock.rules import ledger as rules
from gqlstock.rules import orders as order_rules
from gqlstock.rules.filters import MovementFilter
from gqlstock.rules.ledger import StockMovement
from gqlstock.store import inventory
from gqlstock.store.db import clock, records, sql, tables
from gqlstock.store.db.fields import Total, from_units

# SQLite accepts at most 500 SELECTs in a UNION.
_SUMS_PER_STATEMENT = 400
# A level's movements are written one after another: one with a smaller id than a movement from before the moment is also
# from before it, whatever its timestamp. Timestamps in the future were written before the clock was set back.
_MOVED = """SELECT {} AS number, CAST(COALESCE(SUM(quantity), 0) AS BIGINT) AS units
    FROM stock_movement WHERE level_id = ? AND created_at <= ? AND kind NOT IN ({}) AND id > COALESCE(
        (SELECT id FROM stock_movement WHERE level_id = ? AND created_at <= ? ORDER BY id DESC LIMIT 1), 0)"""
_COUNTS = ", ".join(f"'{kind.value}'" for kind in rules.COUNTS)
# The largest difference between the clocks of processes.
MAX_CLOCK_DIFFERENCE = timedelta(seconds=5)


async def movements(ids: Collection[int]) -> dict[int, StockMovement]:
    return await records.by_id(StockMovement, ids)


def matching(criteria: MovementFilter, within: Collection[int] | None) -> QuerySet[inventory.StockMovement]:
    """The movements that match a filter. ``within``: only in these warehouses."""
    rows = inventory.StockMovement.all()
    if within is not None:
        rows = rows.filter(level__warehouse_id__in=within)
    if criteria.skus is not None:
        rows = rows.filter(level__item__sku__in=criteria.skus, level__item__deleted_at=None)
    if criteria.warehouses is not None:
        rows = rows.filter(level__warehouse__code__in=criteria.warehouses)
    if criteria.kinds is not None:
        rows = rows.filter(kind__in=criteria.kinds)
    if criteria.order is not None:
        rows = rows.filter(order_id=order_rules.id_of(criteria.order) or 0)
    if criteria.reference is not None:
        rows = rows.filter(reference=criteria.reference)
    if criteria.since is not None:
        rows = rows.filter(created_at__gte=criteria.since)
    if criteria.until is not None:
        rows = rows.filter(created_at__lt=criteria.until)
    return rows


async def insert(movements: Sequence[StockMovement]) -> list[int]:
    """Insert movements. Returns their ids, in order."""
    return await tables.insert(StockMovement, movements)


async def moved_after(moments: Sequence[tuple[int, datetime]]) -> dict[tuple[int, datetime], Decimal]:
    """For each level and moment, the sum of the level's movements after the moment, without counts.

    Moments must not precede the level's latest count: it has corrected what was there before.
    """
    found: dict[tuple[int, datetime], Decimal] = {}
    until = clock.now() + MAX_CLOCK_DIFFERENCE
    for part in sql.parts(moments, _SUMS_PER_STATEMENT):
        statement = " UNION ALL ".join(_MOVED.format(number, _COUNTS) for number in range(len(part)))
        rows = await sql.query(
            statement, *(value for level_id, moment in part for value in (level_id, until, level_id, moment))
        )
        found |= {part[row["number"]]: from_units(row["units"]) for row in rows}
    return found


async def on_hand_at(level_ids: Collection[int], moment: datetime) -> dict[int, Decimal]:
    """Each level's onHand at a moment: the sum of its movements up to and including it."""
    rows = (
        await inventory.StockMovement.filter(level_id__in=set(level_ids), created_at__lte=moment)
        .annotate(total=Total("quantity"))
        .group_by("level_id")
        .values("level_id", "total")
    )
    return {row["level_id"]: row["total"] for row in rows}
