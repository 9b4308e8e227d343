"""The plan of an order: which lines can be ordered, from which warehouses, and why others cannot.

checkOrder shows the plan, and placeOrder executes it. ``allocation`` decides which warehouse supplies how much.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from gqlstock.rules import (
    allocation,
    availability,
    catalog,
    ledger,
    order_request,
    orders,
    promises,
    refusals,
    sourcing,
)
from gqlstock.rules.allocation import AllocationState, PlannedAllocation
from gqlstock.rules.assortment import Assortment
from gqlstock.rules.availability import Assessment
from gqlstock.rules.catalog import Choice, Item
from gqlstock.rules.order_request import OrderRequest, RequestedLine, SelectedItem
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import InsufficientStock, NotOrderable, Refusal, Refused, UnavailableReason
from gqlstock.rules.scopes import Caller
from gqlstock.rules.settings import BackorderMode, InsufficientStockAction, InventoryDecrement
from gqlstock.rules.sourcing import Source


@dataclass(frozen=True, slots=True)
class PlannedLine:
    """A line of the plan: its item, where its units come from, and why it cannot be ordered, if so."""

    number: int
    requested: RequestedLine
    item: Item | None = None
    selected: Choice = field(default_factory=dict)
    decrement: InventoryDecrement = InventoryDecrement.ON_ORDER
    counted: bool = False
    hidden: bool = False
    """Whether the caller may not see stock quantities."""
    parks: bool = False
    """Whether a shortage of this item parks the order instead of refusing it."""
    fits: bool = True
    """Whether the lines of its item can be ordered together. The first of these lines has the refusals."""
    parts: tuple[PlannedAllocation, ...] = ()
    reason: UnavailableReason | None = None
    message: str | None = None
    shown_backordered: Decimal = ZERO
    shown_message: str | None = None
    """The backordered units and the message about them, as far as the caller may see them."""
    hides_dates: bool = False
    """Whether the caller may not see dates either."""
    shown_expected_at: datetime | None = None
    """The date of its waiting units, if the caller may see it."""
    refusals: tuple[Refusal, ...] = ()

    @property
    def sku(self) -> str:
        return self.item.sku if self.item else self.requested.sku

    @property
    def waiting(self) -> list[PlannedAllocation]:
        return [part for part in self.parts if part.state is AllocationState.BACKORDERED]

    @property
    def expected_at(self) -> datetime | None:
        """When all of its waiting units can ship; None if nothing waits, or any of these units has no date."""
        return promises.latest(part.expected_at for part in self.waiting)

    @property
    def orderable(self) -> bool:
        return not self.refusals and self.reason is None and self.fits

    def with_parts(self, parts: tuple[PlannedAllocation, ...]) -> "PlannedLine":
        """The line with its units allocated."""
        # ``dataclasses.replace`` takes five times as long.
        item, flags = (self.item, self.selected, self.decrement), (self.counted, self.hidden, self.parks, self.fits)
        values = (self.number, self.requested, *item, *flags, parts, self.reason)
        return PlannedLine(*values, refusals=self.refusals, hides_dates=self.hides_dates)


@dataclass(frozen=True, slots=True)
class OrderPlan:
    """``parked``: the whole order waits, because stock is insufficient."""

    lines: tuple[PlannedLine, ...]
    refusals: tuple[Refusal, ...]
    parked: bool = False

    @property
    def orderable(self) -> bool:
        return not self.refusals and not self.parked

    @property
    def expected_at(self) -> datetime | None:
        """When all waiting units of the order can ship; None if nothing waits, or any of these units has no date."""
        return promises.latest(part.expected_at for line in self.lines for part in line.waiting)


def refused(lines: Sequence[RequestedLine], reasons: Sequence[Refusal]) -> OrderPlan:
    """The plan of an order that is refused as a whole."""
    refusals = tuple(reasons)
    planned = (PlannedLine(number, line, refusals=refusals) for number, line in enumerate(lines))
    return OrderPlan(tuple(planned), refusals)


def plan(
    caller: Caller,
    request: OrderRequest,
    items: Mapping[str, Item],
    assortment: Assortment,
    totals: Mapping[int, Sequence[Decimal]] = MappingProxyType({}),
) -> OrderPlan:
    """Plan an order. The lines of one item are planned together: quantity rules, orderability, sources of units.

    ``items``: the existing items by SKU. ``totals``: the quantities to check against the quantity rules, by stock item, if
    they differ from the request: an edited order has further lines of an item, and further units of a line.
    """
    lines: dict[int, PlannedLine] = {}
    of_item: dict[int, list[tuple[int, SelectedItem]]] = {}
    for number, selected in enumerate(order_request.select(caller, request.lines, items, assortment)):
        if isinstance(selected, Refused):
            lines[number] = PlannedLine(number, request.lines[number], refusals=tuple(selected.refusals))
        else:
            of_item.setdefault(assortment.stock_item(selected.item).id, []).append((number, selected))
    for stock_item_id, group in of_item.items():
        checked = _check(caller, request, group, assortment, totals.get(stock_item_id))
        if not any(line.refusals for line in checked):
            checked = [_check_reach(caller, line) for line in _take(request, checked, assortment)]
        lines |= {line.number: line for line in checked}
    return _decide(request, [lines[number] for number in range(len(lines))])


def _decide(request: OrderRequest, lines: Sequence[PlannedLine]) -> OrderPlan:
    """Decide whether the order is placed, parked or refused. Only insufficient stock parks it."""
    found = [refusal for line in lines for refusal in line.refusals]
    short = [line for line in lines if any(isinstance(refusal, InsufficientStock) for refusal in line.refusals)]
    may_park = request.may_park and not request.only_free and all(line.parks for line in short)
    if not (short and may_park and all(isinstance(refusal, InsufficientStock) for refusal in found)):
        return OrderPlan(tuple(lines), tuple(found))
    return OrderPlan(tuple(_without_units(line) for line in lines), (), parked=True)


def _without_units(line: PlannedLine) -> PlannedLine:
    """The line of a parked order, which takes no units."""
    line = replace(line, shown_backordered=ZERO, shown_message=None, shown_expected_at=None)
    return replace(line, parts=(), message=None, refusals=())


def _check(
    caller: Caller,
    request: OrderRequest,
    group: Sequence[tuple[int, SelectedItem]],
    assortment: Assortment,
    total: Sequence[Decimal] | None,
) -> list[PlannedLine]:
    """Check the lines of one item against its quantity rules and for all reasons except insufficient stock."""
    first = group[0][1].item
    wanted = [request.lines[number].quantity for number, _ in group] if total is None else total
    rules = assortment.settings(first).quantity_rules
    broken = orders.check_quantity(sum(wanted, ZERO), wanted, rules, first.sku)
    at_first = [refusal.under("lines", group[0][0], "quantity") for refusal in broken]
    lines = []
    for number, selected in group:
        line = _checked(caller, number, request.lines[number], selected, assortment)
        lines.append(replace(line, fits=False, refusals=(*at_first, *line.refusals)) if broken else line)
        at_first = []
    return lines


def _checked(
    caller: Caller, number: int, requested: RequestedLine, selected: SelectedItem, assortment: Assortment
) -> PlannedLine:
    item, settings = selected.item, assortment.settings(selected.item)
    by_options = item.is_product and catalog.counts_combinations(item.tracking)
    assessment = assortment.assess(item, selected.choice if by_options else None)
    forbidden = assessment.reason not in (None, UnavailableReason.OUT_OF_STOCK)
    return PlannedLine(
        number,
        requested,
        item=item,
        selected=selected.choice,
        decrement=requested.decrement or settings.decrement_inventory,
        counted=assessment.available is not None,
        hidden=not (caller.sees_all_stock or availability.may_see_quantity(settings)),
        parks=settings.insufficient_stock is InsufficientStockAction.HOLD_ORDER,
        hides_dates=not (caller.sees_all_stock or settings.display_availability),
        reason=assessment.reason if forbidden else None,
        refusals=(_not_orderable(number, item.sku, assessment),) if forbidden else (),
    )


def _check_reach(caller: Caller, line: PlannedLine) -> PlannedLine:
    """Refuse units from warehouses that the caller's token has no access to."""
    if all(caller.reaches(part.warehouse_id) for part in line.parts):
        return line
    return replace(line, refusals=(*line.refusals, refusals.moves_elsewhere("lines", line.number, "sku")))


