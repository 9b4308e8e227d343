"""Which orders' dates a command changes. ``rules.promises`` derives the dates; they are never stored.

An order gets an event if any of its lines has a different date after the command and its fills. The first date of a line,
which it gets when its order is placed or retried, is not a change.
"""

import dataclasses
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from gqlstock.rules import events, promises
from gqlstock.rules.allocation import Allocation, AllocationState
from gqlstock.rules.ledger import Level
from gqlstock.rules.orders import Order, OrderLine
from gqlstock.rules.promises import Arrival
from gqlstock.rules.receiving import StockAnnouncement
from gqlstock.stock.snapshot import NotLoaded, Snapshot, oldest_first, with_waiting
from gqlstock.stock.unit_of_work import Key, UnitOfWork

R = TypeVar("R")
Dates = dict[int, list[datetime | None]]
"""The dates of the waiting units of each line, or of each order."""


@dataclass(frozen=True, slots=True)
class _Queue:
    """Waiting allocations, each with the arrival of its last unit."""

    waiting: Sequence[Allocation]
    arrivals: Sequence[Arrival | None]

    @classmethod
    def of(cls, supply: Sequence[Arrival], level: Level, waiting: Sequence[Allocation]) -> "_Queue":
        return cls(waiting, promises.for_waiting(supply, level, [one.quantity for one in waiting]))

    def by_id(self) -> dict[int, Arrival | None]:
        return dict(zip([one.id for one in self.waiting], self.arrivals, strict=True))


@dataclass(frozen=True, slots=True)
class _Change:
    """A level whose dates may have changed, with its queue before and after the command."""

    level: Level
    before: _Queue
    after: _Queue

    def moved_lines(self) -> set[int]:
        """The lines whose units arrive at another time, or have started or stopped waiting."""
        before, after = self.before.by_id(), self.after.by_id()
        stayed = {id_ for id_, arrival in before.items() if id_ in after and _moment(arrival) == _moment(after[id_])}
        waiting = (*self.before.waiting, *self.after.waiting)
        return {one.line_id for one in waiting if one.id not in stayed}


def _moment(arrival: Arrival | None) -> datetime | None:
    return None if arrival is None else arrival.expected_at


def apply_changed_dates(
    unit: UnitOfWork, changed: Collection[Key], before: Mapping[Key, Level], reassessed: Collection[int]
) -> None:
    """Add an event for each order with a line whose date has changed. Runs after the fills.

    ``reassessed``: items for which incomingBufferDays may have changed.
    """
    changes = _changes(unit, changed, before, reassessed)
    if changes:
        _report(unit, changes)
    _lapse(unit, [one.level for one in changes])


def waiting_items(snapshot: Snapshot, order_ids: Collection[int]) -> set[int]:
    """The items whose units these orders wait for."""
    return _items_of(snapshot, {one.level_id for one in _waiting_of(snapshot, order_ids) if one.level_id is not None})


def promise(unit: UnitOfWork, order_id: int) -> None:
    """Set the promise dates of an order and its lines to their current dates. Runs after the changed dates.

    The order must be loaded completely.
    """
    snapshot = unit.snapshot
    order = snapshot.get(Order, order_id)
    assert order is not None
    assortment = snapshot.on(snapshot.network.channel(order.website_id))
    lines = {line.id: line for line in snapshot.all(OrderLine) if line.order_id == order_id}
    buffers = {line.id: assortment.buffer_days(snapshot.item(line.item_id)) for line in lines.values()}
    waiting = _waiting_of(snapshot, {order_id})
    arrivals = _arrivals(snapshot, {one.level_id for one in waiting if one.level_id is not None})
    dates = _dates([_Queue(waiting, [arrivals.get(one.id) for one in waiting])], lines, buffers.__getitem__)
    for line in lines.values():
        promised_at = promises.latest(dates.get(line.id, ()))
        unit.change(dataclasses.replace(line, promised_at=promised_at, buffer_days=buffers[line.id]))
    promised_at = promises.latest(date for of_line in dates.values() for date in of_line)
    unit.change(dataclasses.replace(order, promised_at=promised_at))


