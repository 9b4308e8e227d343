"""Parses the expiry of a token: a span of time, a day or a moment."""

import re
from datetime import UTC, datetime, timedelta

from gqlstock.rules.refusals import Refused, invalid

_SPAN = re.compile(r"([1-9][0-9]{0,4})([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_FORMS = "write 12h, 90d or 8w, a day such as 2027-01-31, or a moment such as 2027-01-31T18:00+01:00"


def parse(text: str, now: datetime) -> datetime:
    """The moment at which a token expires. A day means its start; a text without an offset is in UTC."""
    span = _SPAN.fullmatch(text)
    if span:
        return now + int(span[1]) * _UNITS[span[2]]
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _wrong(text) from None
    if moment <= now:
        raise invalid(f"{text} is past: a token that ends then is worth nothing.", "expires")
    return moment


def _wrong(text: str) -> Refused:
    return invalid(f"{text} is no time that a token can end: {_FORMS}.", "expires")
