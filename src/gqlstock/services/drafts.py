"""An order worked out before anything is written: what its lines stand for, where the units are, what is in the way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from gqlstock.rules import allocation, availability, catalog, quantities, refusals
from gqlstock.rules import orders as rules
from gqlstock.rules.allocation import AllocationState, Part
from gqlstock.rules.availability import Assessment
from gqlstock.rules.catalog import Item
from gqlstock.rules.geo import Point
from gqlstock.rules.network import Network, SalesChannel
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import (
    Code,
    InsufficientStock,
    NotOrderable,
    Refusal,
    Refused,
    UnavailableReason,
    invalid,
)
from gqlstock.rules.scopes import Caller
from gqlstock.rules.settings import BackorderMode, InsufficientStockAction, InventoryDecrement, Settings
from gqlstock.services.availability import stockroom, stockroom_to_claim
from gqlstock.services.handles import Handle
from gqlstock.stock.shelf import Shelf
from gqlstock.store import catalog as catalog_rows
from gqlstock.store import warehouses


@dataclass(frozen=True, slots=True)
class OrderLine:
    """``options``: the shopper's choice as (name, value), for a product's SKU."""

    sku: str
    quantity: Decimal
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """An order as it is asked for. ``website`` None is the default one."""

    lines: tuple[OrderLine, ...]
    website: str | None = None
    customer_email: str | None = None
    reference: str | None = None
    ship_to: Point | None = None
    hold: Handle | None = None
    """The hold that it orders."""
    only_free: bool = False
    """Whether nothing may wait for stock, as for a hold."""
    firm: bool = False
    """Whether want of stock is refused, whatever insufficientStock says: a held order that is tried again."""
    modes: tuple[InventoryDecrement, ...] = ()
    """When its lines take their units, for an order that was placed before and goes by the modes of then."""


@dataclass(slots=True)
class PlannedLine:
    """One line worked out: what it stands for, where its units come from, and why it cannot be had."""

    number: int
    asked: OrderLine
    item: Item | None = None
    selected: dict[str, str] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()
    reason: UnavailableReason | None = None
    message: str | None = None
    refusals: list[Refusal] = field(default_factory=list)
    counted: bool = False
    hidden: bool = False
    """Whether the caller may not see how many units there are."""
    shown_backordered: Decimal = ZERO
    shown_message: str | None = None
    """What waits, and what is said of it, as the caller may know it."""
    settings: Settings | None = None
    fits: bool = True
    """Whether it can be had together with the other lines of its item; the first of them says why not."""

    @property
    def sku(self) -> str:
        return self.item.sku if self.item else self.asked.sku

    @property
    def backordered(self) -> Decimal:
        return sum((p.quantity for p in self.parts if p.state is AllocationState.BACKORDERED), ZERO)

    @property
    def orderable(self) -> bool:
        return not self.refusals and self.reason is None and self.fits


@dataclass(slots=True)
class Draft:
    """An order worked out and not placed. ``held``: there is not enough, and it would be kept waiting."""

    lines: list[PlannedLine]
    refusals: list[Refusal]
    held: bool = False

    @property
    def orderable(self) -> bool:
        return not self.refusals and not self.held


async def read(
    caller: Caller, asked: Asked, *, to_claim: bool = False
) -> tuple[SalesChannel, list[PlannedLine], Shelf]:
    """Everything that the order is worked out from. Refused for what is wrong with the order as a whole.

    ``to_claim``: without levels, which are read under the lock.
    """
    network = await warehouses.network()
    channel = check(asked, network)
    items = await catalog_rows.by_sku({line.sku for line in asked.lines})
    make = stockroom_to_claim if to_claim else stockroom
    found = (await make(items.values(), network)).shelf(channel)
    return channel, identify(caller, asked, items, found), found


def check(asked: Asked, network: Network) -> SalesChannel:
    """The website of an order. Refused for what is wrong with the order as a whole."""
    if not asked.lines:
        raise invalid("An order has at least one line.", "lines")
    if len(asked.lines) > rules.MAX_LINES:
        raise refusals.too_many("lines", len(asked.lines), rules.MAX_LINES, "lines")
    channel = network.find(asked.website)
    if channel is None:
        if asked.website is None:
            raise Refusal(Code.NOT_FOUND, "There is no website yet.", ("website",)).only()
        raise refusals.missing("website", asked.website, "website")
    return channel


def identify(caller: Caller, asked: Asked, items: Mapping[str, Item], found: Shelf) -> list[PlannedLine]:
    """What each line stands for, or why it stands for nothing.

    To the public an unpublished item is as one that does not exist.
    """
    lines = []
    for number, asked_line in enumerate(asked.lines):
        line = PlannedLine(number, asked_line)
        try:
            item = items.get(asked_line.sku)
            known = item is not None and (caller.authenticated or found.lookup.product(item).published)
            _identify(line, item if known else None, found)
        except Refused as error:
            line.refusals += [refusal.under("lines", number) for refusal in error.refusals]
        lines.append(line)
    return lines


def stocked(lines: Sequence[PlannedLine], found: Shelf) -> dict[int, Item]:
    """The items that have the units of the lines, by id: what is claimed before they are taken."""
    items = [found.stock_item(line.item) for line in lines if line.item is not None]
    return {item.id: item for item in items}


def _identify(line: PlannedLine, item: Item | None, found: Shelf) -> None:
    """What a line stands for: an item, or a product's choice without a combination of its own."""
    asked = line.asked
    if item is None:
        raise refusals.missing("item", asked.sku, "sku")
    if asked.quantity <= 0:
        raise invalid(f"{quantities.text(asked.quantity)} cannot be ordered: more than 0.", "quantity")
    product = found.lookup.product(item)
    choice = catalog.check_choice(asked.options, product.options, "options")
    if not item.is_product:
        for name, value in choice.items():
            if item.choice.get(name, value) != value:
                raise invalid(f"{item.sku} has {name} {item.choice[name]}, not {value}.", "options")
        choice = item.choice | choice
    elif catalog.counts_combinations(product.tracking) and catalog.is_complete(choice, product.options):
        item = found.combination(product, choice) or item
    line.item = item
    line.selected = choice


