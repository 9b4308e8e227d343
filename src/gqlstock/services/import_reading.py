"""Reads the rows of an import's files, and reports the columns that are not imported."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from gqlstock.formats import csv_dialect
from gqlstock.formats.csv_dialect import Columns
from gqlstock.formats.format import Context
from gqlstock.rules.import_rows import LINES_PER_FILE, Row
from gqlstock.rules.refusals import Refused, invalid, shown
from gqlstock.services.import_progress import READ, Progress
from gqlstock.store.db import sql

_ROWS_PER_READ = 5_000
_COLUMNS_SHOWN = 40

lines_of = csv_dialect.lines
"""The lines of a file in any encoding, in the form that imports expect."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of an import. ``name`` appears in messages."""

    name: str
    lines: Iterable[str]


async def parts(
    files: Sequence[File], columns: Sequence[Columns], context: Context, progress: Progress
) -> AsyncIterator[list[Row]]:
    """The rows of all files, in batches."""
    done = 0
    unknown: dict[str, None] = {}
    for part in sql.parts(_rows(files, columns, context, unknown), _ROWS_PER_READ):
        yield part
        done += len(part)
        progress(READ, done, None)
        await asyncio.sleep(0)
    _report(unknown, context)


def _rows(
    files: Sequence[File], columns: Sequence[Columns], context: Context, unknown: dict[str, None]
) -> Iterator[Row]:
    """The rows of all files. ``unknown`` collects the columns that the format does not know."""
    renamed = context.options.columns
    used: set[str] = set()
    for number, file in enumerate(files):
        with _named(file, files):
            table = csv_dialect.read(
                file.lines, columns, context.faults, renamed=renamed, first_line=number * LINES_PER_FILE
            )
            used |= {name.strip().lower() for name in table.header}
            unknown.update(dict.fromkeys(table.columns.unknown(table.names)))
            yield from table.rows
    _check_renamed(renamed, used)


def _report(unknown: Iterable[str], context: Context) -> None:
    """Report the columns that are not imported. Which columns are used is known only after all rows were read."""
    names = [name for name in unknown if name not in context.used_columns]
    if names:
        more = f" and {len(names) - _COLUMNS_SHOWN} more" if len(names) > _COLUMNS_SHOWN else ""
        context.not_carried(None, f"columns: {', '.join(map(shown, names[:_COLUMNS_SHOWN]))}{more}")


@contextmanager
def _named(file: File, files: Sequence[File]) -> Iterator[None]:
    """Prefix refusals with the file name if there are several files."""
    try:
        yield
    except Refused as error:
        if len(files) == 1:
            raise
        raise Refused(replace(one, message=f"{file.name}: {one.message}") for one in error.refusals) from None


def _check_renamed(renamed: Mapping[str, str], header: set[str]) -> None:
    """Refuse --column names that no file has."""
    missing = [name for name in renamed if name.strip().lower() not in header]
    if missing:
        raise invalid(f"No file has the column {shown(missing[0])} that --column names.")