def _waiting_of(snapshot: Snapshot, order_ids: Collection[int]) -> list[Allocation]:
    """The waiting allocations of loaded orders."""
    lines = {line.id for line in snapshot.all(OrderLine) if line.order_id in order_ids} if order_ids else set()
    return [
        one for one in snapshot.all(Allocation) if one.line_id in lines and one.state is AllocationState.BACKORDERED
    ]


def _changes(
    unit: UnitOfWork, changed: Collection[Key], before: Mapping[Key, Level], reassessed: Collection[int]
) -> list[_Change]:
    """The levels whose dates may have changed. Raises ``NotLoaded`` with everything that is missing."""
    announced = {one.level_id for one in _touched(unit, StockAnnouncement)}
    found: list[_Change] = []
    missing: list[NotLoaded] = []
    for item_id in sorted({item_id for item_id, _ in changed}.union(reassessed, _items_of(unit.snapshot, announced))):
        levels = list(unit.snapshot.levels.get(item_id, {}).values())
        then = {level.id: _level_before(level, changed, before) for level in levels}
        if not any(_is_dated(level) or _is_dated(then[level.id]) for level in levels):
            continue
        for level in levels:
            if (item_id, level.warehouse_id) in changed or item_id in reassessed or level.id in announced:
                try:
                    change = _change(unit, then[level.id], level, reassessed)
                except NotLoaded as more:
                    missing.append(more)
                else:
                    found += [change] if change is not None else []
    if missing:
        raise NotLoaded.all(missing)
    return found


def _items_of(snapshot: Snapshot, level_ids: Collection[int]) -> set[int]:
    known = snapshot.by_level_id() if level_ids else {}
    return {known[level_id].item_id for level_id in level_ids}


def _level_before(level: Level, changed: Collection[Key], before: Mapping[Key, Level]) -> Level:
    key = level.item_id, level.warehouse_id
    return before.get(key, Level() if key in changed else level)


def _is_dated(level: Level) -> bool:
    """Whether units that wait at a level can have a date."""
    return bool(level.backordered and level.incoming)


def _change(unit: UnitOfWork, then: Level, now: Level, reassessed: Collection[int]) -> _Change | None:
    """The queue of a level before and after the command; None if the command cannot have changed a date.

    New orders queue last and change no date, so the queue, which may be long, is not loaded for them.
    """
    if not (then.backordered or now.backordered):
        return None
    snapshot = unit.snapshot
    gone = [one for one in _replaced(unit, Allocation, now.id) if one.state is AllocationState.BACKORDERED]
    moved = bool(gone) or promises.ahead(then) != promises.ahead(now) or _adds_to_lines(unit, now.id)
    announced = [one for one in _touched(unit, StockAnnouncement) if one.level_id == now.id]
    passed = any(one.expected_at <= snapshot.now for one in snapshot.arrivals.get(now.id, ()))
    if not (moved or announced or passed or now.item_id in reassessed):
        return None
    if moved and now.id not in snapshot.queues:
        raise NotLoaded(queues=[now.id], arriving=[now.id])
    arriving = snapshot.arriving(now.id) if then.incoming or now.incoming else []
    announced = _unchanged(unit, arriving) + _replaced(unit, StockAnnouncement, now.id)
    supply_then = promises.reported_supply(oldest_first(announced), snapshot.now)
    supply_now = promises.supply(arriving, snapshot.now)
    if not moved and supply_then == supply_now and not (now.item_id in reassessed and supply_now):
        return None
    waiting = snapshot.queue(now.id)
    if waiting is None:
        raise NotLoaded(queues=[now.id])
    waited = with_waiting(_unchanged(unit, waiting), gone)
    return _Change(now, _Queue.of(supply_then, then, waited), _Queue.of(supply_now, now, waiting))


