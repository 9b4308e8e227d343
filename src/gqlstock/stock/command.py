"""The interface of use cases that change stock: the objects a command names, the items it locks, its decision.

Nothing is read or written here; ``transaction`` runs commands.
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
    """A temporary id for a new record, below 0. The writer replaces it with the stored id everywhere."""
    return next(_new_ids)


@dataclass(frozen=True, slots=True)
class Names:
    """The objects that a command names, by SKU or id, before anything is locked."""

    skus: frozenset[str] = frozenset()
    items: frozenset[int] = frozenset()
    orders: frozenset[int] = frozenset()
    shipments: frozenset[int] = frozenset()
    holds: frozenset[int] = frozenset()
    announcements: frozenset[int] = frozenset()
    transfers: frozenset[int] = frozenset()
    addresses: frozenset[str] = frozenset()
    """The addresses of guests whose active holds are counted."""


@fast_init
@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A change of one level, with the details of its movement. A missing level is created, a retired one restored.

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
    """The answer of a command: the ids of the objects it created or changed, and the refusals of single rows."""

    ids: dict[str, list[int]]
    refusals: list[Refusal] = field(default_factory=list)
    rows: Sequence[object] = field(default=(), compare=False)
    """The objects as they were just written, if known. They are not stored under the idempotency key."""


class Written(Protocol):
    """The stored records and levels, from which the answer is made."""

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
    """The decision of a command, before it is written."""

    answer: Callable[[Written], Result]
    entries: list[LedgerEntry] = field(default_factory=list)
    added: list[Any] = field(default_factory=list)
    """New records. A record follows those that it refers to."""
    changed: list[Any] = field(default_factory=list)
    """New versions of records."""
    new_levels: dict[tuple[int, int], int] = field(default_factory=dict)
    """The temporary ids of new levels that records refer to."""
    opened: list[tuple[int, int]] = field(default_factory=list)
    """Levels that must exist and be in use, with or without a ledger entry."""
    retired: list[tuple[int, int]] = field(default_factory=list)
    """Levels to take out of use, by item and warehouse."""
    levels_before: dict[tuple[int, int], Level] = field(default_factory=dict)
    """Levels before the change, if the snapshot differs: the last events still included expired holds."""
    expired: dict[tuple[int, int], Decimal] = field(default_factory=dict)
    """The units of expired holds that the stored figures still include. The snapshot excludes them."""
    reassessed: frozenset[int] = frozenset()
    """Items whose alerts and dates are rechecked although their stock did not change, such as after a settings change."""
    promised: frozenset[int] = frozenset()
    """Orders whose lines get their current date as ``promised_at``."""
    events: list[Event] = field(default_factory=list)

    def level_id(self, snapshot: Snapshot, key: tuple[int, int]) -> int:
        """The id of a level for a record to refer to. A missing level is created, a retired one restored."""
        self.opened.append(key)
        level = snapshot.level(*key)
        return level.id if level is not None else self.new_levels.setdefault(key, new_id())


def summed(entries: Sequence[LedgerEntry]) -> list[LedgerEntry]:
    """Merge the entries of each level, so an order writes one movement per level."""
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
        """The idempotency key of the call, if it has one."""

    @property
    def names(self) -> Names:
        """The objects that the command names."""

    @property
    def size(self) -> int:
        """The number of rows of the command."""

    def items(self, snapshot: Snapshot) -> Collection[int]:
        """The items to lock. Raises ``Refused`` if the command as a whole is invalid."""

    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        """Decide against the snapshot. Pure: returns the changes, or raises ``Refused``."""
