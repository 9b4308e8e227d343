"""Which texts every database can store."""

from typing import Any


def is_storable(text: str) -> bool:
    """Whether a database can store the text: it has no NUL and no half of a surrogate pair."""
    if text.isascii():
        return "\x00" not in text
    return "\x00" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def all_storable(value: Any) -> bool:
    """Whether a database can store every text in a value of JSON."""
    if isinstance(value, str):
        return is_storable(value)
    if isinstance(value, dict):
        return all(all_storable(v) and is_storable(k) for k, v in value.items())
    if isinstance(value, list):
        return all(all_storable(v) for v in value)
    return True
