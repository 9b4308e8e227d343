"""The movements that ordered units must have in the ledger, by their state. Verification compares them."""

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
"""Optional movements: returned units need not be restocked, and canceled units need not be written off."""


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
    """The movements of units that were sold from a level and then moved to another warehouse.

    These units are no longer allocated at the level: each has a sale and a cancellation there. ``moved``, ``expected``:
    the level's sums by kind.
    """
    sold = expected.get(MovementKind.SALE, ZERO) - moved.get(MovementKind.SALE, ZERO)
    restored = moved.get(MovementKind.CANCELLATION, ZERO) - expected.get(MovementKind.CANCELLATION, ZERO)
    units = min(sold, restored)
    return {MovementKind.SALE: -units, MovementKind.CANCELLATION: units} if units > 0 else {}


def agrees(kind: MovementKind, moved: Decimal, expected: Decimal) -> bool:
    """Whether the moved quantity of a kind is the expected one, or less if the kind is optional."""
    if kind in _OPTIONAL:
        return min(expected, ZERO) <= moved <= max(expected, ZERO)
    return moved == expected


def may_be_backordered(mode: InventoryDecrement, *, is_counted: bool) -> bool:
    """Whether units can be backordered."""
    return is_counted and mode is not InventoryDecrement.NEVER
