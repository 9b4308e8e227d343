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
from typing import Any, BinaryIO

from gqlstock.rules import formulas, quantities
from gqlstock.rules.import_rows import Faults, Row
from gqlstock.rules.refusals import Code, Refusal, invalid, shown

DELIMITERS = (",", ";", "\t", "|")

_READ_AT_ONCE = 1_000_000
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_WINDOWS = "cp1252"
_UNREADABLE = (
    "The file is neither UTF-8, UTF-16 nor Windows-1252: save it as UTF-8, or name its encoding with --encoding."
)
_DECIMAL_COMMA = re.compile(r"([+-]?[0-9]*),([0-9]+)")
# A backslash before a quote that neither ends a cell nor is doubled: a file with quotes of that kind.
_BACKSLASH_QUOTE = re.compile(r'\\"(?=[^",;|\t\r\n])')


@dataclass(frozen=True, slots=True)
class Columns:
    """What is looked for. Columns are known in upper and lower case; ``aliases`` are other names for some, in lower case.

    ``families`` matches the names of columns that occur several times, such as "Attribute 1 name", in lower case.
    ``backslash_quotes``: older files have quotes within cells that are not doubled but follow a backslash. (Magento)
    """

    required: Sequence[str]
    aliases: Mapping[str, str] = field(default_factory=dict)
    quantities: Sequence[str] = ()
    optional: Sequence[str] = ()
    families: re.Pattern[str] | None = None
    backslash_quotes: bool = False

    def named(self, header: Sequence[str]) -> list[str]:
        """A header in the names that are known here; others stay as they are."""
        known = {name.lower(): name for name in self._known} | dict(self.aliases)
        return [known.get(name.lower(), name) for name in header]

    def unknown(self, names: Sequence[str]) -> list[str]:
        """The columns of a header that are not looked for."""
        families = self.families
        return [
            name
            for name in names
            if name and name not in self._known and not (families and families.fullmatch(name.lower()))
        ]

    @property
    def _known(self) -> tuple[str, ...]:
        return (*self.required, *self.quantities, *self.optional)


@dataclass(frozen=True, slots=True)
class Table:
    """A file that was opened: which columns it has, and its rows."""

    columns: Columns
    header: Sequence[str]
    names: Sequence[str]
    """The header in the names that are known here."""
    rows: Iterator[Row]


def lines(file: BinaryIO, encoding: str | None = None) -> Iterator[str]:
    """The lines of a file that can be read twice: first its encoding is found, a part at a time, unless it is named."""
    found = _named_encoding(encoding) if encoding else _encoding(file)
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=found, newline="")
    try:
        yield from text
    except UnicodeError:
        if encoding:
            raise invalid(f"The file is not in the encoding {shown(encoding)}.") from None
        raise invalid(_UNREADABLE) from None
    finally:
        text.detach()


def _named_encoding(encoding: str) -> str:
    try:
        "".encode(encoding)
    except (LookupError, UnicodeError, ValueError):
        raise invalid(f"{shown(encoding)!r} is no encoding; for example utf-8, cp1252, iso-8859-15, utf-16.") from None
    return encoding


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


def read(
    given: Iterable[str],
    columns: Sequence[Columns],
    faults: Faults,
    *,
    renamed: Mapping[str, str] | None = None,
    first_line: int = 0,
) -> Table:
    """A file with the header that fits best: the required columns of one of ``columns`` must be there.

    ``renamed``: columns of the file by name, and what they stand for. ``first_line`` is added to the numbers of lines.
    """
    rest = iter(given)
    first = next(rest, "").removeprefix("\ufeff")
    skipped = int(first.strip().lower().strip('"').startswith("sep="))
    if skipped:
        first = next(rest, "")
    wanted, delimiter = _layout(first, columns, renamed or {})
    lines = _with(first, rest)
    if wanted.backslash_quotes:
        lines = map(_doubled, lines)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    header = _next(reader, 1 + skipped)
    if header is None:
        raise invalid(f"The file is empty: the first line names the columns, {', '.join(wanted.required)} among them.")
    names = _names(header, wanted, renamed or {})
    _check_header(names, wanted)
    return Table(
        wanted, header, names, _rows(reader, names, wanted, faults, skipped, first_line, commas=delimiter == ";")
    )


def _rows(
    reader: Any, names: Sequence[str], columns: Columns, faults: Faults, skipped: int, first_line: int, *, commas: bool
) -> Iterator[Row]:
    """The rows below the header. Empty ones are passed over. A row has a cell for each column, those left out empty."""
    while True:
        here = reader.line_num + 1 + skipped
        line = first_line + here
        values = _next(reader, here)
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
            if commas:
                cells |= {name: _point(cells[name]) for name in columns.quantities if name in cells}
            yield Row(line, cells)


def _with(first: str, rest: Iterator[str]) -> Iterator[str]:
    if first:
        yield first
    yield from rest


def _doubled(line: str) -> str:
    """A line with quotes behind backslashes, with these quotes doubled. The backslashes are part of the text."""
    return line.replace('\\"', '\\""') if _BACKSLASH_QUOTE.search(line) else line


def _layout(header: str, columns: Sequence[Columns], renamed: Mapping[str, str]) -> tuple[Columns, str]:
    """The columns and the separator under which most of the required columns are there; the first where all are alike."""

    def found(layout: tuple[Columns, str]) -> tuple[bool, int]:
        wanted, delimiter = layout
        try:
            names = _names(next(csv.reader([header], delimiter=delimiter), []), wanted, renamed)
        except csv.Error:
            return False, 0
        count = len(set(wanted.required) & set(names))
        return count == len(wanted.required), count

    return max(((one, delimiter) for one in columns for delimiter in DELIMITERS), key=found)


def _names(header: Sequence[str], columns: Columns, renamed: Mapping[str, str]) -> list[str]:
    given = {name.strip().lower(): known for name, known in renamed.items()}
    return columns.named([given.get(_cell(name).lower(), _cell(name)) for name in header])


def _check_header(names: Sequence[str], columns: Columns) -> None:
    missing = [name for name in columns.required if name not in names]
    if missing:
        others = [name for name in names if name]
        raise invalid(
            f"The first line has no column {', '.join(missing)}; it has: {shown(', '.join(others)) or 'nothing'}. "
            f'If it has another name there: --column "NAME={missing[0]}".'
        )
    twice = [name for name in (*columns.required, *columns.quantities) if names.count(name) > 1]
    if twice:
        raise invalid(f"The first line has the column {twice[0]} twice.")


def _cell(value: str) -> str:
    return formulas.unguard(value.strip()).strip()


def _point(value: str) -> str:
    """A quantity that is written with a decimal comma, with a point."""
    found = _DECIMAL_COMMA.fullmatch(value)
    return f"{found[1]}.{found[2]}" if found else value


def _next(reader: Any, line: int) -> list[str] | None:
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
