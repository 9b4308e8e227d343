"""The interface of every use case that changes stock: the objects it names, the items it locks, its decision.

It reads and writes nothing; ``transaction`` runs commands.
"""

import itertools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from gqlstock.rules import ledger
from gqlstock.rules.events import Event
from gqlstock.rules.fast_init import fast_init
from gqlstock.rules.idempotency import IdempotencyKey
from gqlstock.rules.ledger import Change, Level
from gqlstock.rules.refusals import Refusal
from gqlstock.rules.scopes import Caller
from gqlstock.stock.snapshot import Snapshot

_new_ids = itertools.count(-1, -1)


def new_id() -> int:
    """The temporary id of a new record, below 0. The writer replaces it everywhere by the stored id."""
    return next(_new_ids)


@dataclass(frozen=True, slots=True)
class Names:
    """The objects that a command names before anything is locked: SKUs and ids."""

    skus: frozenset[str] = frozenset()
    items: frozenset[int] = frozenset()
    orders: frozenset[int] = frozenset()
    shipments: frozenset[int] = frozenset()
    holds: frozenset[int] = frozenset()
    announcements: frozenset[int] = frozenset()
    transfers: frozenset[int] = frozenset()
    addresses: frozenset[str] = frozenset()
    """Addresses of guests. Their active holds are counted."""


@fast_init
@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A change of one level and the details of its movement. A missing or retired level is created or restored.

    ``order_id`` may be the temporary id of a new order.
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
    """The answer of a command: the ids of the objects it created or changed, and the rows it refused."""

    ids: dict[str, list[int]]
    refusals: list[Refusal] = field(default_factory=list)
    rows: Sequence[object] = field(default=(), compare=False)
    """The objects as they were just written, where known. They are not kept under the idempotency key."""


class Written(Protocol):
    """The stored records and levels, for the answer."""

    def id_of(self, record_id: int) -> int:
        """The stored id of a record by its temporary id."""

    def record(self, record: Any) -> Any:
        """A record as it is stored now."""

    def level(self, key: tuple[int, int]) -> Level:
        """A level as it is stored now."""

    def movements(self, entries: Collection[LedgerEntry]) -> list[Any]:
        """The movements of these entries, in order."""


@dataclass(slots=True)
class Changes:
    """The decision of a command, not written yet."""

    answer: Callable[[Written], Result]
    entries: list[LedgerEntry] = field(default_factory=list)
    added: list[Any] = field(default_factory=list)
    """New records. A record comes after those that it refers to."""
    changed: list[Any] = field(default_factory=list)
    """New versions of records."""
    new_levels: dict[tuple[int, int], int] = field(default_factory=dict)
    """The temporary ids of new levels, where a record refers to one."""
    opened: list[tuple[int, int]] = field(default_factory=list)
    """Levels that must exist and be in use, with or without a ledger entry."""
    retired: list[tuple[int, int]] = field(default_factory=list)
    """Levels that are taken out of use, by item and warehouse."""
    levels_before: dict[tuple[int, int], Level] = field(default_factory=dict)
    """Levels before the change, where the snapshot differs: the last events still counted expired holds."""
    expired: dict[tuple[int, int], Decimal] = field(default_factory=dict)
    """The units of expired holds that the stored figures still contain. The figures of the snapshot do not."""
    reassessed: frozenset[int] = frozenset()
    """Items whose alerts and dates are checked although their stock did not change, such as after a change of a setting."""
    promised: frozenset[int] = frozenset()
    """Orders whose lines get the date that they have now as ``promised_at``."""
    events: list[Event] = field(default_factory=list)

    def level_id(self, snapshot: Snapshot, key: tuple[int, int]) -> int:
        """The id of a level that a record refers to. A missing or retired level is created or restored."""
        self.opened.append(key)
        level = snapshot.level(*key)
        return level.id if level is not None else self.new_levels.setdefault(key, new_id())


def summed(entries: Sequence[LedgerEntry]) -> list[LedgerEntry]:
    """One entry for each level, so that an order writes one movement for a level."""
    sums: dict[tuple[int, int], LedgerEntry] = {}
    for entry in entries:
        known = sums.get(entry.key)
        sums[entry.key] = replace(entry, change=ledger.combined(known.change, entry.change)) if known else entry
    return list(sums.values())


class Command(Protocol):
    """A change of stock that a caller requested."""

    @property
    def caller(self) -> Caller: ...

    @property
    def key(self) -> IdempotencyKey | None:
        """Its idempotency key."""

    @property
    def names(self) -> Names:
        """The objects it names."""

    @property
    def size(self) -> int:
        """Its number of rows."""

    def items(self, snapshot: Snapshot) -> Collection[int]:
        """The items that it locks. Raises ``Refused`` where the command as a whole is wrong."""

    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        """Decide against the snapshot. Pure: raises ``Refused`` and changes nothing, or returns the changes."""
