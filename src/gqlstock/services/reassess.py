"""Updates alerts and the dates of orders after a change of settings, websites or warehouses."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from gqlstock.rules.idempotency import IdempotencyKey
from gqlstock.rules.scopes import SYSTEM, Caller
from gqlstock.stock import transaction
from gqlstock.stock.command import Changes, Names, Result
from gqlstock.stock.snapshot import Snapshot
from gqlstock.store import reassessments, settings
from gqlstock.store.db import sql

PART = 500
"""The most items that one command assesses."""


async def run() -> int:
    """Update the alerts and dates of all queued items. Returns their number."""
    assessed = 0
    while (part := await reassessments.next_due(PART, _watched)) is not None:
        if part.item_ids:
            await transaction.run(Reassess(frozenset(part.item_ids)))
        # Marked as done afterwards: if the process dies in between, the batch is assessed again.
        await reassessments.finish(part)
        assessed += len(part.item_ids)
    return assessed


async def _watched() -> bool:
    return await settings.is_set("notify_below")


async def items(item_ids: Collection[int]) -> None:
    """Update the alerts and dates of these items immediately."""
    for part in sql.parts(sorted(item_ids), PART):
        await transaction.run(Reassess(frozenset(part)))


@dataclass(frozen=True, slots=True)
class Reassess:
    """Raise and resolve alerts by the current levels and settings of items, and update the dates of orders."""

    item_ids: frozenset[int]
    caller: Caller = SYSTEM
    key: IdempotencyKey | None = None

    @property
    def names(self) -> Names:
        return Names(items=self.item_ids)

    @property
    def size(self) -> int:
        return len(self.item_ids)

    def items(self, snapshot: Snapshot) -> Collection[int]:
        return self.item_ids

    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        return Changes(lambda written: Result({}), reassessed=self.item_ids)
