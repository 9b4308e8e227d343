"""Spools of imported files: temporary databases on disk that return rows in another order, in little memory.

A spool is private to its import and deleted when it is closed. ``services.imports`` checks and writes its rows.
"""

import itertools
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import TracebackType
from typing import Any, Self

from gqlstock.rules.import_rows import Row
from gqlstock.store.counts import Count
from gqlstock.store.db.fields import from_units, to_units

_ROWS_PER_PART = 5_000


class Spool:
    """A temporary SQLite database: a cache of 2 MB, and a file that SQLite deletes."""

    tables: tuple[str, ...]

    def __enter__(self) -> Self:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute("PRAGMA journal_mode = OFF")
        for table in self.tables:
            self._db.execute(f"CREATE TABLE {table}")
        self._db.execute("BEGIN")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def _parts(self, statement: str) -> Iterator[list[Any]]:
        """The rows of a statement, in parts."""
        rows = self._db.execute(statement)
        while part := rows.fetchmany(_ROWS_PER_PART):
            yield part


@dataclass(frozen=True, slots=True)
class NamedCount:
    """The count of one level by SKU and warehouse code, with its line in the file."""

    line: int
    sku: str
    warehouse: str
    on_hand: Decimal


class Counts(Spool):
    """The counts of a file, in three tables: by names, by ids, and those to write."""

    tables = (
        "named (sku, warehouse, line, units, PRIMARY KEY (sku, warehouse)) WITHOUT ROWID",
        "resolved (item_id, warehouse_id, line, units, PRIMARY KEY (item_id, warehouse_id)) WITHOUT ROWID",
        "due (item_id, warehouse_id, line, units, PRIMARY KEY (item_id, warehouse_id)) WITHOUT ROWID",
    )

    def put(self, given: Sequence[NamedCount]) -> Iterator[tuple[NamedCount, NamedCount]]:
        """Add counts. Returns those that contradict an earlier one, with that. Equal counts are stored once."""
        rows = [(one.sku, one.warehouse, one.line, to_units(one.on_hand)) for one in given]
        put = self._db.executemany("INSERT INTO named VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", rows)
        if put.rowcount < len(rows):
            for one in given:
                known = self._named(one.sku, one.warehouse)
                if known.on_hand != one.on_hand:
                    yield one, known

    def _named(self, sku: str, warehouse: str) -> NamedCount:
        find = "SELECT line, sku, warehouse, units FROM named WHERE (sku, warehouse) = (?, ?)"
        return _named(self._db.execute(find, (sku, warehouse)).fetchone())

    def named(self) -> Iterator[list[NamedCount]]:
        """All counts by SKU, in parts."""
        for part in self._parts("SELECT line, sku, warehouse, units FROM named ORDER BY sku, warehouse"):
            yield [_named(row) for row in part]

    def put_resolved(self, counts: Sequence[Count]) -> None:
        """Add counts by ids."""
        self._put("resolved", counts)

    def resolved(self, size: int, items: int) -> Iterator[list[Count]]:
        """All counts by ids, in parts as of ``_in_order``."""
        return self._in_order("resolved", size, items)

    def put_due(self, counts: Sequence[Count]) -> None:
        """Add counts to write."""
        self._put("due", counts)

    def due(self, size: int, items: int) -> Iterator[list[Count]]:
        """The counts to write, in parts as of ``_in_order``."""
        return self._in_order("due", size, items)

    def __len__(self) -> int:
        return self._count("resolved")

    @property
    def due_count(self) -> int:
        return self._count("due")

    def _put(self, table: str, counts: Sequence[Count]) -> None:
        rows = [(one.item_id, one.warehouse_id, one.line, to_units(one.on_hand)) for one in counts]
        self._db.executemany(f"INSERT INTO {table} VALUES (?, ?, ?, ?)", rows)

    def _in_order(self, table: str, size: int, items: int) -> Iterator[list[Count]]:
        """Counts in the order of items, in parts of at most ``size`` counts and ``items`` items.

        The counts of one item stay together, also where they exceed ``size``.
        """
        rows = self._db.execute(
            f"SELECT line, item_id, warehouse_id, units FROM {table} ORDER BY item_id, warehouse_id"
        )
        part: list[Count] = []
        item_count = 0
        for _, found in itertools.groupby(rows, key=lambda row: row[1]):
            of_item = [Count(line, item_id, place, from_units(units)) for line, item_id, place, units in found]
            if part and (len(part) + len(of_item) > size or item_count == items):
                yield part
                part, item_count = [], 0
            part += of_item
            item_count += 1
        if part:
            yield part

    def _count(self, table: str) -> int:
        (length,) = self._db.execute(f"SELECT COUNT(*) FROM {table}").fetchone()
        return int(length)


