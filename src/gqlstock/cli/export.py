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

    async def work() -> None:
        with _target(file) as target, session.bar() as progress:
            sheet = csv.writer(target, lineterminator="\n")
            sheet.writerow(exports.COLUMNS)
            done = 0
            async for part in exports.levels():
                sheet.writerows(part)
                done += len(part)
                progress("Written", done, None)

    session.run(work)


@contextmanager
def _target(file: Path | None) -> Iterator[TextIO]:
    if file is None:
        yield sys.stdout
        return
    with file.open("w", encoding="utf-8", newline="") as target:
        yield target
