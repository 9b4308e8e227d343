"""For how long stock is kept, and what a hold is at a moment."""

from datetime import UTC, datetime, timedelta

import pytest

from gqlstock.rules import holds
from gqlstock.rules.holds import StockHoldState
from gqlstock.rules.limits import PublicHolds
from gqlstock.rules.refusals import Code, Refused

ACTIVE, ORDERED, RELEASED, EXPIRED = StockHoldState
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize("minutes", [1, 2, 1439, 1440])
def test_a_hold_lasts_from_a_minute_to_a_day(minutes):
    holds.check_minutes(minutes)


@pytest.mark.parametrize("minutes", [-1440, -1, 0, 1441])
def test_a_hold_lasts_neither_shorter_nor_longer(minutes):
    with pytest.raises(Refused) as error:
        holds.check_minutes(minutes)

    (refusal,) = error.value.refusals
    assert (refusal.code, refusal.path) == (Code.INVALID_INPUT, ("minutes",))


def test_an_active_hold_expires_at_its_moment_and_not_before():
    assert holds.state(ACTIVE, NOON, NOON - TICK) is ACTIVE
    assert holds.state(ACTIVE, NOON, NOON) is EXPIRED


@pytest.mark.parametrize("stored", [ORDERED, RELEASED, EXPIRED])
def test_a_hold_that_is_over_stays_what_it_became(stored):
    assert holds.state(stored, NOON, NOON - TICK) is stored
    assert holds.state(stored, NOON, NOON + TICK) is stored


def test_an_active_hold_may_be_used():
    holds.check_active(ACTIVE, NOON, NOON - TICK, "hold")


@pytest.mark.parametrize(
    ("stored", "code", "message"),
    [
        (ACTIVE, Code.HOLD_EXPIRED, "The hold expired at 2026-03-01T12:00:00+00:00."),
        (EXPIRED, Code.HOLD_EXPIRED, "The hold expired at 2026-03-01T12:00:00+00:00."),
        (ORDERED, Code.INVALID_STATE, "The hold is already ordered."),
        (RELEASED, Code.INVALID_STATE, "The hold is already released."),
    ],
)
def test_a_hold_that_is_over_may_not_be_used(stored, code, message):
    with pytest.raises(Refused) as error:
        holds.check_active(stored, NOON, NOON, "hold")

    (refusal,) = error.value.refusals
    assert (refusal.code, refusal.path, refusal.message) == (code, ("hold",), message)


@pytest.mark.parametrize(
    ("minutes", "lines", "told"),
    [(31, 1, (Code.INVALID_INPUT, ("minutes",))), (30, 51, (Code.TOO_MANY, ("lines",)))],
)
def test_a_hold_without_a_token_is_neither_long_nor_large(minutes, lines, told):
    with pytest.raises(Refused) as error:
        holds.check_public(minutes, lines, PublicHolds())

    (refusal,) = error.value.refusals
    assert (refusal.code, refusal.path) == told
    holds.check_public(30, 50, PublicHolds())


def test_an_address_that_has_all_the_holds_it_may_have_gets_no_other():
    holds.check_active_of_address(19, PublicHolds(active=20))

    with pytest.raises(Refused, match="at most 20 active holds; this one has 20") as error:
        holds.check_active_of_address(20, PublicHolds(active=20))

    assert [refusal.code for refusal in error.value.refusals] == [Code.TOO_MANY]