def _adds_to_lines(unit: UnitOfWork, level_id: int) -> bool:
    """Whether the command makes more units of an existing line wait at a level."""
    new_lines = {line_id for line_id, before in unit.replaced.get(OrderLine, {}).items() if before is None}
    return any(
        one.level_id == level_id and one.state is AllocationState.BACKORDERED and one.line_id not in new_lines
        for one in _touched(unit, Allocation)
    )


def _touched(unit: UnitOfWork, kind: type[R]) -> list[R]:
    """The current versions of the records of a kind that the command added or changed."""
    known: Mapping[int, R] = unit.snapshot.records.get(kind, {})
    return [known[record_id] for record_id in unit.replaced.get(kind, {})]


def _replaced(unit: UnitOfWork, kind: type[R], level_id: int) -> list[R]:
    """The earlier versions of the records of a level that the command changed."""
    versions = unit.replaced.get(kind, {}).values()
    return [one for one in versions if one is not None and one.level_id == level_id]


def _unchanged(unit: UnitOfWork, records: Sequence[R]) -> list[R]:
    """The records that the command neither added nor changed."""
    replaced = unit.replaced.get(type(records[0]), {}) if records else {}
    return [one for one in records if one.id not in replaced]  # type: ignore[attr-defined]


def _report(unit: UnitOfWork, changes: Sequence[_Change]) -> None:
    """Add the events, and store the buffer days that they reported."""
    snapshot = unit.snapshot
    lines: dict[int, OrderLine] = snapshot.records.get(OrderLine, {})
    buffers = _changed_buffers(snapshot, changes)
    moved = buffers.keys() | set().union(*(one.moved_lines() for one in changes))
    orders = {lines[line_id].order_id for line_id in moved}
    if orders:
        _report_orders(unit, changes, orders, buffers)
    for line_id, days in buffers.items():
        unit.change(dataclasses.replace(lines[line_id], buffer_days=days))


def _changed_buffers(snapshot: Snapshot, changes: Sequence[_Change]) -> dict[int, int]:
    """The current incomingBufferDays of each waiting line whose date was reported with another value."""
    channels = {channel.id: channel for channel in snapshot.network.channels}
    lines, orders = snapshot.records.get(OrderLine, {}), snapshot.records.get(Order, {})
    found: dict[int, int] = {}
    for change in changes:
        item = snapshot.item(change.level.item_id)
        of_website: dict[int, int] = {}
        for one in change.after.waiting:
            line = lines[one.line_id]
            website_id = orders[line.order_id].website_id
            if website_id not in of_website:
                settings = snapshot.lookup.settings(item, channels[website_id])
                of_website[website_id] = settings.incoming_buffer_days
            if of_website[website_id] != line.buffer_days:
                found[line.id] = of_website[website_id]
    return found


def _report_orders(
    unit: UnitOfWork, changes: Sequence[_Change], order_ids: Collection[int], buffers: Mapping[int, int]
) -> None:
    """Add an event for each of these orders with a line whose date has changed."""
    lines = {line.id: line for line in unit.snapshot.all(OrderLine) if line.order_id in order_ids}
    known: dict[int, OrderLine | None] = unit.replaced.get(OrderLine, {})
    waited, waiting = _at_other_levels(unit, lines, {one.level.id for one in changes})

    def known_buffer(line_id: int) -> int:
        return (known.get(line_id) or lines[line_id]).buffer_days

    def buffer_now(line_id: int) -> int:
        return buffers.get(line_id, lines[line_id].buffer_days)

    then = _dates([*(one.before for one in changes), waited], lines, known_buffer)
    now = _dates([*(one.after for one in changes), waiting], lines, buffer_now)
    changed = {
        lines[line_id].order_id
        for line_id in then
        if promises.latest(then[line_id]) != promises.latest(now.get(line_id, ()))
    }
    orders_then, orders_now = _of_orders(then, lines), _of_orders(now, lines)
    for order_id in sorted(changed):
        before, after = promises.latest(orders_then[order_id]), promises.latest(orders_now.get(order_id, ()))
        unit.events.append(events.order_date_changed(order_id, before, after))


