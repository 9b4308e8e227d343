"""Announces stock, receives it and withdraws announcements. ``rules.receiving`` decides what an arrival fills."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from gqlstock.rules import canonical, catalog, quantities, refusals, transfers
from gqlstock.rules import receiving as rules
from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.ledger import Change, MovementKind
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.receiving import StockAnnouncement
from gqlstock.rules.refusals import invalid
from gqlstock.rules.scopes import Caller
from gqlstock.services.announcement_command import AnnouncementCommand
from gqlstock.services.stock_edits import EditStock, StockEdits, StockLine, check_rows
from gqlstock.stock import idempotency, transaction
from gqlstock.stock.command import Changes, LedgerEntry, Result, new_id
from gqlstock.stock.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class AnnounceStockRequest:
    warehouse: str
    lines: tuple[StockLine, ...]
    expected_at: datetime | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class ReceivedLine:
    """``announcement``: the id of the announcement that it fills; ``named``: the id as the caller gave it."""

    sku: str
    quantity: Decimal
    announcement: int | None = None
    named: str | None = field(default=None, metadata=canonical.called(None))


@dataclass(frozen=True, slots=True)
class ReceiveStockRequest:
    warehouse: str
    lines: tuple[ReceivedLine, ...]
    reason: str | None = None
    reference: str | None = None


async def announce(caller: Caller, request: AnnounceStockRequest, key: str | None = None) -> Result:
    """Announce stock, which counts as incoming. Returns the ids of levels, and no movements."""
    reference = catalog.optional_text(request.reference, "reference", "reference")

    def change(edits: StockEdits, row: StockLine) -> None:
        edits.level(row.sku, request.warehouse)
        quantities.check_above_zero(row.quantity, "announced", "quantity")
        edits.check_units(row.quantity, row.sku, request.warehouse, "quantity")
        edits.added.append(
            StockAnnouncement(
                id=new_id(),
                level_id=edits.level_id(row.sku, request.warehouse),
                quantity=row.quantity,
                received=ZERO,
                expected_at=request.expected_at,
                reference=reference,
                created_at=edits.now,
            )
        )
        edits.put(row.sku, request.warehouse, Change(incoming=row.quantity))

    check_rows(request.lines, "lines")
    used = idempotency.key_of(caller, "announceStock", key, request)
    skus = {line.sku for line in request.lines}
    return await transaction.run(EditStock(caller, used, "lines", request.lines, skus, change, None, reference))


async def receive(caller: Caller, request: ReceiveStockRequest, key: str | None = None) -> Result:
    """Receive stock. It fills the given announcement, else those with its reference, else the oldest, if any."""
    reference = catalog.optional_text(request.reference, "reference", "reference")

    def change(edits: StockEdits, row: ReceivedLine) -> None:
        edits.level(row.sku, request.warehouse)
        quantities.check_above_zero(row.quantity, "received", "quantity")
        edits.check_units(row.quantity, row.sku, request.warehouse, "quantity")
        announced = _fill(edits, row, request.warehouse, reference)
        received = Change(on_hand=row.quantity, incoming=-announced, kind=MovementKind.RECEIPT)
        edits.put(row.sku, request.warehouse, received)

    check_rows(request.lines, "lines")
    used = idempotency.key_of(caller, "receiveStock", key, request)
    named = frozenset(line.announcement for line in request.lines if line.announcement is not None)
    skus = {line.sku for line in request.lines}
    command = EditStock(
        caller, used, "lines", request.lines, skus, change, request.reason, request.reference, announcements=named
    )
    return await transaction.run(command)


def _fill(edits: StockEdits, row: ReceivedLine, warehouse: str, reference: str | None) -> Decimal:
    """Fill announcements: the given one, else those with the reference, else the oldest. Returns the announced units."""
    level = edits.level(row.sku, warehouse)
    if row.named is not None:
        waiting = [_named(edits, level.id, row, warehouse)]
    elif level.id > 0:
        # Units of a transfer are received with receiveTransfer.
        arriving = [one for one in edits.snapshot.arriving(level.id) if one.transfer_id is None]
        # Units in excess of an announced delivery do not reduce other announcements.
        of_reference = [one for one in arriving if reference is not None and one.reference == reference]
        waiting = [edits.record(StockAnnouncement, one.id) or one for one in of_reference or arriving]
    else:
        waiting = []
    filled = rules.fill(waiting, row.quantity)
    for one in waiting:
        if one.id in filled:
            edits.changed[StockAnnouncement, one.id] = replace(one, received=one.received + filled[one.id])
    return sum(filled.values(), ZERO)


def _named(edits: StockEdits, level_id: int, row: ReceivedLine, warehouse: str) -> StockAnnouncement:
    assert row.named is not None
    found = edits.record(StockAnnouncement, row.announcement)
    if found is None:
        raise refusals.missing("announcement", row.named, "announcement")
    if found.level_id != level_id:
        raise invalid(f"That announcement is not for {row.sku} in {warehouse}.", "announcement")
    transfers.check_of_no_transfer(found, "announcement")
    rules.check_open(found, "announcement")
    return found


async def withdraw(caller: Caller, announcement_id: GivenId) -> Result:
    """Withdraw the rest of an announcement. Returns the ids of levels, and no movements."""
    return await transaction.run(WithdrawAnnouncement(caller, announcement_id))


@dataclass(frozen=True, slots=True)
class WithdrawAnnouncement(AnnouncementCommand):
    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        found, level = self.announcement(snapshot)
        transfers.check_of_no_transfer(found, "id")
        rules.check_open(found, "id")
        entry = LedgerEntry(level.item_id, level.warehouse_id, Change(incoming=-found.remaining), self.caller)
        withdrawn = replace(found, withdrawn_at=now)
        return Changes(lambda written: Result({"levels": [level.id], "movements": []}), [entry], changed=[withdrawn])
