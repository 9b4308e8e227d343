"""``gqlstock export``: what ``gqlstock import`` takes back."""

import csv
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TextIO

import typer

from gqlstock.cli import session
from gqlstock.services import exports

app = session.commands("Write files that can be taken in again.")


@app.callback()
def export() -> None:
    """Write files that can be taken in again."""


@app.command("levels")
def levels(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE.csv]", help="Where to; stdout if left out.")] = None,
) -> None:
    """All levels, with the columns sku, warehouse, on_hand."""

    # Rows and a bar on one terminal would write over each other.
    silent = file is None and sys.stdout.isatty()

    async def work() -> None:
        with _target(file) as target, session.bar(silent=silent) as progress:
            sheet = csv.writer(target, lineterminator="\n")
            sheet.writerow(exports.COLUMNS)
            done = 0
            async for part in exports.levels():
                sheet.writerows(part)
                done += len(part)
                progress("Written", done, None)

    try:
        session.run(work)
    except KeyboardInterrupt:
        raise session.Stopped(f"Stopped: {file} is as it was." if file else "Stopped: not all was written.") from None


@contextmanager
def _target(file: Path | None) -> Iterator[TextIO]:
    """Where rows go to. A file is there once all of them are in it; a pipe or a device gets them as they come."""
    if file is None:
        yield sys.stdout
        return
    part = file if file.exists() and not file.is_file() else file.with_name(f"{file.name}.part")
    try:
        target = part.open("w", encoding="utf-8", newline="")
    except OSError as error:
        error.filename = str(file)
        raise
    try:
        with target:
            yield target
        if part is not file:
            part.replace(file)
    finally:
        if part is not file:
            part.unlink(missing_ok=True)
