"""The report of an import: what it created and updated, and, by reason, what it generated, left out or wants checked.

The report has a bounded size: it counts remarks by reason and keeps only the first SKUs of each.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from gqlstock.rules import quantities
from gqlstock.rules.import_rows import Files, Notes
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import Refusal, shown

_SKUS_SHOWN = 3
_MAX_REASONS = 100
_OTHER = "other reasons"


class Kind(StrEnum):
    """What an import creates and updates."""

    WAREHOUSES = "Warehouses"
    CATEGORIES = "Categories"
    PRODUCTS = "Products"
    COMBINATIONS = "Combinations"
    LEVELS = "Levels"


class RemarkKind(StrEnum):
    """What a remark reports."""

    MADE_UP = "generated"
    """gqlstock requires it, and the file lacks it."""
    NOT_CARRIED = "not imported"
    """The file has it, and gqlstock has no counterpart."""
    TO_CHECK = "to check"
    """It was imported, and a person should review it."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One remark. ``reason`` is a fixed text without values from the row, because remarks are counted by reason.

    ``line`` is None for a remark about the whole file. ``units``, where present, are summed by reason.
    """

    kind: RemarkKind
    reason: str
    line: int | None = None
    sku: str | None = None
    units: Decimal | None = None


@dataclass(slots=True)
class Tally:
    """How many records of a kind were created, updated and left unchanged. For levels, ``changed`` are those counted."""

    made: int = 0
    changed: int = 0
    unchanged: int = 0

    def add(self, other: "Tally") -> None:
        self.made += other.made
        self.changed += other.changed
        self.unchanged += other.unchanged


@dataclass(slots=True)
class Reason:
    """The remarks of one reason: their number, the sum of their units and the first SKUs."""

    count: int = 0
    units: Decimal | None = None
    skus: list[str] = field(default_factory=list)
    is_of_rows: bool = False

    def add(self, remark: Remark) -> None:
        self.count += 1
        self.is_of_rows |= remark.line is not None
        if remark.units is not None:
            self.units = (self.units or ZERO) + remark.units
        if remark.sku and len(self.skus) < _SKUS_SHOWN and remark.sku not in self.skus:
            self.skus.append(remark.sku)

    def __str__(self) -> str:
        parts = [f"{self.count}"] if self.units is None else [f"{self.count}, {quantities.text(self.units)} units"]
        if self.skus:
            more = ", …" if self.count > len(self.skus) else ""
            parts.append(f"({', '.join(map(shown, self.skus))}{more})")
        return " ".join(parts)


class Report:
    """The report of one import. ``sink`` receives each remark as it is added."""

    def __init__(self, files: Files | None = None, sink: Callable[[Remark], None] | None = None) -> None:
        self.files = files or Files()
        self.notes = Notes(self.files)
        """Lines to review one by one: negative quantities."""
        self.refused: Sequence[Refusal] = ()
        """Rows that became invalid after the check, by line. They were not written; all others were."""
        self._tallies: dict[Kind, Tally] = {}
        self._reasons: dict[tuple[RemarkKind, str], Reason] = {}
        self._sink = sink

    def __getitem__(self, kind: Kind) -> Tally:
        return self._tallies.setdefault(kind, Tally())

    def add(self, remark: Remark) -> None:
        key = (remark.kind, remark.reason)
        if key not in self._reasons and len(self._reasons) >= _MAX_REASONS:
            key = (remark.kind, _OTHER)
        self._reasons.setdefault(key, Reason()).add(remark)
        if self._sink is not None:
            self._sink(remark)

    def reasons(self, kind: RemarkKind) -> dict[str, Reason]:
        """The reasons of a kind, in order of first occurrence."""
        return {text: reason for (of, text), reason in self._reasons.items() if of is kind}

    def lines(self, *, future: bool = False) -> Iterator[str]:
        """The report as lines of text. ``future``: words it as a forecast, for a check that wrote nothing."""
        for kind in Kind:
            if kind in self._tallies:
                yield _figures(kind, self._tallies[kind], future=future)
        for remark_kind in RemarkKind:
            reasons = self.reasons(remark_kind)
            if reasons:
                yield f"{remark_kind.capitalize()}:"
                yield from (_reason_line(text, reason) for text, reason in reasons.items())


def _figures(kind: Kind, tally: Tally, *, future: bool) -> str:
    created, updated, counted = ("to create", "to update", "to count") if future else ("created", "updated", "counted")
    figures = {created: tally.made, updated: tally.changed}
    if kind is Kind.LEVELS:
        figures = {counted: tally.changed}
    elif kind in (Kind.WAREHOUSES, Kind.CATEGORIES):
        return f"{kind}: {tally.made} {created}."
    return f"{kind}: {', '.join(f'{number} {verb}' for verb, number in figures.items())}, {tally.unchanged} unchanged."


def _reason_line(text: str, reason: Reason) -> str:
    return f"  {text}: {reason}" if reason.is_of_rows else f"  {text}"
