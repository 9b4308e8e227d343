"""Converts filter inputs to records, and refuses lists and texts that are too long."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, TypeVar

from gqlstock.graphql.errors import BadUserInput
from gqlstock.rules import skus

MAX_NAMES = 250
# Databases refuse to search for much longer texts, and no searched column is longer.
_LONGEST_SEARCH = 1_000

Filter = TypeVar("Filter")


def chosen(given: Any | None, kind: type[Filter]) -> Filter:
    """The filter record for an input with the same fields. Without an input, the filter that matches everything."""
    if given is None:
        return kind()
    return kind(**{field.name: _checked(field.name, getattr(given, field.name)) for field in fields(kind)})  # type: ignore[arg-type]


def _checked(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name == "search":
        return _searched(value)
    if name in ("skus", "warehouses"):
        return limited(value, name)
    # Enum values. Databases refuse statements with too many parameters or conditions.
    return tuple(dict.fromkeys(value)) if isinstance(value, list) else value


def _searched(text: str) -> str:
    """The search text. Refuses one that is too long."""
    if len(text) > _LONGEST_SEARCH:
        raise BadUserInput(f"search has {len(text)} characters; at most {_LONGEST_SEARCH} are allowed.")
    return text


def limited(values: Sequence[str], name: str) -> frozenset[str]:
    """Normalized SKUs or codes. Refuses too many of them."""
    if len(values) > MAX_NAMES:
        raise BadUserInput(f"Too many {name}: {len(values)} given; at most {MAX_NAMES} allowed.")
    return frozenset(skus.normalized(value) for value in values)
