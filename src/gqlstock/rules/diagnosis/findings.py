"""Findings about a setup, and how they write periods and sizes."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
_KILOBYTE = 1_024


class Severity(StrEnum):
    """PROBLEM: data can be lost, or something does not work. NOTE: a limit or a risk that may be intended."""

    PROBLEM = "problem"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """``text``: what was found, and what to do."""

    severity: Severity
    text: str

    def __str__(self) -> str:
        return f"{self.severity}: {self.text}"


def problem(text: str) -> Finding:
    return Finding(Severity.PROBLEM, text)


def note(text: str) -> Finding:
    return Finding(Severity.NOTE, text)


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Problems first."""
    return sorted(findings, key=lambda finding: finding.severity is not Severity.PROBLEM)


def period(seconds: float) -> str:
    """A period in its largest unit: ``90 minutes`` is ``1 hour``."""
    for unit, length in _UNITS:
        if seconds >= length:
            return count(int(seconds // length), unit)
    return "0 seconds"


def count(number: int, noun: str, plural: str = "") -> str:
    """``1 process``, ``1,200 webhooks``. ``plural``: unless it is the noun with an s."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def size(octets: int) -> str:
    """A size in its largest unit, rounded down: ``12 MB``."""
    number, units = octets, ["bytes", "KB", "MB", "GB", "TB"]
    while number >= _KILOBYTE and len(units) > 1:
        number //= _KILOBYTE
        units.pop(0)
    return f"{number} {units[0]}"
