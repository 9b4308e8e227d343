"""Rows of imported files with their lines, and the faults and notes of an import, by line. The formats read the rows."""

from bisect import insort
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal

from gqlstock.rules.catalog import InventoryStatus
from gqlstock.rules.refusals import Code, Refusal, Refused

LINES_PER_FILE = 10**9
"""Lines of the second file of an import are counted from here, so that one number says file and line."""
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


@dataclass(frozen=True, slots=True)
class Tie:
    """How the rows of one product are tied together, wherever they stand.

    ``refs``: what other rows name this row by. ``group``: the product that the row belongs to, by a ref of one of its rows,
    or by a name that all of them have. ``members``: the refs of rows that belong to this row's product.
    """

    refs: tuple[str, ...] = ()
    group: str | None = None
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemName:
    """How a file names an item: by the slug of its product and its choice, by its SKU, or by both. The slug comes first."""

    sku: str = ""
    slug: str = ""
    choice: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return self.sku or " / ".join((self.slug, *(value for _, value in self.choice)))


@dataclass(frozen=True, slots=True)
class LevelCount:
    """The count of one level as a file says it, with its line. The warehouse is named by its code or its name."""

    line: int
    item: ItemName
    warehouse: str
    on_hand: Decimal


@dataclass(frozen=True, slots=True)
class ItemStatus:
    """The status of a product as a file of counts says it, with its line."""

    line: int
    item: ItemName
    status: InventoryStatus


@dataclass(frozen=True, slots=True)
class Files:
    """The names of the files of one import."""

    names: tuple[str, ...] = ()

    def split(self, line: int) -> tuple[str, int]:
        """The name of the file of a line, and its number there."""
        file, here = divmod(line, LINES_PER_FILE)
        return (self.names[file] if self.names else ""), here

    def place(self, line: int) -> str:
        """A line for a message: "line 5", or "line 5 of stock.csv" where there are several files."""
        name, here = self.split(line)
        return f"line {here} of {name}" if len(self.names) > 1 else f"line {here}"

    def at_line(self, line: int, message: str) -> str:
        """A message about a line."""
        return f"L{self.place(line)[1:]}: {message}"


class Faults:
    """The faults of an import. The first of them by line are kept, and all are counted."""

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
