"""Release a hold: its units are free again."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from gqlstock.rules.handles import Handle
from gqlstock.rules.holds import StockHoldState
from gqlstock.rules.idempotency import IdempotencyKey
from gqlstock.rules.scopes import Caller
from gqlstock.services import end_hold
from gqlstock.stock import transaction
from gqlstock.stock.command import Changes, Names, Result
from gqlstock.stock.snapshot import Snapshot


async def release(caller: Caller, handle: Handle) -> int:
    """Give a hold's units back. Answers its id."""
    return (await transaction.run(ReleaseHold(caller, handle))).ids["hold"][0]


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    caller: Caller
    handle: Handle
    key: IdempotencyKey | None = None
    size: int = 1

    @property
    def names(self) -> Names:
        return Names(holds=end_hold.named(self.handle))

    def items(self, found: Snapshot) -> Collection[int]:
        return end_hold.items_of(self.handle, found)

    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        ended = end_hold.end(self.caller, self.handle, snapshot, None, StockHoldState.RELEASED, "id")
        assert ended is not None
        changes = Changes(lambda written: Result({"hold": [ended.closed.id]}))
        ended.add_to(changes)
        return changes
