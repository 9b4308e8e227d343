"""When a token ends, as people write it: after a span of time, or from a day or a moment on."""

import re
from datetime import UTC, datetime, timedelta

from gqlstock.rules.refusals import Refused, invalid

_SPAN = re.compile(r"([1-9][0-9]{0,4})([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_FORMS = "write 12h, 90d or 8w, a day such as 2027-01-31, or a moment such as 2027-01-31T18:00+01:00"


def parse(told: str, now: datetime) -> datetime:
    """The moment from which a token is worth nothing: a day means its beginning, and what names no offset is UTC."""
    span = _SPAN.fullmatch(told)
    if span:
        return now + int(span[1]) * _UNITS[span[2]]
    try:
        moment = datetime.fromisoformat(told)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _wrong(told) from None
    if moment <= now:
        raise invalid(f"{told} is past: a token that ends then is worth nothing.", "expires")
    return moment


def _wrong(told: str) -> Refused:
    return invalid(f"{told} is no time that a token can end: {_FORMS}.", "expires")
