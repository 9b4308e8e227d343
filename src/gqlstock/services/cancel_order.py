"""Cancels an order, completely or in part. ``rules.shipments`` decides which units are canceled first."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gqlstock.rules import orders as order_rules
from gqlstock.rules import refusals
from gqlstock.rules import shipments as rules
from gqlstock.rules.orders import OrderStatus
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import Refusal, Refused
from gqlstock.rules.scopes import Caller
from gqlstock.rules.shipments import Pick
from gqlstock.services.open_order import LineQuantity, OpenOrder, check_lines, too_many_units
from gqlstock.services.order_command import RowsCommand
from gqlstock.stock.command import Changes, Result
from gqlstock.stock.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class CancelOrderRequest:
    """``lines`` None: all unshipped units. ``restock`` False: units on hand are written off."""

    number: str
    lines: tuple[LineQuantity, ...] | None = None
    reason: str | None = None
    restock: bool = True


async def cancel(caller: Caller, request: CancelOrderRequest, key: str | None = None) -> Result:
    """Cancel unshipped units and return their stock or write it off. Returns the order's id."""
    check_lines(request.lines)
    return await CancelOrder.run(caller, request, key, request.reason)


@dataclass(frozen=True, slots=True)
class CancelOrder(RowsCommand[CancelOrderRequest]):
    mutation = "cancelOrder"

    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        open_order = self.open(snapshot)
        status = open_order.order.status
        order_rules.check_not_over(status, self.request.number)
        if status is OrderStatus.BACKORDERED:
            _cancel_parked(open_order, self.request.lines)
        else:
            _cancel(open_order, self.request.lines, restock=self.request.restock)
        return self.changes(open_order)


def _cancel(open_order: OpenOrder, rows: Sequence[LineQuantity] | None, *, restock: bool) -> None:
    refused: list[Refusal] = []
    for number, row in enumerate(rows or ()):
        picks: list[Pick] = []
        with refusals.collected(refused, "lines", number):
            picks = open_order.pick(row, rules.cancel, "canceled")
        open_order.cancel(picks, restock=restock)
    if refused:
        raise Refused(refused)
    if rows is None:
        picks = [pick for line in open_order.lines for pick in rules.cancel(open_order.units(line))]
        open_order.cancel(picks, restock=restock)


def _cancel_parked(open_order: OpenOrder, rows: Sequence[LineQuantity] | None) -> None:
    """A parked order has no allocations and thus no stock to return."""
    refused: list[Refusal] = []
    for number, row in enumerate(rows or ()):
        with refusals.collected(refused, "lines", number):
            left = row.quantity
            for line in open_order.chosen(row):
                canceled = min(line.quantity - line.canceled, left)
                if canceled > ZERO:
                    open_order.put(replace(line, canceled=line.canceled + canceled))
                left -= canceled
            if left > 0:
                raise too_many_units(row, left, "canceled")
    if refused:
        raise Refused(refused)
    if rows is None:
        for line in open_order.lines:
            open_order.put(replace(line, canceled=line.quantity))