_WHY_NOT = {
    UnavailableReason.NOT_PUBLISHED: "is not published",
    UnavailableReason.SELECT_OPTIONS: "has options; choose a value for each",
    UnavailableReason.COMBINATION_UNAVAILABLE: "is not available in this combination of options",
    UnavailableReason.NOT_SOLD_HERE: "is not sold on this website",
    UnavailableReason.NO_QUANTITY_ALLOWED: f"cannot be ordered in any quantity: {orders.NO_QUANTITY}",
    UnavailableReason.LOW_STOCK_UNPUBLISHED: "is not sold while its stock is low",
    UnavailableReason.LOW_STOCK_BUY_DISABLED: "cannot be bought while its stock is low",
}
_ABOUT_OPTIONS = (UnavailableReason.SELECT_OPTIONS, UnavailableReason.COMBINATION_UNAVAILABLE)


def _not_orderable(number: int, sku: str, assessment: Assessment) -> Refusal:
    reason = assessment.reason
    assert reason is not None
    if reason is UnavailableReason.STATUS_NOT_ORDERABLE:
        why = f"is {assessment.status.value.lower().replace('_', ' ')}"
    else:
        why = _WHY_NOT[reason]
    at = "options" if reason in _ABOUT_OPTIONS else "sku"
    return NotOrderable(message=f"{sku} {why}.", path=("lines", number, at), sku=sku, reason=reason)


