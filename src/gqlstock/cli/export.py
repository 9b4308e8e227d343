"""``gqlstock export``: writes files for other programs, some of which ``gqlstock import`` reads back."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from gqlstock.cli import progress_bar, session
from gqlstock.cli.failures import Stopped
from gqlstock.cli.group import commands
from gqlstock.services import exports
from gqlstock.services.exports import Format, Kind

app = commands("Export data to files.")

_HELP = {
    Kind.LEVELS: "All levels, by SKU. CSV has the columns sku, warehouse, on_hand, which import levels reads.",
    Kind.ITEMS: "All products and combinations.",
    Kind.MOVEMENTS: "The whole ledger, oldest first.",
    Kind.ORDERS: "All orders, oldest first. CSV has one row for each order line.",
    Kind.SETTINGS: "The own settings at every scope.",
}

_File = Annotated[Path | None, typer.Argument(metavar="[FILE]", help="The file to write; by default stdout.")]
_Form = Annotated[Format, typer.Option("--format", help="csv, or jsonl: one JSON object per line.")]


@app.callback()
def export() -> None:
    """Export data to files. Each file is one consistent snapshot."""


def _command(kind: Kind) -> Callable[..., None]:
    def command(file: _File = None, form: _Form = Format.CSV) -> None:
        _export(kind, file, form)

    return command


for _kind, _help in _HELP.items():
    app.command(_kind.value, help=_help)(_command(_kind))


def _export(kind: Kind, file: Path | None, form: Format) -> None:
    # Rows and a progress bar on the same terminal would overwrite each other.
    silent = file is None and sys.stdout.isatty()

    async def work() -> None:
        with _target(file) as write, progress_bar.bar(silent=silent) as progress:
            await exports.write(kind, form, write, lambda done: progress("Written", done, None))

    try:
        session.run(work)
    except KeyboardInterrupt:
        raise Stopped(f"Stopped: {file} is unchanged." if file else "Stopped: the output is incomplete.") from None


@contextmanager
def _target(file: Path | None) -> Iterator[Callable[[bytes], object]]:
    """Open the target of an export. A file appears only when complete; pipes and devices receive rows as they come."""
    if file is None:
        yield lambda part: sys.stdout.write(part.decode())
        return
    part = file if file.exists() and not file.is_file() else file.with_name(f"{file.name}.part")
    try:
        target = part.open("wb")
    except OSError as error:
        error.filename = str(file)
        raise
    try:
        with target:
            yield target.write
        if part is not file:
            part.replace(file)
    finally:
        if part is not file:
            part.unlink(missing_ok=True)
