"""Rows of an imported file with their lines, and the faults and notes of a file, by line. The formats read the rows."""

from bisect import insort
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gqlstock.rules.refusals import Code, Refusal, Refused

_MAX_FAULTS = 20
"""The faults that are reported; a person cannot read more."""
_MAX_NOTES = 1_000
"""The notes that are reported. Each of them needs a person's work, so that many are kept."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row. ``line``: its first line in the file."""

    line: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        """The trimmed text of a cell; empty for a column that the file lacks."""
        return self.cells.get(column, "")


class Faults:
    """The faults of a file. The first of them by line are kept, and all are counted."""

    def __init__(self) -> None:
        self._kept: list[Refusal] = []
        self.count = 0

    def add(self, line: int, message: str, code: Code = Code.INVALID_INPUT) -> None:
        self.count += 1
        insort(self._kept, Refusal(code, f"Line {line}: {message}", ("line", line)), key=_line)
        del self._kept[_MAX_FAULTS:]

    @contextmanager
    def at(self, line: int) -> Iterator[None]:
        """Turn the refusals of the block into faults of that line."""
        try:
            yield
        except Refused as error:
            for refusal in error.refusals:
                self.add(line, refusal.message, refusal.code)

    def merge(self, other: "Faults") -> None:
        """Add the faults of another part of the file."""
        self.count += other.count
        for refusal in other._kept:
            insort(self._kept, refusal, key=_line)
        del self._kept[_MAX_FAULTS:]

    @property
    def reported(self) -> tuple[Refusal, ...]:
        """The first faults, by line, and the number of the others."""
        more = self.count - len(self._kept)
        return (*self._kept, *([Refusal(Code.INVALID_INPUT, f"And {more} more.")] if more else []))

    def check(self) -> None:
        """Refuse the file if it has faults."""
        if self.count:
            raise Refused(self.reported)


def _line(fault: Refusal) -> int:
    return int(fault.path[1])


class Notes:
    """The notes of a file that is imported nevertheless. The first of them by line are kept, and all are counted."""

    def __init__(self) -> None:
        self._kept: list[tuple[int, str]] = []
        self._count = 0

    def add(self, line: int, message: str) -> None:
        self._count += 1
        insort(self._kept, (line, f"Line {line}: {message}"))
        del self._kept[_MAX_NOTES:]

    @property
    def reported(self) -> tuple[str, ...]:
        more = self._count - len(self._kept)
        return (*(message for _, message in self._kept), *([f"And {more} more."] if more else []))
