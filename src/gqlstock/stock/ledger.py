"""The only writer of levels and movements: figures by increments, a movement for each change of onHand."""

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from gqlstock.rules import ledger as rules
from gqlstock.rules.events import Event, Topic
from gqlstock.rules.ledger import Level
from gqlstock.rules.quantities import ZERO
from gqlstock.stock.unit_of_work import AppliedEntry, Key, UnitOfWork
from gqlstock.store import levels as rows
from gqlstock.store import outbox


async def write_levels(unit: UnitOfWork) -> None:
    """Make the levels that are new, and take others in and out of use; before the records that refer to them."""
    found = [level for key in unit.in_use if (level := unit.snapshot.level(*key)) is not None]
    new = [level for level in found if level.id < 0]
    for level, stored_id in zip(new, await rows.insert(new), strict=True):
        unit.writes.store(level.id, stored_id)
    await rows.set_in_use([level for level in found if level.id > 0])


async def retire(levels: Sequence[Level], now: datetime) -> None:
    """Take levels out of use with their item, which is locked; their ledger stays."""
    await rows.set_in_use([dataclasses.replace(level, deleted_at=now, updated_at=now) for level in levels])
    await outbox.add([Event(Topic.LEVEL, level.id) for level in levels])


async def write_entries(unit: UnitOfWork) -> dict[int, Any]:
    """Write the movements and what changed of the levels; gives the movements by the identity of their entries."""
    moved = [one for one in unit.entries if one.entry.change.on_hand]
    movements = await rows.insert_movements([_movement(one, unit) for one in moved])
    for one, movement in zip(moved, movements, strict=True):
        assert one.event is not None
        one.event.data["movement"] = movement.id
    await rows.increment([_increment(key, before, unit) for key, before in sorted(unit.before.items())])
    return {id(one.entry): movement for one, movement in zip(moved, movements, strict=True)}


def _movement(one: AppliedEntry, unit: UnitOfWork) -> rows.NewMovement:
    entry = one.entry
    level = unit.snapshot.level(*entry.key)
    assert level is not None
    assert entry.change.kind is not None
    level_id = unit.writes.id_of(level.id)
    return rows.NewMovement(
        level=dataclasses.replace(level, id=level_id),
        level_id=level_id,
        kind=entry.change.kind,
        quantity=entry.change.on_hand,
        on_hand_after=one.on_hand_after,
        reason=entry.reason,
        reference=entry.reference,
        actor=entry.caller.name,
        order_id=unit.writes.id_of(entry.order_id) if entry.order_id is not None else None,
        created_at=unit.now,
    )


def _increment(key: Key, before: Level, unit: UnitOfWork) -> rows.Increment:
    after = unit.snapshot.level(*key)
    assert after is not None
    expired = unit.expired.get(key, ZERO)
    stored = dataclasses.replace(before, held=before.held + expired)
    figures = [getattr(after, name) - getattr(stored, name) for name in (*rules.FIGURES, "available")]
    counted_at = after.counted_at if after.counted_at != before.counted_at else None
    return rows.Increment(unit.writes.id_of(after.id), figures, counted_at, unit.now)
