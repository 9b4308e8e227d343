"""Turns the inputs of filters into records, and refuses lists and texts that are too long."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, TypeVar

from gqlstock.graphql.errors import BadUserInput
from gqlstock.rules import skus

MAX_NAMES = 250
# Databases refuse to look for much longer texts; nothing that is looked in is longer.
_LONGEST_SEARCH = 1_000

Filter = TypeVar("Filter")


def chosen(given: Any | None, kind: type[Filter]) -> Filter:
    """The filter of a list, from an input with the same fields; without one, the filter that lets everything through."""
    if given is None:
        return kind()
    return kind(**{field.name: _checked(field.name, getattr(given, field.name)) for field in fields(kind)})  # type: ignore[arg-type]


def _checked(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name == "search":
        return _searched(value)
    return limited(value, name) if name in ("skus", "warehouses") else value


def _searched(text: str) -> str:
    """A text to look for that is not too long to be found."""
    if len(text) > _LONGEST_SEARCH:
        raise BadUserInput(f"search has {len(text)} characters: at most {_LONGEST_SEARCH}.")
    return text


def limited(values: Sequence[str], name: str) -> frozenset[str]:
    """SKUs or codes as they are stored, of a list that is not too long for one question."""
    if len(values) > MAX_NAMES:
        raise BadUserInput(f"{len(values)} {name} are too many: at most {MAX_NAMES}.")
    return frozenset(skus.normalized(value) for value in values)
