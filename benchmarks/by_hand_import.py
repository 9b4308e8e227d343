"""Hand-written import of a file of counts: loads it into a temporary table and runs three statements, in one transaction.

They insert missing levels, insert movements of the differences, and update the figures. The only check is that every row
names an item and a warehouse. The arguments are the database, the file, and its columns of SKU, warehouse and units.
"""

import asyncio
import contextlib
import csv
import sqlite3
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

_UNIT = 10_000
_GIVEN = "CREATE TEMPORARY TABLE given (sku VARCHAR(255), warehouse VARCHAR(255), units BIGINT)"
_NAMED = "FROM given g JOIN item i ON i.sku = g.sku AND i.deleted_at IS NULL JOIN warehouse w ON w.code = g.warehouse"
_NAMES = f"SELECT COUNT(*) {_NAMED}"
_MISSING = f"""INSERT INTO inventory_level
    (on_hand, reserved, planned, held, backordered, incoming, available, updated_at, item_id, warehouse_id)
    SELECT 0, 0, 0, 0, 0, 0, 0, :at, i.id, w.id {_NAMED} WHERE true
    ON CONFLICT (item_id, warehouse_id) DO NOTHING"""
_MOVEMENTS = f"""INSERT INTO stock_movement (kind, quantity, on_hand_after, actor, created_at, level_id)
    SELECT 'IMPORT', g.units - l.on_hand, g.units, 'by hand', :at, l.id
    {_NAMED} JOIN inventory_level l ON l.item_id = i.id AND l.warehouse_id = w.id
    WHERE g.units <> l.on_hand"""
_FIGURES = f"""UPDATE inventory_level
    SET on_hand = n.units, available = available + n.units - on_hand, counted_at = :at, updated_at = :at
    FROM (SELECT i.id AS item_id, w.id AS warehouse_id, g.units {_NAMED}) n
    WHERE inventory_level.item_id = n.item_id AND inventory_level.warehouse_id = n.warehouse_id"""


Row = tuple[str, str, int]
"""A SKU, a warehouse code, and the counted units."""


def into_sqlite(path: str, rows: Iterable[Row]) -> None:
    at = {"at": datetime.now(UTC).isoformat(" ")}
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA synchronous = FULL")
        db.execute("BEGIN IMMEDIATE")
        db.execute(_GIVEN)
        db.executemany("INSERT INTO given VALUES (?, ?, ?)", _stored(rows))
        _check(db.execute("SELECT COUNT(*) FROM given").fetchone()[0], db.execute(_NAMES).fetchone()[0])
        for statement in (_MISSING, _MOVEMENTS, _FIGURES):
            db.execute(statement, at)
        db.execute("COMMIT")


async def into_postgres(rows: Iterable[Row], url: str | None = None, **credentials: Any) -> None:
    at = datetime.now(UTC)
    db: Any = await asyncpg.connect(url, **credentials)
    async with db.transaction():
        await db.execute(_GIVEN)
        await db.copy_records_to_table("given", records=_stored(rows))
        await db.execute("ANALYZE given")
        _check(await db.fetchval("SELECT COUNT(*) FROM given"), await db.fetchval(_NAMES))
        for statement in (_MISSING, _MOVEMENTS, _FIGURES):
            await db.execute(statement.replace(":at", "$1::timestamptz"), at)
    await db.close()


def _stored(rows: Iterable[Row]) -> Iterator[Row]:
    return ((sku, warehouse, units * _UNIT) for sku, warehouse, units in rows)


def _rows(path: str, sku: str, warehouse: str, units: str) -> Iterator[Row]:
    with Path(path).open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            yield row[sku], row[warehouse], int(float(row[units]))


def _check(given: int, named: int) -> None:
    if given != named:
        raise SystemExit(f"{given - named} rows do not name an item and a warehouse.")


if __name__ == "__main__":
    url, file, *columns = sys.argv[1:]
    given = _rows(file, *columns)
    if url.startswith("sqlite:"):
        into_sqlite(url.removeprefix("sqlite:///"), given)
    else:
        asyncio.run(into_postgres(given, url))
