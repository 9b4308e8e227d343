"""Transfers on the way: what becomes of their units, which state that is, and when they are expected."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gqlstock.rules import ledger, transfers
from gqlstock.rules.ledger import Level, MovementKind
from gqlstock.rules.receiving import StockAnnouncement
from gqlstock.rules.refusals import Code, Refused
from gqlstock.rules.transfers import InventoryTransfer, InventoryTransferLine, InventoryTransferState, TransferStep

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 4, 1, tzinfo=UTC)
IN_TRANSIT, RECEIVED, CANCELED = InventoryTransferState


def line(quantity=5, received=0, returned=0, lost=0):
    counts = (Decimal(one) for one in (quantity, received, returned, lost))
    return InventoryTransferLine(1, 1, 1, "MUG", *counts)


def announcement(quantity=5, received=0, expected_at=None, withdrawn_at=None):
    return StockAnnouncement(1, 1, Decimal(quantity), Decimal(received), expected_at, None, NOON, withdrawn_at)


@pytest.mark.parametrize(
    ("lines", "state"),
    [
        ([line(5)], IN_TRANSIT),
        ([line(5, received=4)], IN_TRANSIT),
        ([line(5, received=5), line(3)], IN_TRANSIT),
        ([line(5, received=5)], RECEIVED),
        ([line(5, received=3, lost=2)], RECEIVED),
        ([line(5, lost=5)], RECEIVED),
        ([line(5, returned=5)], CANCELED),
        ([line(5, received=5), line(3, received=1, returned=2)], CANCELED),
    ],
)
def test_a_transfer_is_in_transit_until_nothing_is_on_the_way_and_canceled_if_units_came_back(lines, state):
    assert transfers.state(lines) is state


@pytest.mark.parametrize(
    ("step", "after", "source", "target", "left"),
    [
        (TransferStep.RECEIVED, line(5, received=3), 0, 3, 2),
        (TransferStep.RETURNED, line(5, returned=3), 3, 0, 0),
        (TransferStep.LOST, line(5, lost=3), 0, 0, 0),
    ],
)
def test_units_arrive_at_the_destination_or_come_back_or_are_lost(step, after, source, target, left):
    units = Decimal(3)
    there, here = transfers.effect_at_target(step, units), transfers.effect_at_source(step, units)

    assert transfers.ended(line(5), step, units) == after
    assert (there.on_hand, there.incoming) == (target, -3)
    assert (here.on_hand if here else 0) == source
    assert {one.kind for one in (here, there) if one and one.on_hand} <= {MovementKind.TRANSFER_IN}
    assert transfers.announcement_after(announcement(5), step, units, NOON).remaining == left


@given(st.integers(1, 50), st.data())
def test_no_step_changes_what_is_on_hand_on_the_way_and_lost_together(quantity, data):
    shipped = line(quantity)
    source, target = Level(), ledger.apply(Level(), ledger.Change(incoming=shipped.quantity))

    while shipped.on_the_way:
        step = data.draw(st.sampled_from(TransferStep))
        whole = step is not TransferStep.RECEIVED
        units = shipped.on_the_way if whole else Decimal(data.draw(st.integers(1, int(shipped.on_the_way))))
        shipped = transfers.ended(shipped, step, units)
        target = ledger.apply(target, transfers.effect_at_target(step, units))
        back = transfers.effect_at_source(step, units)
        source = ledger.apply(source, back) if back else source

        assert source.on_hand + target.on_hand + target.incoming + shipped.lost == quantity
        assert target.incoming == shipped.on_the_way


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        ([announcement(expected_at=NOON), announcement(expected_at=LATER)], LATER),
        ([announcement(expected_at=NOON), announcement(5, 5, expected_at=LATER)], NOON),
        ([announcement(expected_at=NOON), announcement(expected_at=LATER, withdrawn_at=NOON)], NOON),
        ([announcement(expected_at=NOON), announcement()], None),
        ([announcement(expected_at=NOON), announcement(5, 5)], NOON),
        ([announcement(5, 5, expected_at=NOON), announcement(5, 5, expected_at=LATER)], LATER),
    ],
)
def test_a_transfer_is_expected_when_the_last_of_what_is_on_the_way_is(dates, expected):
    assert transfers.expected_at(dates) == expected


@pytest.mark.parametrize("quantity", ["0", "-1", "3", "2.5"])
def test_more_than_is_on_the_way_cannot_be_received_nor_nothing(quantity):
    with pytest.raises(Refused) as refused:
        transfers.check_on_the_way(line(5, received=3), Decimal(quantity), "quantity")

    (refusal,) = refused.value.refusals
    assert (refusal.code, refusal.path) == (Code.INVALID_INPUT, ("quantity",))


def test_a_transfer_that_has_ended_cannot_be_changed():
    transfer = InventoryTransfer(7, 1, 2, IN_TRANSIT, None, NOON, NOON)
    transfers.check_in_transit(transfer, "number")

    for state in (RECEIVED, CANCELED):
        with pytest.raises(Refused) as refused:
            transfers.check_in_transit(replace(transfer, state=state), "number")
        assert refused.value.refusals[0].code is Code.INVALID_STATE
        assert f"T100007 is already {state.value.lower()}" in refused.value.refusals[0].message


def test_numbers_are_made_from_ids():
    assert transfers.number(1) == "T100001"
    assert transfers.id_of("T100001") == 1
    assert [transfers.id_of(text) for text in ("", "T", "100001", "T100000", "T0100001", "S100001", "T1٠0001")] == [
        None
    ] * 7
