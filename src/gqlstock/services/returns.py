"""Taking back what was shipped."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from gqlstock.rules import catalog, refusals
from gqlstock.rules import orders as order_rules
from gqlstock.rules import shipments as rules
from gqlstock.rules.allocation import AllocationState
from gqlstock.rules.ledger import Step
from gqlstock.rules.refusals import Code, Refusal, Refused
from gqlstock.rules.scopes import Caller
from gqlstock.rules.settings import Settings
from gqlstock.services.idempotency import ticket
from gqlstock.services.open_order import LineQuantity, OpenOrder, check_lines, too_many_units
from gqlstock.stock import transaction
from gqlstock.stock.command import Changes, Names, Result
from gqlstock.stock.snapshot import Snapshot
from gqlstock.store.idempotency import Ticket as IdempotencyKey


@dataclass(frozen=True, slots=True)
class Return:
    """``restock`` None: as restockOnReturn says."""

    order: str
    lines: tuple[LineQuantity, ...]
    restock: bool | None = None
    reason: str | None = None


async def take_back(caller: Caller, asked: Return, key: str | None = None) -> Result:
    """Take shipped units back, each to the warehouse that it left. Answers the order's id."""
    check_lines(asked.lines)
    reason = catalog.optional_text(asked.reason, "reason", "reason")
    return await transaction.run(ReturnItems(caller, asked, reason, ticket(caller, "returnItems", key, asked)))


@dataclass(frozen=True, slots=True)
class ReturnItems:
    caller: Caller
    asked: Return
    reason: str | None
    key: IdempotencyKey | None

    @property
    def names(self) -> Names:
        return Names(orders=order_rules.named(self.asked.order))

    @property
    def size(self) -> int:
        return len(self.asked.lines)

    def items(self, found: Snapshot) -> Collection[int]:
        return found.items_of_order(self.asked.order)

    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        found = OpenOrder(self.caller, self.asked.order, snapshot, "order")
        settings = _settings(found, snapshot)
        refused: list[Refusal] = []
        for number, row in enumerate(self.asked.lines):
            try:
                _take_back(found, row, settings, restock=self.asked.restock)
            except Refused as error:
                refused += [refusal.under("lines", number) for refusal in error.refusals]
        if refused:
            raise Refused(refused)
        return found.changes(lambda written: Result({"order": [found.order.id]}), self.reason)


def _take_back(found: OpenOrder, row: LineQuantity, settings: Mapping[int, Settings], *, restock: bool | None) -> None:
    for line in found.chosen(row):
        if not settings[line.item_id].returnable:
            raise Refusal(Code.NOT_RETURNABLE, f"{refusals.shown(line.sku)} cannot be returned.", ("sku",)).only()
    picks, left = found.pick(row, rules.give_back)
    if left > 0:
        raise too_many_units(row, left, "returned").only()
    of_line = {line.id: settings[line.item_id].restock_on_return for line in found.lines}
    for pick in picks:
        (line_id,) = found.lines_of([pick])
        counts = of_line[line_id] if restock is None else restock
        found.advance([pick], Step.RETURNED, state=AllocationState.RETURNED, counts=counts)


def _settings(found: OpenOrder, snapshot: Snapshot) -> dict[int, Settings]:
    """What is in effect for the order's items on its website, deleted ones as well."""
    channel = next((one for one in snapshot.network.channels if one.id == found.order.website_id), None)
    items = {line.item_id: snapshot.item(line.item_id) for line in found.lines}
    return {item_id: snapshot.lookup.settings(item, channel) for item_id, item in items.items()}
