"""Releases a hold, which frees its units."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.holds import StockHoldState
from gqlstock.rules.idempotency import IdempotencyKey
from gqlstock.rules.scopes import Caller
from gqlstock.services import end_hold
from gqlstock.stock import transaction
from gqlstock.stock.command import Changes, Names, Result
from gqlstock.stock.snapshot import Snapshot


async def release(caller: Caller, given_id: GivenId) -> int:
    """Release a hold. Returns its id."""
    return (await transaction.run(ReleaseHold(caller, given_id))).ids["hold"][0]


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    caller: Caller
    given_id: GivenId
    key: IdempotencyKey | None = None
    size: int = 1

    @property
    def names(self) -> Names:
        return Names(holds=end_hold.named(self.given_id))

    def items(self, snapshot: Snapshot) -> Collection[int]:
        return end_hold.items_of(self.given_id, snapshot)

    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        ended = end_hold.end(self.caller, self.given_id, snapshot, None, StockHoldState.RELEASED, "id")
        assert ended is not None
        changes = Changes(lambda written: Result({"hold": [ended.closed.id]}))
        ended.add_to(changes)
        return changes