def _named(row: tuple[int, str, str, int]) -> NamedCount:
    line, sku, warehouse, units = row
    return NamedCount(line, sku, warehouse, from_units(units))


class Products(Spool):
    """The rows of a Shopify export by handle, its SKUs, and the SKUs that other items have."""

    tables = (
        "row (handle, line, cells, PRIMARY KEY (handle, line)) WITHOUT ROWID",
        "sku (sku, line, PRIMARY KEY (sku, line)) WITHOUT ROWID",
        "freed (item_id PRIMARY KEY) WITHOUT ROWID",
        "clash (line, sku, item_id, PRIMARY KEY (line, sku)) WITHOUT ROWID",
    )

    def put(self, rows: Sequence[Row]) -> None:
        """Add rows, each with a handle."""
        given = [(row["Handle"], row.line, json.dumps(row.cells)) for row in rows]
        self._db.executemany("INSERT INTO row VALUES (?, ?, ?)", given)

    def products(self) -> Iterator[list[Row]]:
        """The rows of each handle, in the order in which the handles first occur."""
        rows = self._db.execute(
            """SELECT r.handle, r.line, r.cells
               FROM (SELECT handle, MIN(line) AS line FROM row GROUP BY handle) AS head
               JOIN row AS r ON r.handle = head.handle ORDER BY head.line, r.line"""
        )
        for _, found in itertools.groupby(rows, key=lambda row: row[0]):
            yield [Row(line, json.loads(cells)) for _, line, cells in found]

    def __len__(self) -> int:
        (length,) = self._db.execute("SELECT COUNT(DISTINCT handle) FROM row").fetchone()
        return int(length)

    def put_skus(self, skus: Iterable[tuple[str, int]]) -> None:
        """Add SKUs with their lines."""
        self._db.executemany("INSERT INTO sku VALUES (?, ?)", skus)

    def __contains__(self, sku: object) -> bool:
        """Whether the file has a SKU."""
        return self._db.execute("SELECT 1 FROM sku WHERE sku = ? LIMIT 1", (sku,)).fetchone() is not None

    def repeated_skus(self) -> Iterator[tuple[str, int, int]]:
        """The SKUs that occur on an earlier line, with their line and the first one."""
        yield from self._db.execute(
            """SELECT s.sku, s.line, first.line FROM sku AS s
               JOIN (SELECT sku, MIN(line) AS line FROM sku GROUP BY sku HAVING COUNT(*) > 1) AS first ON first.sku = s.sku
               WHERE s.line > first.line ORDER BY s.line"""
        )

    def free(self, item_ids: Iterable[int]) -> None:
        """Add the ids of items that lose their SKU by the file."""
        self._db.executemany("INSERT OR IGNORE INTO freed VALUES (?)", ((item_id,) for item_id in item_ids))

    def clash(self, found: Iterable[tuple[int, str, int]]) -> None:
        """Add SKUs that other items have: the line, the SKU, and the item's id."""
        self._db.executemany("INSERT OR IGNORE INTO clash VALUES (?, ?, ?)", found)

    def clashes(self) -> Iterator[tuple[int, str]]:
        """The lines with SKUs that other items have and keep."""
        yield from self._db.execute(
            "SELECT line, sku FROM clash WHERE item_id NOT IN (SELECT item_id FROM freed) ORDER BY line"
        )
