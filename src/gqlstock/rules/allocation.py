"""Which warehouse gives how much of an order line. ``order_plan`` decides which lines can be ordered."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from gqlstock.rules import availability, geo, ledger
from gqlstock.rules.availability import Source
from gqlstock.rules.ledger import Change, FulfilmentStep
from gqlstock.rules.network import RankedWarehouse
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.settings import InventoryDecrement, Settings, SourceSelection


class AllocationState(StrEnum):
    ON_HAND = "ON_HAND"
    BACKORDERED = "BACKORDERED"
    SHIPPED = "SHIPPED"
    RETURNED = "RETURNED"
    CANCELED = "CANCELED"


OPEN_STATES = (AllocationState.ON_HAND, AllocationState.BACKORDERED)
"""The states of units that are still to be shipped or canceled."""


@dataclass(frozen=True, slots=True)
class PlannedAllocation:
    """Units from one warehouse, in one state."""

    warehouse_id: int
    quantity: Decimal
    state: AllocationState


@dataclass(frozen=True, slots=True)
class Plan:
    """The parts of each line of one item; None for the first line without enough stock and for those after it."""

    parts: tuple[tuple[PlannedAllocation, ...] | None, ...]

    @property
    def fits(self) -> bool:
        return all(parts is not None for parts in self.parts)


def in_order(
    warehouses: Sequence[RankedWarehouse], selection: SourceSelection, ship_to: geo.Point | None
) -> list[RankedWarehouse]:
    """The order in which warehouses give: by priority (ties by id), or nearest first, those without a location last."""
    by_priority = sorted(warehouses, key=lambda one: (one.priority, one.warehouse_id))
    if selection is SourceSelection.PRIORITY or ship_to is None:
        return by_priority

    def kilometers(warehouse: RankedWarehouse) -> float:
        return geo.distance(warehouse.location, ship_to) if warehouse.location else float("inf")

    return sorted(by_priority, key=kilometers)


def plan(
    quantities: Sequence[Decimal],
    settings: Settings,
    sources: Sequence[Source],
    *,
    only_free: bool = False,
    modes: Sequence[InventoryDecrement] = (),
) -> Plan:
    """Take the lines of one item from its sources, in order. The safety stock stays in the last sources.

    Free units are ON_HAND. The rest is backordered in the first source that takes backorders, within its room.
    A line that never splits comes whole from the first source that can give it. (Solidus, Oro)
    ``only_free``: no backorders, as for a hold. ``modes``: the decrement mode of each line, where not the setting's.
    """
    frees = availability.free(settings, sources)
    room = ZERO if only_free else availability.room(settings, sources)
    whole = availability.never_splits(settings)
    planned: list[tuple[PlannedAllocation, ...] | None] = []
    for quantity in quantities:
        parts = (_whole if whole else _in_turn)(quantity, sources, frees, room) if None not in planned else None
        planned.append(parts)
        if parts is None:
            continue
        for part in parts:
            if part.state is AllocationState.BACKORDERED:
                room = None if room is None else room - part.quantity
            else:
                index = next(i for i, s in enumerate(sources) if s.warehouse_id == part.warehouse_id)
                frees[index] -= part.quantity
    never = [mode is InventoryDecrement.NEVER for mode in modes or [settings.decrement_inventory] * len(planned)]
    return Plan(tuple(p and _never_waiting(p) if n else p for p, n in zip(planned, never, strict=True)))


def uncounted(quantity: Decimal, warehouse_id: int) -> tuple[PlannedAllocation, ...]:
    """Uncounted units, which come whole from one warehouse."""
    return (PlannedAllocation(warehouse_id, quantity, AllocationState.ON_HAND),)


def effect(part: PlannedAllocation, mode: InventoryDecrement) -> Change:
    """The change of a level by ordering a part."""
    waiting = part.quantity if part.state is AllocationState.BACKORDERED else ZERO
    return ledger.effect(FulfilmentStep.ORDERED, mode, part.quantity, waiting)


def check_range(parts: Sequence[tuple[PlannedAllocation, InventoryDecrement]], sources: Sequence[Source]) -> None:
    """Refuse parts that would take a level out of the range of a quantity. Each part comes with the mode of its line."""
    for source in sources:
        changes = [effect(part, mode) for part, mode in parts if part.warehouse_id == source.warehouse_id]
        ledger.apply(source.level, functools.reduce(ledger.combined, changes, Change()))


def _in_turn(
    quantity: Decimal, sources: Sequence[Source], frees: Sequence[Decimal], room: Decimal | None
) -> tuple[PlannedAllocation, ...] | None:
    parts = []
    left = quantity
    for source, free in zip(sources, frees, strict=True):
        taken = min(free, left)
        if taken > 0:
            parts.append(PlannedAllocation(source.warehouse_id, taken, AllocationState.ON_HAND))
            left -= taken
    if left > 0:
        waiting = next((s for s in sources if s.takes_backorders), None)
        if waiting is None or (room is not None and left > room):
            return None
        parts.append(PlannedAllocation(waiting.warehouse_id, left, AllocationState.BACKORDERED))
    return tuple(parts)


def _whole(
    quantity: Decimal, sources: Sequence[Source], frees: Sequence[Decimal], room: Decimal | None
) -> tuple[PlannedAllocation, ...] | None:
    for source, free in zip(sources, frees, strict=True):
        waiting = max(quantity - free, ZERO)
        if waiting and not (source.takes_backorders and (room is None or waiting <= room)):
            continue
        parts = [(quantity - waiting, AllocationState.ON_HAND), (waiting, AllocationState.BACKORDERED)]
        return tuple(PlannedAllocation(source.warehouse_id, q, state) for q, state in parts if q)
    return None


def _never_waiting(parts: Sequence[PlannedAllocation]) -> tuple[PlannedAllocation, ...]:
    """Under NEVER every unit is ON_HAND. The parts of one warehouse become one."""
    sums: dict[int, Decimal] = {}
    for part in parts:
        sums[part.warehouse_id] = sums.get(part.warehouse_id, ZERO) + part.quantity
    return tuple(
        PlannedAllocation(warehouse_id, quantity, AllocationState.ON_HAND) for warehouse_id, quantity in sums.items()
    )


@dataclass(frozen=True, slots=True)
class Allocation:
    """Units of an order line from one warehouse, in one state. ``level_id`` is None where nothing is counted.

    ``position`` is the index of its source in the line's plan; parts of a split allocation keep it. ``split_from`` is the
    id of the planned allocation that it was split off; None for a planned one.
    """

    id: int
    line_id: int
    warehouse_id: int
    level_id: int | None
    shipment_id: int | None
    position: int
    quantity: Decimal
    state: AllocationState
    changed_at: datetime
    split_from: int | None = None

    @property
    def planned_as(self) -> int:
        """The id of the planned allocation. Units are filled in the order of these ids."""
        return self.id if self.split_from is None else self.split_from
