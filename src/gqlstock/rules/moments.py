"""Formats times for the API and for files."""

from datetime import UTC, datetime


def wire(moment: datetime) -> str:
    """ISO 8601 in UTC, such as 2026-01-31T12:00:00Z."""
    return (moment if moment.tzinfo is UTC else moment.astimezone(UTC)).isoformat()[: -len("+00:00")] + "Z"
