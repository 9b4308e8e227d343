"""Cancels a transfer: units still in transit return to the origin warehouse."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from gqlstock.rules import catalog
from gqlstock.rules import transfers as rules
from gqlstock.rules.idempotency import IdempotencyKey
from gqlstock.rules.scopes import Caller
from gqlstock.rules.transfers import TransferStep
from gqlstock.services.open_transfer import OpenTransfer, items_of
from gqlstock.stock import transaction
from gqlstock.stock.command import Changes, Names, Result
from gqlstock.stock.snapshot import Snapshot


async def cancel(caller: Caller, number: str, reason: str | None = None) -> Result:
    """Return the units still in transit to their origin. Returns the id of the transfer."""
    catalog.optional_text(reason, "reason", "reason")
    return await transaction.run(CancelTransfer(caller, number, reason))


@dataclass(frozen=True, slots=True)
class CancelTransfer:
    caller: Caller
    number: str
    reason: str | None
    key: IdempotencyKey | None = None
    size: int = 1

    @property
    def names(self) -> Names:
        return Names(transfers=rules.named(self.number))

    def items(self, snapshot: Snapshot) -> Collection[int]:
        return items_of(snapshot, self.number)

    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        found = OpenTransfer(self.caller, self.number, snapshot, self.reason)
        found.check(found.transfer.source_id)
        found.end_rest(TransferStep.RETURNED)
        return found.changes()
