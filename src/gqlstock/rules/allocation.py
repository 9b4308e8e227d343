"""Which warehouse supplies how much of an order line. ``order_plan`` decides which lines can be ordered."""

import functools
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from gqlstock.rules import geo, ledger, sourcing
from gqlstock.rules.fast_init import fast_init
from gqlstock.rules.ledger import Change, FulfilmentStep
from gqlstock.rules.network import RankedWarehouse
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.settings import InventoryDecrement, Settings, SourceSelection
from gqlstock.rules.sourcing import Source, Taken


class AllocationState(StrEnum):
    ON_HAND = "ON_HAND"
    BACKORDERED = "BACKORDERED"
    SHIPPED = "SHIPPED"
    RETURNED = "RETURNED"
    CANCELED = "CANCELED"


OPEN_STATES = (AllocationState.ON_HAND, AllocationState.BACKORDERED)
"""The states of units that are neither shipped nor canceled yet."""


@fast_init
@dataclass(frozen=True, slots=True)
class PlannedAllocation:
    """Units from one warehouse, in one state. ``expected_at``: when backordered units can ship; None if unknown."""

    warehouse_id: int
    quantity: Decimal
    state: AllocationState
    expected_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The parts of each line of one item; None for the first line without enough stock and for all lines after it."""

    parts: tuple[tuple[PlannedAllocation, ...] | None, ...]

    @property
    def fits(self) -> bool:
        return all(parts is not None for parts in self.parts)


def in_order(
    warehouses: Sequence[RankedWarehouse], selection: SourceSelection, ship_to: geo.Point | None
) -> list[RankedWarehouse]:
    """Sort warehouses: by priority (ties by id), or nearest first. Warehouses without a location come last."""
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
    buffer_days: int = 0,
) -> Plan:
    """Allocate the lines of one item to its sources, in order. The safety stock stays in the last sources.

    Free units are ON_HAND, the rest is BACKORDERED. ``only_free``: no backorders, as for a hold. ``modes``: the decrement
    mode of each line, if it differs from the setting. ``buffer_days``: incomingBufferDays.
    """
    left = sourcing.remaining(settings, sources, only_free=only_free)
    dates = sourcing.Dates(sources, buffer_days)
    planned: list[tuple[PlannedAllocation, ...] | None] = []
    for number, quantity in enumerate(quantities):
        taken = sourcing.take(quantity, settings, left)
        if taken is None:
            planned += [None] * (len(quantities) - number)
            break
        left.deduct(taken)
        mode = modes[number] if modes else settings.decrement_inventory
        if mode is InventoryDecrement.NEVER:
            planned.append(_never_waiting(taken, sources))
            continue
        planned.append(tuple(_planned(one, at, sources) for one, at in zip(taken, dates.of(taken), strict=True)))
    return Plan(tuple(planned))


def _planned(taken: Taken, expected_at: datetime | None, sources: Sequence[Source]) -> PlannedAllocation:
    state = AllocationState.BACKORDERED if taken.waits else AllocationState.ON_HAND
    return PlannedAllocation(sources[taken.source].warehouse_id, taken.quantity, state, expected_at)


def uncounted(quantity: Decimal, warehouse_id: int) -> tuple[PlannedAllocation, ...]:
    """Uncounted units, all from one warehouse."""
    return (PlannedAllocation(warehouse_id, quantity, AllocationState.ON_HAND),)


def effect(part: PlannedAllocation, mode: InventoryDecrement) -> Change:
    """How ordering a part changes its level."""
    waiting = part.quantity if part.state is AllocationState.BACKORDERED else ZERO
    return ledger.effect(FulfilmentStep.ORDERED, mode, part.quantity, waiting)


def check_range(parts: Sequence[tuple[PlannedAllocation, InventoryDecrement]], sources: Sequence[Source]) -> None:
    """Refuse parts that would take a level out of range. Each part comes with the decrement mode of its line."""
    units = sum((part.quantity for part, _ in parts), ZERO)
    for source in sources:
        if ledger.has_room(source.level, units):
            continue
        changes = [effect(part, mode) for part, mode in parts if part.warehouse_id == source.warehouse_id]
        ledger.apply(source.level, functools.reduce(ledger.combined, changes, Change()))


def _never_waiting(taken: Sequence[Taken], sources: Sequence[Source]) -> tuple[PlannedAllocation, ...]:
    """Under NEVER every unit is ON_HAND. The units of one warehouse become one allocation."""
    sums: dict[int, Decimal] = {}
    for one in taken:
        warehouse_id = sources[one.source].warehouse_id
        sums[warehouse_id] = sums.get(warehouse_id, ZERO) + one.quantity
    return tuple(
        PlannedAllocation(warehouse_id, quantity, AllocationState.ON_HAND) for warehouse_id, quantity in sums.items()
    )


@fast_init
@dataclass(frozen=True, slots=True)
class Allocation:
    """Units of an order line from one warehouse, in one state. ``level_id`` is None where nothing is counted.

    ``position`` is the index of its source among the line's sources, in planning order. Parts of a split allocation keep
    the position; units moved to another warehouse get a new, last one. ``split_from`` is the id of the planned allocation
    that it was split from; None for a planned allocation.
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
        """The id of the planned allocation. Backorders are filled in the order of these ids."""
        return self.id if self.split_from is None else self.split_from


def with_moved(found: Sequence[Allocation], moved: Collection[int]) -> list[Allocation]:
    """The allocations of a line, oldest first, after units were moved. Sources are renumbered without gaps.

    ``moved``: the positions of moved units. The oldest allocation at each of them becomes the planned one.
    """
    numbers = {position: number for number, position in enumerate(sorted({one.position for one in found}))}
    planned: dict[int, int] = {}
    for one in found:
        planned.setdefault(one.position, one.id)
    return [
        replace(
            one,
            position=numbers[one.position],
            split_from=one.split_from if one.position not in moved else _split_from(one.id, planned[one.position]),
        )
        for one in found
    ]


def split_off(found: Sequence[Allocation]) -> dict[int, int]:
    """The id of the planned allocation of each split one, by id, derived from all stored allocations of a line.

    The planned allocation is the oldest of its source. If it was moved, it is in a later source, and the others still
    refer to it.
    """
    oldest: dict[int, Allocation] = {}
    for one in sorted(found, key=lambda one: one.id, reverse=True):
        oldest[one.position] = one
    positions = {one.id: one.position for one in found}

    def planned(position: int) -> int:
        first = oldest[position]
        was_moved = first.planned_as < first.id and positions.get(first.planned_as, position) > position
        return first.planned_as if was_moved else first.id

    split = {one.id: _split_from(one.id, planned(one.position)) for one in found}
    return {id_: split_from for id_, split_from in split.items() if split_from is not None}


def _split_from(allocation_id: int, planned_id: int) -> int | None:
    return None if allocation_id == planned_id else planned_id
