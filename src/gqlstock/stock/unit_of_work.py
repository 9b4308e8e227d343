"""What the commands of a batch have changed so far: the figures in memory, the records and entries still to be written."""

import dataclasses
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from gqlstock.rules import holds, ledger, refusals
from gqlstock.rules.events import Event, Topic
from gqlstock.rules.holds import StockHold
from gqlstock.rules.ledger import Level
from gqlstock.rules.quantities import ZERO
from gqlstock.stock.command import Changes, LedgerEntry, new_id
from gqlstock.stock.pending_writes import PendingWrites
from gqlstock.stock.snapshot import Snapshot

Key = tuple[int, int]
"""An item's id and a warehouse's."""


@dataclass(slots=True)
class AppliedEntry:
    """An entry of the ledger with onHand as it leaves it, and the news of it."""

    entry: LedgerEntry
    on_hand_after: Any
    event: Event | None


@dataclass(slots=True)
class UnitOfWork:
    """``snapshot`` is what the next command decides against."""

    snapshot: Snapshot
    now: datetime
    writes: PendingWrites = field(default_factory=PendingWrites)
    entries: list[AppliedEntry] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    before: dict[Key, Level] = field(default_factory=dict)
    """The levels that changed, as they are stored."""
    expired: dict[Key, Decimal] = field(default_factory=dict)
    """What the stored figures still have of holds that have expired."""
    in_use: dict[Key, Level] = field(default_factory=dict)
    """Levels that are made, brought back into use or taken out of it, as they were."""

    def apply(self, changes: Changes) -> set[Key]:
        """Take up what a command decided; gives the levels that changed.

        Refused when a figure leaves its range, and to a caller whose token is not for a warehouse: then nothing is taken up.
        """
        if not all(entry.caller.reaches(entry.warehouse_id) for entry in changes.entries):
            raise refusals.moves_elsewhere().only()
        after: dict[Key, Level] = {}
        steps = []
        for entry in changes.entries:
            then = after.get(entry.key) or self.snapshot.level(*entry.key) or Level()
            after[entry.key] = ledger.apply(then, entry.change)
            steps.append((entry, then, after[entry.key]))
        self._open([*changes.opened, *(entry.key for entry in changes.entries)], changes.new_levels)
        for entry, then, level in steps:
            self._enter(entry, then, level)
        for record in changes.added:
            self.add(record)
        for record in changes.changed:
            self.change(record)
        for key, quantity in changes.expired.items():
            self.expired[key] = self.expired.get(key, ZERO) + quantity
            holding = self.snapshot.level(*key)
            assert holding is not None
            self.before.setdefault(key, holding)
            # Of a level that went out of use with its item nobody is told any more.
            if holding.deleted_at is None:
                self.events.append(Event(Topic.LEVEL, holding.id))
        for key in changes.retired:
            self._retire(key)
        return after.keys() | changes.told.keys() | set(changes.retired)

    def add(self, record: Any) -> None:
        self.writes.add(record)
        self.snapshot.put(record)
        if isinstance(record, StockHold):
            self.snapshot.new_holds.append(record.id)

    def change(self, record: Any) -> None:
        before = self.snapshot.get(type(record), record.id)
        self.writes.change(before, record)
        if isinstance(before, StockHold) and record.id not in self.snapshot.new_holds:
            self._count_hold(before, record)
        self.snapshot.put(record)

    def _count_hold(self, before: StockHold, after: StockHold) -> None:
        """Count an address's active holds without one that has ended."""
        for address in self.snapshot.counted_holds:
            was, still = (holds.is_active_of(address, one, self.now) for one in (before, after))
            self.snapshot.counted_holds[address] -= was and not still

    def _retire(self, key: Key) -> None:
        level = self.snapshot.level(*key)
        assert level is not None
        self.in_use.setdefault(key, level)
        self.snapshot.put_level(dataclasses.replace(level, deleted_at=self.now, updated_at=self.now))
        self.events.append(Event(Topic.LEVEL, level.id))

    def _open(self, keys: Iterable[Key], ids: Mapping[Key, int]) -> None:
        """Make the levels that are missing, and bring those back that are out of use."""
        for key in keys:
            level = self.snapshot.level(*key)
            if level is not None and level.deleted_at is None:
                continue
            self.in_use.setdefault(key, level or Level())
            if level is None:
                opened = Level(id=ids.get(key) or new_id(), item_id=key[0], warehouse_id=key[1], updated_at=self.now)
            else:
                opened = dataclasses.replace(level, deleted_at=None, updated_at=self.now)
            self.snapshot.put_level(opened)
            self.events.append(Event(Topic.LEVEL, opened.id))

    def _enter(self, entry: LedgerEntry, then: Level, after: Level) -> None:
        stored = self.snapshot.level(*entry.key)
        assert stored is not None
        self.before.setdefault(entry.key, stored)
        figures = after.figures
        level = stored.with_figures(figures, entry.counted_at or stored.counted_at, self.now)
        self.snapshot.put_level(level)
        if entry.change.kind not in ledger.COUNTS:
            moved = self.snapshot.moved_now
            moved[level.id] = moved.get(level.id, ZERO) + entry.change.on_hand
        event = Event(Topic.LEVEL, level.id, {}) if figures != then.figures else None
        if event is not None:
            self.events.append(event)
        self.entries.append(AppliedEntry(entry, level.on_hand, event))


def items_of(keys: Collection[Key]) -> set[int]:
    return {item_id for item_id, _ in keys}
