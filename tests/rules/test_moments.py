"""Moments as the API and files write them."""

from datetime import UTC, datetime, timedelta, timezone

from gqlstock.rules import moments


def test_a_moment_is_written_in_utc() -> None:
    assert moments.wire(datetime(2026, 1, 31, 13, tzinfo=timezone(timedelta(hours=1)))) == "2026-01-31T12:00:00Z"
    assert moments.wire(datetime(2026, 1, 31, 12, 0, 0, 5, tzinfo=UTC)) == "2026-01-31T12:00:00.000005Z"
