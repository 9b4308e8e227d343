"""Normalizes SKUs and codes, so two spellings that look alike are the same SKU everywhere."""

import itertools
import re
import unicodedata
from collections.abc import Container

from gqlstock.rules import catalog

# Invisible characters: soft hyphens, joiners, direction marks, byte-order marks.
_INVISIBLE = re.compile("[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]")


def normalized(value: str) -> str:
    """The stored form of a SKU or a code: trimmed, in NFC, without zero-width characters."""
    if value.isascii():
        return value.strip()
    return unicodedata.normalize("NFC", _INVISIBLE.sub("", value)).strip()


def checked(value: str, *path: str | int) -> str:
    """The normalized SKU. Raises ``Refused`` if it is empty, too long, or contains control characters."""
    return catalog.text(normalized(value), "sku", *path)


def free(wanted: str, taken: Container[str]) -> str:
    """The normalized SKU, with a number appended if taken."""
    stem = normalized(wanted)
    numbered = (f"{stem}-{number}" for number in itertools.count(2))
    return next(candidate for candidate in itertools.chain([stem], numbered) if candidate not in taken)
