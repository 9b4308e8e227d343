"""What a caller sees of the lines of an order. Where quantities are hidden, the public cannot infer them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from gqlstock.rules import availability, promises
from gqlstock.rules import orders as rules
from gqlstock.rules.allocation import Allocation, AllocationState
from gqlstock.rules.orders import OrderLine
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.scopes import Caller
from gqlstock.services import list_orders
from gqlstock.stock import present
from gqlstock.store import orders as rows


@dataclass(frozen=True, slots=True)
class _Group:
    """The lines of an order for the same item, and what is hidden from the public."""

    lines: Sequence[OrderLine]
    hides_quantities: bool
    hides_dates: bool


async def waiting(lines: Sequence[OrderLine], caller: Caller) -> list[Decimal]:
    """How many units of each line wait for stock; if that is hidden, all of an item's units or none."""
    if caller.sees_orders_in_full:
        return await list_orders.units_in([line.id for line in lines], AllocationState.BACKORDERED)
    shown: dict[int, Decimal] = {}
    groups = await _groups(lines)
    found = await _waiting(groups)
    for group in groups:
        ordered = [line.quantity - line.canceled for line in group.lines]
        units = rules.shown_waiting(ordered, [found[line.id] for line in group.lines], hidden=group.hides_quantities)
        shown |= {line.id: quantity for line, quantity in zip(group.lines, units, strict=True)}
    return [shown[line.id] for line in lines]


async def waiting_in_shipments(
    contents: Mapping[int, Sequence[Allocation]], lines: Mapping[int, OrderLine], caller: Caller
) -> dict[int, dict[int, Decimal]]:
    """How many units of each line in each shipment wait for stock; if that is hidden, as for ``waiting``."""
    states = (None, AllocationState.BACKORDERED)
    inside, waiting = ({one: _units(of, state) for one, of in contents.items()} for state in states)
    if caller.sees_orders_in_full or not any(any(units.values()) for units in waiting.values()):
        return waiting
    for group in await _groups(list(lines.values())):
        for shipment_id, units in inside.items():
            ids = [line.id for line in group.lines if line.id in units]
            waiting_here = [waiting[shipment_id][line_id] for line_id in ids]
            shown = rules.shown_waiting(
                [units[line_id] for line_id in ids], waiting_here, hidden=group.hides_quantities
            )
            waiting[shipment_id] |= dict(zip(ids, shown, strict=True))
    return waiting


def _units(inside: Sequence[Allocation], state: AllocationState | None) -> dict[int, Decimal]:
    """The units of each line in a shipment, optionally only those in one state."""
    units = {one.line_id: ZERO for one in inside}
    for one in inside:
        if state is None or one.state is state:
            units[one.line_id] += one.quantity
    return units


async def messages(lines: Sequence[OrderLine], caller: Caller) -> list[str | None]:
    """The message of each line; if quantities are hidden, the same one for all lines of an item."""
    if caller.sees_orders_in_full:
        return [line.message for line in lines]
    shown: dict[int, str | None] = {}
    for group in await _groups(lines):
        first = next((line.message for line in group.lines if line.message), None)
        shown |= {line.id: first if group.hides_quantities else line.message for line in group.lines}
    return [shown[line.id] for line in lines]


async def dates(
    lines: Sequence[OrderLine],
    caller: Caller,
    of: Callable[[Sequence[OrderLine]], Awaitable[Sequence[datetime | None]]],
) -> list[datetime | None]:
    """The date of each line by ``of``, as the caller may see it. If quantities are hidden, all lines of an item share it."""
    if caller.sees_orders_in_full:
        return list(await of(lines))
    groups = await _groups(lines)
    every = [line for group in groups for line in group.lines]
    found = {line.id: date for line, date in zip(every, await of(every), strict=True)}
    units = await _waiting(groups)
    shown: dict[int, datetime | None] = {}
    for group in groups:
        dates_shown = promises.shown(
            [found[line.id] for line in group.lines],
            [units[line.id] > 0 for line in group.lines],
            hides_dates=group.hides_dates,
            hides_quantities=group.hides_quantities,
        )
        shown |= {line.id: date for line, date in zip(group.lines, dates_shown, strict=True)}
    return [shown[line.id] for line in lines]


async def without_dates(lines: Sequence[OrderLine]) -> set[int]:
    """The ids of waiting lines whose dates are hidden from the public."""
    groups = [group for group in await _groups(lines) if group.hides_dates]
    return {line_id for line_id, units in (await _waiting(groups)).items() if units} if groups else set()


async def hidden(lines: Sequence[OrderLine]) -> set[int]:
    """The ids of the lines whose waiting units and dates are hidden from the public."""
    hiding = [group for group in await _groups(lines) if group.hides_quantities or group.hides_dates]
    return {line.id for group in hiding for line in group.lines}


async def _waiting(groups: Sequence[_Group]) -> dict[int, Decimal]:
    ids = [line.id for group in groups for line in group.lines]
    return dict(zip(ids, await list_orders.units_in(ids, AllocationState.BACKORDERED), strict=True))


async def _groups(lines: Sequence[OrderLine]) -> list[_Group]:
    """All lines of the orders of these lines."""
    orders = await rows.orders({line.order_id for line in lines})
    all_lines = await rows.lines_of(orders)
    items = await present.items({line.item_id for found in all_lines.values() for line in found})
    channels = {channel.id: channel for channel in (await present.network()).channels}
    groups: list[_Group] = []
    for order_id, found in all_lines.items():
        here = await present.assortment([items[line.item_id] for line in found], channels[orders[order_id].website_id])
        by_stock: dict[int, list[OrderLine]] = {}
        for line in found:
            by_stock.setdefault(here.stock_item(items[line.item_id]).id, []).append(line)
        for group in by_stock.values():
            settings = [here.settings(items[line.item_id]) for line in group]
            hides_quantities = not all(availability.may_see_quantity(one) for one in settings)
            groups.append(_Group(group, hides_quantities, not all(one.display_availability for one in settings)))
    return groups
