"""A CSV file as rows, whoever wrote it: its encoding, its separator, its decimal comma, its guards against formulas.

What the columns mean is decided elsewhere.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import BinaryIO

from gqlstock.rules import formulas, quantities
from gqlstock.rules.import_rows import Faults, Row
from gqlstock.rules.refusals import Code, Refusal, invalid, shown

DELIMITERS = (",", ";", "\t")

_READ_AT_ONCE = 1_000_000
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_WINDOWS = "cp1252"
_UNREADABLE = "The file is neither UTF-8, UTF-16 nor Windows-1252: save it as UTF-8."
_DECIMAL_COMMA = re.compile(r"([+-]?[0-9]*),([0-9]+)")


@dataclass(frozen=True, slots=True)
class Columns:
    """What is looked for: ``required`` columns, other names for some (lower case), and those that hold quantities."""

    required: Sequence[str]
    aliases: Mapping[str, str] = field(default_factory=dict)
    quantities: Sequence[str] = ()

    def named(self, header: Sequence[str]) -> list[str]:
        """A header in the names that are known here, whatever their case; others stay as they are."""
        known = {name.lower(): name for name in (*self.required, *self.quantities)} | dict(self.aliases)
        return [known.get(name.lower(), name) for name in header]


def lines(file: BinaryIO) -> Iterator[str]:
    """The lines of a file that can be read twice: first its encoding is found, a part at a time."""
    encoding = _encoding(file)
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=encoding, newline="")
    try:
        yield from text
    except UnicodeError:
        raise invalid(_UNREADABLE) from None
    finally:
        text.detach()


def _encoding(file: BinaryIO) -> str:
    file.seek(0)
    start = file.read(4)
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    # Without a mark: ASCII in two bytes has a zero in every other one.
    if len(start) >= 2 and 0 in start[:2]:
        return "utf-16-le" if start[1] == 0 else "utf-16-be"
    file.seek(0)
    return _encoding_of_bytes(file)


def _encoding_of_bytes(file: BinaryIO) -> str:
    """UTF-8, or Windows-1252 where nothing is UTF-8 but ASCII. What is both is a file that was damaged: refused."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    wrong = right = False
    line = 1
    while not wrong or not right:
        data = file.read(_READ_AT_ONCE)
        text = decoder.decode(data, final=not data)
        if not text.isascii():
            bad = next((n for n, c in enumerate(text) if "\udc80" <= c <= "\udcff"), None)
            if bad is not None and not wrong:
                wrong, line = True, line + text.count("\n", 0, bad)
            right = right or any(c > "\x7f" and not "\udc80" <= c <= "\udcff" for c in text)
        if not wrong:
            line += text.count("\n")
        if not data:
            break
    if wrong and right:
        message = f"Line {line}: the file is UTF-8 but for a character that is damaged. Save it as UTF-8."
        raise Refusal(Code.INVALID_INPUT, message, ("line", line)).only()
    return _WINDOWS if wrong else "utf-8"


def read(given: Iterable[str], columns: Columns, faults: Faults) -> Iterator[Row]:
    """The rows below the header, which must have the required columns. Empty rows are passed over.

    A row has a cell for each column of the file, those that it leaves out empty.
    """
    rest = iter(given)
    first = next(rest, "").removeprefix("\ufeff")
    skipped = int(first.strip().lower().strip('"').startswith("sep="))
    if skipped:
        first = next(rest, "")
    delimiter = _delimiter(first, columns)
    reader = csv.reader(_with(first, rest), delimiter=delimiter, strict=True)
    header = _next(reader, 1 + skipped)
    if header is None:
        raise invalid(f"The file is empty: the first line names the columns, {', '.join(columns.required)} among them.")
    names = columns.named([_cell(name) for name in header])
    _check_header(names, columns)
    while True:
        line = reader.line_num + 1 + skipped
        values = _next(reader, line)
        if values is None:
            return
        if not any(value.strip() for value in values):
            continue
        if len(values) > len(names):
            faults.add(line, f"There are {len(values)} values for {len(names)} columns.")
        elif any("\x00" in value for value in values):
            faults.add(line, "There is a NUL character.")
        else:
            cells = dict.fromkeys(names, "") | {n: _cell(value) for n, value in zip(names, values, strict=False)}
            if delimiter == ";":
                cells |= {name: _point(cells[name]) for name in columns.quantities if name in cells}
            yield Row(line, cells)


def _with(first: str, rest: Iterator[str]) -> Iterator[str]:
    if first:
        yield first
    yield from rest


def _delimiter(header: str, columns: Columns) -> str:
    """The separator under which most of the required columns are there; a comma where all are alike."""

    def found(delimiter: str) -> int:
        try:
            names = next(csv.reader([header], delimiter=delimiter), [])
        except csv.Error:
            return 0
        return len(set(columns.required) & set(columns.named([_cell(name) for name in names])))

    return max(DELIMITERS, key=found)


def _check_header(names: Sequence[str], columns: Columns) -> None:
    missing = [name for name in columns.required if name not in names]
    if missing:
        raise invalid(f"The first line has no column {', '.join(missing)}.")
    twice = [name for name in (*columns.required, *columns.quantities) if names.count(name) > 1]
    if twice:
        raise invalid(f"The first line has the column {twice[0]} twice.")


def _cell(value: str) -> str:
    return formulas.unguard(value.strip()).strip()


def _point(value: str) -> str:
    """A quantity that is written with a decimal comma, with a point."""
    found = _DECIMAL_COMMA.fullmatch(value)
    return f"{found[1]}.{found[2]}" if found else value


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
