"""Rows of a file that know their line, and what is wrong with the file or worth telling of it, by line."""

from bisect import insort
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gqlstock.rules.refusals import Code, Refusal, Refused

# More would drown the person who reads them.
_FAULTS_TOLD = 20
# Each of these is work for somebody: they are told as long as memory is no matter.
_NOTES_TOLD = 1_000


@dataclass(frozen=True, slots=True)
class Row:
    """One row: ``line`` is the first line of the file that it stands on."""

    line: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        """The trimmed text of a cell; empty for a column that the file does not have."""
        return self.cells.get(column, "")


class Faults:
    """What is wrong with a file, collected so that it is told at once: the first lines of those that were found."""

    def __init__(self) -> None:
        self._told: list[Refusal] = []
        self.count = 0

    def add(self, line: int, message: str, code: Code = Code.INVALID_INPUT) -> None:
        self.count += 1
        insort(self._told, Refusal(code, f"Line {line}: {message}", ("line", line)), key=_line)
        del self._told[_FAULTS_TOLD:]

    @contextmanager
    def at(self, line: int) -> Iterator[None]:
        """Turn what the block refuses into a fault of that line."""
        try:
            yield
        except Refused as error:
            for refusal in error.refusals:
                self.add(line, refusal.message, refusal.code)

    def take_up(self, other: "Faults") -> None:
        """Add what was found elsewhere in the same file."""
        self.count += other.count
        for refusal in other._told:
            insort(self._told, refusal, key=_line)
        del self._told[_FAULTS_TOLD:]

    @property
    def told(self) -> tuple[Refusal, ...]:
        """The first of them, by line, and how many more there are."""
        more = self.count - len(self._told)
        return (*self._told, *([Refusal(Code.INVALID_INPUT, f"And {more} more.")] if more else []))

    def check(self) -> None:
        """Refuse the file if anything was wrong with it."""
        if self.count:
            raise Refused(self.told)


def _line(fault: Refusal) -> int:
    return int(fault.path[1])


class Notes:
    """What is told of a file that is taken in all the same: by line, the first of them, and how many there are."""

    def __init__(self) -> None:
        self._told: list[tuple[int, str]] = []
        self._count = 0

    def add(self, line: int, message: str) -> None:
        self._count += 1
        insort(self._told, (line, f"Line {line}: {message}"))
        del self._told[_NOTES_TOLD:]

    @property
    def told(self) -> tuple[str, ...]:
        more = self._count - len(self._told)
        return (*(message for _, message in self._told), *([f"And {more} more."] if more else []))
