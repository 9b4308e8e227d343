"""Parses the expiry of a token: a duration, a date or a time."""

import re
from datetime import UTC, datetime, timedelta

from gqlstock.rules.refusals import Refused, invalid

_SPAN = re.compile(r"([1-9][0-9]{0,4})([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_FORMS = "write 12h, 90d or 8w, a date such as 2027-01-31, or a time such as 2027-01-31T18:00+01:00"


def parse(text: str, now: datetime) -> datetime:
    """When a token expires. A date means its start; a text without an offset is in UTC."""
    span = _SPAN.fullmatch(text)
    if span:
        return now + int(span[1]) * _UNITS[span[2]]
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _wrong(text) from None
    if moment <= now:
        raise invalid(f"{text} is in the past; a token must expire in the future.", "expires")
    return moment


def _wrong(text: str) -> Refused:
    return invalid(f"{text} is not a valid expiry; {_FORMS}.", "expires")
