"""Exports levels, items, movements, orders and settings: all rows that a caller may see, in pages of bounded size.

A file is one consistent snapshot. A stream is not: each of its pages is a snapshot of its own, which avoids a long
transaction. The stream's cursor is read before its first page, so every change during the stream comes after the cursor.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gqlstock.formats import csv_rows, json_lines
from gqlstock.rules.scopes import SYSTEM, Caller, Scope
from gqlstock.services.exports import items, levels, movements, orders, settings
from gqlstock.services.exports.page import Page, Row
from gqlstock.store import outbox
from gqlstock.store.db import transactions


class Kind(StrEnum):
    LEVELS = "levels"
    ITEMS = "items"
    MOVEMENTS = "movements"
    ORDERS = "orders"
    SETTINGS = "settings"


class Format(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"


SCOPES = {
    Kind.LEVELS: Scope.INVENTORY_READ,
    Kind.ITEMS: Scope.CATALOG_READ,
    Kind.MOVEMENTS: Scope.INVENTORY_READ,
    Kind.ORDERS: Scope.ORDERS_READ,
}
"""What can be streamed, and the scope that each stream requires."""


@dataclass(frozen=True, slots=True)
class _Export:
    """``cells``: the CSV rows of one object. ``file_page``: the pages of a file, if it is ordered differently.

    ``joined``: whether a page is assembled from several statements, which then need one snapshot.
    """

    page: Page
    columns: Sequence[str]
    cells: Callable[[Row], Sequence[Sequence[Any]]]
    file_page: Page | None = None
    joined: bool = False


_EXPORTS = {
    Kind.LEVELS: _Export(levels.page, levels.COLUMNS, levels.cells, levels.page_by_sku),
    Kind.ITEMS: _Export(items.page, items.COLUMNS, items.cells, joined=True),
    Kind.MOVEMENTS: _Export(movements.page, movements.COLUMNS, movements.cells),
    Kind.ORDERS: _Export(orders.page, orders.COLUMNS, orders.cells, joined=True),
    Kind.SETTINGS: _Export(settings.page, settings.COLUMNS, settings.cells),
}


async def write(kind: Kind, form: Format, target: Callable[[bytes], object], progress: Callable[[int], object]) -> None:
    """Write a whole file from one snapshot. ``progress`` receives the number of rows written."""
    export = _EXPORTS[kind]
    page = export.file_page or export.page

    async def work() -> None:
        if form is Format.CSV:
            target(csv_rows.encoded([export.columns]))
        done, after = 0, None
        while True:
            rows, after = await page(SYSTEM, after)
            target(_encoded(export, form, rows))
            done += len(rows)
            progress(done)
            if after is None:
                return

    await transactions.at_one_moment(work)


def _encoded(export: _Export, form: Format, rows: Sequence[Row]) -> bytes:
    if form is Format.JSONL:
        return json_lines.encoded(rows)
    return csv_rows.encoded(cells for row in rows for cells in export.cells(row))


async def stream(kind: Kind, caller: Caller) -> AsyncIterator[bytes]:
    """Yield JSON Lines: first the feed's cursor, then all rows that the caller may see.

    Every change that a row may be missing comes after the cursor. Rows are ordered by id, which never changes, so that rows
    added or removed during the stream cannot make it skip others.
    """
    export = _EXPORTS[kind]
    yield json_lines.encoded([{"cursor": (await outbox.latest()).text}])
    after: Any = None
    while True:
        rows, after = await _page(export, caller, after)
        if rows:
            yield json_lines.encoded(rows)
        if after is None:
            return


async def _page(export: _Export, caller: Caller, after: Any) -> tuple[list[Row], Any]:
    if not export.joined:
        return await export.page(caller, after)
    return await transactions.at_one_moment(lambda: export.page(caller, after))
