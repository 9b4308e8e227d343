"""The differences that verification finds."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from gqlstock.rules import quantities

Figure = tuple[str, Any, Any]
"""A name, the stored value and the derived value."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A stored value that differs from the one derived from other rows."""

    place: str
    figure: str
    stored: Any
    derived: Any

    def __str__(self) -> str:
        return f"{self.place}: {self.figure} is {_text(self.stored)}, not {_text(self.derived)}"


def different(place: str, figures: Iterable[Figure]) -> Iterator[Difference]:
    """The figures whose values differ."""
    return (Difference(place, name, stored, derived) for name, stored, derived in figures if stored != derived)


def content(stored: int | None, derived: int) -> Figure:
    """The figure of a row's seal. Rows of early releases have no seal."""
    return "content", "as written" if stored in (None, derived) else "changed", "as written"


def is_set(name: str, moment: datetime | None, *, when: bool) -> Figure:
    """The figure of a moment that must be set exactly ``when``."""
    return name, _presence(moment is not None), _presence(when)


def _presence(is_set: bool) -> str:  # noqa: FBT001
    return "set" if is_set else "unset"


def _text(value: Any) -> str:
    return quantities.text(value) if isinstance(value, Decimal) else str(value)
