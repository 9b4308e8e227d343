"""Reads CSV files of any dialect into rows: detects encoding and delimiter, reads decimal commas, removes formula guards.

The meaning of the columns is decided elsewhere.
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
_UNREADABLE = "The file is not UTF-8, UTF-16 or Windows-1252. Save it as UTF-8, or name its encoding with --encoding."
_DECIMAL_COMMA = re.compile(r"([+-]?[0-9]*),([0-9]+)")
# A backslash before a quote that neither ends a cell nor is doubled: the file escapes quotes with backslashes.
_BACKSLASH_QUOTE = re.compile(r'\\"(?=[^",;|\t\r\n])')


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that a format knows. Names match in any case. ``aliases`` maps other names, in lower case.

    ``families`` matches lower-case names of repeating columns, such as "attribute 1 name". ``backslash_quotes``: quotes
    within cells may be escaped with a backslash instead of doubled, as older versions of Magento write them.
    """

    required: Sequence[str]
    aliases: Mapping[str, str] = field(default_factory=dict)
    quantities: Sequence[str] = ()
    optional: Sequence[str] = ()
    families: re.Pattern[str] | None = None
    backslash_quotes: bool = False

    def named(self, header: Sequence[str]) -> list[str]:
        """A header with its columns under their known names. Unknown names stay as they are."""
        known = {name.lower(): name for name in self._known} | dict(self.aliases)
        return [known.get(name.lower(), name) for name in header]

    def unknown(self, names: Sequence[str]) -> list[str]:
        """The columns of a header that the format does not know."""
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
    """An opened file: the columns that matched it, its header and its rows."""

    columns: Columns
    header: Sequence[str]
    names: Sequence[str]
    """The header with known columns under their known names."""
    rows: Iterator[Row]


def lines(file: BinaryIO, encoding: str | None = None) -> Iterator[str]:
    """The lines of a seekable file. Without ``encoding``, a first pass in chunks detects it."""
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
        raise invalid(
            f"{shown(encoding)!r} is not a known encoding; use for example utf-8, cp1252, iso-8859-15 or utf-16."
        ) from None
    return encoding


def _encoding(file: BinaryIO) -> str:
    file.seek(0)
    start = file.read(4)
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    # UTF-16 without a byte order mark: ASCII characters have a zero byte each.
    if len(start) >= 2 and 0 in start[:2]:
        return "utf-16-le" if start[1] == 0 else "utf-16-be"
    file.seek(0)
    return _encoding_of_bytes(file)


def _encoding_of_bytes(file: BinaryIO) -> str:
    """UTF-8, or Windows-1252 if no non-ASCII text is valid UTF-8. Refuses a mix of both as damaged."""
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
        message = f"Line {line}: the file is UTF-8 but contains a damaged character. Save it as UTF-8 again."
        raise Refusal(Code.INVALID_INPUT, message, ("line", line)).only()
    return _WINDOWS if wrong else "utf-8"


def read(
    file_lines: Iterable[str],
    columns: Sequence[Columns],
    faults: Faults,
    *,
    renamed: Mapping[str, str] | None = None,
    first_line: int = 0,
) -> Table:
    """Open a file under whichever of ``columns`` fits its header best. All required columns must be present.

    ``renamed`` maps names of columns in the file to known ones. ``first_line`` is added to line numbers.
    """
    rest = iter(file_lines)
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
        raise invalid(
            f"The file is empty. Its first line must name the columns, including {', '.join(wanted.required)}."
        )
    names = _names(header, wanted, renamed or {})
    _check_header(names, wanted)
    return Table(
        wanted, header, names, _rows(reader, names, wanted, faults, skipped, first_line, commas=delimiter == ";")
    )


def _rows(
    reader: Any, names: Sequence[str], columns: Columns, faults: Faults, skipped: int, first_line: int, *, commas: bool
) -> Iterator[Row]:
    """The rows below the header, without empty ones. A short row is padded with empty cells."""
    while True:
        here = reader.line_num + 1 + skipped
        line = first_line + here
        values = _next(reader, here)
        if values is None:
            return
        if not any(value.strip() for value in values):
            continue
        if len(values) > len(names):
            faults.add(line, f"The row has {len(values)} values, but there are {len(names)} columns.")
        elif any("\x00" in value for value in values):
            faults.add(line, "The row contains a NUL character.")
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
    """Double the quotes that follow a backslash, in a line that escapes quotes that way. The backslashes stay in the text."""
    return line.replace('\\"', '\\""') if _BACKSLASH_QUOTE.search(line) else line


def _layout(header: str, columns: Sequence[Columns], renamed: Mapping[str, str]) -> tuple[Columns, str]:
    """The columns and delimiter that match the most required columns of a header; the first pair on a tie."""

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
            f"The header has no column {', '.join(missing)}; it has: {shown(', '.join(others)) or 'nothing'}. "
            f'If it has another name: --column "NAME={missing[0]}".'
        )
    twice = [name for name in (*columns.required, *columns.quantities) if names.count(name) > 1]
    if twice:
        raise invalid(f"The header has the column {twice[0]} more than once.")


def _cell(value: str) -> str:
    return formulas.unguard(value.strip()).strip()


def _point(value: str) -> str:
    """A quantity with its decimal comma replaced by a point."""
    found = _DECIMAL_COMMA.fullmatch(value)
    return f"{found[1]}.{found[2]}" if found else value


def _next(reader: Any, line: int) -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error as error:
        raise Refusal(Code.INVALID_INPUT, f"Line {line}: invalid CSV: {error}.", ("line", line)).only() from None


def quantity(row: Row, column: str) -> Decimal:
    """A cell as a quantity. Raises ``Refused`` if it is not one."""
    try:
        return quantities.parse(row[column])
    except ValueError:
        raise invalid(f"{column} {shown(row[column])!r} is not a quantity.") from None
