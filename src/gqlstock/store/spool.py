"""What a file says, set aside on disk and read back in another order: a million rows take no more memory than a few.

Each is a database of its own that nobody else sees and that is gone when it is closed. What the rows mean is said elsewhere.
"""

import itertools
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import TracebackType
from typing import Any, Self

from gqlstock.rules.sheet import Row
from gqlstock.store.counts import Count
from gqlstock.store.db.fields import from_units, to_units

_AT_ONCE = 5_000


class Spool:
    """A database on disk without a name: what of it is not in a cache of 2 MB is in a file that SQLite removes."""

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
        """The rows of a statement, some thousands at a time."""
        rows = self._db.execute(statement)
        while part := rows.fetchmany(_AT_ONCE):
            yield part


@dataclass(frozen=True, slots=True)
class Named:
    """What one line says of one level, by the names that it gives."""

    line: int
    sku: str
    warehouse: str
    on_hand: Decimal


class Counts(Spool):
    """The counts of a file: put in as they come, read back by their names, and once these are known by their ids."""

    tables = (
        "named (sku, warehouse, line, units, PRIMARY KEY (sku, warehouse)) WITHOUT ROWID",
        "counted (item_id, warehouse_id, line, units, PRIMARY KEY (item_id, warehouse_id)) WITHOUT ROWID",
        "due (item_id, warehouse_id, line, units, PRIMARY KEY (item_id, warehouse_id)) WITHOUT ROWID",
    )

    def put(self, given: Sequence[Named]) -> Iterator[tuple[Named, Named]]:
        """Take counts in; gives those that contradict an earlier one, with that. What is the same again is one count."""
        rows = [(one.sku, one.warehouse, one.line, to_units(one.on_hand)) for one in given]
        put = self._db.executemany("INSERT INTO named VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", rows)
        if put.rowcount < len(rows):
            for one in given:
                known = self._named(one.sku, one.warehouse)
                if known.on_hand != one.on_hand:
                    yield one, known

    def _named(self, sku: str, warehouse: str) -> Named:
        find = "SELECT line, sku, warehouse, units FROM named WHERE (sku, warehouse) = (?, ?)"
        return _named(self._db.execute(find, (sku, warehouse)).fetchone())

    def named(self) -> Iterator[list[Named]]:
        """All counts by SKU, some thousands at a time."""
        for part in self._parts("SELECT line, sku, warehouse, units FROM named ORDER BY sku, warehouse"):
            yield [_named(row) for row in part]

    def know(self, counts: Sequence[Count]) -> None:
        """Take in counts by the ids of what they name."""
        self._put("counted", counts)

    def known(self, size: int, items: int) -> Iterator[list[Count]]:
        """All counts in the order of items, in parts: see ``_in_order``."""
        return self._in_order("counted", size, items)

    def put_due(self, counts: Sequence[Count]) -> None:
        """Take in counts that are to be written."""
        self._put("due", counts)

    def due(self, size: int, items: int) -> Iterator[list[Count]]:
        """The counts that are to be written in the order of items, in parts: see ``_in_order``."""
        return self._in_order("due", size, items)

    def __len__(self) -> int:
        return self._count("counted")

    @property
    def due_count(self) -> int:
        return self._count("due")

    def _put(self, table: str, counts: Sequence[Count]) -> None:
        rows = [(one.item_id, one.warehouse_id, one.line, to_units(one.on_hand)) for one in counts]
        self._db.executemany(f"INSERT INTO {table} VALUES (?, ?, ?, ?)", rows)

    def _in_order(self, table: str, size: int, items: int) -> Iterator[list[Count]]:
        """At most so many counts of at most so many items at a time; those of one item stay together, however many."""
        rows = self._db.execute(
            f"SELECT line, item_id, warehouse_id, units FROM {table} ORDER BY item_id, warehouse_id"
        )
        part: list[Count] = []
        of_items = 0
        for _, found in itertools.groupby(rows, key=lambda row: row[1]):
            of_item = [Count(line, item_id, place, from_units(units)) for line, item_id, place, units in found]
            if part and (len(part) + len(of_item) > size or of_items == items):
                yield part
                part, of_items = [], 0
            part += of_item
            of_items += 1
        if part:
            yield part

    def _count(self, table: str) -> int:
        (length,) = self._db.execute(f"SELECT COUNT(*) FROM {table}").fetchone()
        return int(length)


def _named(row: tuple[int, str, str, int]) -> Named:
    line, sku, warehouse, units = row
    return Named(line, sku, warehouse, from_units(units))


class Products(Spool):
    """The rows of a file by the handle that they are of, and the SKUs that are taken in it."""

    tables = (
        "row (handle, line, cells, PRIMARY KEY (handle, line)) WITHOUT ROWID",
        "sku (sku, line, PRIMARY KEY (sku, line)) WITHOUT ROWID",
        "freed (item_id PRIMARY KEY) WITHOUT ROWID",
        "clash (line, sku, item_id, PRIMARY KEY (line, sku)) WITHOUT ROWID",
    )

    def put(self, rows: Sequence[Row]) -> None:
        """Take rows in, each with a handle."""
        given = [(row["Handle"], row.line, json.dumps(row.cells)) for row in rows]
        self._db.executemany("INSERT INTO row VALUES (?, ?, ?)", given)

    def products(self) -> Iterator[list[Row]]:
        """The rows of one handle after the other, in the order in which handles come first."""
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

    def take(self, skus: Iterable[tuple[str, int]]) -> None:
        """Take in SKUs, with the line that each stands on."""
        self._db.executemany("INSERT INTO sku VALUES (?, ?)", skus)

    def __contains__(self, sku: object) -> bool:
        """Whether a SKU was taken in."""
        return self._db.execute("SELECT 1 FROM sku WHERE sku = ? LIMIT 1", (sku,)).fetchone() is not None

    def twice(self) -> Iterator[tuple[str, int, int]]:
        """The SKUs that stand on another line before, with both."""
        yield from self._db.execute(
            """SELECT s.sku, s.line, first.line FROM sku AS s
               JOIN (SELECT sku, MIN(line) AS line FROM sku GROUP BY sku HAVING COUNT(*) > 1) AS first ON first.sku = s.sku
               WHERE s.line > first.line ORDER BY s.line"""
        )

    def free(self, item_ids: Iterable[int]) -> None:
        """Take in the ids of items that the file takes the SKU from."""
        self._db.executemany("INSERT OR IGNORE INTO freed VALUES (?)", ((item_id,) for item_id in item_ids))

    def clash(self, found: Iterable[tuple[int, str, int]]) -> None:
        """Take in SKUs that other items have: the line, the SKU, and the item's id."""
        self._db.executemany("INSERT OR IGNORE INTO clash VALUES (?, ?, ?)", found)

    def clashes(self) -> Iterator[tuple[int, str]]:
        """The lines with SKUs that other items have and keep."""
        yield from self._db.execute(
            "SELECT line, sku FROM clash WHERE item_id NOT IN (SELECT item_id FROM freed) ORDER BY line"
        )
