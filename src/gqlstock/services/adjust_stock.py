"""Adjusts stock by deltas. If one row is invalid, all are refused, unless ``partial`` is set."""

from dataclasses import dataclass
from decimal import Decimal

from gqlstock.rules import ledger
from gqlstock.rules.scopes import Caller
from gqlstock.services.stock_edits import EditStock, StockEdits, check_rows
from gqlstock.stock import idempotency, transaction
from gqlstock.stock.command import Result


@dataclass(frozen=True, slots=True)
class StockAdjustment:
    """A change of one item's onHand in one warehouse."""

    sku: str
    warehouse: str
    delta: Decimal


@dataclass(frozen=True, slots=True)
class AdjustStockRequest:
    changes: tuple[StockAdjustment, ...]
    reason: str | None = None
    reference: str | None = None
    partial: bool = False


async def adjust(caller: Caller, request: AdjustStockRequest, key: str | None = None) -> Result:
    """Increase or decrease onHand. Returns the ids of levels and movements."""

    def change(edits: StockEdits, row: StockAdjustment) -> None:
        level = edits.level(row.sku, row.warehouse)
        edits.check_units(row.delta, row.sku, row.warehouse, "delta")
        edits.put(row.sku, row.warehouse, ledger.adjusted(level, row.delta, row.sku))

    check_rows(request.changes, "changes")
    command = EditStock(
        caller,
        idempotency.key_of(caller, "adjustStock", key, request),
        "changes",
        request.changes,
        {row.sku for row in request.changes},
        change,
        request.reason,
        request.reference,
        request.partial,
    )
    return await transaction.run(command)
