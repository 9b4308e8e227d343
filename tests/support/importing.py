"""Imports files that tests give as lines, and summarizes the reports."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from gqlstock.formats import csv_dialect, records
from gqlstock.formats.format import Context, CountFormat, Format, Options, ProductFormat
from gqlstock.formats.records import Product
from gqlstock.formats.table import FORMATS
from gqlstock.rules.import_report import Kind, RemarkKind, Report
from gqlstock.rules.import_rows import LevelCount, Tie
from gqlstock.rules.scopes import SYSTEM
from gqlstock.services import imports
from gqlstock.services.import_progress import silent
from gqlstock.services.import_reading import File
from gqlstock.store.spool import Products

Progress = Callable[[str, int, int | None], None]


async def run(
    name: str | Format, *files: Iterable[str], progress: Progress = silent, dry: bool = False, **options: Any
) -> Report:
    """Import files of a format, each given as lines. They are named a.csv, b.csv, …"""
    given = [File(f"{chr(ord('a') + number)}.csv", lines) for number, lines in enumerate(files)]
    of = FORMATS[name] if isinstance(name, str) else name
    return await imports.run(SYSTEM, of, given, Options(**options), dry=dry, progress=progress)


async def shopify(lines: Iterable[str], warehouse: str | None = "BERLIN", progress: Progress = silent) -> Report:
    """Import Shopify's product export."""
    return await run("shopify-products", lines, progress=progress, warehouse=warehouse)


async def levels(lines: Iterable[str], progress: Progress = silent) -> Report:
    """Import counts."""
    return await run("levels", lines, progress=progress)


def figures(report: Report) -> dict[str, int]:
    """What an import created and changed: {"products_made": 2, "counted": 5}."""
    found = {}
    for kind in Kind:
        tally = report[kind]
        if kind is Kind.LEVELS:
            found["counted"] = tally.changed
        else:
            found |= {f"{kind.lower()}_made": tally.made, f"{kind.lower()}_changed": tally.changed}
    return {name: number for name, number in found.items() if number}


def counted(report: Report) -> int:
    """How many levels an import counted."""
    return report[Kind.LEVELS].changed


def remarks(report: Report, kind: RemarkKind) -> dict[str, str]:
    """The remarks of a kind, by reason, as in the report."""
    return {reason: str(found) for reason, found in report.reasons(kind).items()}


def parsed(
    name: str, lines: Sequence[str], context: Context | None = None, more: Sequence[Sequence[str]] = ()
) -> list[Product]:
    """The products of a file, checked as by an import. Raises ``Refused`` with its faults.

    ``more``: further files; their line numbers continue.
    """
    context = context or Context()
    given = FORMATS[name]
    assert isinstance(given, ProductFormat)
    with Products() as spool:
        renamed, before = context.options.columns, 0
        for one in (lines, *more):
            table = csv_dialect.read(one, given.columns, context.faults, renamed=renamed, first_line=before)
            before += len(one)
            ties = [(row, given.tie(row, context)) for row in table.rows]
            spool.put([(row, tie) for row, tie in ties if tie is not None])
        context.has_ref = spool.has_ref
        found = [given.product(rows, context) for rows in spool.products()]
        products = [records.checked(one, context.faults) for one in found if one is not None]
    context.faults.check()
    return [one for one in products if one is not None]


def level_counts(name: str, lines: Sequence[str], context: Context | None = None) -> list[LevelCount]:
    """The counts of a file. Raises ``Refused`` with its faults."""
    context = context or Context()
    given = FORMATS[name]
    assert isinstance(given, CountFormat)
    table = csv_dialect.read(lines, given.columns, context.faults, renamed=context.options.columns)
    found = [count for row in table.rows for count in given.counts(row, context)]
    context.faults.check()
    return found


async def products(*given: Product, progress: Progress = silent, dry: bool = False, **options: Any) -> Report:
    """Import records as if they were read from a file, each with its line number."""
    return await run(_saying(given), _one_row_each(given), progress=progress, dry=dry, **options)


async def with_new_places(*given: Product, dry: bool = False, **options: Any) -> Report:
    """Like ``products``, for a format that creates missing warehouses."""
    return await run(replace(_saying(given), makes_warehouses=True), _one_row_each(given), dry=dry, **options)


def _saying(given: Sequence[Product]) -> ProductFormat:
    return ProductFormat(
        help="Records.",
        columns=(csv_dialect.Columns(("number",)),),
        tie=lambda row, context: Tie(),
        product=lambda rows, context: given[int(rows[0]["number"])],
    )


def _one_row_each(given: Sequence[Product]) -> list[str]:
    return ["number\n", *(f"{number}\n" for number in range(len(given)))]
