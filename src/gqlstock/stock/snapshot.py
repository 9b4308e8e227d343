"""The state that a decision needs, as of one instant: catalog, settings, network, levels, orders, holds.

It stores and finds records, and decides nothing.
"""

import bisect
import dataclasses
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from gqlstock.rules import holds as hold_rules
from gqlstock.rules import orders as order_rules
from gqlstock.rules import promises
from gqlstock.rules.alerts import AlertState, LowInventoryAlert
from gqlstock.rules.allocation import OPEN_STATES, Allocation, AllocationState
from gqlstock.rules.assortment import Assortment
from gqlstock.rules.catalog import Item
from gqlstock.rules.fallback import SettingsLookup
from gqlstock.rules.holds import HeldUnits, StockHold
from gqlstock.rules.ledger import Level
from gqlstock.rules.network import Network, SalesChannel
from gqlstock.rules.orders import Order, OrderLine
from gqlstock.rules.promises import Arrival
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.receiving import StockAnnouncement
from gqlstock.rules.settings import InventoryDecrement
from gqlstock.rules.shipments import Shipment
from gqlstock.rules.sourcing import LevelsInUse
from gqlstock.rules.transfers import InventoryTransfer, InventoryTransferLine

R = TypeVar("R")


class NotLoaded(Exception):
    """A decision needs more than was loaded; the runner loads it and decides again.

    By level: ``queues``: waiting allocations; ``moved``: the sum of movements after a time; ``arriving``: open
    announcements; ``allocated``: open allocations. By order: ``orders``: all that the dates of these orders depend on.
    """

    def __init__(
        self,
        *,
        queues: Collection[int] = (),
        moved: Collection[tuple[int, datetime]] = (),
        arriving: Collection[int] = (),
        allocated: Collection[int] = (),
        orders: Collection[int] = (),
    ) -> None:
        self.queues = frozenset(queues)
        self.moved = frozenset(moved)
        self.arriving = frozenset(arriving)
        self.allocated = frozenset(allocated)
        self.orders = frozenset(orders)
        super().__init__("the decision needs more records")

    @classmethod
    def all(cls, found: Sequence["NotLoaded"]) -> "NotLoaded":
        """Merge the needs of several exceptions."""
        return cls(
            queues=frozenset[int]().union(*(one.queues for one in found)),
            moved=frozenset[tuple[int, datetime]]().union(*(one.moved for one in found)),
            arriving=frozenset[int]().union(*(one.arriving for one in found)),
            allocated=frozenset[int]().union(*(one.allocated for one in found)),
            orders=frozenset[int]().union(*(one.orders for one in found)),
        )


