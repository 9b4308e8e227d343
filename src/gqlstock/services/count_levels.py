"""Counts that a file gives of levels: the check of them without locks, and the command that states them.

How a file is read, and in which parts it is written, is said in ``imports``.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from gqlstock.rules import counting, ledger, quantities
from gqlstock.rules.catalog import Item
from gqlstock.rules.fallback import Lookup
from gqlstock.rules.idempotency import IdempotencyKey
from gqlstock.rules.ledger import Change, Level, MovementKind
from gqlstock.rules.refusals import Code, Refusal, Refused
from gqlstock.rules.scopes import Caller
from gqlstock.rules.sheet import Faults
from gqlstock.stock.command import Changes, LedgerEntry, Names, Result, Written
from gqlstock.stock.settings_lookup import lookup
from gqlstock.stock.snapshot import Snapshot
from gqlstock.store import catalog, counts, levels
from gqlstock.store.counts import Count
from gqlstock.store.db import clock


async def check(given: Sequence[Count], faults: Faults) -> list[Count]:
    """Hold counts against what is there now, without a lock; gives those that would change something."""
    known = await counts.on_hand_of({count.item_id for count in given})
    due = [count for count in given if known.get(count.key) != count.on_hand]
    if not due:
        return []
    items = await catalog.items({count.item_id for count in due})
    found = await lookup(items.values())
    # Of most counts it is enough to know what the level has.
    stored, _ = await levels.of_items({one.item_id for one in due if not quantities.is_whole(one.on_hand)}, clock.now())
    whole = {(level.item_id, level.warehouse_id): level for level in stored}
    for count in due:
        level = whole.get(count.key) or (Level(known[count.key]) if count.key in known else None)
        with faults.at(count.line):
            _change(count, items.get(count.item_id), level, found)
    return due


@dataclass(frozen=True, slots=True)
class Note:
    """What a person should check, by its line in the file."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class CountLevels:
    """State what was counted. A count that a level has already changes nothing.

    Counts that are wrong by now are refused by their lines, and the others are stated. The result has the levels that
    changed, and as its rows the notes: what is below 0 is owed to customers of the system that wrote the file, and counts
    as 0.
    """

    caller: Caller
    counts: Sequence[Count]
    key: IdempotencyKey | None = None

    @property
    def names(self) -> Names:
        return Names(items=frozenset(count.item_id for count in self.counts))

    @property
    def size(self) -> int:
        return len(self.counts)

    def items(self, found: Snapshot) -> Collection[int]:
        return self.names.items & found.lookup.items.keys()

    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        entries: list[LedgerEntry] = []
        refused: list[Refusal] = []
        notes: list[Note] = []
        for count in self.counts:
            item, level = snapshot.lookup.items.get(count.item_id), snapshot.level(*count.key)
            try:
                change = _change(count, item, level, snapshot.lookup)
            except Refused as error:
                refused += [refusal.under("line", count.line) for refusal in error.refusals]
                continue
            if change is not None:
                entries.append(LedgerEntry(*count.key, change, self.caller, counted_at=now))
            if count.on_hand < 0 and not _is_so(level, count.on_hand):
                assert item is not None
                notes.append(Note(count.line, f"{item.sku} has {quantities.text(count.on_hand)}: counted as 0."))

        def answer(written: Written) -> Result:
            return Result({"levels": [written.level(entry.key).id for entry in entries]}, refused, notes)

        return Changes(answer, entries)


def _change(count: Count, item: Item | None, level: Level | None, found: Lookup) -> Change | None:
    """What a count does to its level; None where the level has it already. Refused where the item cannot have that count."""
    if item is None or item.deleted_at is not None:
        raise Refusal(Code.NOT_FOUND, "The item has just been deleted.").only()
    on_hand = counting.counted_of(count.on_hand)
    if _is_so(level, count.on_hand) or _is_so(level, on_hand):
        return None
    counting.check_has_stock(item, found.product(item))
    counting.check_units(on_hand, item, count.warehouse_id, level, found)
    before = level or Level()
    change = ledger.counted(before, on_hand, kind=MovementKind.IMPORT)
    ledger.apply(before, change)
    return change


def _is_so(level: Level | None, on_hand: Decimal) -> bool:
    return level is not None and level.deleted_at is None and level.on_hand == on_hand
