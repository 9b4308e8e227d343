"""What every use case of stock implements: what it names, what it locks, what it decides."""

import itertools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from gqlstock.rules import ledger
from gqlstock.rules.events import Event
from gqlstock.rules.idempotency import IdempotencyKey
from gqlstock.rules.ledger import Change, Level
from gqlstock.rules.refusals import Refusal
from gqlstock.rules.scopes import Caller
from gqlstock.stock.snapshot import Snapshot

_new_ids = itertools.count(-1, -1)


def new_id() -> int:
    """The id of a record that is not stored yet; the writer replaces it wherever it stands."""
    return next(_new_ids)


@dataclass(frozen=True, slots=True)
class Names:
    """What a command names before anything is locked: SKUs, and ids of other things."""

    skus: frozenset[str] = frozenset()
    items: frozenset[int] = frozenset()
    orders: frozenset[int] = frozenset()
    shipments: frozenset[int] = frozenset()
    holds: frozenset[int] = frozenset()
    announcements: frozenset[int] = frozenset()
    addresses: frozenset[str] = frozenset()
    """Addresses of guests, whose active holds are counted."""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A change of one level, and what its movement says. The level is made, or brought back into use, where it must be.

    ``order_id`` may be that of an order that is not stored yet.
    """

    item_id: int
    warehouse_id: int
    change: Change
    caller: Caller
    reason: str | None = None
    reference: str | None = None
    order_id: int | None = None
    counted_at: datetime | None = None

    @property
    def key(self) -> tuple[int, int]:
        return self.item_id, self.warehouse_id


@dataclass(frozen=True, slots=True)
class Result:
    """What a command answers: the ids of what it made or touched, and what it refused besides."""

    ids: dict[str, list[int]]
    refusals: list[Refusal] = field(default_factory=list)
    rows: Sequence[object] = field(default=(), compare=False)
    """Those of the objects that are at hand as they were just written; not kept under the key."""


class Written(Protocol):
    """What was written, for the answer."""

    def id_of(self, record_id: int) -> int:
        """The stored id of a record that was new."""

    def record(self, record: Any) -> Any:
        """A record as it is stored now."""

    def level(self, key: tuple[int, int]) -> Level:
        """A level as it is stored now."""

    def movements(self, entries: Collection[LedgerEntry]) -> list[Any]:
        """The movements of these entries, in order."""


@dataclass(slots=True)
class Changes:
    """What a command decided. Nothing of it is written yet."""

    answer: Callable[[Written], Result]
    entries: list[LedgerEntry] = field(default_factory=list)
    added: list[Any] = field(default_factory=list)
    """New records, those first that others refer to."""
    changed: list[Any] = field(default_factory=list)
    """New versions of records."""
    new_levels: dict[tuple[int, int], int] = field(default_factory=dict)
    """The new ids of levels that are made, where a record refers to one."""
    opened: list[tuple[int, int]] = field(default_factory=list)
    """Levels that must be there and in use, whether anything is entered there or not."""
    retired: list[tuple[int, int]] = field(default_factory=list)
    """Levels, by item and warehouse, that are taken out of use."""
    told: dict[tuple[int, int], Level] = field(default_factory=dict)
    """Levels as news last told of them, where that is not how they are before: those of expired holds."""
    expired: dict[tuple[int, int], Decimal] = field(default_factory=dict)
    """What expired holds keep in the stored figures of levels. It counts nowhere, so that the figures here lack it."""
    reassessed: frozenset[int] = frozenset()
    """Items whose alerts are to follow what something else than stock has changed, such as a setting."""
    events: list[Event] = field(default_factory=list)

    def level_id(self, snapshot: Snapshot, key: tuple[int, int]) -> int:
        """The id of a level that a record refers to; it is made, or brought back into use, where it must be."""
        self.opened.append(key)
        level = snapshot.level(*key)
        return level.id if level is not None else self.new_levels.setdefault(key, new_id())


def summed(entries: Sequence[LedgerEntry]) -> list[LedgerEntry]:
    """One entry for each level: what an order does moves a level once, however many units of it are concerned."""
    sums: dict[tuple[int, int], LedgerEntry] = {}
    for entry in entries:
        known = sums.get(entry.key)
        change = ledger.together(known.change, entry.change) if known else entry.change
        sums[entry.key] = replace(entry, change=change)
    return list(sums.values())


class Command(Protocol):
    """A change of stock that somebody asked for."""

    @property
    def caller(self) -> Caller: ...

    @property
    def key(self) -> IdempotencyKey | None:
        """Its idempotency key."""

    @property
    def names(self) -> Names:
        """What it names."""

    @property
    def size(self) -> int:
        """How many rows it is."""

    def items(self, found: Snapshot) -> Collection[int]:
        """The items that it locks. Refused for what is wrong with it as a whole."""

    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        """Decide it against what is there. Pure: refused, it has changed nothing."""
