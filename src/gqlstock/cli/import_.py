"""``gqlstock import``: imports files of other systems, and prints the report or the lines that the import refused."""

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from gqlstock.cli import failures, progress_bar, session
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

app = commands("Import files of other systems. Each file is checked as a whole, then written in batches.")


class YesNo(StrEnum):
    """The values of a boolean option."""

    TRUE = "true"
    FALSE = "false"


_FILES = "CSV files, delimited by commas, semicolons, tabs or |, in UTF-8, UTF-16 or Windows-1252."
Paths = Annotated[list[Path], typer.Argument(metavar="FILE", help=_FILES)]
Check = Annotated[bool, typer.Option("--check", help="Only check the files, and report what would be written.")]
ReportFile = Annotated[
    Path | None, typer.Option("--report", metavar="FILE", help="A CSV file to write, with a row for each remark.")
]
_COLUMN = 'Maps a column of the file to a known one, such as "Lager=Stock"; repeatable.'
Column = Annotated[list[str] | None, typer.Option(metavar="NAME=KNOWN", help=_COLUMN)]
Encoding = Annotated[str | None, typer.Option(help="The encoding, if detection fails, such as cp1252 or iso-8859-15.")]
Warehouse = Annotated[str | None, typer.Option(metavar="CODE", help="The warehouse that holds the quantities.")]
Website = Annotated[
    str | None, typer.Option(metavar="CODE", help="The website that sells from warehouses the import creates.")
]
BaseUrl = Annotated[str | None, typer.Option(metavar="URL", help="The URL that image paths are relative to.")]
ManageStock = Annotated[YesNo | None, typer.Option(help="Whether stock is managed if the file does not say.")]
_OF_SOME_FORMATS = frozenset(option.value for option in Option)


def _add(name: str) -> None:
    """Add the command of a format, with the options that the format uses."""
    file_format = FORMATS[name]
    unused = _OF_SOME_FORMATS - file_format.options

    class FormatCommand(TyperCommand):
        def __init__(self, *args: Any, params: list[Any], **more: Any) -> None:
            super().__init__(*args, params=[param for param in params if param.name not in unused], **more)

    @app.command(name, help=file_format.help, cls=FormatCommand)
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
        _print(_import(name, files, encoding, options, report, dry=check), dry=check)


for _name in FORMATS:
    _add(_name)


def _columns(values: Sequence[str]) -> dict[str, str]:
    """Parse the values of ``--column``."""
    found = {}
    for value in values:
        name, equals, known = value.rpartition("=")
        if not (equals and name.strip() and known.strip()):
            raise Failure(f'--column is {value!r}; expected NAME=KNOWN, such as "Lager=Stock".')
        found[name.strip()] = known.strip()
    return found


def _import(
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
            raise Stopped(_state(paths, writing=writing)) from None
        except Exception as error:
            if not failures.is_unexpected(error):
                raise
            raise Failure("\n".join([*failures.lines(error), _state(paths, writing=writing)])) from error


def _state(paths: Sequence[Path], *, writing: bool) -> str:
    """What an import that did not end has written, and how to go on."""
    names = ", ".join(map(str, paths))
    if not writing:
        return f"Stopped: nothing of {names} was imported."
    return (
        f"Stopped: {names} may be partly imported. Import it again to finish; what is already imported stays unchanged."
    )


def _lines(opened: ExitStack, path: Path, encoding: str | None) -> Iterator[str]:
    """The lines of a text file in any encoding."""
    return import_reading.lines_of(opened.enter_context(path.open("rb")), encoding)


@contextmanager
def _remarks(path: Path, files: Files) -> Iterator[Callable[[Remark], None]]:
    """Open a CSV file. Yields a function that writes a remark to it."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("file", "line", "sku", "kind", "reason", "units"))

        def write(remark: Remark) -> None:
            units = quantities.text(remark.units) if remark.units is not None else ""
            place = files.split(remark.line) if remark.line is not None else ("", "")
            texts = (formulas.guard(remark.sku or ""), remark.kind, formulas.guard(remark.reason))
            rows.writerow((*place, *texts, units))

        yield write


def _print(report: Report, *, dry: bool) -> None:
    """Print the report to stdout, and notes and rows that were left out to stderr."""
    if dry:
        typer.echo("Nothing was written. An import would do this:")
    for line in report.lines(future=dry):
        typer.echo(line)
    for note in report.notes.reported:
        typer.echo(note, err=True)
    if report.refused:
        session.say("These rows became invalid after the check and were left out; all others were imported:")
        raise Refused(report.refused)
