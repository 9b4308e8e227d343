"""Reads levels as records, and has the statements with which ``stock.ledger`` writes them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from tortoise.queryset import QuerySet

from gqlstock.rules import ledger
from gqlstock.rules.ledger import Level
from gqlstock.store import holds
from gqlstock.store.db import clock, connection, records, sql
from gqlstock.store.db.fields import to_units
from gqlstock.store.inventory import InventoryLevel

# A statement takes at most 32,767 values on PostgreSQL.
_ITEMS_PER_STATEMENT = 10_000

_LEVELS = """SELECT {columns}, EXISTS (
        SELECT 1 FROM low_inventory_alert a WHERE a.item_id = l.item_id AND a.state = 'RAISED') AS alerted
    FROM inventory_level l WHERE l.item_id IN ({slots}) ORDER BY l.id"""
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
    """All levels of items, without expired holds, and the ids of the items that may have an open alert."""
    if not item_ids:
        return [], set()
    statement = _LEVELS.format(columns=records.columns(Level, "l"), slots=sql.slots(item_ids))
    rows = await sql.fetch_raw(statement, *item_ids)
    levels = records.hydrate(Level, rows)
    without_alert = {level.item_id for level, row in zip(levels, rows, strict=True) if not row["alerted"]}
    return await without_expired(levels, now), set(item_ids) - without_alert


async def stored_of_items(item_ids: Collection[int]) -> list[Level]:
    """All levels of items as stored, with expired holds."""
    condition = f"item_id IN ({sql.slots(item_ids)}) ORDER BY id"
    return await records.where(Level, condition, *item_ids) if item_ids else []


async def without_expired(levels: Sequence[Level], now: datetime) -> list[Level]:
    """The levels without expired holds."""
    expired = await holds.expired_units([level.id for level in levels if level.held], now)
    if not expired:
        return list(levels)
    return [ledger.without_held(one, expired[one.id]) if one.id in expired else one for one in levels]


async def current(levels: Sequence[Level]) -> list[Level]:
    """Stored levels, without the holds that are expired now."""
    return await without_expired(levels, clock.now())


def all_levels() -> QuerySet[InventoryLevel]:
    """The query of a list of levels, including levels out of use; ``keyset`` reads it as records."""
    return InventoryLevel.all()


def live_levels() -> QuerySet[InventoryLevel]:
    """Like ``all_levels``, without levels out of use."""
    return InventoryLevel.filter(deleted_at=None)


async def levels(ids: Collection[int]) -> dict[int, Level]:
    found = await records.by_id(Level, ids)
    return {level.id: level for level in await current(list(found.values()))}


async def levels_of(item_ids: Collection[int]) -> dict[int, list[Level]]:
    """The levels in use of each item, in the order of their ids. Any number of items."""
    found: dict[int, list[Level]] = {item_id: [] for item_id in item_ids}
    for part in sql.parts(found, _ITEMS_PER_STATEMENT):
        condition = f"item_id IN ({sql.slots(part)}) AND deleted_at IS NULL ORDER BY id"
        for level in await current(await records.where(Level, condition, *part)):
            found[level.item_id].append(level)
    return found


async def levels_in(warehouse_id: int, item_ids: Collection[int]) -> dict[int, Level]:
    """The levels in use of items in one warehouse, by item."""
    condition = f"warehouse_id = ? AND item_id IN ({sql.slots(item_ids)}) AND deleted_at IS NULL"
    found = await records.where(Level, condition, warehouse_id, *item_ids)
    return {level.item_id: level for level in await current(found)}


async def level_id(item_id: int, warehouse_id: int) -> int | None:
    """The id of the level in use of an item in a warehouse."""
    found = await live_levels().filter(item_id=item_id, warehouse_id=warehouse_id).values_list("id", flat=True)
    return next(iter(cast("list[int]", found)), None)


async def insert(levels: Sequence[Level]) -> list[int]:
    """Insert levels with their figures. Returns their ids, in order."""
    return await sql.insert(InventoryLevel, _INSERTED, [_stored(level) for level in levels])


def _stored(level: Level) -> tuple[Any, ...]:
    figures = (*map(to_units, level.figures), to_units(level.available))
    return (level.item_id, level.warehouse_id, *figures, level.counted_at, level.deleted_at, level.updated_at)


async def set_in_use(levels: Sequence[Level]) -> None:
    """Take levels in or out of use."""
    await sql.execute_many(
        "UPDATE inventory_level SET deleted_at = ?, updated_at = ? WHERE id = ?",
        [[level.deleted_at, level.updated_at, level.id] for level in levels],
    )


@dataclass(frozen=True, slots=True)
class Increment:
    """The increment of each figure of a level; ``available`` is the last."""

    level_id: int
    figures: Sequence[Decimal]
    counted_at: datetime | None
    at: datetime


async def increment(increments: Sequence[Increment]) -> None:
    """Add to the figures of levels; on PostgreSQL with one statement for any number of levels."""
    if not increments:
        return
    rows = [[*_units(one), one.counted_at, one.at, one.level_id] for one in increments]
    if connection.is_postgres():
        await sql.execute(_INCREMENT_ALL, *map(list, zip(*rows, strict=True)))
    else:
        await sql.execute_many(_INCREMENT, rows)


def _units(increment: Increment) -> list[int]:
    return [to_units(figure) if figure else 0 for figure in increment.figures]
