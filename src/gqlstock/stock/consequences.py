"""The consequences of changes: filled backorders, changed dates, alerts raised and resolved, events of stock and shipments.

The rules decide each consequence; this module applies them to the unit of work.
"""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from gqlstock.rules import alerts as alert_rules
from gqlstock.rules import availability, backorders, counting, events
from gqlstock.rules import shipments as shipment_rules
from gqlstock.rules.alerts import AlertState, AlertStep, LowInventoryAlert
from gqlstock.rules.allocation import Allocation, AllocationState
from gqlstock.rules.backorders import Fill
from gqlstock.rules.catalog import Item
from gqlstock.rules.events import Event, Topic
from gqlstock.rules.ledger import Change, Level
from gqlstock.rules.network import SalesChannel
from gqlstock.rules.orders import Order, OrderLine
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.scopes import SYSTEM
from gqlstock.rules.shipments import Shipment
from gqlstock.rules.sourcing import Source
from gqlstock.stock import promised_dates
from gqlstock.stock.command import Changes, LedgerEntry, Result, new_id
from gqlstock.stock.snapshot import NotLoaded, Snapshot
from gqlstock.stock.unit_of_work import Key, UnitOfWork, items_of


def apply_consequences(
    unit: UnitOfWork,
    changed: Collection[Key],
    before: Mapping[Key, Level],
    reassessed: Collection[int] = (),
    promised: Collection[int] = (),
) -> None:
    """Apply the consequences of a command. ``before``: the levels before the command.

    ``reassessed``: items whose alerts and dates are rechecked although their stock did not change. ``promised``: orders
    whose promise dates are set to their current dates.
    """
    for key, units in _fillable(unit.snapshot, sorted(changed)).items():
        _fill_backorders(unit, key, units)
    dated = promised_dates.waiting_items(unit.snapshot, promised).union(reassessed)
    promised_dates.apply_changed_dates(unit, changed, before, dated)
    for order_id in sorted(promised):
        promised_dates.promise(unit, order_id)
    for item_id in sorted(items_of(changed).union(reassessed)):
        _update_alerts(unit, item_id)
    for item_id in sorted(items_of(changed)):
        unit.events += _crossings(unit, item_id, before)
    unit.events += _shipment_events(unit)


def _shipment_events(unit: UnitOfWork) -> list[Event]:
    """The events of shipments that the command created, or whose state it changed."""
    found = []
    for shipment_id, before in unit.replaced.get(Shipment, {}).items():
        after = unit.snapshot.get(Shipment, shipment_id)
        assert after is not None
        if before is None or before.state is not after.state:
            found.append(
                events.shipment_changed(shipment_id, before.state if before is not None else None, after.state)
            )
    return found


def _fillable(snapshot: Snapshot, keys: Sequence[Key]) -> dict[Key, Decimal]:
    """The backordered units that each of these levels can fill; levels without any are omitted."""
    levels = {key: level for key in keys if (level := snapshot.level(*key)) is not None and level.backordered}
    fillable = {key: units for key, level in levels.items() if (units := backorders.fillable(level))}
    missing = [levels[key].id for key in fillable if snapshot.queue(levels[key].id) is None]
    if missing:
        raise NotLoaded(queues=missing)
    return fillable


def _fill_backorders(unit: UnitOfWork, key: Key, units: Decimal) -> None:
    """Fill backorders from the level, in the order in which they were planned."""
    level = unit.snapshot.level(*key)
    assert level is not None
    waiting = unit.snapshot.queue(level.id)
    assert waiting is not None
    by_id = {allocation.id: allocation for allocation in waiting}
    fills = backorders.fill([(allocation.id, allocation.quantity) for allocation in waiting], units)
    filled = sum((one.quantity for one in fills), ZERO)
    entry = LedgerEntry(*key, Change(backordered=-filled), SYSTEM)
    unit.apply(Changes(answer=lambda written: Result({}), entries=[entry]))
    for one in fills:
        _fill(unit, by_id[one.allocation_id], one)
    _update_shipment_states(unit, {a.shipment_id for a in by_id.values() if a.shipment_id is not None})
    lines = {by_id[one.allocation_id].line_id for one in fills}
    for order_id in sorted({line.order_id for line in unit.snapshot.all(OrderLine) if line.id in lines}):
        order = unit.snapshot.get(Order, order_id)
        assert order is not None
        unit.change(dataclasses.replace(order, updated_at=unit.now))
        unit.events.append(Event(Topic.ORDER, order_id))


def _fill(unit: UnitOfWork, allocation: Allocation, fill: Fill) -> None:
    """Turn backordered units into ON_HAND ones. The rest of the allocation is split off and keeps waiting."""
    if fill.quantity < allocation.quantity:
        left = allocation.quantity - fill.quantity
        unit.add(dataclasses.replace(allocation, id=new_id(), split_from=allocation.planned_as, quantity=left))
    unit.change(
        dataclasses.replace(allocation, quantity=fill.quantity, state=AllocationState.ON_HAND, changed_at=unit.now)
    )


