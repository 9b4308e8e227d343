"""When a token ends, as people write it."""

from datetime import UTC, datetime

import pytest

from gqlstock.rules import expiry
from gqlstock.rules.refusals import Refused

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "ends"),
    [
        ("12h", "2026-03-02T00:30:00+00:00"),
        ("90d", "2026-05-30T12:30:00+00:00"),
        ("2w", "2026-03-15T12:30:00+00:00"),
        ("2027-01-31", "2027-01-31T00:00:00+00:00"),
        ("2027-01-31T18:00", "2027-01-31T18:00:00+00:00"),
        ("2027-01-31T18:00+01:00", "2027-01-31T17:00:00+00:00"),
        ("2027-01-31T18:00Z", "2027-01-31T18:00:00+00:00"),
    ],
)
def test_a_span_a_day_and_a_moment_are_understood(told: str, ends: str) -> None:
    assert expiry.parse(told, NOW).isoformat() == ends


@pytest.mark.parametrize("told", ["", "soon", "0d", "90", "-3d", "90 d", "1000000d", "31.1.2027", "9999-99-99"])
def test_what_is_no_time_is_refused_with_those_that_are(told: str) -> None:
    with pytest.raises(Refused, match="is not a valid expiry; write 12h, 90d or 8w"):
        expiry.parse(told, NOW)


@pytest.mark.parametrize("told", ["2026-03-01", "2026-03-01T12:30:00Z", "0001-01-01"])
def test_a_moment_that_is_past_is_refused(told: str) -> None:
    with pytest.raises(Refused, match="is in the past"):
        expiry.parse(told, NOW)


def test_a_moment_that_no_clock_reaches_is_refused() -> None:
    with pytest.raises(Refused, match="is not a valid expiry"):
        expiry.parse("0001-01-01T00:00+12:00", NOW)
