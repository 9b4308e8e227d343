"""A CSV file as rows that know their line, and what is wrong with it, told by line. What columns mean is said elsewhere."""

import csv
from bisect import insort
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal

from gqlstock.rules import quantities
from gqlstock.rules.refusals import Code, Refusal, Refused, invalid, shown

# More would drown the person who reads them.
_FAULTS_TOLD = 20


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

    def check(self) -> None:
        """Refuse the file if anything was wrong with it."""
        if not self.count:
            return
        more = self.count - len(self._told)
        rest = [Refusal(Code.INVALID_INPUT, f"And {more} more.")] if more else []
        raise Refused([*self._told, *rest])


def _line(fault: Refusal) -> int:
    return int(fault.path[1])


def read(lines: Iterable[str], required: Sequence[str], faults: Faults) -> Iterator[Row]:
    """The rows below the header, which must have the required columns. Empty rows are passed over."""
    reader = csv.reader(lines, strict=True)
    header = _next(reader, 1)
    if header is None:
        raise invalid(f"The file is empty: the first line names the columns, {', '.join(required)} among them.")
    names = [name.strip() for name in [header[0].removeprefix("\ufeff") if header else "", *header[1:]]]
    missing = [name for name in required if name not in names]
    if missing:
        raise invalid(f"The first line has no column {', '.join(missing)}.")
    twice = [name for name in required if names.count(name) > 1]
    if twice:
        raise invalid(f"The first line has the column {twice[0]} twice.")
    while True:
        line = reader.line_num + 1
        values = _next(reader, line)
        if values is None:
            return
        if not any(value.strip() for value in values):
            continue
        if len(values) > len(names):
            faults.add(line, f"There are {len(values)} values for {len(names)} columns.")
        else:
            yield Row(line, {name: value.strip() for name, value in zip(names, values, strict=False)})


def _next(reader: Iterator[list[str]], line: int) -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error as error:
        raise Refusal(Code.INVALID_INPUT, f"Line {line}: no valid CSV: {error}.", ("line", line)).only() from None


def quantity(row: Row, column: str) -> Decimal:
    """A cell as a quantity, or a refusal."""
    try:
        return quantities.parse(row[column])
    except ValueError:
        raise invalid(f"{column} {shown(row[column])!r} is no quantity.") from None