def plan(caller: Caller, asked: Asked, lines: list[PlannedLine], found: Shelf) -> Draft:
    """Work the lines out, item by item: quantity rules, whether they can be ordered at all, where the units are."""
    short: list[PlannedLine] = []
    by_stock: dict[int, list[PlannedLine]] = {}
    for line in lines:
        if line.item is not None:
            by_stock.setdefault(found.stock_item(line.item).id, []).append(line)
    for group in by_stock.values():
        if not _check(caller, asked, group, found):
            continue
        _take(caller, asked, group, found, short)
        for line in group:
            if not all(caller.reaches(part.warehouse_id) for part in line.parts):
                line.refusals.append(refusals.moves_elsewhere("lines", line.number, "sku"))
    waits = (
        bool(short)
        and not (asked.only_free or asked.firm)
        and all(
            line.settings is not None and line.settings.insufficient_stock is InsufficientStockAction.HOLD_ORDER
            for line in short
        )
    )
    wrong = [refusal for line in lines for refusal in line.refusals if not isinstance(refusal, InsufficientStock)]
    if waits and not wrong:
        for line in lines:
            line.refusals, line.parts, line.message = [], (), None
            line.shown_backordered, line.shown_message = ZERO, None
        return Draft(lines, [], held=True)
    return Draft(lines, [refusal for line in lines for refusal in line.refusals])


def _check(caller: Caller, asked: Asked, group: Sequence[PlannedLine], found: Shelf) -> bool:
    """The quantity rules over all lines of an item, and whether each can be ordered but for want of units."""
    first = group[0]
    assert first.item is not None
    first.settings = found.settings(first.item)
    total = sum((line.asked.quantity for line in group), ZERO)
    parts = [line.asked.quantity for line in group]
    broken = rules.check_quantity(total, parts, first.settings.quantity_rules, first.sku)
    first.refusals += [refusal.under("lines", first.number, "quantity") for refusal in broken]
    fine = not broken
    for line in group:
        assert line.item is not None
        line.fits = not broken
        line.settings = found.settings(line.item)
        line.hidden = not (caller.sees_all_stock or availability.may_see_quantity(line.settings))
        if asked.modes:
            line.settings = replace(line.settings, decrement_inventory=asked.modes[line.number])
        choice = line.selected if line.item.is_product and catalog.counts_combinations(line.item.tracking) else None
        assessment = found.assess(line.item, choice)
        line.counted = assessment.available is not None
        if assessment.reason not in (None, UnavailableReason.OUT_OF_STOCK):
            line.reason = assessment.reason
            line.refusals.append(_not_orderable(line, assessment))
            fine = False
    return fine


