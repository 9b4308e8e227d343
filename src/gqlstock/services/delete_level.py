"""Deletes an unused level. Its movements stay."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from gqlstock.rules import ledger, refusals
from gqlstock.rules.idempotency import IdempotencyKey
from gqlstock.rules.refusals import Code, Refusal
from gqlstock.rules.scopes import Caller
from gqlstock.stock import transaction
from gqlstock.stock.command import Changes, Names, Result
from gqlstock.stock.snapshot import Snapshot


async def delete(caller: Caller, sku: str, warehouse: str) -> int:
    """Delete a level. Returns its id."""
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

    def items(self, snapshot: Snapshot) -> Collection[int]:
        item = snapshot.by_sku.get(self.sku)
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
        ledger.check_unused(level, len(snapshot.open_allocations(level.id)))
        key = item.id, warehouse_id
        return Changes(lambda written: Result({"level": [written.level(key).id]}), retired=[key])
