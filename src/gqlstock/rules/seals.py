"""The seal of a row: a digest of what never changes in it, written with the row, by which a later change shows.

A seal is no secret. It finds what a slip of the hand or a bad disk did, not what somebody does on purpose.
"""

import hashlib
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from gqlstock.rules import quantities


def seal(*values: Any) -> int:
    """A digest of texts, numbers, moments and lists of them, the same however the database keeps them."""
    told = json.dumps(values, default=_plain, sort_keys=True, separators=(",", ":"))
    digest = hashlib.blake2b(told.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return quantities.text(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    raise TypeError(f"{value!r} cannot be sealed.")
