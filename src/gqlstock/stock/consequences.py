"""What follows from changes of levels: waiting units are filled, alerts raised and resolved, crossings told."""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from gqlstock.rules import alerts as alert_rules
from gqlstock.rules import availability, backorders, counting, events
from gqlstock.rules import shipments as shipment_rules
from gqlstock.rules.alerts import AlertState, AlertStep, LowInventoryAlert
from gqlstock.rules.allocation import Allocation, AllocationState
from gqlstock.rules.availability import Source
from gqlstock.rules.backorders import Fill
from gqlstock.rules.catalog import Item
from gqlstock.rules.events import Event, Topic
from gqlstock.rules.ledger import Change, Level
from gqlstock.rules.network import SalesChannel
from gqlstock.rules.orders import Order, OrderLine
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.scopes import SYSTEM
from gqlstock.rules.shipments import Shipment
from gqlstock.stock.command import Changes, LedgerEntry, Result, new_id
from gqlstock.stock.snapshot import NotLoaded, Snapshot
from gqlstock.stock.unit_of_work import Key, UnitOfWork, items_of


def apply_consequences(
    unit: UnitOfWork, changed: Collection[Key], told: Mapping[Key, Level], reassessed: Collection[int] = ()
) -> None:
    """Do what follows from the changes of a command; ``told`` are the levels as they were before it.

    ``reassessed`` are items that something else than stock has changed.
    """
    for key, units in _fillable(unit.snapshot, sorted(changed)).items():
        _fill_backorders(unit, key, units)
    for item_id in sorted(items_of(changed).union(reassessed)):
        _watch(unit, item_id)
    for item_id in sorted(items_of(changed)):
        unit.events += _crossings(unit, item_id, told)


def _fillable(snapshot: Snapshot, keys: Sequence[Key]) -> dict[Key, Decimal]:
    """How many units these levels have for waiting orders, where they have any."""
    levels = {key: level for key in keys if (level := snapshot.level(*key)) is not None and level.backordered}
    found = {key: units for key, level in levels.items() if (units := backorders.fillable(level))}
    missing = [levels[key].id for key in found if snapshot.queue(levels[key].id) is None]
    if missing:
        raise NotLoaded(queues=missing)
    return found


def _fill_backorders(unit: UnitOfWork, key: Key, units: Decimal) -> None:
    """Give waiting orders what the level has for them, in the order in which they were planned."""
    level = unit.snapshot.level(*key)
    assert level is not None
    waiting = unit.snapshot.queue(level.id)
    assert waiting is not None
    by_id = {allocation.id: allocation for allocation in waiting}
    fills = backorders.fill([(allocation.id, allocation.quantity) for allocation in waiting], units)
    filled = sum((one.quantity for one in fills), ZERO)
    nothing = Changes(answer=lambda written: Result({}))
    nothing.entries.append(LedgerEntry(*key, Change(backordered=-filled), SYSTEM))
    unit.apply(nothing)
    for one in fills:
        _fill(unit, by_id[one.allocation_id], one)
    _restate_shipments(unit, {a.shipment_id for a in by_id.values() if a.shipment_id is not None})
    lines = {by_id[one.allocation_id].line_id for one in fills}
    for order_id in sorted({line.order_id for line in unit.snapshot.all(OrderLine) if line.id in lines}):
        order = unit.snapshot.get(Order, order_id)
        assert order is not None
        unit.change(dataclasses.replace(order, updated_at=unit.now))
        unit.events.append(Event(Topic.ORDER, order_id))


def _fill(unit: UnitOfWork, allocation: Allocation, fill: Fill) -> None:
    """Turn waiting units into ON_HAND ones; what is left of an allocation goes on waiting."""
    if fill.quantity < allocation.quantity:
        left = allocation.quantity - fill.quantity
        unit.add(dataclasses.replace(allocation, id=new_id(), split_from=allocation.planned_as, quantity=left))
    unit.change(
        dataclasses.replace(allocation, quantity=fill.quantity, state=AllocationState.ON_HAND, changed_at=unit.now)
    )


def _restate_shipments(unit: UnitOfWork, shipment_ids: Collection[int]) -> None:
    """Bring the state of shipments that have not left in line with the units in them."""
    for shipment_id in sorted(shipment_ids):
        shipment = unit.snapshot.get(Shipment, shipment_id)
        assert shipment is not None
        inside = [one for one in unit.snapshot.all(Allocation) if one.shipment_id == shipment_id]
        state = shipment_rules.state([one.state for one in inside])
        if shipment.state in shipment_rules.OPEN_STATES and state is not shipment.state:
            unit.change(dataclasses.replace(shipment, state=state, updated_at=unit.now))


