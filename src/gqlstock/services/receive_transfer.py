"""Receives a transfer at its destination, also in parts. Closing it writes off units that did not arrive."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from gqlstock.rules import catalog, counting, refusals
from gqlstock.rules import transfers as rules
from gqlstock.rules.idempotency import IdempotencyKey
from gqlstock.rules.refusals import Refusal, Refused
from gqlstock.rules.scopes import Caller
from gqlstock.rules.transfers import TransferStep
from gqlstock.services.open_transfer import OpenTransfer, items_of
from gqlstock.services.stock_edits import StockLine, check_rows
from gqlstock.stock import idempotency, transaction
from gqlstock.stock.command import Changes, Names, Result
from gqlstock.stock.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class ReceiveTransferRequest:
    """``lines`` None: all units in transit. ``close``: units that do not arrive with these lines are lost."""

    number: str
    lines: tuple[StockLine, ...] | None = None
    close: bool = False
    reason: str | None = None


async def receive(caller: Caller, request: ReceiveTransferRequest, key: str | None = None) -> Result:
    """Receive units of a transfer. Returns its id."""
    catalog.optional_text(request.reason, "reason", "reason")
    if request.lines is not None and (request.lines or not request.close):
        check_rows(request.lines, "lines")
    used = idempotency.key_of(caller, "receiveTransfer", key, request)
    return await transaction.run(ReceiveTransfer(caller, request, used))


@dataclass(frozen=True, slots=True)
class ReceiveTransfer:
    caller: Caller
    request: ReceiveTransferRequest
    key: IdempotencyKey | None

    @property
    def names(self) -> Names:
        return Names(transfers=rules.named(self.request.number))

    @property
    def size(self) -> int:
        return len(self.request.lines or ()) or 1

    def items(self, snapshot: Snapshot) -> Collection[int]:
        return items_of(snapshot, self.request.number)

    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        found = OpenTransfer(self.caller, self.request.number, snapshot, self.request.reason)
        found.check(found.transfer.target_id)
        refused: list[Refusal] = []
        for number, row in enumerate(self.request.lines or ()):
            with refusals.collected(refused, "lines", number):
                _receive(found, row, snapshot)
        if refused:
            raise Refused(refused)
        if self.request.lines is None:
            found.end_rest(TransferStep.RECEIVED)
        if self.request.close:
            found.end_rest(TransferStep.LOST)
        return found.changes()


def _receive(found: OpenTransfer, row: StockLine, snapshot: Snapshot) -> None:
    line = found.line(row.sku)
    rules.check_on_the_way(line, row.quantity, "quantity")
    if row.quantity != line.on_the_way:
        # All units in transit can always be received, even fractions where only whole units are counted.
        place = line.item_id, found.transfer.target_id
        item, level = snapshot.item(line.item_id), snapshot.level(*place)
        counting.check_units(row.quantity, item, place[1], level, snapshot.lookup, "quantity")
    found.end(line, TransferStep.RECEIVED, row.quantity)
