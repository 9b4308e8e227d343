"""Reassess the alerts of items after a change of settings, websites or warehouses, in batches."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from gqlstock.rules.idempotency import IdempotencyKey
from gqlstock.rules.scopes import SYSTEM, Caller
from gqlstock.stock import transaction
from gqlstock.stock.command import Changes, Names, Result
from gqlstock.stock.snapshot import Snapshot
from gqlstock.store import reassessments, settings

PART = 500
"""How many items one transaction assesses at most."""


async def run() -> int:
    """Assess everything that is to be assessed again; gives the number of items."""
    assessed = 0
    while (part := await reassessments.following(PART, _watched)) is not None:
        if part.item_ids:
            await transaction.run(Reassess(frozenset(part.item_ids)))
        # Afterwards: should this process die in between, the part is assessed once more.
        await reassessments.finish(part)
        assessed += len(part.item_ids)
    return assessed


async def _watched() -> bool:
    return await settings.is_set("notify_below")


async def items(item_ids: Collection[int]) -> None:
    """Assess these items at once."""
    wanted = sorted(item_ids)
    for start in range(0, len(wanted), PART):
        await transaction.run(Reassess(frozenset(wanted[start : start + PART])))


@dataclass(frozen=True, slots=True)
class Reassess:
    """Raise and resolve the alerts of items by what is in effect now."""

    item_ids: frozenset[int]
    caller: Caller = SYSTEM
    key: IdempotencyKey | None = None

    @property
    def names(self) -> Names:
        return Names(items=self.item_ids)

    @property
    def size(self) -> int:
        return len(self.item_ids)

    def items(self, found: Snapshot) -> Collection[int]:
        return self.item_ids

    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        return Changes(lambda written: Result({}), reassessed=self.item_ids)
