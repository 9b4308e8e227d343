"""Levels and movements as records: how they are read under a lock, and the statements with which ``stock.ledger`` writes."""

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from gqlstock.rules import seals
from gqlstock.rules.ledger import Level, MovementKind
from gqlstock.store import database
from gqlstock.store.db import records
from gqlstock.store.fields import from_units, to_units
from gqlstock.store.inventory import InventoryLevel, StockMovement

_LEVELS = """SELECT {columns}, EXISTS (
        SELECT 1 FROM low_inventory_alert a WHERE a.item_id = l.item_id AND a.state = 'RAISED') AS alerted
    FROM inventory_level l WHERE l.item_id IN ({slots}) ORDER BY l.id"""
EXPIRED_UNITS = """SELECT u.level_id AS level_id, CAST(SUM(u.quantity) AS BIGINT) AS units
    FROM held_units u JOIN stock_hold h ON h.id = u.hold_id
    WHERE h.state = 'ACTIVE' AND h.expires_at <= ? AND u.level_id IN ({slots}) GROUP BY u.level_id"""
"""What holds that have expired still keep in the stored figures of levels: it counts nowhere."""
_FIGURES = ("on_hand", "reserved", "planned", "held", "backordered", "incoming", "available")
_INSERTED = ("item_id", "warehouse_id", *_FIGURES, "counted_at", "deleted_at", "updated_at")
_INCREMENT = (
    "UPDATE inventory_level SET "
    + ", ".join(f"{figure} = {figure} + ?" for figure in _FIGURES)
    + ", counted_at = COALESCE(?, counted_at), updated_at = ? WHERE id = ?"
)
_INCREMENT_ALL = (
    "UPDATE inventory_level AS l SET "
    + ", ".join(f"{figure} = l.{figure} + v.{figure}" for figure in _FIGURES)
    + ", counted_at = COALESCE(v.counted_at, l.counted_at), updated_at = v.updated_at FROM unnest("
    + "?::bigint[], " * len(_FIGURES)
    + "?::timestamptz[], ?::timestamptz[], ?::bigint[]) AS v ("
    + ", ".join(_FIGURES)
    + ", counted_at, updated_at, id) WHERE l.id = v.id"
)


async def of_items(item_ids: Collection[int], now: datetime) -> tuple[list[Level], set[int]]:
    """All levels of items, without what expired holds keep; and those of the items that may have an open alert."""
    if not item_ids:
        return [], set()
    statement = _LEVELS.format(columns=records.columns(Level, "l"), slots=database.slots(item_ids))
    rows = await database.look(statement, *item_ids)
    levels = records.hydrate(Level, rows)
    quiet = {level.item_id for level, row in zip(levels, rows, strict=True) if not row["alerted"]}
    return await without_expired(levels, now), set(item_ids) - quiet


async def stored_of_items(item_ids: Collection[int]) -> list[Level]:
    """All levels of items as they are stored, with what expired holds keep."""
    statement = f"SELECT {{columns}} FROM inventory_level WHERE item_id IN ({database.slots(item_ids)}) ORDER BY id"
    return await records.records(Level, statement, *item_ids) if item_ids else []


async def without_expired(levels: Sequence[Level], now: datetime) -> list[Level]:
    """The levels without what expired holds keep."""
    holding = [level.id for level in levels if level.held]
    if not holding:
        return list(levels)
    found = await database.look(EXPIRED_UNITS.format(slots=database.slots(holding)), now, *holding)
    expired = {row["level_id"]: from_units(row["units"]) for row in found}
    return [
        dataclasses.replace(level, held=level.held - expired[level.id]) if level.id in expired else level
        for level in levels
    ]


async def insert(levels: Sequence[Level]) -> list[int]:
    """Make levels with their figures; gives their ids, in order."""
    places = [
        (level.item_id, level.warehouse_id, *map(to_units, level.figures), to_units(level.available))
        for level in levels
    ]
    states = [(level.counted_at, level.deleted_at, level.updated_at) for level in levels]
    rows = [(*place, *state) for place, state in zip(places, states, strict=True)]
    return await database.insert(InventoryLevel, _INSERTED, rows)


async def set_in_use(levels: Sequence[Level]) -> None:
    """Take levels in or out of use."""
    await database.execute_many(
        "UPDATE inventory_level SET deleted_at = ?, updated_at = ? WHERE id = ?",
        [[level.deleted_at, level.updated_at, level.id] for level in levels],
    )


@dataclass(frozen=True, slots=True)
class NewMovement:
    item_id: int
    warehouse_id: int
    level_id: int
    kind: MovementKind
    quantity: Decimal
    on_hand_after: Decimal
    reason: str | None
    reference: str | None
    actor: str
    order_id: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Increment:
    """By how much each figure of a level changes, ``available`` last."""

    level_id: int
    figures: Sequence[Decimal]
    counted_at: datetime | None
    at: datetime


_MOVEMENT = ("level_id", "kind", "quantity", "on_hand_after", "reason", "reference", "actor", "order_id", "created_at")


async def insert_movements(movements: Sequence[NewMovement]) -> list[int]:
    """Write movements; gives their ids, in order."""
    rows = [
        (
            one.level_id,
            one.kind.value,
            to_units(one.quantity),
            to_units(one.on_hand_after),
            one.reason,
            one.reference,
            one.actor,
            one.order_id,
            one.created_at,
            seals.of_movement(one, one.item_id, one.warehouse_id),
        )
        for one in movements
    ]
    return await database.insert(StockMovement, (*_MOVEMENT, "seal"), rows)


def movement(new: NewMovement, movement_id: int) -> StockMovement:
    """A movement as it was written."""
    made = StockMovement(**{name: getattr(new, name) for name in _MOVEMENT})
    made.id = movement_id
    made._saved_in_db = True
    return made


async def increment(increments: Sequence[Increment]) -> None:
    """Add to the figures of levels: on PostgreSQL with one statement, however many there are."""
    if not increments:
        return
    if not database.is_postgres():
        given = [[*_units(one), one.counted_at, one.at, one.level_id] for one in increments]
        await database.execute_many(_INCREMENT, given)
        return
    columns = zip(*([*_units(one), one.counted_at, one.at, one.level_id] for one in increments), strict=True)
    await database.execute(_INCREMENT_ALL, *map(list, columns))


def _units(increment: Increment) -> list[int]:
    return [to_units(figure) if figure else 0 for figure in increment.figures]