@dataclass(slots=True)
class Snapshot:
    """The state of one instant. A batch applies the changes of its commands to a copy."""

    now: datetime
    network: Network
    by_sku: Mapping[str, Item]
    lookup: SettingsLookup
    combinations: dict[int, list[Item]]
    levels: dict[int, dict[int, Level]] = field(default_factory=dict)
    """By item and warehouse, including levels out of use."""
    records: dict[type, dict[int, Any]] = field(default_factory=dict)
    queues: dict[int, list[Allocation]] = field(default_factory=dict)
    """The loaded waiting allocations by level, in the order in which they are filled."""
    arrivals: dict[int, list[Arrival]] = field(default_factory=dict)
    """The stored dated supply by level, for levels with incoming units. Later changes are in ``records``."""
    level_items: dict[int, int] = field(default_factory=dict)
    """The item of each loaded level, and of levels that orders, holds, announcements and transfers refer to."""
    loaded_arriving: set[int] = field(default_factory=set)
    """The levels whose open announcements were loaded."""
    loaded_allocated: set[int] = field(default_factory=set)
    """The levels whose open allocations were loaded."""
    loaded_orders: set[int] = field(default_factory=set)
    """The orders whose waiting allocations were loaded, with the queues and announcements of their levels."""
    levels_beside: dict[int, Level] = field(default_factory=dict)
    """The levels, by id, where these orders wait for items that are neither loaded nor locked."""
    new_holds: list[int] = field(default_factory=list)
    """The holds that earlier commands of the batch created."""
    counted_holds: dict[str, int] = field(default_factory=dict)
    """The number of stored active holds of each address."""
    moved: dict[tuple[int, datetime], Decimal] = field(default_factory=dict)
    """The sum of the stored movements of a level after a time."""
    moved_now: dict[int, Decimal] = field(default_factory=dict)
    """The sum of the movements by earlier commands of the batch, without counts, by level."""

    def copy(self) -> "Snapshot":
        return dataclasses.replace(
            self,
            levels={item_id: dict(levels) for item_id, levels in self.levels.items()},
            records={kind: dict(found) for kind, found in self.records.items()},
            queues={level_id: list(waiting) for level_id, waiting in self.queues.items()},
            new_holds=list(self.new_holds),
            counted_holds=dict(self.counted_holds),
            moved_now=dict(self.moved_now),
        )

    def on(self, channel: SalesChannel) -> Assortment:
        """The items as one website sells them."""
        return Assortment(channel, self.lookup, self.combinations, _Levels(self), self.now)

    def by_level_id(self) -> dict[int, Level]:
        """All levels by id, including ``levels_beside``."""
        loaded = {level.id: level for levels in self.levels.values() for level in levels.values()}
        return self.levels_beside | loaded

    def level_by_id(self, level_id: int) -> Level:
        """A level of a loaded item."""
        return next(one for one in self.levels[self.level_items[level_id]].values() if one.id == level_id)

    def item(self, item_id: int) -> Item:
        return self.lookup.items[item_id]

    def level(self, item_id: int, warehouse_id: int) -> Level | None:
        """The level of an item in a warehouse, in use or not."""
        return self.levels.get(item_id, {}).get(warehouse_id)

    def levels_of(self, item_id: int) -> list[Level]:
        """The levels in use of an item."""
        return [level for level in self.levels.get(item_id, {}).values() if level.deleted_at is None]

    def put_level(self, level: Level) -> None:
        self.levels.setdefault(level.item_id, {})[level.warehouse_id] = level
        self.level_items[level.id] = level.item_id

    def get(self, kind: type[R], record_id: int) -> R | None:
        return self.records.get(kind, {}).get(record_id)

    def all(self, kind: type[R]) -> Iterable[R]:
        return self.records.get(kind, {}).values()

    def put(self, record: Any) -> None:
        self.records.setdefault(type(record), {})[record.id] = record

    def put_all(self, records: Iterable[Any]) -> None:
        for record in records:
            self.put(record)

    def open_alerts(self, item_ids: Collection[int]) -> list[LowInventoryAlert]:
        """The open alerts of these items."""
        return [
            alert
            for alert in self.all(LowInventoryAlert)
            if alert.item_id in item_ids and alert.state is AlertState.RAISED
        ]

    def queue(self, level_id: int) -> list[Allocation] | None:
        """The waiting allocations of a level, in the order in which they are filled; None if not loaded."""
        loaded = self.queues.get(level_id)
        if loaded is None:
            return None
        known = self.records.get(Allocation, {})
        loaded_ids = {one.id for one in loaded}
        added = [one for one in known.values() if one.level_id == level_id and one.id not in loaded_ids]
        return with_waiting((known[one.id] for one in loaded), added)

    def arriving(self, level_id: int) -> list[StockAnnouncement]:
        """The open announcements of a level, oldest first."""
        if level_id not in self.loaded_arriving:
            raise NotLoaded(arriving=[level_id])
        open_ones = (one for one in self.all(StockAnnouncement) if one.level_id == level_id and one.remaining > 0)
        return oldest_first(open_ones)

    def supply(self, level_id: int) -> tuple[Arrival, ...]:
        """The dated supply of a level, soonest first."""
        known = self.records.get(StockAnnouncement, {})
        stored = [one for one in self.arrivals.get(level_id, ()) if one.announcement_id not in known]
        of_level = (one for one in known.values() if one.level_id == level_id)
        found = [*stored, *promises.supply(of_level, self.now)]
        return promises.to_come(sorted(found, key=lambda one: _planned(one.announcement_id)), self.now)

    def open_allocations(self, level_id: int) -> list[Allocation]:
        """The open allocations of a level."""
        if level_id not in self.loaded_allocated:
            raise NotLoaded(allocated=[level_id])
        return [one for one in self.all(Allocation) if one.level_id == level_id and one.state in OPEN_STATES]

    def waiting_units(self, level_id: int, mode: InventoryDecrement) -> Decimal:
        """The units of order lines with this mode that wait for stock of a level."""
        waiting = self.queue(level_id)
        if waiting is None:
            raise NotLoaded(queues=[level_id])
        lines = self.records.get(OrderLine, {})
        return sum((one.quantity for one in waiting if lines[one.line_id].decrement is mode), ZERO)

    def active_holds(self, address: str, besides: StockHold | None = None) -> int:
        """The number of active holds of an address. ``besides``: a hold that this command ends."""
        known = self.records.get(StockHold, {})
        new = sum(1 for hold_id in self.new_holds if hold_rules.is_active_of(address, known[hold_id], self.now))
        ends = besides is not None and hold_rules.is_active_of(address, besides, self.now)
        return self.counted_holds[address] + new - ends

    def items_of_order(self, number: str) -> set[int]:
        """The items of which an order has allocated units, by its number; empty if it was not loaded."""
        order = self.order(order_rules.id_of(number) or 0)
        allocated = [one for allocations in order.allocations.values() for one in allocations] if order else []
        return {self.level_items[one.level_id] for one in allocated if one.level_id is not None}

    def hold(self, hold_id: int | None) -> "OpenHold | None":
        """A hold with its held units; None if it was not loaded."""
        hold = self.get(StockHold, hold_id) if hold_id is not None else None
        if hold is None:
            return None
        units = [one for one in self.all(HeldUnits) if one.hold_id == hold.id]
        return OpenHold(hold, [HeldAt(self.level_by_id(one.level_id), one.quantity) for one in units])

    def transfer(self, transfer_id: int | None) -> "WholeTransfer | None":
        """A transfer with its lines and announcements; None if it was not loaded."""
        transfer = self.get(InventoryTransfer, transfer_id) if transfer_id is not None else None
        if transfer is None:
            return None
        lines = [one for one in self.all(InventoryTransferLine) if one.transfer_id == transfer.id]
        announced = [one for one in self.all(StockAnnouncement) if one.transfer_id == transfer.id]
        return WholeTransfer(transfer, lines, {self.level_items[one.level_id]: one for one in announced})

    def order(self, order_id: int) -> "WholeOrder | None":
        """An order with its lines, allocations and shipments; None if it was not loaded."""
        order = self.get(Order, order_id)
        if order is None:
            return None
        lines = [line for line in self.all(OrderLine) if line.order_id == order_id]
        line_ids = {line.id for line in lines}
        allocations: dict[int, list[Allocation]] = {line.id: [] for line in lines}
        for allocation in self.all(Allocation):
            if allocation.line_id in line_ids:
                allocations[allocation.line_id].append(allocation)
        shipments = {one.id: one for one in self.all(Shipment) if one.order_id == order_id}
        return WholeOrder(order, lines, allocations, shipments)


