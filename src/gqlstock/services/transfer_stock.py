"""Transfers available units from one warehouse to another, all rows or none."""

from collections.abc import Collection
from dataclasses import dataclass, field

from gqlstock.rules import canonical, ledger, quantities, refusals
from gqlstock.rules.network import Network
from gqlstock.rules.refusals import invalid
from gqlstock.rules.scopes import Caller
from gqlstock.services.stock_edits import EditStock, StockEdits, StockLine, check_rows
from gqlstock.stock import idempotency, transaction
from gqlstock.stock.command import Result


@dataclass(frozen=True, slots=True)
class TransferStockRequest:
    source: str = field(metadata=canonical.called("from"))
    target: str = field(metadata=canonical.called("to"))
    lines: tuple[StockLine, ...]
    reason: str | None = None
    reference: str | None = None


async def transfer(caller: Caller, request: TransferStockRequest, key: str | None = None) -> Result:
    """Move units from one warehouse to another. Returns the ids of levels and movements."""

    def change(edits: StockEdits, row: StockLine) -> None:
        level = edits.level(row.sku, request.source)
        edits.level(row.sku, request.target)
        for warehouse in (request.source, request.target):
            edits.check_units(row.quantity, row.sku, warehouse, "quantity")
        quantities.check_above_zero(row.quantity, "moved", "quantity")
        edits.put(row.sku, request.source, ledger.sent(level, row.quantity, row.sku))
        edits.put(row.sku, request.target, ledger.received(row.quantity))

    check_rows(request.lines, "lines")
    command = EditStock(
        caller,
        idempotency.key_of(caller, "transferStock", key, request),
        "lines",
        request.lines,
        {line.sku for line in request.lines},
        change,
        request.reason,
        request.reference,
        check=lambda network: check_ends(network, caller, request.source, request.target),
    )
    return await transaction.run(command)


def check_ends(
    network: Network, caller: Caller, source: str, target: str, needed: Collection[str] = ("from", "to")
) -> None:
    """Refuse unknown or identical warehouses, and those among ``needed`` that the caller has no access to."""
    for name, code in (("from", source), ("to", target)):
        warehouse_id = network.warehouse_id(code)
        if warehouse_id is None:
            raise refusals.missing("warehouse", code, name)
        if name in needed and not caller.reaches(warehouse_id):
            raise refusals.out_of_reach(code, name)
    if network.warehouse_id(source) == network.warehouse_id(target):
        raise invalid(f"{source} and {target} are the same warehouse: name two different ones.", "to")