def _not_orderable(line: PlannedLine, assessment: Assessment) -> Refusal:
    assert assessment.reason is not None
    told = {
        UnavailableReason.NOT_PUBLISHED: "is not published",
        UnavailableReason.STATUS_NOT_ORDERABLE: f"is {assessment.status.value.lower().replace('_', ' ')}",
        UnavailableReason.SELECT_OPTIONS: "is sold by its options: choose each of them",
        UnavailableReason.COMBINATION_UNAVAILABLE: "does not come in this combination of options",
        UnavailableReason.NOT_SOLD_HERE: "is not sold on this website",
        UnavailableReason.NO_QUANTITY_ALLOWED: f"cannot be ordered in any quantity: {rules.NO_QUANTITY}",
        UnavailableReason.LOW_STOCK_UNPUBLISHED: "is not sold while its stock is low",
        UnavailableReason.LOW_STOCK_BUY_DISABLED: "cannot be bought while its stock is low",
    }[assessment.reason]
    at = "options" if assessment.reason in _ABOUT_OPTIONS else "sku"
    return NotOrderable(
        message=f"{line.sku} {told}.", path=("lines", line.number, at), sku=line.sku, reason=assessment.reason
    )


_ABOUT_OPTIONS = (UnavailableReason.SELECT_OPTIONS, UnavailableReason.COMBINATION_UNAVAILABLE)


def _take(caller: Caller, asked: Asked, group: Sequence[PlannedLine], found: Shelf, short: list[PlannedLine]) -> None:
    """Find the units of an item's lines; those that there are not enough for are refused, told at the first."""
    uncounted = [line for line in group if not line.counted]
    for line in uncounted:
        line.parts = allocation.uncounted(line.asked.quantity, _shipping_origin(line, found, asked))
    counted = [line for line in group if line.counted]
    if not counted:
        return
    first = counted[0]
    assert first.item is not None
    assert first.settings is not None
    sources = found.sources(first.item, asked.ship_to)
    wanted = [line.asked.quantity for line in counted]
    modes = [line.settings.decrement_inventory for line in counted if line.settings is not None]
    planned = allocation.plan(wanted, first.settings, sources, only_free=asked.only_free, modes=modes)
    for line, parts in zip(counted, planned.parts, strict=True):
        line.fits = planned.fits
        if not planned.fits:
            line.reason = UnavailableReason.OUT_OF_STOCK
            continue
        line.parts = parts or ()
        if line.backordered and _notifies(line, found, asked):
            line.message = availability.BACKORDER_MESSAGE
    _show(counted)
    if not planned.fits:
        short.append(first)
        salable = availability.stock(first.settings, sources, only_free=asked.only_free).salable
        first.refusals.append(_insufficient(first, sum(wanted, ZERO), salable))
        return
    try:
        taken = zip(counted, modes, strict=True)
        allocation.check_range([(part, mode) for line, mode in taken for part in line.parts], sources)
    except Refused as error:
        first.refusals += [refusal.under("lines", first.number, "quantity") for refusal in error.refusals]
        for line in counted:
            line.fits = False


def _show(counted: Sequence[PlannedLine]) -> None:
    """Say of the lines of an item what the caller may know of what waits."""
    hidden = any(line.hidden for line in counted)
    message = next((line.message for line in counted if line.message), None)
    shown = rules.shown_waiting(
        [line.asked.quantity for line in counted], [p.backordered for p in counted], hidden=hidden
    )
    for line, waiting in zip(counted, shown, strict=True):
        line.shown_backordered = waiting
        line.shown_message = message if hidden else line.message


def _insufficient(line: PlannedLine, requested: Decimal, salable: Decimal | None) -> Refusal:
    left = f": {quantities.text(salable)} can be ordered" if salable is not None and not line.hidden else ""
    return InsufficientStock(
        message=f"There are not {quantities.text(requested)} of {line.sku}{left}.",
        path=("lines", line.number, "quantity"),
        sku=line.sku,
        requested=requested,
        salable=None if line.hidden else salable,
    )


def _shipping_origin(line: PlannedLine, found: Shelf, asked: Asked) -> int:
    """Where units that are not counted come from: the product's shippingOrigin if it sells here, else the first source."""
    assert line.item is not None
    sites = found.sites(line.item, asked.ship_to)
    origin = found.lookup.product(line.item).shipping_origin_id
    return next((s.warehouse_id for s in sites if s.warehouse_id == origin), sites[0].warehouse_id)


def _notifies(line: PlannedLine, found: Shelf, asked: Asked) -> bool:
    assert line.item is not None
    waiting = {part.warehouse_id for part in line.parts if part.state is AllocationState.BACKORDERED}
    return any(
        source.backorders is BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER
        for source in found.sources(line.item, asked.ship_to)
        if source.warehouse_id in waiting
    )
