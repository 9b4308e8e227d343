"""When the waiting units of orders can leave. Dates are derived from supply, queues and buffers on each read, never stored.

The number of statements does not depend on the number of allocations, lines, orders or shipments. If nothing waits, or
nothing is announced, queues and settings are not read at all.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gqlstock.rules import promises
from gqlstock.rules.allocation import Allocation, AllocationState
from gqlstock.rules.orders import WAITING_STATUSES, Order, OrderLine
from gqlstock.rules.promises import Arrival
from gqlstock.rules.receiving import StockAnnouncement
from gqlstock.rules.scopes import Caller
from gqlstock.rules.shipments import Shipment, ShipmentState
from gqlstock.services import list_orders, list_shipments, public_orders
from gqlstock.stock import for_each, present, reading
from gqlstock.store import commands
from gqlstock.store import orders as rows


@dataclass(frozen=True, slots=True)
class _Bringing:
    """The arrival that brings the last unit of an allocation, and its announcement."""

    arrival: Arrival
    announcement: StockAnnouncement


@dataclass(frozen=True, slots=True)
class Promise:
    """When a waiting allocation can leave, and the announcement that brings its last unit."""

    expected_at: datetime
    announcement: StockAnnouncement


async def of_allocations(allocations: Collection[Allocation]) -> dict[int, Promise]:
    """The promises of the waiting allocations, by id; those that no supply covers are missing."""
    levels = {one.id: one.level_id for one in allocations if _waits(one) and one.level_id is not None}
    if not levels:
        return {}
    found = await for_each.once("what brings the units of a queue", levels.values(), _load_queues)
    bringing = {
        one.id: found[levels[one.id]][one.id]
        for one in allocations
        if one.id in levels and one.id in found[levels[one.id]]
    }
    if not bringing:
        return {}
    buffers = await _buffers([one for one in allocations if one.id in bringing])
    promised = {}
    for allocation_id, one in bringing.items():
        expected_at = promises.leaves_at(one.arrival, buffers[allocation_id])
        assert expected_at is not None
        promised[allocation_id] = Promise(expected_at, one.announcement)
    return promised


async def _load_queues(level_ids: list[int]) -> dict[int, Mapping[int, _Bringing]]:
    """The arrival that covers each waiting allocation of each level, by allocation id."""
    levels = await present.levels(level_ids)
    announced: dict[int, list[StockAnnouncement]] = {one.id: [] for one in levels.values() if one.incoming > 0}
    for announcement in await commands.arriving(announced) if announced else ():
        announced[announcement.level_id].append(announcement)
    supplies = {level_id: promises.supply(of_level, reading.now()) for level_id, of_level in announced.items()}
    queues = await rows.waiting_quantities([level_id for level_id, arrivals in supplies.items() if arrivals])
    found: dict[int, Mapping[int, _Bringing]] = {level_id: {} for level_id in level_ids}
    for level_id, queue in queues.items():
        arrivals = promises.for_waiting(supplies[level_id], levels[level_id], [quantity for _, quantity in queue])
        known = {one.id: one for one in announced[level_id]}
        found[level_id] = {
            allocation_id: _Bringing(arrival, known[arrival.announcement_id])
            for (allocation_id, _), arrival in zip(queue, arrivals, strict=True)
            if arrival is not None
        }
    return found


async def _buffers(allocations: Collection[Allocation]) -> dict[int, int]:
    """The incomingBufferDays of each allocation: the setting of its level's item on the order's website."""
    websites = await for_each.once(
        "website of an order line", [one.line_id for one in allocations], rows.websites_of_lines
    )
    levels = await present.levels(one.level_id for one in allocations if one.level_id is not None)
    items = await present.items(level.item_id for level in levels.values())
    lookup = await present.settings(items.values())
    channels = {channel.id: channel for channel in lookup.network.channels}
    return {
        one.id: lookup.settings(
            items[levels[one.level_id].item_id], channels[websites[one.line_id]]
        ).incoming_buffer_days
        for one in allocations
        if one.level_id is not None
    }


def _waits(allocation: Allocation) -> bool:
    return allocation.state is AllocationState.BACKORDERED


async def _latest(parts: Sequence[Sequence[Allocation]]) -> list[datetime | None]:
    """The date of each group of allocations: the latest of its waiting ones."""
    waiting = [[one for one in part if _waits(one)] for part in parts]
    promised = await of_allocations([one for part in waiting for one in part])
    return [
        promises.latest(promised[one.id].expected_at if one.id in promised else None for one in part)
        for part in waiting
    ]


async def of_lines(lines: Sequence[OrderLine], caller: Caller) -> list[datetime | None]:
    """The date of each line: when its last waiting unit can leave. None if the caller may not see it."""
    return await public_orders.dates(lines, caller, _expected)


async def promised_of_lines(lines: Sequence[OrderLine], caller: Caller) -> list[datetime | None]:
    """The date promised for each line when it was ordered, as far as the caller may see it."""
    return await public_orders.dates(lines, caller, _promised)


async def _expected(lines: Sequence[OrderLine]) -> list[datetime | None]:
    found = await list_orders.allocations_of([line.id for line in lines])
    return await _latest([found[line.id] for line in lines])


async def _promised(lines: Sequence[OrderLine]) -> list[datetime | None]:
    return [line.promised_at for line in lines]


async def of_orders(
    orders: Sequence[Order], caller: Caller, lines: Mapping[int, Sequence[OrderLine]] | None = None
) -> list[datetime | None]:
    """When the last waiting unit of each order can leave, as far as the caller may see it.

    ``lines``: the lines of each order, if already read.
    """
    if not any(order.status in WAITING_STATUSES for order in orders):
        return [None] * len(orders)
    known = lines or await list_orders.lines_of([order.id for order in orders])
    all_lines = [line for order in orders for line in known[order.id]]
    dates = await of_lines(all_lines, caller)
    waiting = await list_orders.units_in([line.id for line in all_lines], AllocationState.BACKORDERED)
    of_order: dict[int, list[datetime | None]] = {order.id: [] for order in orders}
    for line, date, units in zip(all_lines, dates, waiting, strict=True):
        if units:
            of_order[line.order_id].append(date)
    return [promises.latest(of_order[order.id]) for order in orders]


async def promised_of_orders(orders: Sequence[Order], caller: Caller) -> list[datetime | None]:
    """The date promised for each order when placed; None for the public if the date of any line is hidden."""
    if caller.sees_orders_in_full or all(order.promised_at is None for order in orders):
        return [order.promised_at for order in orders]
    lines = await list_orders.lines_of([order.id for order in orders])
    hidden = await public_orders.without_dates([line for of_order in lines.values() for line in of_order])
    return [None if any(line.id in hidden for line in lines[order.id]) else order.promised_at for order in orders]


async def of_shipments(shipments: Sequence[Shipment], caller: Caller) -> list[datetime | None]:
    """When the last waiting unit in each shipment can leave, as far as the caller may see it.

    Which units wait in which shipment could reveal hidden stock. In that case the date is that of the shipment's lines.
    """
    if not any(shipment.state is ShipmentState.PENDING for shipment in shipments):
        return [None] * len(shipments)
    inside = await list_shipments.contents([shipment.id for shipment in shipments])
    exact = await _latest([inside[shipment.id] for shipment in shipments])
    if caller.sees_orders_in_full:
        return exact
    waiting = [{one.line_id for one in inside[shipment.id] if _waits(one)} for shipment in shipments]
    lines = list((await list_orders.lines({line_id for of_one in waiting for line_id in of_one})).values())
    hidden = await public_orders.hidden(lines)
    if not hidden:
        return exact
    dates = {line.id: date for line, date in zip(lines, await of_lines(lines, caller), strict=True)}
    return [
        date if hidden.isdisjoint(of_one) else promises.latest(dates[line_id] for line_id in of_one)
        for date, of_one in zip(exact, waiting, strict=True)
    ]
