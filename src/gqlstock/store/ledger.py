"""The ledger: single movements, and what they add up to at a moment. ``stock.ledger`` alone writes it."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from tortoise.queryset import QuerySet

from gqlstock.rules import ledger as rules
from gqlstock.rules.ledger import StockMovement
from gqlstock.store import inventory
from gqlstock.store.db import clock, records, sql, tables
from gqlstock.store.db.fields import Total, from_units

# SQLite joins at most 500 statements into one.
_ASKED_AT_ONCE = 400
# The movements of a level are written one after another: what comes before one of up to the moment is of up to the moment,
# whatever it was stamped with. What is stamped later than now was written before the clock was set back.
_MOVED = """SELECT {} AS number, CAST(COALESCE(SUM(quantity), 0) AS BIGINT) AS units
    FROM stock_movement WHERE level_id = ? AND created_at <= ? AND kind NOT IN ({}) AND id > COALESCE(
        (SELECT id FROM stock_movement WHERE level_id = ? AND created_at <= ? ORDER BY id DESC LIMIT 1), 0)"""
_COUNTS = ", ".join(f"'{kind.value}'" for kind in rules.COUNTS)
# The clocks of processes that write at the same time agree to that.
CLOCKS_AGREE = timedelta(seconds=5)


async def movements(ids: Collection[int]) -> dict[int, StockMovement]:
    return await records.by_id(StockMovement, ids)


def all_movements() -> QuerySet[inventory.StockMovement]:
    """What a list of movements filters; ``keyset`` reads it as records."""
    return inventory.StockMovement.all()


async def insert(movements: Sequence[StockMovement]) -> list[int]:
    """Write movements; gives their ids, in order."""
    return await tables.insert(StockMovement, movements)


async def moved_after_each(asked: Sequence[tuple[int, datetime]]) -> dict[tuple[int, datetime], Decimal]:
    """For levels and moments, the sum of the level's movements created after the moment, without those of counts.

    No moment is before the latest that its level was counted for: whatever a count corrected afterwards, was seen then.
    """
    found: dict[tuple[int, datetime], Decimal] = {}
    upto = clock.now() + CLOCKS_AGREE
    for start in range(0, len(asked), _ASKED_AT_ONCE):
        part = asked[start : start + _ASKED_AT_ONCE]
        statement = " UNION ALL ".join(_MOVED.format(number, _COUNTS) for number in range(len(part)))
        rows = await sql.query(
            statement, *(value for level_id, moment in part for value in (level_id, upto, level_id, moment))
        )
        found |= {part[row["number"]]: from_units(row["units"]) for row in rows}
    return found


async def on_hand_at(level_ids: Collection[int], moment: datetime) -> dict[int, Decimal]:
    """Each level's onHand as the ledger has it at that moment: the sum of the movements up to and with it."""
    rows = (
        await inventory.StockMovement.filter(level_id__in=set(level_ids), created_at__lte=moment)
        .annotate(total=Total("quantity"))
        .group_by("level_id")
        .values("level_id", "total")
    )
    return {row["level_id"]: row["total"] for row in rows}
