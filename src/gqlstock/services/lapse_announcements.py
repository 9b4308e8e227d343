"""Sweeps announcements whose date has passed and updates the orders that wait for them. Reads ignore them from that date."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from gqlstock.rules import events, promises
from gqlstock.rules.idempotency import IdempotencyKey
from gqlstock.rules.receiving import StockAnnouncement
from gqlstock.rules.scopes import SYSTEM, Caller
from gqlstock.stock import transaction
from gqlstock.stock.command import Changes, Names, Result
from gqlstock.stock.snapshot import NotLoaded, Snapshot
from gqlstock.store import announcements
from gqlstock.store.db import clock

_ANNOUNCEMENTS_PER_SWEEP = 200
"""How many announcements are read at a time and swept concurrently."""


async def run() -> int:
    """Sweep all announcements whose date has passed and apply the consequences. Returns the number of items."""
    swept = 0
    while item_ids := await announcements.items_with_lapsed(clock.now(), _ANNOUNCEMENTS_PER_SWEEP):
        await transaction.run_all(map(LapseAnnouncements, item_ids))
        swept += len(item_ids)
    return swept


@dataclass(frozen=True, slots=True)
class LapseAnnouncements:
    """All announcements of an item whose date has passed."""

    item_id: int
    caller: Caller = SYSTEM
    key: IdempotencyKey | None = None
    size: int = 1

    @property
    def names(self) -> Names:
        return Names(items=frozenset({self.item_id}))

    def items(self, snapshot: Snapshot) -> Collection[int]:
        return {self.item_id}

    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        lapsed = [one for one in self._announcements(snapshot) if promises.has_lapsed(one, now)]
        return Changes(
            lambda written: Result({}),
            changed=[replace(one, lapsed_at=now) for one in lapsed],
            events=[events.level_row_changed(level_id, self.item_id) for level_id in {one.level_id for one in lapsed}],
        )

    def _announcements(self, snapshot: Snapshot) -> list[StockAnnouncement]:
        levels = [level.id for level in snapshot.levels[self.item_id].values()]
        missing = set(levels) - snapshot.loaded_arriving
        if missing:
            raise NotLoaded(arriving=missing)
        return [one for level_id in levels for one in snapshot.arriving(level_id)]
