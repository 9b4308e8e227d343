"""Which units go first into a shipment, are canceled first, and come back first; what state a shipment has."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gqlstock.rules import shipments
from gqlstock.rules.allocation import AllocationState
from gqlstock.rules.refusals import Code, Refusal, Refused
from gqlstock.rules.shipments import ShipmentState, Unit

ON_HAND, BACKORDERED, SHIPPED, RETURNED, CANCELED = AllocationState
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def unit(unit_id, quantity, state=ON_HAND, position=0, packed=False, shipped=None):
    """``shipped``: how many minutes after noon."""
    at = NOON + timedelta(minutes=shipped) if shipped is not None else None
    return Unit(unit_id, Decimal(quantity), state, position, packed, at)


def told(picks):
    return [(pick.id, pick.quantity) for pick in picks]


UNITS = st.lists(
    st.builds(
        Unit,
        id=st.integers(1, 1000),
        quantity=st.integers(1, 50).map(Decimal),
        state=st.sampled_from(AllocationState),
        position=st.integers(0, 3),
        packed=st.booleans(),
        shipped_at=st.just(NOON),
    ),
    max_size=8,
    unique_by=lambda one: one.id,
)


# ── into a shipment


def test_what_is_there_is_packed_before_what_waits():
    units = [unit(1, 2, BACKORDERED, 0), unit(2, 3, ON_HAND, 1)]

    assert told(shipments.pack(units, Decimal(4))) == [(2, 3), (1, 1)]


def test_the_oldest_is_packed_first():
    units = [unit(4, 1, position=1), unit(3, 1, position=0), unit(2, 1, position=1)]

    assert told(shipments.pack(units, Decimal(2))) == [(3, 1), (2, 1)]


def test_only_what_is_in_no_shipment_and_still_here_is_packed():
    units = [unit(1, 2, packed=True), unit(2, 2, SHIPPED), unit(3, 2, CANCELED), unit(4, 2, RETURNED), unit(5, 2)]

    assert told(shipments.pack(units)) == [(5, 2)]


# ── canceled


def test_what_waits_is_canceled_first_then_what_is_in_no_shipment_then_the_rest():
    units = [unit(1, 1, packed=True), unit(2, 1), unit(3, 1, BACKORDERED, packed=True), unit(4, 1, BACKORDERED)]

    assert told(shipments.cancel(units)) == [(4, 1), (3, 1), (2, 1), (1, 1)]


def test_the_source_planned_last_is_canceled_first():
    units = [unit(1, 2, position=0), unit(2, 2, position=2), unit(3, 2, position=1)]

    assert told(shipments.cancel(units, Decimal(3))) == [(2, 2), (3, 1)]


def test_what_has_left_is_not_canceled():
    assert shipments.cancel([unit(1, 2, SHIPPED), unit(2, 2, RETURNED), unit(3, 2, CANCELED)]) == []


# ── returned


def test_what_was_shipped_first_comes_back_first():
    units = [unit(1, 2, SHIPPED, shipped=5), unit(2, 2, SHIPPED, shipped=1), unit(3, 2, SHIPPED, shipped=3)]

    assert told(shipments.give_back(units, Decimal(5))) == [(2, 2), (3, 2), (1, 1)]


def test_what_was_shipped_together_comes_back_in_the_order_of_its_sources():
    units = [unit(1, 1, SHIPPED, 1, shipped=0), unit(2, 1, SHIPPED, 0, shipped=0)]

    assert told(shipments.give_back(units)) == [(2, 1), (1, 1)]


def test_only_what_is_away_comes_back():
    units = [unit(1, 1), unit(2, 1, RETURNED, shipped=0), unit(3, 1, SHIPPED, shipped=0)]

    assert told(shipments.give_back(units)) == [(3, 1)]


@pytest.mark.parametrize("rule", [shipments.pack, shipments.cancel, shipments.give_back])
@given(units=UNITS, quantity=st.integers(1, 200).map(Decimal))
def test_no_more_is_picked_than_is_asked_for_nor_than_there_is(rule, units, quantity):
    picks = rule(units, quantity)

    there = {one.id: one.quantity for one in units}
    assert shipments.total(picks) == min(quantity, shipments.total(rule(units)))
    assert all(0 < pick.quantity <= there[pick.id] for pick in picks)
    assert len({pick.id for pick in picks}) == len(picks)


# ── its state


@pytest.mark.parametrize(
    ("states", "state"),
    [
        ([], ShipmentState.CANCELED),
        ([ON_HAND], ShipmentState.READY),
        ([ON_HAND, BACKORDERED], ShipmentState.PENDING),
        ([BACKORDERED], ShipmentState.PENDING),
    ],
)
def test_a_shipment_waits_with_the_last_unit_in_it_that_waits(states, state):
    assert shipments.state(states) is state


# ── its number


@given(st.integers(1, 10**15))
def test_a_number_stands_for_one_shipment(shipment_id):
    assert shipments.id_of(shipments.number(shipment_id)) == shipment_id


@pytest.mark.parametrize(
    "told", ["", "S", "S100000", "S0100001", "100001", "s100001", "S-1", "S1e9", "S" + "9" * 19, "S١"]
)
def test_what_is_no_number_stands_for_none(told):
    assert shipments.id_of(told) is None


def test_parts_of_what_is_sold_in_whole_units_are_refused():
    with pytest.raises(Refused) as refused:
        shipments.check_parts(Decimal("0.5"), "MUG", [unit(1, 2), unit(2, 1)], decimals=False)

    message = "MUG is sold in whole units, not 0.5."
    assert refused.value.refusals == (Refusal(Code.INVALID_INPUT, message, ("quantity",)),)


@pytest.mark.parametrize(
    ("units", "decimals"),
    [
        pytest.param([unit(1, 2)], True, id="it-is-sold-in-parts"),
        pytest.param([unit(1, 2), unit(2, "1.5")], False, id="it-was-ordered-in-parts"),
    ],
)
def test_parts_of_what_is_or_was_sold_in_parts_are_taken(units, decimals):
    shipments.check_parts(Decimal("0.5"), "MUG", units, decimals=decimals)