def _update_shipment_states(unit: UnitOfWork, shipment_ids: Collection[int]) -> None:
    """Recompute the state of open shipments from their units."""
    for shipment_id in sorted(shipment_ids):
        shipment = unit.snapshot.get(Shipment, shipment_id)
        assert shipment is not None
        contents = [one for one in unit.snapshot.all(Allocation) if one.shipment_id == shipment_id]
        state = shipment_rules.state([one.state for one in contents])
        if shipment.state in shipment_rules.OPEN_STATES and state is not shipment.state:
            unit.change(dataclasses.replace(shipment, state=state, updated_at=unit.now))


def _update_alerts(unit: UnitOfWork, item_id: int) -> None:
    """Raise and resolve low-inventory alerts for the current levels of an item."""
    due = alerts_due(unit.snapshot, item_id)
    for alert in due.to_resolve:
        resolved = dataclasses.replace(alert, state=AlertState.RESOLVED, resolved_at=unit.now)
        unit.change(resolved)
        unit.events.append(events.alert_changed(resolved))
    for watched in due.to_raise:
        raised = _raised(unit, watched)
        unit.add(raised)
        unit.events.append(events.alert_changed(raised))


@dataclass(frozen=True, slots=True)
class WatchedQuantity:
    """A quantity with an alert threshold: of an item over all active warehouses, or of one level."""

    item: Item
    warehouse_id: int | None
    left: Decimal
    notify_below: Decimal


@dataclass(frozen=True, slots=True)
class AlertsDue:
    """The low quantities without an open alert, and the open alerts whose quantity is no longer low."""

    to_raise: list[WatchedQuantity] = field(default_factory=list)
    to_resolve: list[LowInventoryAlert] = field(default_factory=list)


def alerts_due(snapshot: Snapshot, item_id: int) -> AlertsDue:
    """The alerts to raise and to resolve for the levels of an item."""
    due = AlertsDue()
    known = {alert.warehouse_id: alert for alert in snapshot.open_alerts({item_id})}
    if not known and not snapshot.lookup.is_set_anywhere("notify_below"):
        return due
    for one in _watched(snapshot, snapshot.item(item_id)):
        alert = known.pop(one.warehouse_id, None)
        step = alert_rules.step(one.left, one.notify_below, is_open=alert is not None)
        if step is AlertStep.RAISE:
            due.to_raise.append(one)
        elif step is AlertStep.RESOLVE and alert is not None:
            due.to_resolve.append(alert)
    # The thresholds of the remaining alerts no longer exist.
    due.to_resolve.extend(known.values())
    return due


def _watched(snapshot: Snapshot, item: Item) -> list[WatchedQuantity]:
    """The quantities of an item to watch. An item without a level in use has none: an uncounted quantity cannot fall."""
    lookup = snapshot.lookup
    levels = snapshot.levels_of(item.id)
    if item.deleted_at is not None or not levels:
        return []
    settings = lookup.settings(item, lookup.home(levels))
    if not (lookup.is_counted(item, settings) and counting.has_units(item, lookup.product(item))):
        return []
    active = [level for level in levels if level.warehouse_id in lookup.network.active]
    own = [(level, lookup.own_level_value(level, "notify_below")) for level in active]
    watched = [
        WatchedQuantity(item, one.warehouse_id, max(one.available, ZERO), below)
        for one, below in own
        if below is not None
    ]
    if settings.notify_below is not None:
        left = sum((max(level.available, ZERO) for level in active), ZERO)
        watched.insert(0, WatchedQuantity(item, None, left, settings.notify_below))
    return watched


def _raised(unit: UnitOfWork, one: WatchedQuantity) -> LowInventoryAlert:
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


def _crossings(unit: UnitOfWork, item_id: int, levels_before: Mapping[Key, Level]) -> list[Event]:
    """The events of websites on which an item ran out or came back in stock."""
    snapshot = unit.snapshot
    item, after = snapshot.item(item_id), snapshot.levels_of(item_id)
    before = {level.warehouse_id: levels_before.get((item_id, level.warehouse_id), Level()) for level in after}
    moved = {
        level.warehouse_id
        for level in after
        if max(level.available, ZERO) != max(before[level.warehouse_id].available, ZERO)
    }
    if not moved or not counting.has_units(item, snapshot.lookup.product(item)):
        return []
    crossings = []
    for channel in snapshot.network.channels:
        selling = {warehouse.warehouse_id for warehouse in channel.warehouses}
        if moved & selling:
            here = [level for level in after if level.warehouse_id in selling]
            in_stock = _crossed(unit, item, here, before, channel)
            if in_stock is not None:
                crossings.append(events.stock_crossed(item_id, channel.id, in_stock=in_stock))
    return crossings


def _crossed(
    unit: UnitOfWork, item: Item, levels: Sequence[Level], before: Mapping[int, Level], channel: SalesChannel
) -> bool | None:
    lookup = unit.snapshot.lookup
    settings = lookup.settings(item, channel, levels)
    if not lookup.is_counted(item, settings):
        return None
    modes = {level.warehouse_id: lookup.level_backorders(level, settings) for level in levels}
    then = [Source(one.warehouse_id, before[one.warehouse_id], modes[one.warehouse_id]) for one in levels]
    now = [Source(one.warehouse_id, one, modes[one.warehouse_id]) for one in levels]
    return availability.crossed(settings, then, now)
