"""Which texts both databases can store."""

from typing import Any


def is_storable(text: str) -> bool:
    """Whether the databases can store the text: it contains no NUL and no lone surrogate."""
    if text.isascii():
        return "\x00" not in text
    return "\x00" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def all_storable(value: Any) -> bool:
    """Whether the databases can store every text in a JSON value."""
    if isinstance(value, str):
        return is_storable(value)
    if isinstance(value, dict):
        return all(all_storable(v) and is_storable(k) for k, v in value.items())
    if isinstance(value, list):
        return all(all_storable(v) for v in value)
    return True
