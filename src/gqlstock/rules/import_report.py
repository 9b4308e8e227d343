"""The report of an import: what it made and changed, and by reason what did not come over, was made up, is to be checked.

Its size does not depend on the number of rows: it counts, and keeps the first SKUs of each reason.
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
    """What an import makes and changes."""

    WAREHOUSES = "Warehouses"
    CATEGORIES = "Categories"
    PRODUCTS = "Products"
    COMBINATIONS = "Combinations"
    LEVELS = "Levels"


class RemarkKind(StrEnum):
    """What a person should know of an import."""

    MADE_UP = "made up"
    """It was needed here and did not stand in the file."""
    NOT_CARRIED = "not carried"
    """It stood in the file and has no counterpart here."""
    TO_CHECK = "to check"
    """It came over, and a person should look whether it is meant so."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One remark. ``reason`` is a fixed text, without values of the row: remarks are counted by it.

    ``line`` is None for a remark about the whole file; ``units`` are summed up where they are given.
    """

    kind: RemarkKind
    reason: str
    line: int | None = None
    sku: str | None = None
    units: Decimal | None = None


@dataclass(slots=True)
class Tally:
    """How many of a kind were made, changed and left alone. Of levels, ``changed`` are those that were counted."""

    made: int = 0
    changed: int = 0
    unchanged: int = 0

    def add(self, other: "Tally") -> None:
        self.made += other.made
        self.changed += other.changed
        self.unchanged += other.unchanged


@dataclass(slots=True)
class Reason:
    """The remarks of one reason: their number, the sum of their units, and the first SKUs."""

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
    """The report of one import. ``sink`` gets each remark as it is made."""

    def __init__(self, files: Files | None = None, sink: Callable[[Remark], None] | None = None) -> None:
        self.files = files or Files()
        self.notes = Notes(self.files)
        """Lines that a person should check one by one: quantities below 0."""
        self.refused: Sequence[Refusal] = ()
        """Rows that became wrong after the check, by line. They were not written; all others were."""
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
        """The reasons of a kind, in the order in which they first came up."""
        return {reason: found for (of, reason), found in self._reasons.items() if of is kind}

    def lines(self, *, future: bool = False) -> Iterator[str]:
        """The report as lines. ``future``: of a check, which wrote nothing."""
        for kind in Kind:
            if kind in self._tallies:
                yield _figures(kind, self._tallies[kind], future=future)
        for remarks in RemarkKind:
            found = self.reasons(remarks)
            if found:
                yield f"{remarks.capitalize()}:"
                yield from (_reason(reason, one) for reason, one in found.items())


def _figures(kind: Kind, tally: Tally, *, future: bool) -> str:
    made, changed, counted = ("to make", "to change", "to count") if future else ("made", "changed", "counted")
    figures = {made: tally.made, changed: tally.changed}
    if kind is Kind.LEVELS:
        figures = {counted: tally.changed}
    elif kind in (Kind.WAREHOUSES, Kind.CATEGORIES):
        return f"{kind}: {tally.made} {made}."
    return f"{kind}: {', '.join(f'{number} {what}' for what, number in figures.items())}, {tally.unchanged} unchanged."


def _reason(reason: str, found: Reason) -> str:
    return f"  {reason}: {found}" if found.is_of_rows else f"  {reason}"
