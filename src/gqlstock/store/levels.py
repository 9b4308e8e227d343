"""Reads levels as records, and provides the statements with which ``stock.ledger`` writes them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from tortoise.queryset import QuerySet

from gqlstock.rules import cache_keys, ledger, promises
from gqlstock.rules.filters import LevelFilter
from gqlstock.rules.ledger import Change, Level
from gqlstock.rules.promises import Arrival
from gqlstock.rules.sourcing import LevelsInUse
from gqlstock.store import announcements, catalog, holds, search
from gqlstock.store.db import connection, reads, records, sql
from gqlstock.store.db.fields import to_units
from gqlstock.store.holds import ExpiringUnits
from gqlstock.store.inventory import InventoryLevel

# PostgreSQL accepts at most 32,767 parameters per statement.
_ITEMS_PER_STATEMENT = 10_000

_LEVELS = """SELECT {columns}, EXISTS (
        SELECT 1 FROM low_inventory_alert a WHERE a.item_id = l.item_id AND a.state = 'RAISED') AS alerted,
        {dated} AS dated
    FROM inventory_level l WHERE l.item_id IN ({slots}) ORDER BY l.id"""
_IN_USE = """SELECT {columns}, {dated} AS dated FROM inventory_level l
    WHERE l.item_id IN ({slots}) AND l.deleted_at IS NULL ORDER BY l.id"""
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


@dataclass(frozen=True, slots=True)
class LevelsOfItems:
    """All levels of items, without expired holds, with their alerts and arrivals."""

    levels: list[Level]
    alerted: set[int]
    """The ids of the items that may have an open alert."""
    arrivals: dict[int, list[Arrival]]
    """The dated open announcements of each level that has some, oldest first."""


async def of_items(item_ids: Collection[int], now: datetime) -> LevelsOfItems:
    """The levels of items. Any number of ids."""
    columns, dated = records.columns(Level, "l"), announcements.dated()
    rows: list[Any] = []
    for part in sql.parts(item_ids, _ITEMS_PER_STATEMENT):
        rows += await sql.fetch_raw(_LEVELS.format(columns=columns, dated=dated, slots=sql.slots(part)), *part)
    levels = records.hydrate(Level, rows)
    without_alert = {level.item_id for level, row in zip(levels, rows, strict=True) if not row["alerted"]}
    return LevelsOfItems(await without_expired(levels, now), set(item_ids) - without_alert, _arrivals(levels, rows))


def _arrivals(levels: Sequence[Level], rows: Sequence[Any]) -> dict[int, list[Arrival]]:
    """The arrivals of each level that has some. ``rows`` include ``announcements.dated``."""
    return {
        level.id: announcements.arrivals(row["dated"])
        for level, row in zip(levels, rows, strict=True)
        if level.incoming
    }


async def stored_of_items(item_ids: Collection[int]) -> list[Level]:
    """All levels of items as stored, including expired holds."""
    condition = f"item_id IN ({sql.slots(item_ids)}) ORDER BY id"
    return await records.where(Level, condition, *item_ids) if item_ids else []


async def without_expired(levels: Sequence[Level], now: datetime) -> list[Level]:
    """The levels without expired holds."""
    expiring = await _expiring(levels, now)
    return [_without(level, expiring.get(level.id)) for level in levels] if expiring else list(levels)


async def _expiring(levels: Sequence[Level], now: datetime) -> dict[int, ExpiringUnits]:
    held = [level for level in levels if level.held]
    if not held:
        return {}
    with reads.only({cache_keys.levels(level.item_id) for level in held}):
        found = await holds.expiring_units([level.id for level in held], now)
    for expiring in found.values():
        reads.depend_on((), expiring.until)
    return found


def _without(level: Level, expiring: ExpiringUnits | None) -> Level:
    return ledger.apply(level, Change(held=-expiring.expired)) if expiring is not None and expiring.expired else level


async def current(levels: Sequence[Level]) -> list[Level]:
    """Stored levels, without the holds that have expired by now."""
    return await without_expired(levels, reads.now())


def live_levels() -> QuerySet[InventoryLevel]:
    """The levels in use."""
    return InventoryLevel.filter(deleted_at=None)


async def matching(
    criteria: LevelFilter,
    within: Collection[int] | None,
    *,
    sold_from: Collection[int] | None,
    in_categories: Collection[int] | None,
) -> QuerySet[InventoryLevel]:
    """The levels that match a filter. ``within``: only of these warehouses.

    ``sold_from`` and ``in_categories`` are the ids of the warehouses of the filter's website, and of its category and
    subcategories.
    """
    rows = InventoryLevel.all() if criteria.include_deleted else live_levels()
    if within is not None:
        rows = rows.filter(warehouse_id__in=within)
    if criteria.search:
        rows = rows.filter(await search.items(criteria.search, "item__"))
    if criteria.skus is not None:
        rows = rows.filter(item__sku__in=criteria.skus, item__deleted_at=None)
    if criteria.warehouses is not None:
        rows = rows.filter(warehouse__code__in=criteria.warehouses)
    if sold_from is not None:
        rows = rows.filter(warehouse_id__in=sold_from)
    if criteria.product is not None:
        rows = rows.filter(await catalog.of_product(criteria.product, "item_id"))
    if in_categories is not None:
        rows = rows.filter(catalog.in_categories(in_categories, "item__"))
    if criteria.available_at_least is not None:
        rows = rows.filter(available__gte=criteria.available_at_least)
    if criteria.available_below is not None:
        rows = rows.filter(available__lt=criteria.available_below)
    if criteria.updated_since is not None:
        rows = rows.filter(updated_at__gte=criteria.updated_since)
    if criteria.status is not None:
        rows = rows.filter(catalog.with_status(criteria.status, "item__"))
    return rows


async def with_expiry(ids: Collection[int], now: datetime) -> list[tuple[Level, datetime | None]]:
    """Levels by id, without expired holds, each with the time at which its next hold expires."""
    levels = list((await records.by_id(Level, ids)).values())
    expiring = await _expiring(levels, now)
    found = [(level, expiring.get(level.id)) for level in levels]
    return [(_without(level, units), units.until if units is not None else None) for level, units in found]


async def levels(ids: Collection[int]) -> dict[int, Level]:
    found = await records.by_id(Level, ids)
    return {level.id: level for level in await current(list(found.values()))}


async def levels_of(item_ids: Collection[int]) -> dict[int, list[Level]]:
    """The levels in use of each item, in id order. Any number of items."""
    return {item_id: found.levels for item_id, found in (await in_use(item_ids, reads.now())).items()}


async def in_use(item_ids: Collection[int], now: datetime) -> dict[int, LevelsInUse]:
    """The levels in use of each item, without expired holds, in id order. Any number of items."""
    found: dict[int, LevelsInUse] = {item_id: LevelsInUse() for item_id in item_ids}
    for part in sql.parts(found, _ITEMS_PER_STATEMENT):
        columns = records.columns(Level, "l")
        statement = _IN_USE.format(columns=columns, dated=announcements.dated(), slots=sql.slots(part))
        with reads.only(map(cache_keys.levels, part)):
            rows = await sql.fetch_raw(statement, *part)
        levels = records.hydrate(Level, rows)
        expiring, arrivals = await _expiring(levels, now), _arrivals(levels, rows)
        for level in levels:
            supply = promises.to_come(arrivals[level.id], now) if level.id in arrivals else ()
            held = expiring.get(level.id)
            found[level.item_id].add(_without(level, held), supply, held.until if held is not None else None)
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
    """Store whether levels are in use."""
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
    """Add to the figures of levels. On PostgreSQL this takes one statement for any number of levels."""
    if not increments:
        return
    rows = [[*_units(each), each.counted_at, each.at, each.level_id] for each in increments]
    if connection.is_postgres():
        await sql.execute(_INCREMENT_ALL, *map(list, zip(*rows, strict=True)))
    else:
        await sql.execute_many(_INCREMENT, rows)


def _units(increment: Increment) -> list[int]:
    return [to_units(figure) if figure else 0 for figure in increment.figures]