def _watch(unit: UnitOfWork, item_id: int) -> None:
    """Raise and resolve the low-inventory alerts of an item by what its levels have now."""
    due = alerts_due(unit.snapshot, item_id)
    for alert in due.over:
        resolved = dataclasses.replace(alert, state=AlertState.RESOLVED, resolved_at=unit.now)
        unit.change(resolved)
        unit.events.append(events.alert_changed(resolved))
    for fall in due.falls:
        raised = _raised(unit, fall)
        unit.add(raised)
        unit.events.append(events.alert_changed(raised))


@dataclass(frozen=True, slots=True)
class Fall:
    """A quantity under its threshold: an item's over all active warehouses, or that of one level."""

    item: Item
    warehouse_id: int | None
    left: Decimal
    notify_below: Decimal


@dataclass(frozen=True, slots=True)
class AlertsDue:
    """Falls without an alert, and alerts whose fall is over."""

    falls: list[Fall] = field(default_factory=list)
    over: list[LowInventoryAlert] = field(default_factory=list)


def alerts_due(snapshot: Snapshot, item_id: int) -> AlertsDue:
    """The alerts of an item that are to be raised and resolved by what its levels have."""
    due = AlertsDue()
    known = {alert.warehouse_id: alert for alert in snapshot.open_alerts({item_id})}
    if not known and not snapshot.lookup.anywhere("notify_below"):
        return due
    for one in _watched(snapshot, snapshot.item(item_id)):
        alert = known.pop(one.warehouse_id, None)
        step = alert_rules.step(one.left, one.notify_below, is_open=alert is not None)
        if step is AlertStep.RAISE:
            due.falls.append(one)
        elif step is AlertStep.RESOLVE and alert is not None:
            due.over.append(alert)
    # What is left is not watched any more.
    due.over.extend(known.values())
    return due


def _watched(snapshot: Snapshot, item: Item) -> list[Fall]:
    if item.deleted_at is not None:
        return []
    lookup = snapshot.lookup
    levels = snapshot.levels_of(item.id)
    found = lookup.settings(item, lookup.home(levels))
    if not (lookup.is_counted(item, found) and counting.has_units(item, lookup.product(item))):
        return []
    active = [level for level in levels if level.warehouse_id in lookup.network.active]
    own = [(level, lookup.own_level_value(level, "notify_below")) for level in active]
    watched = [Fall(item, one.warehouse_id, max(one.available, ZERO), below) for one, below in own if below is not None]
    if found.notify_below is not None:
        left = sum((max(level.available, ZERO) for level in active), ZERO)
        watched.insert(0, Fall(item, None, left, found.notify_below))
    return watched


def _raised(unit: UnitOfWork, one: Fall) -> LowInventoryAlert:
    return LowInventoryAlert(
        id=new_id(),
        item_id=one.item.id,
        warehouse_id=one.warehouse_id,
        sku=one.item.sku,
        name=one.item.name,
        code=one.item.own_code or unit.snapshot.lookup.product(one.item).sku,
        quantity_left=one.left,
        threshold=one.notify_below,
        state=AlertState.RAISED,
        raised_at=unit.now,
    )


def _crossings(unit: UnitOfWork, item_id: int, told: Mapping[Key, Level]) -> list[Event]:
    """The news of the websites on which an item has run out, or there is some of it again."""
    snapshot = unit.snapshot
    item, after = snapshot.item(item_id), snapshot.levels_of(item_id)
    before = {level.warehouse_id: told.get((item_id, level.warehouse_id), Level()) for level in after}
    moved = {
        level.warehouse_id
        for level in after
        if max(level.available, ZERO) != max(before[level.warehouse_id].available, ZERO)
    }
    if not moved or not counting.has_units(item, snapshot.lookup.product(item)):
        return []
    found = []
    for channel in snapshot.network.channels:
        selling = {warehouse.warehouse_id for warehouse in channel.warehouses}
        if moved & selling:
            here = [level for level in after if level.warehouse_id in selling]
            in_stock = _crossed(unit, item, here, before, channel)
            if in_stock is not None:
                found.append(events.stock_crossed(item_id, channel.id, in_stock=in_stock))
    return found


def _crossed(
    unit: UnitOfWork, item: Item, levels: Sequence[Level], before: Mapping[int, Level], channel: SalesChannel
) -> bool | None:
    lookup = unit.snapshot.lookup
    found = lookup.settings(item, channel, levels)
    if not lookup.is_counted(item, found):
        return None
    modes = {level.warehouse_id: lookup.level_backorders(level, found) for level in levels}
    then = [Source(one.warehouse_id, before[one.warehouse_id], modes[one.warehouse_id]) for one in levels]
    now = [Source(one.warehouse_id, one, modes[one.warehouse_id]) for one in levels]
    return availability.crossed(found, then, now)
