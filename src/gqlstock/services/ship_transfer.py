"""Ships a transfer: units leave their warehouse now and are announced at another one, all rows or none."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from gqlstock.rules import canonical, catalog, events, ledger, quantities
from gqlstock.rules.idempotency import IdempotencyKey
from gqlstock.rules.ledger import Change
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.receiving import StockAnnouncement
from gqlstock.rules.scopes import Caller
from gqlstock.rules.transfers import InventoryTransfer, InventoryTransferLine, InventoryTransferState
from gqlstock.services.stock_edits import StockEdits, StockLine, check_rows
from gqlstock.services.transfer_stock import check_ends
from gqlstock.stock import idempotency, transaction
from gqlstock.stock.command import Changes, Names, Result, new_id
from gqlstock.stock.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class ShipTransferRequest:
    source: str = field(metadata=canonical.called("from"))
    target: str = field(metadata=canonical.called("to"))
    lines: tuple[StockLine, ...]
    expected_at: datetime | None = None
    reference: str | None = None
    reason: str | None = None


async def ship(caller: Caller, request: ShipTransferRequest, key: str | None = None) -> Result:
    """Take units out of one warehouse and announce them at another. Returns the id of the transfer."""
    catalog.optional_text(request.reference, "reference", "reference")
    catalog.optional_text(request.reason, "reason", "reason")
    check_rows(request.lines, "lines")
    used = idempotency.key_of(caller, "shipTransfer", key, request)
    return await transaction.run(ShipTransfer(caller, request, used))


@dataclass(frozen=True, slots=True)
class ShipTransfer:
    caller: Caller
    request: ShipTransferRequest
    key: IdempotencyKey | None

    @property
    def names(self) -> Names:
        return Names(skus=frozenset(line.sku for line in self.request.lines))

    @property
    def size(self) -> int:
        return len(self.request.lines)

    def items(self, snapshot: Snapshot) -> Collection[int]:
        # The caller needs no access to the destination, where units are only announced.
        check_ends(snapshot.network, self.caller, self.request.source, self.request.target, needed=("from",))
        return {item.id for line in self.request.lines if (item := snapshot.by_sku.get(line.sku)) is not None}

    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        request = self.request
        reference = catalog.optional_text(request.reference, "reference", "reference")
        edits = StockEdits(self.caller, snapshot, now, request.reason, reference, announced_at=request.target)
        edits.run("lines", request.lines, self._move)
        source, target = (snapshot.network.warehouse_id(code) for code in (request.source, request.target))
        assert source is not None
        assert target is not None
        transfer = InventoryTransfer(
            id=new_id(),
            source_id=source,
            target_id=target,
            state=InventoryTransferState.IN_TRANSIT,
            reference=reference,
            created_at=now,
            updated_at=now,
        )
        edits.added.append(transfer)
        for sku, quantity in self._by_item(snapshot).items():
            edits.added.append(_line(snapshot, transfer, sku, quantity))
            edits.added.append(
                StockAnnouncement(
                    id=new_id(),
                    level_id=edits.level_id(sku, request.target),
                    quantity=quantity,
                    received=ZERO,
                    expected_at=request.expected_at,
                    reference=reference,
                    created_at=now,
                    transfer_id=transfer.id,
                )
            )
        return replace(
            edits.changes(),
            answer=lambda written: Result({"transfer": [written.id_of(transfer.id)]}),
            events=[events.transfer_changed(transfer.id)],
        )

    def _move(self, edits: StockEdits, row: StockLine) -> None:
        source, target = self.request.source, self.request.target
        level = edits.level(row.sku, source)
        quantities.check_above_zero(row.quantity, "shipped", "quantity")
        for warehouse in (source, target):
            edits.check_units(row.quantity, row.sku, warehouse, "quantity")
        edits.put(row.sku, source, ledger.sent(level, row.quantity, row.sku))
        edits.put(row.sku, target, Change(incoming=row.quantity))

    def _by_item(self, snapshot: Snapshot) -> dict[str, Decimal]:
        """The units of each item, by one of its SKUs. A transfer has one line per item."""
        skus: dict[int, str] = {}
        found: dict[str, Decimal] = {}
        for row in self.request.lines:
            sku = skus.setdefault(snapshot.by_sku[row.sku].id, row.sku)
            found[sku] = found.get(sku, ZERO) + row.quantity
        return found


def _line(snapshot: Snapshot, transfer: InventoryTransfer, sku: str, quantity: Decimal) -> InventoryTransferLine:
    item = snapshot.by_sku[sku]
    return InventoryTransferLine(id=new_id(), transfer_id=transfer.id, item_id=item.id, sku=item.sku, quantity=quantity)
