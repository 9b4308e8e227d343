"""What verification finds."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from gqlstock.rules import quantities

Figure = tuple[str, Any, Any]
"""What it is, what stands there, and what should."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not what it should be: ``stored`` stands there, ``derived`` is what follows from the rest."""

    place: str
    figure: str
    stored: Any
    derived: Any

    def __str__(self) -> str:
        return f"{self.place}: {self.figure} is {_text(self.stored)}, not {_text(self.derived)}"


def different(place: str, figures: Iterable[Figure]) -> Iterator[Difference]:
    """The figures that are not what they should be."""
    return (Difference(place, name, stored, derived) for name, stored, derived in figures if stored != derived)


def content(stored: int | None, derived: int) -> Figure:
    """A row's seal, for ``different``; a row from before there were seals has none."""
    return "content", "as written" if stored in (None, derived) else "changed", "as written"


def is_set(name: str, moment: datetime | None, *, when: bool) -> Figure:
    """Whether a moment is set exactly when it should be, for ``different``."""
    return name, _presence(moment is not None), _presence(when)


def _presence(is_set: bool) -> str:  # noqa: FBT001
    return "set" if is_set else "unset"


def _text(value: Any) -> str:
    return quantities.text(value) if isinstance(value, Decimal) else str(value)
