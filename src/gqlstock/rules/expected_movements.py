"""The movements that ordered units must have in the ledger, by their current state. Verification compares them."""

from collections.abc import Mapping
from decimal import Decimal

from gqlstock.rules import ledger
from gqlstock.rules.allocation import AllocationState
from gqlstock.rules.ledger import FulfilmentStep, MovementKind
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.settings import InventoryDecrement

# The steps that lead to each state. Packing moves no units.
_STEPS: dict[AllocationState, tuple[FulfilmentStep, ...]] = {
    AllocationState.ON_HAND: (FulfilmentStep.ORDERED,),
    AllocationState.BACKORDERED: (FulfilmentStep.ORDERED,),
    AllocationState.CANCELED: (FulfilmentStep.ORDERED, FulfilmentStep.CANCELED),
    AllocationState.SHIPPED: (FulfilmentStep.ORDERED, FulfilmentStep.SHIPPED),
    AllocationState.RETURNED: (FulfilmentStep.ORDERED, FulfilmentStep.SHIPPED, FulfilmentStep.RETURNED),
}

_OPTIONAL = (MovementKind.RETURN, MovementKind.ADJUSTMENT)
"""Movements that may be missing: returned units need not be restocked, nor canceled ones written off."""


def of_units(state: AllocationState, mode: InventoryDecrement, quantity: Decimal) -> dict[MovementKind, Decimal]:
    """The movements of counted units in one state, by kind."""
    changes = (ledger.effect(step, mode, quantity) for step in _STEPS[state])
    moved = {change.kind: change.on_hand for change in changes if change.kind is not None}
    if state is AllocationState.CANCELED and (lost := ledger.written_off(mode, quantity)) is not None:
        moved[MovementKind.ADJUSTMENT] = lost.on_hand
    return moved


def moved_away(
    moved: Mapping[MovementKind, Decimal], expected: Mapping[MovementKind, Decimal]
) -> dict[MovementKind, Decimal]:
    """The movements of units that a level gave and got back, because they were moved to another warehouse since.

    They are no longer allocated there, and each has both movements. ``moved``, ``expected``: the level's sums by kind.
    """
    given = expected.get(MovementKind.SALE, ZERO) - moved.get(MovementKind.SALE, ZERO)
    got_back = moved.get(MovementKind.CANCELLATION, ZERO) - expected.get(MovementKind.CANCELLATION, ZERO)
    units = min(given, got_back)
    return {MovementKind.SALE: -units, MovementKind.CANCELLATION: units} if units > 0 else {}


def agrees(kind: MovementKind, moved: Decimal, expected: Decimal) -> bool:
    """Whether movements of one kind are the expected ones, or fewer where they may be missing."""
    if kind in _OPTIONAL:
        return min(expected, ZERO) <= moved <= max(expected, ZERO)
    return moved == expected


def may_be_backordered(mode: InventoryDecrement, *, is_counted: bool) -> bool:
    """Whether units can be backordered."""
    return is_counted and mode is not InventoryDecrement.NEVER
