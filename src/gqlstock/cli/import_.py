"""``gqlstock import``: files checked whole, refused with the lines that are wrong, and written in parts."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from gqlstock.cli import session
from gqlstock.rules.refusals import Refused
from gqlstock.rules.scopes import SYSTEM
from gqlstock.services import imports
from gqlstock.services.imports import ImportResult, Progress

app = session.commands("Take in files: each is checked whole and then written in parts.")

_FILE = "The file; separated by commas, semicolons or tabs, in UTF-8, UTF-16 or Windows-1252."
File = Annotated[Path, typer.Argument(metavar="FILE.csv", help=_FILE)]


@app.command("shopify-products")
def shopify_products(
    file: File, warehouse: Annotated[str, typer.Option(help="Code of the warehouse that the quantities are in.")]
) -> None:
    """Products, combinations and quantities from Shopify's product export."""

    async def work(lines: Iterable[str], progress: Progress) -> ImportResult:
        return await imports.shopify_products(SYSTEM, lines, warehouse, progress)

    found = _take(file, work)
    typer.echo(
        f"{found.products_made} products and {found.combinations_made} combinations made, "
        f"{found.products_changed} products changed, {found.counted} levels counted."
    )
    _tell(found)


@app.command("levels")
def levels(file: File) -> None:
    """Counts from a file with the columns sku, warehouse, on_hand."""

    async def work(lines: Iterable[str], progress: Progress) -> ImportResult:
        return await imports.levels(SYSTEM, lines, progress)

    found = _take(file, work)
    typer.echo(f"{found.counted} levels counted.")
    _tell(found)


def _tell(found: ImportResult) -> None:
    """What the file says that a person should check."""
    for note in found.notes:
        typer.echo(note, err=True)
    if found.refused:
        session.say("What became wrong after the file was checked was left out; everything else was taken in:")
        raise Refused(found.refused)


def _take(file: Path, work: Callable[[Iterable[str], Progress], Awaitable[ImportResult]]) -> ImportResult:
    writing = False
    with _lines(file) as lines, session.bar() as shown:

        def progress(what: str, done: int, of: int | None) -> None:
            nonlocal writing
            writing = what not in imports.BEFORE_WRITING
            shown(what, done, of)

        try:
            return session.run(lambda: work(lines, progress))
        except KeyboardInterrupt:
            raise session.Stopped(_STOPPED.format(file) if writing else _BEFORE.format(file)) from None


_BEFORE = "Stopped: nothing of {} was taken in."
_STOPPED = "Stopped: a part of {} may have been taken in. Import it again: what is so already is left alone."


@contextmanager
def _lines(path: Path) -> Iterator[Iterable[str]]:
    """The lines of a text file in whatever encoding."""
    with path.open("rb") as file:
        yield imports.lines_of(file)
