"""The movements that ordered units must have, also those of units that were moved to another warehouse."""

from decimal import Decimal

import pytest

from gqlstock.rules import expected_movements
from gqlstock.rules.allocation import AllocationState
from gqlstock.rules.ledger import MovementKind
from gqlstock.rules.settings import InventoryDecrement

SALE, CANCELLATION, SHIPMENT, RETURN, ADJUSTMENT = (
    MovementKind.SALE,
    MovementKind.CANCELLATION,
    MovementKind.SHIPMENT,
    MovementKind.RETURN,
    MovementKind.ADJUSTMENT,
)
ON_ORDER, ON_SHIPMENT, NEVER = InventoryDecrement.ON_ORDER, InventoryDecrement.ON_SHIPMENT, InventoryDecrement.NEVER


@pytest.mark.parametrize(
    ("state", "mode", "moved"),
    [
        ("ON_HAND", ON_ORDER, {SALE: -3}),
        ("BACKORDERED", ON_ORDER, {SALE: -3}),
        ("SHIPPED", ON_ORDER, {SALE: -3}),
        ("CANCELED", ON_ORDER, {SALE: -3, CANCELLATION: 3, ADJUSTMENT: -3}),
        ("RETURNED", ON_ORDER, {SALE: -3, RETURN: 3}),
        ("ON_HAND", ON_SHIPMENT, {}),
        ("SHIPPED", ON_SHIPMENT, {SHIPMENT: -3}),
        ("CANCELED", ON_SHIPMENT, {ADJUSTMENT: -3}),
        ("RETURNED", ON_SHIPMENT, {SHIPMENT: -3, RETURN: 3}),
        ("CANCELED", NEVER, {}),
        ("RETURNED", NEVER, {}),
    ],
)
def test_units_have_the_movements_of_the_steps_to_their_state(state, mode, moved):
    assert expected_movements.of_units(AllocationState(state), mode, Decimal(3)) == moved


@pytest.mark.parametrize(
    ("moved", "expected", "moved_away"),
    [
        pytest.param({SALE: -3}, {SALE: -3}, {}, id="nothing-was-moved"),
        pytest.param({SALE: -3, CANCELLATION: 3}, {}, {SALE: -3, CANCELLATION: 3}, id="all-was-moved"),
        pytest.param({SALE: -3, CANCELLATION: 2}, {SALE: -1}, {SALE: -2, CANCELLATION: 2}, id="two-were-moved"),
        pytest.param(
            {SALE: -3, CANCELLATION: 3}, {SALE: -1, CANCELLATION: 1}, {SALE: -2, CANCELLATION: 2}, id="and-one-canceled"
        ),
        pytest.param({SALE: -3}, {}, {}, id="given-and-not-got-back"),
        pytest.param({CANCELLATION: 3}, {}, {}, id="got-back-and-never-given"),
        pytest.param({SALE: -3, CANCELLATION: 1}, {}, {SALE: -1, CANCELLATION: 1}, id="got-back-in-part"),
        pytest.param({}, {SALE: -3, CANCELLATION: 3}, {}, id="neither-though-both-were-expected"),
        pytest.param({SHIPMENT: -3}, {SHIPMENT: -3}, {}, id="other-movements"),
    ],
)
def test_units_that_were_moved_away_were_given_and_got_back(moved, expected, moved_away):
    assert expected_movements.moved_away(moved, expected) == moved_away
