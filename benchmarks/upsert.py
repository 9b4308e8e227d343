"""Hand-written import of a file of levels: upserts every level and inserts its movement, in one transaction.

    .venv/bin/python benchmarks/upsert.py DATABASE_URL FILE.csv

Nothing else: no locks on items, no errors by line, no alerts, no backorder fills, no events.
"""

import asyncio
import csv
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import asyncpg

_UNIT = 10_000
_IDS = "SELECT sku, id FROM item WHERE deleted_at IS NULL"
_CODES = "SELECT code, id FROM warehouse"
_GIVEN = "CREATE TEMPORARY TABLE given (item_id BIGINT, warehouse_id BIGINT, units BIGINT)"
_BEFORE = """CREATE TEMPORARY TABLE before AS SELECT g.item_id, g.warehouse_id, g.units, COALESCE(l.on_hand, 0) AS was
    FROM given g LEFT JOIN inventory_level l ON l.item_id = g.item_id AND l.warehouse_id = g.warehouse_id"""
_LEVELS = """INSERT INTO inventory_level (item_id, warehouse_id, on_hand, reserved, planned, held, backordered, incoming,
        available, counted_at, updated_at)
    SELECT item_id, warehouse_id, units, 0, 0, 0, 0, 0, units, {at}, {at} FROM given WHERE TRUE
    ON CONFLICT (item_id, warehouse_id) DO UPDATE SET on_hand = excluded.on_hand,
        available = excluded.on_hand - inventory_level.reserved - inventory_level.planned - inventory_level.held,
        counted_at = excluded.counted_at, updated_at = excluded.updated_at"""
_LEDGER = """INSERT INTO stock_movement (level_id, kind, quantity, on_hand_after, actor, created_at)
    SELECT l.id, 'IMPORT', b.units - b.was, b.units, 'by hand', {at}
    FROM before b JOIN inventory_level l ON l.item_id = b.item_id AND l.warehouse_id = b.warehouse_id
    WHERE b.units <> b.was"""

Row = tuple[int, int, int]


def given(file: str, ids: Mapping[str, int], places: Mapping[str, int]) -> Iterator[Row]:
    with open(file, encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            yield ids[row["sku"]], places[row["warehouse"]], int(row["on_hand"]) * _UNIT


def into_sqlite(path: str, file: str) -> None:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA synchronous = FULL")
    rows = given(file, dict(db.execute(_IDS).fetchall()), dict(db.execute(_CODES).fetchall()))
    at = f"'{datetime.now(UTC).isoformat(sep=' ')}'"
    db.execute("BEGIN IMMEDIATE")
    db.execute(_GIVEN)
    db.executemany("INSERT INTO given VALUES (?, ?, ?)", rows)
    for statement in (_BEFORE, _LEVELS, _LEDGER):
        db.execute(statement.format(at=at))
    db.execute("COMMIT")


async def into_postgres(url: str, file: str) -> None:
    db = await asyncpg.connect(url)
    rows = given(file, dict(await db.fetch(_IDS)), dict(await db.fetch(_CODES)))
    async with db.transaction():
        await db.execute(_GIVEN)
        await db.copy_records_to_table("given", records=rows)
        for statement in (_BEFORE, _LEVELS, _LEDGER):
            await db.execute(statement.format(at="now()"))
    await db.close()


if __name__ == "__main__":
    url, file = sys.argv[1:]
    if url.startswith("sqlite:///"):
        into_sqlite(url.removeprefix("sqlite:///"), file)
    else:
        asyncio.run(into_postgres(url, file))