def _dates(queues: Iterable[_Queue], lines: Collection[int], buffer_of: Callable[[int], int]) -> Dates:
    """The dates of the waiting units of each of these lines."""
    found: Dates = {}
    for queue in queues:
        for one, arrival in zip(queue.waiting, queue.arrivals, strict=True):
            if one.line_id in lines:
                date = promises.leaves_at(arrival, buffer_of(one.line_id))
                found.setdefault(one.line_id, []).append(date)
    return found


def _of_orders(of_lines: Dates, lines: Mapping[int, OrderLine]) -> Dates:
    found: Dates = {}
    for line_id, dates in of_lines.items():
        found.setdefault(lines[line_id].order_id, []).extend(dates)
    return found


def _at_other_levels(
    unit: UnitOfWork, lines: Mapping[int, OrderLine], excluded: Collection[int]
) -> tuple[_Queue, _Queue]:
    """The waiting units of lines at other levels than ``excluded``, before and after the command.

    At those levels, only units without a date are canceled or filled, and new units queue last.
    """
    snapshot = unit.snapshot
    missing = {line.order_id for line in lines.values() if line.order_id > 0} - snapshot.loaded_orders
    if missing:
        raise NotLoaded(orders=missing)

    def waiting(versions: Iterable[Allocation | None]) -> list[Allocation]:
        of_lines = (one for one in versions if one and one.line_id in lines and one.level_id not in excluded)
        return [one for one in of_lines if one.state is AllocationState.BACKORDERED]

    after = waiting(snapshot.all(Allocation))
    before = _unchanged(unit, after) + waiting(unit.replaced.get(Allocation, {}).values())
    arrivals = _arrivals(snapshot, {one.level_id for one in (*before, *after) if one.level_id is not None})
    return (
        _Queue(before, [arrivals.get(one.id) for one in before]),
        _Queue(after, [arrivals.get(one.id) for one in after]),
    )


def _arrivals(snapshot: Snapshot, level_ids: Collection[int]) -> dict[int, Arrival | None]:
    """The arrival of each waiting allocation at these levels, as last reported to subscribers of orders."""
    if not level_ids:
        return {}
    levels = snapshot.by_level_id()
    supplied = [levels[level_id] for level_id in sorted(level_ids) if levels[level_id].incoming]
    queues = [level.id for level in supplied if level.id not in snapshot.queues]
    arriving = {level.id for level in supplied} - snapshot.loaded_arriving
    if queues or arriving:
        raise NotLoaded(queues=queues, arriving=arriving)
    found: dict[int, Arrival | None] = {}
    for level in supplied:
        supply = promises.reported_supply(snapshot.arriving(level.id), snapshot.now)
        found |= _Queue.of(supply, level, snapshot.queue(level.id) or []).by_id()
    return found


def _lapse(unit: UnitOfWork, reported: Sequence[Level]) -> None:
    """Mark lapsed announcements: those of reported levels, and those to which the command gave a past date."""
    snapshot = unit.snapshot
    lapsed = {one.id: one for level in reported if level.incoming for one in snapshot.arriving(level.id)}
    lapsed |= {one.id: one for one in _touched(unit, StockAnnouncement)}
    lapsed = {one.id: one for one in lapsed.values() if promises.has_lapsed(one, snapshot.now)}
    items = {level.id: level.item_id for level in reported}
    for one in lapsed.values():
        unit.change(dataclasses.replace(one, lapsed_at=snapshot.now))
        if one.level_id in items:
            unit.events.append(events.level_row_changed(one.level_id, items[one.level_id]))
