"""The changes of a batch so far: the current snapshot, and the records, entries and events to write."""

import dataclasses
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from gqlstock.rules import events, holds, ledger, refusals
from gqlstock.rules.events import Event
from gqlstock.rules.holds import StockHold
from gqlstock.rules.ledger import Level
from gqlstock.rules.quantities import ZERO
from gqlstock.stock.command import Changes, LedgerEntry, new_id
from gqlstock.stock.pending_writes import PendingWrites
from gqlstock.stock.snapshot import Snapshot

Key = tuple[int, int]
"""The ids of an item and a warehouse."""


@dataclass(slots=True)
class AppliedEntry:
    """A ledger entry, with onHand after it and its event."""

    entry: LedgerEntry
    on_hand_after: Any
    event: Event


@dataclass(slots=True)
class UnitOfWork:
    """``snapshot`` includes all changes so far; the next command is decided against it."""

    snapshot: Snapshot
    now: datetime
    writes: PendingWrites = field(default_factory=PendingWrites)
    entries: list[AppliedEntry] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    before: dict[Key, Level] = field(default_factory=dict)
    """The stored versions of changed levels."""
    expired: dict[Key, Decimal] = field(default_factory=dict)
    """The units of expired holds that the stored figures still include."""
    in_use: dict[Key, Level] = field(default_factory=dict)
    """The earlier versions of levels that are created, restored or retired."""
    replaced: dict[type, dict[int, Any]] = field(default_factory=dict)
    """The versions of records before the current command, by type and id; None for new records."""

    def begin(self) -> None:
        """Begin the next command."""
        self.replaced = {}

    def apply(self, changes: Changes) -> set[Key]:
        """Apply the decision of a command, and return the changed levels, including created and restored ones.

        Raises ``Refused``, with nothing applied, if a figure would be out of range or the caller's token has no access to a
        warehouse.
        """
        if not all(entry.caller.reaches(entry.warehouse_id) for entry in changes.entries):
            raise refusals.moves_elsewhere().only()
        after: dict[Key, Level] = {}
        steps = []
        for entry in changes.entries:
            before = after.get(entry.key) or self.snapshot.level(*entry.key) or Level()
            after[entry.key] = ledger.apply(before, entry.change)
            steps.append((entry, before, after[entry.key]))
        opened = self._open([*changes.opened, *(entry.key for entry in changes.entries)], changes.new_levels)
        for entry, before, level in steps:
            self._record(entry, before, level)
        for record in changes.added:
            self.add(record)
        for record in changes.changed:
            self.change(record)
        for key, quantity in changes.expired.items():
            self.expired[key] = self.expired.get(key, ZERO) + quantity
            stored = self.snapshot.level(*key)
            assert stored is not None
            self.before.setdefault(key, stored)
            # A level that was retired with its item has no subscribers.
            changed = events.level_changed if stored.deleted_at is None else events.level_row_changed
            self.events.append(changed(stored.id, stored.item_id))
        for key in changes.retired:
            self._retire(key)
        return opened | after.keys() | changes.levels_before.keys() | set(changes.retired)

    def add(self, record: Any) -> None:
        self.writes.add(record)
        self.replaced.setdefault(type(record), {})[record.id] = None
        self.snapshot.put(record)
        if isinstance(record, StockHold):
            self.snapshot.new_holds.append(record.id)

    def change(self, record: Any) -> None:
        before = self.snapshot.get(type(record), record.id)
        self.writes.change(before, record)
        self.replaced.setdefault(type(record), {}).setdefault(record.id, before)
        if isinstance(before, StockHold) and record.id not in self.snapshot.new_holds:
            self._count_hold(before, record)
        self.snapshot.put(record)

    def _count_hold(self, before: StockHold, after: StockHold) -> None:
        """Deduct a hold that ended from the count of its address."""
        for address in self.snapshot.counted_holds:
            was_active, is_active = (holds.is_active_of(address, one, self.now) for one in (before, after))
            self.snapshot.counted_holds[address] -= was_active and not is_active

    def _retire(self, key: Key) -> None:
        level = self.snapshot.level(*key)
        assert level is not None
        self.in_use.setdefault(key, level)
        self.snapshot.put_level(dataclasses.replace(level, deleted_at=self.now, updated_at=self.now))
        self.events.append(events.level_changed(level.id, level.item_id))

    def _open(self, keys: Iterable[Key], ids: Mapping[Key, int]) -> set[Key]:
        """Create missing levels and restore retired ones. Returns these."""
        found: set[Key] = set()
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
            self.events.append(events.level_changed(opened.id, opened.item_id))
            found.add(key)
        return found

    def _record(self, entry: LedgerEntry, before: Level, after: Level) -> None:
        stored = self.snapshot.level(*entry.key)
        assert stored is not None
        self.before.setdefault(entry.key, stored)
        figures = after.figures
        level = stored.with_figures(figures, entry.counted_at or stored.counted_at, self.now)
        self.snapshot.put_level(level)
        if entry.change.kind not in ledger.COUNTS:
            moved = self.snapshot.moved_now
            moved[level.id] = moved.get(level.id, ZERO) + entry.change.on_hand
        changed = events.level_changed if figures != before.figures else events.level_row_changed
        event = changed(level.id, level.item_id)
        self.events.append(event)
        self.entries.append(AppliedEntry(entry, level.on_hand, event))


def items_of(keys: Collection[Key]) -> set[int]:
    return {item_id for item_id, _ in keys}