def _take(request: OrderRequest, lines: Sequence[PlannedLine], assortment: Assortment) -> list[PlannedLine]:
    """Allocate units to the lines of one item, or refuse the lines if stock is insufficient."""
    counted = [line for line in lines if line.counted]
    taken = {line.number: line for line in _take_counted(request, counted, assortment)} if counted else {}
    return [taken.get(line.number) or _take_uncounted(request, line, assortment) for line in lines]


def _take_uncounted(request: OrderRequest, line: PlannedLine, assortment: Assortment) -> PlannedLine:
    """Take uncounted units from the product's shippingOrigin if the website sells from it, else from its first warehouse."""
    assert line.item is not None
    origin = assortment.lookup.product(line.item).shipping_origin_id
    ids = [one.warehouse_id for one in assortment.warehouses(line.item, request.ship_to)]
    return replace(line, parts=allocation.uncounted(line.requested.quantity, origin if origin in ids else ids[0]))


def _take_counted(request: OrderRequest, lines: Sequence[PlannedLine], assortment: Assortment) -> list[PlannedLine]:
    first = lines[0]
    assert first.item is not None
    settings, sources = assortment.settings(first.item), assortment.sources(first.item, request.ship_to)
    wanted, modes = [line.requested.quantity for line in lines], [line.decrement for line in lines]
    buffer_days = assortment.buffer_days(first.item)
    planned = allocation.plan(
        wanted, settings, sources, only_free=request.only_free, modes=modes, buffer_days=buffer_days
    )
    if not planned.fits:
        salable = sourcing.stock(settings, sources, only_free=request.only_free).salable
        return _out_of_stock(lines, sum(wanted, ZERO), salable)
    taken = [line.with_parts(parts or ()) for line, parts in zip(lines, planned.parts, strict=True)]
    if any(line.waiting for line in taken):
        taken = _with_waiting(request, taken, assortment)
    return _check_range(taken, sources)


def _with_waiting(request: OrderRequest, lines: Sequence[PlannedLine], assortment: Assortment) -> list[PlannedLine]:
    """Add to the lines of one item what the caller may see of their waiting units."""
    messages = [_message(line, request, assortment) for line in lines]
    hidden = any(line.hidden for line in lines)
    wanted = [line.requested.quantity for line in lines]
    waiting = [sum((part.quantity for part in line.waiting), ZERO) for line in lines]
    shown = orders.shown_waiting(wanted, waiting, hidden=hidden)
    shown_message = next((message for message in messages if message), None)
    dates = promises.shown(
        [line.expected_at for line in lines],
        [units > 0 for units in waiting],
        hides_dates=any(line.hides_dates for line in lines),
        hides_quantities=hidden,
    )
    return [
        replace(
            line,
            message=own,
            shown_backordered=units,
            shown_message=shown_message if hidden else own,
            shown_expected_at=date,
        )
        for line, own, units, date in zip(lines, messages, shown, dates, strict=True)
    ]


def _out_of_stock(lines: Sequence[PlannedLine], requested: Decimal, salable: Decimal | None) -> list[PlannedLine]:
    """Refuse the lines of an item with insufficient stock. The first line gets the refusal."""
    first = lines[0]
    shown = None if first.hidden else salable
    refusal = InsufficientStock(
        message=ledger.shortage(first.sku, shown, requested),
        path=("lines", first.number, "quantity"),
        sku=first.sku,
        requested=requested,
        salable=shown,
    )
    short = [replace(line, fits=False, reason=UnavailableReason.OUT_OF_STOCK) for line in lines]
    return [replace(short[0], refusals=(refusal,)), *short[1:]]


def _check_range(lines: Sequence[PlannedLine], sources: Sequence[Source]) -> list[PlannedLine]:
    """Refuse units that would take a level out of range. The first line gets the refusal."""
    try:
        allocation.check_range([(part, line.decrement) for line in lines for part in line.parts], sources)
    except Refused as error:
        at_first = tuple(refusal.under("lines", lines[0].number, "quantity") for refusal in error.refusals)
        beyond = [replace(line, fits=False) for line in lines]
        return [replace(beyond[0], refusals=at_first), *beyond[1:]]
    return list(lines)


def _message(line: PlannedLine, request: OrderRequest, assortment: Assortment) -> str | None:
    """The message about backordered units, if the backorder mode of their warehouse notifies the customer."""
    waiting = {part.warehouse_id for part in line.waiting}
    if not waiting:
        return None
    assert line.item is not None
    notifies = any(
        source.backorders is BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER
        for source in assortment.sources(line.item, request.ship_to)
        if source.warehouse_id in waiting
    )
    return availability.BACKORDER_MESSAGE if notifies else None
