"""Canceling an order in whole or in part, and trying a held one again."""

from collections.abc import Sequence
from dataclasses import dataclass

from gqlstock.rules import catalog
from gqlstock.rules import shipments as rules
from gqlstock.rules.allocation import AllocationState
from gqlstock.rules.ledger import Step
from gqlstock.rules.orders import OrderStatus
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import Refusal, Refused, wrong_state
from gqlstock.rules.scopes import Caller
from gqlstock.rules.shipments import Pick
from gqlstock.services.fulfilment import LineQuantity, Sheet, check_lines, sheet, too_many_units
from gqlstock.services.idempotency import Kept, once, ticket


@dataclass(frozen=True, slots=True)
class Cancellation:
    """Without lines: all that is not shipped."""

    number: str
    lines: tuple[LineQuantity, ...] | None = None
    reason: str | None = None


async def cancel(caller: Caller, asked: Cancellation, key: str | None = None) -> Kept:
    """Cancel units that have not left; what they took is given back. Answers the order's id."""
    reason = catalog.optional_text(asked.reason, "reason", "reason")

    async def work() -> Kept:
        found = await sheet(caller, asked.number, "number")
        status = found.order.status
        if status in (OrderStatus.SHIPPED, OrderStatus.CANCELED):
            raise wrong_state(f"The order {asked.number} is {status.value.lower()} already.", "number")
        before = {line.id: line.canceled for line in found.lines}
        if status is OrderStatus.BACKORDERED:
            _cancel_held(found, asked.lines)
        else:
            await _cancel(found, asked.lines)
        for line in found.lines:
            if line.canceled != before[line.id]:
                await line.save(update_fields=["canceled"])
        await found.finish(reason)
        return Kept({"order": [int(found.order.id)]})

    check_lines(asked.lines)
    return await once(ticket(caller, "cancelOrder", key, asked), work)


async def _cancel(found: Sheet, asked: Sequence[LineQuantity] | None) -> None:
    refused: list[Refusal] = []
    for number, row in enumerate(asked or ()):
        try:
            picks, left = found.pick(row, rules.cancel)
            if left > 0:
                raise too_many_units(row, left, "canceled").only()
        except Refused as error:
            refused += [refusal.under("lines", number) for refusal in error.refusals]
            continue
        await _take_back(found, picks)
    if refused:
        raise Refused(refused)
    if asked is None:
        await _take_back(found, [pick for line in found.lines for pick in rules.cancel(found.units(line))])


async def _take_back(found: Sheet, picks: Sequence[Pick]) -> None:
    units = {unit.id: unit for line in found.lines for unit in found.units(line)}
    canceled = found.lines_of(picks)
    for line in found.lines:
        line.canceled += canceled.get(line.id, ZERO)
    for packed, step in ((False, Step.CANCELED), (True, Step.CANCELED_PACKED)):
        of_step = [pick for pick in picks if units[pick.id].packed is packed]
        await found.change(of_step, step, state=AllocationState.CANCELED, shipment_id=None)


def _cancel_held(found: Sheet, asked: Sequence[LineQuantity] | None) -> None:
    """A held order has taken nothing: there is nothing to give back."""
    refused: list[Refusal] = []
    for number, row in enumerate(asked or ()):
        try:
            left = row.quantity
            for line in found.chosen(row):
                taken = min(line.quantity - line.canceled, left)
                line.canceled += taken
                left -= taken
            if left > 0:
                raise too_many_units(row, left, "canceled").only()
        except Refused as error:
            refused += [refusal.under("lines", number) for refusal in error.refusals]
    if refused:
        raise Refused(refused)
    if asked is None:
        for line in found.lines:
            line.canceled = line.quantity