class _Levels(Mapping[int, LevelsInUse]):
    """The levels in use of each item, collected on demand: a command needs those of few items of a batch."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def __getitem__(self, item_id: int) -> LevelsInUse:
        if item_id not in self._snapshot.levels:
            raise KeyError(item_id)
        found = LevelsInUse()
        for level in self._snapshot.levels_of(item_id):
            found.add(level, self._snapshot.supply(level.id) if level.incoming else ())
        return found

    def __iter__(self) -> Iterator[int]:
        return iter(self._snapshot.levels)

    def __len__(self) -> int:
        return len(self._snapshot.levels)


def with_waiting(queue: Iterable[Allocation], added: Iterable[Allocation]) -> list[Allocation]:
    """The waiting allocations of a sorted queue and of ``added``, in the order in which they are filled."""
    waiting = [one for one in queue if one.state is AllocationState.BACKORDERED]
    for one in added:
        if one.state is AllocationState.BACKORDERED:
            # The queue may be long, and few are added.
            bisect.insort(waiting, one, key=_place)
    return waiting


def _place(waiting: Allocation) -> tuple[bool, int, bool, int]:
    return *_planned(waiting.planned_as), *_planned(waiting.id)


def oldest_first(announcements: Iterable[StockAnnouncement]) -> list[StockAnnouncement]:
    return sorted(announcements, key=lambda one: _planned(one.id))


def _planned(record_id: int) -> tuple[bool, int]:
    """A sort key by age. New records come last; their ids count down."""
    return record_id < 0, abs(record_id)


@dataclass(frozen=True, slots=True)
class WholeOrder:
    """A locked order with its lines, allocations and shipments."""

    order: Order
    lines: list[OrderLine]
    allocations: dict[int, list[Allocation]]
    """By line, oldest first."""
    shipments: dict[int, Shipment]


@dataclass(frozen=True, slots=True)
class WholeTransfer:
    """A locked transfer with its lines and announcements."""

    transfer: InventoryTransfer
    lines: list[InventoryTransferLine]
    announcements: dict[int, StockAnnouncement]
    """By item."""


@dataclass(frozen=True, slots=True)
class HeldAt:
    """The units of a level that a hold reserves."""

    level: Level
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class OpenHold:
    """A locked hold with its units, in planning order."""

    hold: StockHold
    units: list[HeldAt]

    @property
    def warehouses(self) -> dict[int, list[int]]:
        """The warehouses of each item, in planning order."""
        found: dict[int, list[int]] = {}
        for unit in self.units:
            found.setdefault(unit.level.item_id, []).append(unit.level.warehouse_id)
        return found

    @property
    def quantities(self) -> dict[int, Decimal]:
        """The held units by level id."""
        sums: dict[int, Decimal] = {}
        for unit in self.units:
            sums[unit.level.id] = sums.get(unit.level.id, ZERO) + unit.quantity
        return sums
