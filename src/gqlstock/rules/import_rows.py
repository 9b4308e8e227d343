"""Rows of imported files, and the faults and notes of an import, all by line number. The formats interpret the rows."""

from bisect import insort
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal

from gqlstock.rules.catalog import InventoryStatus
from gqlstock.rules.refusals import Code, Refusal, Refused

LINES_PER_FILE = 10**9
"""Line numbers of the second file start here, of the third at twice this: one number identifies file and line."""
_MAX_FAULTS = 20
"""How many faults are reported. More would not be read."""
_MAX_NOTES = 1_000
"""How many notes are reported. The limit is high because each note needs a person to act."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row. ``line`` is its first line in the file."""

    line: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        """The trimmed text of a cell; empty if the file lacks the column."""
        return self.cells.get(column, "")


@dataclass(frozen=True, slots=True)
class Tie:
    """Links the rows of one product, wherever in the file they appear.

    ``refs``: the keys by which other rows refer to this row. ``group``: the product the row belongs to, as a ref of one of
    its rows or as a key that all its rows share. ``members``: the refs of other rows that belong to this row's product.
    """

    refs: tuple[str, ...] = ()
    group: str | None = None
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemName:
    """How a file names an item: by product slug and choice, by SKU, or by both. The slug takes precedence."""

    sku: str = ""
    slug: str = ""
    choice: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return self.sku or " / ".join((self.slug, *(value for _, value in self.choice)))


@dataclass(frozen=True, slots=True)
class LevelCount:
    """The count of one level in a file, with its line. ``warehouse`` is a code or a name."""

    line: int
    item: ItemName
    warehouse: str
    on_hand: Decimal


@dataclass(frozen=True, slots=True)
class ItemStatus:
    """The status of a product in a file of counts, with its line."""

    line: int
    item: ItemName
    status: InventoryStatus


@dataclass(frozen=True, slots=True)
class Files:
    """The names of the files of one import."""

    names: tuple[str, ...] = ()

    def split(self, line: int) -> tuple[str, int]:
        """The file name and the line number within that file."""
        file, number = divmod(line, LINES_PER_FILE)
        return (self.names[file] if self.names else ""), number

    def place(self, line: int) -> str:
        """A line as messages name it: "line 5", or "line 5 of stock.csv" if there are several files."""
        name, number = self.split(line)
        return f"line {number} of {name}" if len(self.names) > 1 else f"line {number}"

    def at_line(self, line: int, message: str) -> str:
        """A message prefixed with its line."""
        return f"L{self.place(line)[1:]}: {message}"


class Faults:
    """The faults of an import. Counts all of them and keeps the first by line."""

    def __init__(self, files: Files | None = None) -> None:
        self.files = files or Files()
        self._kept: list[Refusal] = []
        self.count = 0

    def add(self, line: int, message: str, code: Code = Code.INVALID_INPUT) -> None:
        self.count += 1
        insort(self._kept, Refusal(code, self.files.at_line(line, message), ("line", line)), key=_line)
        del self._kept[_MAX_FAULTS:]

    @contextmanager
    def at(self, line: int) -> Iterator[None]:
        """Turn refusals raised in the block into faults of that line."""
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
        """The first faults by line, then the number of the others."""
        more = self.count - len(self._kept)
        return (*self._kept, *([Refusal(Code.INVALID_INPUT, f"And {more} more.")] if more else []))

    def check(self) -> None:
        """Refuse the file if it has faults."""
        if self.count:
            raise Refused(self.reported)


def _line(fault: Refusal) -> int:
    return int(fault.path[1])


class Notes:
    """The notes of a file, which do not prevent its import. Counts all of them and keeps the first by line."""

    def __init__(self, files: Files | None = None) -> None:
        self._files = files or Files()
        self._kept: list[tuple[int, str]] = []
        self._count = 0

    def add(self, line: int, message: str) -> None:
        self._count += 1
        insort(self._kept, (line, self._files.at_line(line, message)))
        del self._kept[_MAX_NOTES:]

    @property
    def reported(self) -> tuple[str, ...]:
        more = self._count - len(self._kept)
        return (*(message for _, message in self._kept), *([f"And {more} more."] if more else []))
