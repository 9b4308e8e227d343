"""Adjusting, counting and moving stock: rows in, ledger out, all or nothing or, where asked for, the good rows."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from gqlstock.rules import canonical, ledger, quantities, refusals
from gqlstock.rules.idempotency import IdempotencyKey
from gqlstock.rules.ledger import MovementKind
from gqlstock.rules.network import Network
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import Code, Refusal, invalid
from gqlstock.rules.scopes import Caller
from gqlstock.services.idempotency import ticket
from gqlstock.services.stock_edits import EditStock, StockEdits, check_rows
from gqlstock.stock import transaction
from gqlstock.stock.command import Changes, Names, Result
from gqlstock.stock.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class StockDelta:
    sku: str
    warehouse: str
    delta: Decimal


@dataclass(frozen=True, slots=True)
class StockCount:
    """``counted_at``: the moment the count was true; ``expected_on_hand``: what onHand must be now."""

    sku: str
    warehouse: str
    on_hand: Decimal
    expected_on_hand: Decimal | None = None
    counted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StockLine:
    sku: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Adjustment:
    changes: tuple[StockDelta, ...]
    reason: str | None = None
    reference: str | None = None
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Counting:
    counts: tuple[StockCount, ...]
    reason: str | None = None
    reference: str | None = None
    partial: bool = False
    kind: MovementKind = MovementKind.COUNT


@dataclass(frozen=True, slots=True)
class Transfer:
    source: str = field(metadata=canonical.called("from"))
    target: str = field(metadata=canonical.called("to"))
    lines: tuple[StockLine, ...]
    reason: str | None = None
    reference: str | None = None


async def adjust(caller: Caller, asked: Adjustment, key: str | None = None) -> Result:
    """Add to and take from onHand by deltas. Answers the ids of levels and movements."""

    def change(edits: StockEdits, row: StockDelta) -> None:
        level = edits.level(row.sku, row.warehouse)
        edits.check_decimals(row.delta, row.sku, row.warehouse, "delta")
        edits.put(row.sku, row.warehouse, ledger.adjusted(level, row.delta, row.sku))

    check_rows(asked.changes, "changes")
    used = ticket(caller, "adjustStock", key, asked)
    skus = {row.sku for row in asked.changes}
    return await transaction.run(
        EditStock(caller, used, "changes", asked.changes, skus, change, asked.reason, asked.reference, asked.partial)
    )


async def count(caller: Caller, asked: Counting, key: str | None = None) -> Result:
    """State what was counted; the ledger gets the differences. Answers the ids of levels and movements."""

    def change(edits: StockEdits, row: StockCount) -> None:
        edits.name_once(row.sku, row.warehouse)
        level = edits.level(row.sku, row.warehouse)
        edits.check_decimals(row.on_hand, row.sku, row.warehouse, "onHand")
        if row.on_hand < 0:
            raise invalid(f"A count cannot be {quantities.text(row.on_hand)}: 0 or more.", "onHand")
        ledger.expect(level, row.expected_on_hand, row.sku, row.warehouse)
        since = edits.moved_since(row.sku, row.warehouse, row.counted_at) if row.counted_at else ZERO
        found = ledger.counted(level, row.on_hand, since, asked.kind)
        edits.put(row.sku, row.warehouse, found, counted_at=row.counted_at or edits.now)

    check_rows(asked.counts, "counts")
    used = ticket(caller, "setStock", key, asked)
    skus = {row.sku for row in asked.counts}
    return await transaction.run(
        EditStock(caller, used, "counts", asked.counts, skus, change, asked.reason, asked.reference, asked.partial)
    )


async def transfer(caller: Caller, asked: Transfer, key: str | None = None) -> Result:
    """Move available units from one warehouse to another. Answers the ids of levels and movements."""

    def change(edits: StockEdits, row: StockLine) -> None:
        level = edits.level(row.sku, asked.source)
        edits.level(row.sku, asked.target)
        for warehouse in (asked.source, asked.target):
            edits.check_decimals(row.quantity, row.sku, warehouse, "quantity")
        if row.quantity <= 0:
            raise invalid(f"{quantities.text(row.quantity)} cannot be moved: more than 0.", "quantity")
        edits.put(row.sku, asked.source, ledger.sent(level, row.quantity, row.sku))
        edits.put(row.sku, asked.target, ledger.received(row.quantity))

    def check(network: Network) -> None:
        for name, code in (("from", asked.source), ("to", asked.target)):
            warehouse_id = network.warehouse_id(code)
            if warehouse_id is None:
                raise refusals.missing("warehouse", code, name)
            if not caller.reaches(warehouse_id):
                raise refusals.out_of_reach(code, name)
        if network.warehouse_id(asked.source) == network.warehouse_id(asked.target):
            raise invalid(f"From {asked.source} to {asked.target} is no move: name two warehouses.", "to")

    check_rows(asked.lines, "lines")
    used = ticket(caller, "transferStock", key, asked)
    skus = {line.sku for line in asked.lines}
    return await transaction.run(
        EditStock(caller, used, "lines", asked.lines, skus, change, asked.reason, asked.reference, check=check)
    )


async def delete_level(caller: Caller, sku: str, warehouse: str) -> int:
    """Take a level out of use, when nothing of it is left. Answers its id."""
    return (await transaction.run(DeleteLevel(caller, sku, warehouse))).ids["level"][0]


@dataclass(frozen=True, slots=True)
class DeleteLevel:
    caller: Caller
    sku: str
    warehouse: str
    key: IdempotencyKey | None = None
    size: int = 1

    @property
    def names(self) -> Names:
        return Names(skus=frozenset({self.sku}))

    def items(self, found: Snapshot) -> Collection[int]:
        item = found.by_sku.get(self.sku)
        if item is None:
            raise refusals.missing("item", self.sku, "sku")
        return {item.id}

    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        item = snapshot.by_sku[self.sku]
        warehouse_id = snapshot.network.warehouse_id(self.warehouse)
        if warehouse_id is None:
            raise refusals.missing("warehouse", self.warehouse, "warehouse")
        if not self.caller.reaches(warehouse_id):
            raise refusals.out_of_reach(self.warehouse, "warehouse")
        level = snapshot.level(item.id, warehouse_id)
        if level is None or level.deleted_at is not None:
            raise Refusal(Code.NOT_FOUND, f"{self.sku} has no level in {self.warehouse}.", ("warehouse",)).only()
        ledger.retire(level, len(snapshot.open_allocations(level.id)))
        key = item.id, warehouse_id
        return Changes(lambda written: Result({"level": [written.level(key).id]}), retired=[key])
