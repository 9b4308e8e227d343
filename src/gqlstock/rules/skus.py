"""How a SKU is spelled: two spellings that look alike are one SKU, wherever it is written or looked up."""

import re
import unicodedata

from gqlstock.rules import catalog

# What takes no room on a screen: soft hyphens, joiners, marks of direction, byte-order marks.
_INVISIBLE = re.compile("[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]")


def normalized(value: str) -> str:
    """A SKU or a code as it is stored and looked up: trimmed, in NFC, without zero-width characters."""
    if value.isascii():
        return value.strip()
    return unicodedata.normalize("NFC", _INVISIBLE.sub("", value)).strip()


def checked(value: str, *path: str | int) -> str:
    """A SKU that is to be written; refused when nothing is left of it, it is too long, or has control characters."""
    return catalog.text(normalized(value), "sku", *path)
