"""Cancel an order, in whole or in part."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gqlstock.rules import catalog
from gqlstock.rules import orders as order_rules
from gqlstock.rules import shipments as rules
from gqlstock.rules.allocation import AllocationState
from gqlstock.rules.idempotency import IdempotencyKey
from gqlstock.rules.ledger import FulfilmentStep
from gqlstock.rules.orders import OrderStatus
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import Refusal, Refused, wrong_state
from gqlstock.rules.scopes import Caller
from gqlstock.rules.shipments import Pick
from gqlstock.services.open_order import LineQuantity, OpenOrder, check_lines, too_many_units
from gqlstock.stock import idempotency, transaction
from gqlstock.stock.command import Changes, Names, Result
from gqlstock.stock.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class CancelOrderRequest:
    """Without lines: all that is not shipped. Without ``restock`` units on hand are written off."""

    number: str
    lines: tuple[LineQuantity, ...] | None = None
    reason: str | None = None
    restock: bool = True


async def cancel(caller: Caller, request: CancelOrderRequest, key: str | None = None) -> Result:
    """Cancel units that have not left; what they took is given back, or written off. Answers the order's id."""
    check_lines(request.lines)
    reason = catalog.optional_text(request.reason, "reason", "reason")
    return await transaction.run(
        CancelOrder(caller, request, reason, idempotency.key_of(caller, "cancelOrder", key, request))
    )


@dataclass(frozen=True, slots=True)
class CancelOrder:
    caller: Caller
    request: CancelOrderRequest
    reason: str | None
    key: IdempotencyKey | None

    @property
    def names(self) -> Names:
        return Names(orders=order_rules.named(self.request.number))

    @property
    def size(self) -> int:
        return len(self.request.lines or ()) or 1

    def items(self, found: Snapshot) -> Collection[int]:
        return found.items_of_order(self.request.number)

    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        found = OpenOrder(self.caller, self.request.number, snapshot, "number")
        status = found.order.status
        if status in (OrderStatus.SHIPPED, OrderStatus.CANCELED):
            raise wrong_state(f"The order {self.request.number} is {status.value.lower()} already.", "number")
        if status is OrderStatus.BACKORDERED:
            _cancel_parked(found, self.request.lines)
        else:
            _cancel(found, self.request.lines, restock=self.request.restock)
        return found.changes(lambda written: Result({"order": [found.order.id]}), self.reason)


def _cancel(found: OpenOrder, rows: Sequence[LineQuantity] | None, *, restock: bool) -> None:
    refused: list[Refusal] = []
    for number, row in enumerate(rows or ()):
        try:
            picks, left = found.pick(row, rules.cancel)
            if left > 0:
                raise too_many_units(row, left, "canceled").only()
        except Refused as error:
            refused += [refusal.under("lines", number) for refusal in error.refusals]
            continue
        _take_back(found, picks, restock=restock)
    if refused:
        raise Refused(refused)
    if rows is None:
        _take_back(found, [pick for line in found.lines for pick in rules.cancel(found.units(line))], restock=restock)


def _take_back(found: OpenOrder, picks: Sequence[Pick], *, restock: bool) -> None:
    units = {unit.id: unit for line in found.lines for unit in found.units(line)}
    canceled = found.lines_of(picks)
    for line in found.lines:
        if line.id in canceled:
            found.put(replace(line, canceled=line.canceled + canceled[line.id]))
    if not restock:
        found.write_off([pick for pick in picks if units[pick.id].state is AllocationState.ON_HAND])
    for packed, step in ((False, FulfilmentStep.CANCELED), (True, FulfilmentStep.CANCELED_PACKED)):
        of_step = [pick for pick in picks if units[pick.id].packed is packed]
        found.advance(of_step, step, state=AllocationState.CANCELED, shipment_id=None)


def _cancel_parked(found: OpenOrder, rows: Sequence[LineQuantity] | None) -> None:
    """A parked order has taken nothing: there is nothing to give back."""
    refused: list[Refusal] = []
    for number, row in enumerate(rows or ()):
        try:
            left = row.quantity
            for line in found.chosen(row):
                taken = min(line.quantity - line.canceled, left)
                if taken > ZERO:
                    found.put(replace(line, canceled=line.canceled + taken))
                left -= taken
            if left > 0:
                raise too_many_units(row, left, "canceled").only()
        except Refused as error:
            refused += [refusal.under("lines", number) for refusal in error.refusals]
    if refused:
        raise Refused(refused)
    if rows is None:
        for line in found.lines:
            found.put(replace(line, canceled=line.quantity))
