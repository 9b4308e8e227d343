"""``gqlstock import``: files of other systems, checked whole, refused with the lines that are wrong, and written in parts."""

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from gqlstock.cli import progress_bar, session
from gqlstock.cli.failures import Failure, Stopped
from gqlstock.cli.group import commands
from gqlstock.formats.format import Option, Options
from gqlstock.formats.table import FORMATS
from gqlstock.rules import formulas, quantities
from gqlstock.rules.import_report import Remark, Report
from gqlstock.rules.import_rows import Files
from gqlstock.rules.refusals import Refused
from gqlstock.rules.scopes import SYSTEM
from gqlstock.services import import_reading, imports
from gqlstock.services.import_progress import BEFORE_WRITING
from gqlstock.services.import_reading import File

app = commands("Take in files of other systems: each is checked whole and then written in parts.")


class YesNo(StrEnum):
    """The values of an option that is true or false."""

    TRUE = "true"
    FALSE = "false"


_FILES = "The files; separated by commas, semicolons, tabs or |, in UTF-8, UTF-16 or Windows-1252."
Paths = Annotated[list[Path], typer.Argument(metavar="FILE", help=_FILES)]
Check = Annotated[bool, typer.Option("--check", help="Check, and say what would be written, without writing.")]
ReportFile = Annotated[
    Path | None, typer.Option("--report", metavar="FILE", help="Where to write each remark as a row of CSV.")
]
_COLUMN = 'A column of the file and what it stands for, such as "Lager=Stock"; several times.'
Column = Annotated[list[str] | None, typer.Option(metavar="NAME=KNOWN", help=_COLUMN)]
Encoding = Annotated[str | None, typer.Option(help="The encoding, where it cannot be found: cp1252, iso-8859-15, …")]
Warehouse = Annotated[str | None, typer.Option(metavar="CODE", help="The warehouse that the quantities are in.")]
Website = Annotated[
    str | None, typer.Option(metavar="CODE", help="The website that sells from warehouses that are made.")
]
BaseUrl = Annotated[str | None, typer.Option(metavar="URL", help="The address below which the pictures are.")]
ManageStock = Annotated[YesNo | None, typer.Option(help="Whether stock is counted where the file leaves it open.")]
_OF_SOME_FORMATS = frozenset(option.value for option in Option)


def _add(name: str) -> None:
    """Add the command of a format, with the options that the format uses."""
    given = FORMATS[name]
    left_out = _OF_SOME_FORMATS - given.options

    class OfFormat(TyperCommand):
        def __init__(self, *args: Any, params: list[Any], **more: Any) -> None:
            super().__init__(*args, params=[one for one in params if one.name not in left_out], **more)

    @app.command(name, help=given.help, cls=OfFormat)
    def command(
        files: Paths,
        check: Check = False,
        report: ReportFile = None,
        warehouse: Warehouse = None,
        website: Website = None,
        base_url: BaseUrl = None,
        column: Column = None,
        encoding: Encoding = None,
        manage_stock: ManageStock = None,
    ) -> None:
        counted = manage_stock is YesNo.TRUE if manage_stock is not None else None
        options = Options(warehouse, website, base_url, counted, _columns(column or ()))
        _tell(_take(name, files, encoding, options, report, dry=check), dry=check)


for _name in FORMATS:
    _add(_name)


def _columns(given: Sequence[str]) -> dict[str, str]:
    """The columns of ``--column``."""
    found = {}
    for one in given:
        name, equals, known = one.rpartition("=")
        if not (equals and name.strip() and known.strip()):
            raise Failure(f'--column {one}: NAME=KNOWN, such as "Lager=Stock".')
        found[name.strip()] = known.strip()
    return found


def _take(
    name: str, paths: Sequence[Path], encoding: str | None, options: Options, report: Path | None, *, dry: bool
) -> Report:
    writing = False
    with ExitStack() as opened:
        files = [File(path.name, _lines(opened, path, encoding)) for path in paths]
        sink = opened.enter_context(_remarks(report, Files(tuple(one.name for one in files)))) if report else None
        shown = opened.enter_context(progress_bar.bar())

        def progress(what: str, done: int, of: int | None) -> None:
            nonlocal writing
            writing = what not in BEFORE_WRITING
            shown(what, done, of)

        async def work() -> Report:
            return await imports.run(SYSTEM, FORMATS[name], files, options, dry=dry, progress=progress, sink=sink)

        try:
            return session.run(work)
        except KeyboardInterrupt:
            named = ", ".join(map(str, paths))
            raise Stopped(_STOPPED.format(named) if writing else _BEFORE.format(named)) from None


_BEFORE = "Stopped: nothing of {} was taken in."
_STOPPED = "Stopped: a part of {} may have been taken in. Import it again: what is so already is left alone."


def _lines(opened: ExitStack, path: Path, encoding: str | None) -> Iterator[str]:
    """The lines of a text file in whatever encoding."""
    return import_reading.lines_of(opened.enter_context(path.open("rb")), encoding)


@contextmanager
def _remarks(path: Path, files: Files) -> Iterator[Callable[[Remark], None]]:
    """Open a CSV file and return the function that writes a remark to it."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("file", "line", "sku", "kind", "reason", "units"))

        def write(remark: Remark) -> None:
            units = quantities.text(remark.units) if remark.units is not None else ""
            place = files.split(remark.line) if remark.line is not None else ("", "")
            texts = (formulas.guard(remark.sku or ""), remark.kind, formulas.guard(remark.reason))
            rows.writerow((*place, *texts, units))

        yield write


def _tell(found: Report, *, dry: bool) -> None:
    """The report, and what the files say that a person should check."""
    if dry:
        typer.echo("Nothing was written. An import would do this:")
    for line in found.lines(future=dry):
        typer.echo(line)
    for note in found.notes.reported:
        typer.echo(note, err=True)
    if found.refused:
        session.say("What became wrong after the file was checked was left out; everything else was taken in:")
        raise Refused(found.refused)
