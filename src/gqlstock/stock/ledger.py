"""The only writer of levels and movements. Figures change by increments; each change of onHand is a movement."""

import dataclasses
from collections.abc import Sequence
from datetime import datetime

from gqlstock.rules import events, seals
from gqlstock.rules import ledger as rules
from gqlstock.rules.ledger import Level, StockMovement
from gqlstock.stock.command import new_id
from gqlstock.stock.unit_of_work import AppliedEntry, Key, UnitOfWork
from gqlstock.store import ledger as movement_rows
from gqlstock.store import levels as rows
from gqlstock.store import outbox


async def write_levels(unit: UnitOfWork) -> None:
    """Insert new levels, and take others into or out of use. Runs before records that refer to levels are written."""
    levels = [level for key in unit.in_use if (level := unit.snapshot.level(*key)) is not None]
    new = [level for level in levels if level.id < 0]
    for level, stored_id in zip(new, await rows.insert(new), strict=True):
        unit.writes.store(level.id, stored_id)
    await rows.set_in_use([level for level in levels if level.id > 0])


async def retire(levels: Sequence[Level], now: datetime) -> None:
    """Take the levels of a locked item out of use. Their movements remain."""
    await rows.set_in_use([dataclasses.replace(level, deleted_at=now, updated_at=now) for level in levels])
    await outbox.add([events.level_changed(level.id, level.item_id) for level in levels])


async def write_entries(unit: UnitOfWork) -> dict[int, tuple[StockMovement, int]]:
    """Write movements and increments of levels. Returns each movement and its id, by the ``id()`` of its entry."""
    moved = [one for one in unit.entries if one.entry.change.on_hand]
    movements = [_movement(one, unit) for one in moved]
    ids = await movement_rows.insert(movements)
    for one, movement_id in zip(moved, ids, strict=True):
        one.event.data["movement"] = movement_id
    increments = (_increment(key, before, unit) for key, before in sorted(unit.before.items(), key=_by_key))
    await rows.increment([one for one in increments if one is not None])
    written = zip(moved, movements, ids, strict=True)
    return {id(one.entry): (movement, movement_id) for one, movement, movement_id in written}


def _by_key(one: tuple[Key, Level]) -> Key:
    return one[0]


def _movement(one: AppliedEntry, unit: UnitOfWork) -> StockMovement:
    entry = one.entry
    level = unit.snapshot.level(*entry.key)
    assert level is not None
    assert entry.change.kind is not None
    movement = StockMovement(
        id=new_id(),
        level_id=unit.writes.id_of(level.id),
        kind=entry.change.kind,
        quantity=entry.change.on_hand,
        on_hand_after=one.on_hand_after,
        reason=entry.reason,
        reference=entry.reference,
        actor=entry.caller.name,
        order_id=unit.writes.id_of(entry.order_id) if entry.order_id is not None else None,
        created_at=unit.now,
    )
    return dataclasses.replace(movement, seal=seals.of_movement(movement, level.item_id, level.warehouse_id))


def _increment(key: Key, before: Level, unit: UnitOfWork) -> rows.Increment | None:
    """The increment of a level; None for a new level, which was inserted with its figures."""
    after = unit.snapshot.level(*key)
    assert after is not None
    if after.id < 0:
        return None
    figures = [now - then for now, then in zip(after.figures, before.figures, strict=True)]
    available = after.available - before.available
    expired = unit.expired.get(key)
    if expired:
        # The stored figures still include the expired units.
        figures[_HELD] -= expired
        available += expired
    counted_at = after.counted_at if after.counted_at != before.counted_at else None
    return rows.Increment(after.id, (*figures, available), counted_at, unit.now)


_HELD = rules.FIGURES.index("held")
