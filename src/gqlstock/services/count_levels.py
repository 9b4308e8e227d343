"""Counts of levels from a file: the check without locks, and the command that writes one batch.

``import_counts`` splits them into batches.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from gqlstock.rules import counting, ledger, quantities
from gqlstock.rules.catalog import Item
from gqlstock.rules.fallback import SettingsLookup
from gqlstock.rules.idempotency import IdempotencyKey
from gqlstock.rules.import_rows import Faults
from gqlstock.rules.ledger import Change, Level, MovementKind
from gqlstock.rules.refusals import Code, Refusal, Refused
from gqlstock.rules.scopes import Caller
from gqlstock.stock import present
from gqlstock.stock.command import Changes, LedgerEntry, Names, Result, Written
from gqlstock.stock.snapshot import Snapshot
from gqlstock.store import catalog, counts, levels
from gqlstock.store.counts import Count
from gqlstock.store.db import clock


@dataclass(frozen=True, slots=True)
class Owed:
    """A negative count, with its line: units that the other system owes its customers. It is imported as 0."""

    line: int
    sku: str
    on_hand: Decimal


@dataclass(frozen=True, slots=True)
class Checked:
    """Checked counts. ``due``: those that differ from their levels."""

    due: Sequence[Count] = ()
    changed: int = 0
    """How many levels they would change. A negative count of a level at 0 changes nothing."""
    owed: Sequence[Owed] = ()


async def check(batch: Sequence[Count], faults: Faults) -> Checked:
    """Check counts against the current levels, without locks."""
    known = await counts.on_hand_of({count.item_id for count in batch})
    due = [count for count in batch if known.get(count.key) != count.on_hand]
    if not due:
        return Checked()
    items = await catalog.items({count.item_id for count in due})
    lookup = await present.settings(items.values())
    # Only counts with parts of a unit need more of a level than onHand.
    fractional = {one.item_id for one in due if not quantities.is_whole(one.on_hand)}
    stored = await levels.of_items(fractional, clock.now())
    levels_by_key = {(level.item_id, level.warehouse_id): level for level in stored.levels}
    changed = 0
    for count in due:
        level = levels_by_key.get(count.key) or (Level(known[count.key]) if count.key in known else None)
        with faults.at(count.line):
            changed += _change(count, items.get(count.item_id), level, lookup) is not None
    owed = [
        Owed(one.line, items[one.item_id].sku, one.on_hand) for one in due if one.on_hand < 0 and one.item_id in items
    ]
    return Checked(due, changed, owed)


@dataclass(frozen=True, slots=True)
class CountLevels:
    """Write counts. A count that equals its level changes nothing.

    Counts that became invalid since the check are refused by line; the others are written. The result has the changed
    levels and, as ``rows``, the negative counts. ``reason``: the reason of the movements.
    """

    caller: Caller
    counts: Sequence[Count]
    reason: str
    key: IdempotencyKey | None = None

    @property
    def names(self) -> Names:
        return Names(items=frozenset(count.item_id for count in self.counts))

    @property
    def size(self) -> int:
        return len(self.counts)

    def items(self, snapshot: Snapshot) -> Collection[int]:
        return self.names.items & snapshot.lookup.items.keys()

    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        entries: list[LedgerEntry] = []
        refused: list[Refusal] = []
        owed: list[Owed] = []
        for count in self.counts:
            item, level = snapshot.lookup.items.get(count.item_id), snapshot.level(*count.key)
            try:
                change = _change(count, item, level, snapshot.lookup)
            except Refused as error:
                refused += [refusal.under("line", count.line) for refusal in error.refusals]
                continue
            if change is not None:
                entries.append(LedgerEntry(*count.key, change, self.caller, self.reason, counted_at=now))
            if count.on_hand < 0 and not _is_current(level, count.on_hand):
                assert item is not None
                owed.append(Owed(count.line, item.sku, count.on_hand))

        def answer(written: Written) -> Result:
            return Result({"levels": [written.level(entry.key).id for entry in entries]}, refused, owed)

        return Changes(answer, entries)


def _change(count: Count, item: Item | None, level: Level | None, lookup: SettingsLookup) -> Change | None:
    """The change of a count's level; None if the level equals the count. Raises ``Refused`` for an invalid count."""
    if item is None or item.deleted_at is not None:
        raise Refusal(Code.NOT_FOUND, "The item was deleted during the import.").only()
    on_hand = counting.counted_of(count.on_hand)
    if _is_current(level, count.on_hand) or _is_current(level, on_hand):
        return None
    counting.check_has_stock(item, lookup.product(item))
    counting.check_units(on_hand, item, count.warehouse_id, level, lookup)
    before = level or Level()
    change = ledger.counted(before, on_hand, kind=MovementKind.IMPORT)
    ledger.apply(before, change)
    return change


def _is_current(level: Level | None, on_hand: Decimal) -> bool:
    return level is not None and level.deleted_at is None and level.on_hand == on_hand
