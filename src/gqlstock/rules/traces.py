"""What the ledger must say of ordered units, by the state that they are in now."""

from decimal import Decimal

from gqlstock.rules import ledger
from gqlstock.rules.allocation import AllocationState
from gqlstock.rules.ledger import FulfilmentStep, MovementKind
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.settings import InventoryDecrement

# The steps that moved, or may have moved, units in each state. Packing moves none.
_STEPS: dict[AllocationState, tuple[FulfilmentStep, ...]] = {
    AllocationState.ON_HAND: (FulfilmentStep.ORDERED,),
    AllocationState.BACKORDERED: (FulfilmentStep.ORDERED,),
    AllocationState.CANCELED: (FulfilmentStep.ORDERED, FulfilmentStep.CANCELED),
    AllocationState.SHIPPED: (FulfilmentStep.ORDERED, FulfilmentStep.SHIPPED),
    AllocationState.RETURNED: (FulfilmentStep.ORDERED, FulfilmentStep.SHIPPED, FulfilmentStep.RETURNED),
}

_OPTIONAL = (MovementKind.RETURN, MovementKind.ADJUSTMENT)
"""Units that came back may not count again, and canceled ones may be written off."""


def moved(state: AllocationState, mode: InventoryDecrement, quantity: Decimal) -> dict[MovementKind, Decimal]:
    """What was moved for counted units of one state, by the kind of movement."""
    changes = (ledger.effect(step, mode, quantity) for step in _STEPS[state])
    found = {change.kind: change.on_hand for change in changes if change.kind is not None}
    if state is AllocationState.CANCELED and (lost := ledger.written_off(mode, quantity)) is not None:
        found[MovementKind.ADJUSTMENT] = lost.on_hand
    return found


def agrees(kind: MovementKind, moved: Decimal, wanted: Decimal) -> bool:
    """Whether movements of one kind are what units want; those that may stay away are at most that."""
    if kind in _OPTIONAL:
        return min(wanted, ZERO) <= moved <= max(wanted, ZERO)
    return moved == wanted


def may_wait(mode: InventoryDecrement, *, is_counted: bool) -> bool:
    """Whether units can be backordered at all."""
    return is_counted and mode is not InventoryDecrement.NEVER
