"""Sweeps expired holds: removes their units from the stored figures. Reads ignore a hold as soon as it expires."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.holds import StockHoldState
from gqlstock.rules.idempotency import IdempotencyKey
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.scopes import SYSTEM, Caller
from gqlstock.services import end_hold
from gqlstock.stock import transaction
from gqlstock.stock.command import Changes, Names, Result
from gqlstock.stock.snapshot import Snapshot
from gqlstock.store import holds
from gqlstock.store.db import clock

_HOLDS_PER_SWEEP = 200
"""How many holds are read at a time and expired concurrently."""


async def run() -> int:
    """Sweep all expired holds and apply the consequences. Returns their number."""
    swept = 0
    while hold_ids := await holds.expired(clock.now(), _HOLDS_PER_SWEEP):
        await transaction.run_all(map(ExpireHold, hold_ids))
        swept += len(hold_ids)
    return swept


@dataclass(frozen=True, slots=True)
class ExpireHold:
    hold_id: int
    caller: Caller = SYSTEM
    key: IdempotencyKey | None = None
    size: int = 1

    @property
    def names(self) -> Names:
        return Names(holds=frozenset({self.hold_id}))

    def items(self, snapshot: Snapshot) -> Collection[int]:
        return end_hold.items_of(GivenId(self.hold_id, str(self.hold_id)), snapshot)

    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        held = snapshot.hold(self.hold_id)
        changes = Changes(lambda written: Result({"hold": [self.hold_id]}))
        if held is None or held.hold.state is not StockHoldState.ACTIVE:
            return changes
        changes.changed.append(replace(held.hold, state=StockHoldState.EXPIRED, address=None))
        changes.expired = {(one.level.item_id, one.level.warehouse_id): ZERO for one in held.units}
        for level_id, quantity in held.quantities.items():
            level = snapshot.level_by_id(level_id)
            changes.levels_before[level.item_id, level.warehouse_id] = replace(level, held=level.held + quantity)
            changes.expired[level.item_id, level.warehouse_id] = quantity
        return changes
