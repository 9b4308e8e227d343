"""What an announcement can become, and when it is overdue."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from gqlstock.rules import receiving, seals
from gqlstock.rules.receiving import StockAnnouncement
from gqlstock.rules.refusals import Code, Refused

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def announcement(quantity=10, received=4, expected_at=NOON, withdrawn_at=None, lapsed_at=None):
    return StockAnnouncement(
        1, 7, Decimal(quantity), Decimal(received), expected_at, "PO-7", NOON - TICK, withdrawn_at, 5, lapsed_at
    )


def test_another_quantity_is_of_the_whole_announcement_and_has_its_own_seal():
    after = receiving.with_quantity(announcement(), Decimal(12), "quantity")

    assert (after.quantity, after.received, after.remaining) == (12, 4, 8)
    assert after.seal == seals.of_announcement(after)


def test_a_quantity_of_what_was_received_leaves_nothing_to_come():
    assert receiving.with_quantity(announcement(), Decimal(4), "quantity").remaining == 0


@pytest.mark.parametrize(
    ("quantity", "message"),
    [
        ("3.9999", "The quantity must be at least the 4 already received, not 3.9999."),
        ("0", "The announced quantity must be more than 0, not 0."),
        ("-1", "The announced quantity must be more than 0, not -1."),
    ],
)
def test_a_quantity_below_what_was_received_is_refused(quantity, message):
    with pytest.raises(Refused) as error:
        receiving.with_quantity(announcement(), Decimal(quantity), "quantity")

    (refusal,) = error.value.refusals
    assert (refusal.code, refusal.message, refusal.path) == (Code.INVALID_INPUT, message, ("quantity",))


@pytest.mark.parametrize("date", [None, NOON + TICK])
def test_another_date_has_not_passed_yet(date):
    after = receiving.with_date(announcement(lapsed_at=NOON), date)

    assert (after.expected_at, after.lapsed_at) == (date, None)


def test_the_same_date_changes_nothing():
    before = announcement(lapsed_at=NOON)

    assert receiving.with_date(before, NOON) is before


@pytest.mark.parametrize(
    ("one", "overdue"),
    [
        pytest.param(announcement(expected_at=NOON - TICK), True, id="its-date-has-passed"),
        pytest.param(announcement(expected_at=NOON), True, id="its-date-is-now"),
        pytest.param(announcement(expected_at=NOON + TICK), False, id="its-date-is-to-come"),
        pytest.param(announcement(expected_at=None), False, id="it-has-no-date"),
        pytest.param(announcement(received=10), False, id="all-of-it-has-come"),
        pytest.param(announcement(withdrawn_at=NOON), False, id="it-was-withdrawn"),
    ],
)
def test_an_announcement_is_overdue_from_its_date_on_while_units_are_to_come(one, overdue):
    assert receiving.is_overdue(one, NOON) is overdue
