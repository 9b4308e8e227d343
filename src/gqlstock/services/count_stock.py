"""Sets onHand to counted quantities. If one row is invalid, all are refused, unless ``partial`` is set."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from gqlstock.rules import counting, ledger
from gqlstock.rules.ledger import MovementKind
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.scopes import Caller
from gqlstock.services.stock_edits import EditStock, StockEdits, check_rows
from gqlstock.stock import idempotency, transaction
from gqlstock.stock.command import Result


@dataclass(frozen=True, slots=True)
class StockCount:
    """``counted_at``: the time of the count; ``expected_on_hand``: what onHand must be now."""

    sku: str
    warehouse: str
    on_hand: Decimal
    expected_on_hand: Decimal | None = None
    counted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CountStockRequest:
    counts: tuple[StockCount, ...]
    reason: str | None = None
    reference: str | None = None
    partial: bool = False
    kind: MovementKind = MovementKind.COUNT


async def count(caller: Caller, request: CountStockRequest, key: str | None = None) -> Result:
    """Set onHand to counts; the ledger records the differences. Returns the ids of levels and movements."""

    def change(edits: StockEdits, row: StockCount) -> None:
        edits.name_once(row.sku, row.warehouse)
        level = edits.level(row.sku, row.warehouse)
        edits.check_units(row.on_hand, row.sku, row.warehouse, "onHand")
        counting.check_count(row.on_hand, "onHand")
        ledger.expect(level, row.expected_on_hand, row.sku, row.warehouse)
        since = edits.moved_since(row.sku, row.warehouse, row.counted_at) if row.counted_at else ZERO
        counted = ledger.counted(level, row.on_hand, since, request.kind)
        edits.put(row.sku, row.warehouse, counted, counted_at=row.counted_at or edits.now)

    check_rows(request.counts, "counts")
    command = EditStock(
        caller,
        idempotency.key_of(caller, "setStock", key, request),
        "counts",
        request.counts,
        {row.sku for row in request.counts},
        change,
        request.reason,
        request.reference,
        request.partial,
    )
    return await transaction.run(command)
