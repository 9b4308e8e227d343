"""Which units are packed, canceled and returned first, and the state of a shipment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from gqlstock.rules import allocation, quantities, refusals
from gqlstock.rules.allocation import AllocationState
from gqlstock.rules.quantities import ZERO

_FIRST_NUMBER = 100_000


class ShipmentState(StrEnum):
    PENDING = "PENDING"
    READY = "READY"
    SHIPPED = "SHIPPED"
    CANCELED = "CANCELED"


OPEN_STATES = (ShipmentState.PENDING, ShipmentState.READY)
GONE = (AllocationState.SHIPPED, AllocationState.RETURNED)
"""The states of units that have been shipped."""


@dataclass(frozen=True, slots=True)
class Unit:
    """The units of an allocation. ``packed``: whether in a shipment; ``position``: the index of the source in the plan."""

    id: int
    quantity: Decimal
    state: AllocationState
    position: int = 0
    packed: bool = False
    shipped_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pick:
    """The units picked from an allocation."""

    id: int
    quantity: Decimal


def check_parts(parts: Decimal, sku: str, units: Sequence[Unit], *, decimals: bool) -> None:
    """Refuse a fraction of an item that is sold in whole units. ``units``: those of the lines in question.

    Units that were ordered as fractions, when the item allowed it, can still be shipped and returned as such.
    """
    if not decimals and all(quantities.is_whole(unit.quantity) for unit in units):
        message = f"{refusals.shown(sku)} is sold in whole units, not {quantities.text(parts)}."
        raise refusals.invalid(message, "quantity")


def number(shipment_id: int) -> str:
    """The public number of a shipment."""
    return f"S{_FIRST_NUMBER + shipment_id}"


def id_of(shipment_number: str) -> int | None:
    """The id of a shipment by its number; None for an invalid number."""
    digits = shipment_number[1:]
    if not (shipment_number.startswith("S") and digits.isascii() and digits.isdigit() and len(digits) < 19):
        return None
    found = int(digits) - _FIRST_NUMBER
    return found if found > 0 and number(found) == shipment_number else None


def state(states: Sequence[AllocationState]) -> ShipmentState:
    """The state of an open shipment, by the states of its units. Without units it is canceled. (Solidus)"""
    if not states:
        return ShipmentState.CANCELED
    waits = AllocationState.BACKORDERED in states
    return ShipmentState.PENDING if waits else ShipmentState.READY


def derived_state(states: Sequence[AllocationState]) -> ShipmentState:
    """The state that a shipment, open or shipped, must have by the states of its units."""
    return ShipmentState.SHIPPED if any(one in GONE for one in states) else state(states)


def pack(units: Sequence[Unit], quantity: Decimal | None = None) -> list[Pick]:
    """Pick unpacked units for a shipment, ON_HAND before BACKORDERED, in planning order; all of them for None."""
    free = [u for u in units if u.state in allocation.OPEN_STATES and not u.packed]
    ordered = sorted(free, key=lambda u: (u.state is AllocationState.BACKORDERED, u.position, u.id))
    return _pick(ordered, quantity)


def cancel(units: Sequence[Unit], quantity: Decimal | None = None) -> list[Pick]:
    """Pick units to cancel or move: BACKORDERED ones first, then unpacked ones, then those in open shipments.

    Within each group, the source that was planned last comes first. For None, all units that were not shipped.
    """
    still = [u for u in units if u.state in allocation.OPEN_STATES]
    last_first = sorted(still, key=lambda u: (u.position, u.id), reverse=True)
    return _pick(sorted(last_first, key=lambda u: (u.state is not AllocationState.BACKORDERED, u.packed)), quantity)


def give_back(units: Sequence[Unit], quantity: Decimal | None = None) -> list[Pick]:
    """Pick units to return, in the order in which they were shipped. (Magento)"""
    away = [(u.shipped_at, u) for u in units if u.state is AllocationState.SHIPPED and u.shipped_at is not None]
    return _pick([u for _, u in sorted(away, key=lambda one: (one[0], one[1].position, one[1].id))], quantity)


def total(picks: Sequence[Pick]) -> Decimal:
    return sum((pick.quantity for pick in picks), ZERO)


def _pick(units: Sequence[Unit], quantity: Decimal | None) -> list[Pick]:
    picks = []
    for unit in units:
        taken = unit.quantity if quantity is None else min(unit.quantity, quantity)
        if taken > 0:
            picks.append(Pick(unit.id, taken))
            quantity = None if quantity is None else quantity - taken
    return picks


@dataclass(frozen=True, slots=True)
class Shipment:
    """Units of one order that leave one warehouse together. Its public number derives from its id."""

    id: int
    order_id: int
    warehouse_id: int
    state: ShipmentState
    tracking_number: str | None
    carrier: str | None
    created_at: datetime
    updated_at: datetime
    shipped_at: datetime | None = None
    quantity: Decimal = ZERO
    """The sum of the units in it; once shipped, as of then."""
    seal: int | None = None
