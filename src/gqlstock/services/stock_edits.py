"""Applies the rows of a stock mutation to a snapshot in order: adjustments, counts, moves."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from gqlstock.rules import catalog, counting, ledger, refusals
from gqlstock.rules.idempotency import IdempotencyKey
from gqlstock.rules.ledger import Change, Level
from gqlstock.rules.network import Network
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import Code, Refusal, Refused, invalid
from gqlstock.rules.scopes import SYSTEM, Caller
from gqlstock.stock.command import Changes, LedgerEntry, Names, Result, Written, new_id
from gqlstock.stock.snapshot import NotLoaded, Snapshot
from gqlstock.store.ledger import MAX_CLOCK_DIFFERENCE

MAX_ROWS = 1_000

R = TypeVar("R")

Key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class StockLine:
    """A quantity of one item."""

    sku: str
    quantity: Decimal


def check_rows(rows: Sequence[Any], name: str) -> None:
    if not rows:
        raise invalid(f"{name} is empty: give at least one row.", name)
    if len(rows) > MAX_ROWS:
        raise refusals.too_many(name, len(rows), MAX_ROWS, name)


@dataclass(slots=True)
class EditStock:
    """The command of mutations whose input is a list of rows. ``work`` applies one row."""

    caller: Caller
    key: IdempotencyKey | None
    name: str
    """The name of the list in the input, for the paths of refusals."""
    rows: Sequence[Any]
    skus: Collection[str]
    work: Callable[["StockEdits", Any], None]
    reason: str | None = None
    reference: str | None = None
    partial: bool = False
    check: Callable[[Network], None] = lambda network: None
    """Raises ``Refused`` if the mutation as a whole is invalid."""
    announcements: frozenset[int] = frozenset()
    """The announcements that the rows name."""

    @property
    def names(self) -> Names:
        return Names(skus=frozenset(self.skus), announcements=self.announcements)

    @property
    def size(self) -> int:
        return len(self.rows)

    def items(self, snapshot: Snapshot) -> Collection[int]:
        self.check(snapshot.network)
        return {item.id for sku in self.skus if (item := snapshot.by_sku.get(sku)) is not None}

    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        edits = StockEdits(self.caller, snapshot, now, self.reason, self.reference)
        refused = edits.run(self.name, self.rows, self.work, partial=self.partial)
        return edits.changes(refused)


class StockEdits:
    """The changes of the rows of one call so far."""

    def __init__(
        self,
        caller: Caller,
        snapshot: Snapshot,
        now: datetime,
        reason: str | None,
        reference: str | None,
        announced_at: str | None = None,
    ) -> None:
        """``announced_at``: a warehouse that the caller needs no access to, because units are only announced there."""
        self.now = now
        self.snapshot = snapshot
        self.entries: list[LedgerEntry] = []
        self.added: list[Any] = []
        self.changed: dict[tuple[type, int], Any] = {}
        self._new_levels: dict[Key, int] = {}
        self._named: set[Key] = set()
        self._caller = caller
        self._reason = catalog.optional_text(reason, "reason", "reason")
        self._reference = catalog.optional_text(reference, "reference", "reference")
        self._announced_at = announced_at
        self._levels: dict[Key, Level] = {}

    def run(
        self, name: str, rows: Sequence[Any], work: Callable[["StockEdits", Any], None], *, partial: bool = False
    ) -> list[Refusal]:
        """Apply every row. If one is invalid, all are refused; with ``partial``, only that one. Returns the refusals."""
        refused: list[Refusal] = []
        missing: list[NotLoaded] = []
        for number, row in enumerate(rows):
            entries, levels = len(self.entries), dict(self._levels)
            try:
                work(self, row)
            except Refused as error:
                refused += [refusal.under(name, number) for refusal in error.refusals]
                self._levels = levels
                del self.entries[entries:]
            except NotLoaded as more:
                missing.append(more)
        if missing:
            raise NotLoaded.all(missing)
        if refused and not partial:
            raise Refused(refused)
        return refused

    def changes(self, refused: Sequence[Refusal] = ()) -> Changes:
        def answer(written: Written) -> Result:
            levels = [written.level(key) for key in dict.fromkeys(entry.key for entry in self.entries)]
            movements = written.movements(self.entries)
            ids = {"levels": [one.id for one in levels], "movements": [one.id for one in movements]}
            return Result(ids, list(refused), [*levels, *movements])

        changed = list(self.changed.values())
        return Changes(answer, self.entries, self.added, changed, new_levels=self._new_levels)

    def level(self, sku: str, warehouse: str) -> Level:
        """A level with the changes of earlier rows; an empty one if none exists yet."""
        return self._level(self._key(sku, warehouse))

    def name_once(self, sku: str, warehouse: str) -> None:
        """Refuse a level that an earlier row named, in any spelling."""
        key = self._key(sku, warehouse)
        if key in self._named:
            raise invalid(f"{sku} in {warehouse} is given twice: give one count.", "sku")
        self._named.add(key)

    def put(self, sku: str, warehouse: str, change: Change, counted_at: datetime | None = None) -> None:
        key = self._key(sku, warehouse)
        level = ledger.apply(self._level(key), change)
        self._levels[key] = replace(level, counted_at=counted_at or level.counted_at)
        caller = self._caller if self._caller.reaches(key[1]) else SYSTEM
        entry = LedgerEntry(*key, change, caller, self._reason, self._reference, counted_at=counted_at)
        self.entries.append(entry)

    def level_id(self, sku: str, warehouse: str) -> int:
        """The id of a level; a temporary one if these rows create it."""
        level = self.level(sku, warehouse)
        return level.id or self._new_levels.setdefault(self._key(sku, warehouse), new_id())

    def record(self, kind: type[R], record_id: int | None) -> R | None:
        """A record with the changes of earlier rows."""
        if record_id is None:
            return None
        return self.changed.get((kind, record_id)) or self.snapshot.get(kind, record_id)

    def check_units(self, quantity: Decimal, sku: str, warehouse: str, *path: str) -> None:
        """Refuse fractions of a unit where only whole units are counted."""
        item_id, warehouse_id = self._key(sku, warehouse)
        level = self.snapshot.level(item_id, warehouse_id)
        counting.check_units(quantity, self.snapshot.item(item_id), warehouse_id, level, self.snapshot.lookup, *path)

    def moved_since(self, sku: str, warehouse: str, moment: datetime) -> Decimal:
        """The sum of movements since a count. Raises ``Refused`` for a time in the future or before the latest count."""
        if moment > self.now:
            raise invalid(f"{moment.isoformat()} is in the future.", "countedAt")
        level = self.level(sku, warehouse)
        latest = level.counted_at
        if latest is not None and latest > self.now + MAX_CLOCK_DIFFERENCE:
            latest = None  # stored before the clock was set back
        if latest is not None and moment < latest:
            raise Refusal(
                Code.STALE_QUANTITY,
                f"{sku} in {warehouse} was counted later, at {latest.isoformat()}.",
                ("countedAt",),
            ).only()
        now = self.snapshot.moved_now.get(level.id, ZERO) if moment < self.now else ZERO
        if level.id <= 0:
            return now
        if (level.id, moment) not in self.snapshot.moved:
            raise NotLoaded(moved=[(level.id, moment)])
        return self.snapshot.moved[level.id, moment] + now

    def _key(self, sku: str, warehouse: str) -> Key:
        item = self.snapshot.by_sku.get(sku)
        if item is None or item.deleted_at is not None:
            raise refusals.missing("item", sku, "sku")
        counting.check_has_stock(item, self.snapshot.lookup.product(item))
        warehouse_id = self.snapshot.network.warehouse_id(warehouse)
        if warehouse_id is None:
            raise refusals.missing("warehouse", warehouse, "warehouse")
        if not self._caller.reaches(warehouse_id) and warehouse != self._announced_at:
            raise refusals.out_of_reach(warehouse, "warehouse")
        return item.id, warehouse_id

    def _level(self, key: Key) -> Level:
        if key not in self._levels:
            self._levels[key] = self.snapshot.level(*key) or Level()
        return self._levels[key]
