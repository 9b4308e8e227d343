"""Spools for imported files: temporary databases on disk that reorder rows in little memory.

A spool is private to its import and deleted when it is closed. ``services.imports`` checks and writes its rows.
"""

import itertools
import json
import pickle
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self

from gqlstock.rules import skus as spelling
from gqlstock.rules.catalog import InventoryStatus
from gqlstock.rules.import_rows import ItemName, ItemStatus, LevelCount, Row, Tie
from gqlstock.store.counts import Count
from gqlstock.store.db.fields import from_units, to_units

_ROWS_PER_PART = 5_000


class Spool:
    """A temporary SQLite database with a 2 MB cache and a file that SQLite deletes."""

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

    def _count(self, table: str) -> int:
        (length,) = self._db.execute(f"SELECT COUNT(*) FROM {table}").fetchone()
        return int(length)

    def _parts(self, statement: str) -> Iterator[list[Any]]:
        """The rows of a statement, in parts."""
        rows = self._db.execute(statement)
        while part := rows.fetchmany(_ROWS_PER_PART):
            yield part


class Counts(Spool):
    """The counts of a file in three tables: by name, by id, and to be written. A fourth has item statuses."""

    tables = (
        "named (item, warehouse, line, units, PRIMARY KEY (item, warehouse)) WITHOUT ROWID",
        "resolved (item_id, warehouse_id, line, units, PRIMARY KEY (item_id, warehouse_id)) WITHOUT ROWID",
        "due (item_id, warehouse_id, line, units, PRIMARY KEY (item_id, warehouse_id)) WITHOUT ROWID",
        "status (item PRIMARY KEY, line, status) WITHOUT ROWID",
    )

    def put(self, counts: Sequence[LevelCount]) -> Iterator[tuple[LevelCount, LevelCount]]:
        """Add counts. Returns those that contradict an earlier count, with that count. Equal counts are stored once."""
        rows = [(_stored_name(count.item), count.warehouse, count.line, to_units(count.on_hand)) for count in counts]
        put = self._db.executemany("INSERT INTO named VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", rows)
        if put.rowcount < len(rows):
            for count in counts:
                known = self._named(count.item, count.warehouse)
                if known.on_hand != count.on_hand:
                    yield count, known

    def _named(self, item: ItemName, warehouse: str) -> LevelCount:
        find = "SELECT line, item, warehouse, units FROM named WHERE (item, warehouse) = (?, ?)"
        return _level_count(self._db.execute(find, (_stored_name(item), warehouse)).fetchone())

    def named(self) -> Iterator[list[LevelCount]]:
        """All counts by item, in parts."""
        for part in self._parts("SELECT line, item, warehouse, units FROM named ORDER BY item, warehouse"):
            yield [_level_count(row) for row in part]

    def counts_item(self, item: ItemName) -> bool:
        """Whether the file counts an item."""
        find = "SELECT 1 FROM named WHERE item = ? LIMIT 1"
        return self._db.execute(find, (_stored_name(item),)).fetchone() is not None

    def warehouses(self) -> Iterator[tuple[str, int]]:
        """The warehouses in the file, each with the first line that names it."""
        yield from self._db.execute("SELECT warehouse, MIN(line) FROM named GROUP BY warehouse ORDER BY 2")

    def put_status(self, status: ItemStatus) -> ItemStatus | None:
        """Add a status. Returns an earlier one that it contradicts."""
        name = _stored_name(status.item)
        self._db.execute("INSERT OR IGNORE INTO status VALUES (?, ?, ?)", (name, status.line, status.status))
        known = _status(self._db.execute("SELECT line, item, status FROM status WHERE item = ?", (name,)).fetchone())
        return known if known.status is not status.status else None

    def statuses(self) -> Iterator[list[ItemStatus]]:
        """All statuses by item, in parts."""
        for part in self._parts("SELECT line, item, status FROM status ORDER BY item"):
            yield [_status(row) for row in part]

    def put_resolved(self, counts: Sequence[Count]) -> Iterator[tuple[Count, Count]]:
        """Add counts by id. Returns each count whose level already has a count, with that count."""
        for count in counts:
            row = (count.item_id, count.warehouse_id, count.line, to_units(count.on_hand))
            put = self._db.execute("INSERT INTO resolved VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", row)
            if not put.rowcount:
                find = "SELECT line, units FROM resolved WHERE (item_id, warehouse_id) = (?, ?)"
                line, units = self._db.execute(find, count.key).fetchone()
                yield count, Count(line, *count.key, from_units(units))

    def resolved(self, size: int, items: int) -> Iterator[list[Count]]:
        """All counts by id, in parts as in ``_in_order``."""
        return self._in_order("resolved", size, items)

    def put_due(self, counts: Sequence[Count]) -> None:
        """Add counts to write."""
        rows = [(count.item_id, count.warehouse_id, count.line, to_units(count.on_hand)) for count in counts]
        self._db.executemany("INSERT INTO due VALUES (?, ?, ?, ?)", rows)

    def due(self, size: int, items: int) -> Iterator[list[Count]]:
        """The counts to write, in parts as in ``_in_order``."""
        return self._in_order("due", size, items)

    def __len__(self) -> int:
        return self._count("resolved")

    @property
    def due_count(self) -> int:
        return self._count("due")

    def _in_order(self, table: str, size: int, items: int) -> Iterator[list[Count]]:
        """Counts in item order, in parts of at most ``size`` counts and ``items`` items.

        The counts of one item stay together, even if they exceed ``size``.
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


def _folded(sku: str) -> str:
    return spelling.normalized(sku).casefold()


def _stored_name(item: ItemName) -> str:
    return json.dumps([item.sku, item.slug, item.choice])


def _level_count(row: tuple[int, str, str, int]) -> LevelCount:
    line, item, warehouse, units = row
    return LevelCount(line, _name(item), warehouse, from_units(units))


def _status(row: tuple[int, str, str]) -> ItemStatus:
    line, item, status = row
    return ItemStatus(line, _name(item), InventoryStatus(status))


def _name(stored: str) -> ItemName:
    sku, slug, choice = json.loads(stored)
    return ItemName(sku, slug, tuple(map(tuple, choice)))


class Products(Spool):
    """The rows of a file with their ties, the records built from them, and SKUs: the file's, generated and other items'."""

    # Row numbers have a type, because SQLite uses no index to compare typed with untyped columns.
    tables = (
        "row (n INTEGER PRIMARY KEY, line, cells, grp)",
        "head (grp PRIMARY KEY, product INTEGER) WITHOUT ROWID",
        "tied (product INTEGER, n INTEGER, PRIMARY KEY (product, n)) WITHOUT ROWID",
        "ref (ref, n INTEGER, PRIMARY KEY (ref, n)) WITHOUT ROWID",
        "member (ref, n INTEGER, PRIMARY KEY (ref, n)) WITHOUT ROWID",
        "record (n INTEGER PRIMARY KEY, pickled)",
        "sku (folded, line, sku, PRIMARY KEY (folded, line)) WITHOUT ROWID",
        "made (sku PRIMARY KEY) WITHOUT ROWID",
        "slug (slug PRIMARY KEY, line) WITHOUT ROWID",
        "freed (item_id PRIMARY KEY) WITHOUT ROWID",
        "clash (line, sku, item_id, PRIMARY KEY (line, sku)) WITHOUT ROWID",
    )

    def put(self, rows: Sequence[tuple[Row, Tie]]) -> None:
        """Add rows in file order."""
        numbered = list(enumerate(rows, self._count("row") + 1))
        stored = [(n, row.line, json.dumps(row.cells), tie.group) for n, (row, tie) in numbered]
        self._db.executemany("INSERT INTO row (n, line, cells, grp) VALUES (?, ?, ?, ?)", stored)
        refs = [(ref, n) for n, (_, tie) in numbered for ref in tie.refs]
        self._db.executemany("INSERT OR IGNORE INTO ref VALUES (?, ?)", refs)
        members = [(ref, n) for n, (_, tie) in numbered for ref in tie.members]
        self._db.executemany("INSERT OR IGNORE INTO member VALUES (?, ?)", members)

    def has_ref(self, ref: str) -> bool:
        """Whether a row has this ref."""
        return self._db.execute("SELECT 1 FROM ref WHERE ref = ? LIMIT 1", (ref,)).fetchone() is not None

    def products(self) -> Iterator[list[Row]]:
        """The rows of each product in file order, with products ordered by their first row.

        A row belongs to the group that it names; otherwise to the first row that names it as a member; otherwise to itself.
        """
        self._tie()
        rows = self._db.execute(
            """SELECT t.product, r.line, r.cells
               FROM (SELECT product, MIN(n) AS first FROM tied GROUP BY product) AS head
               JOIN tied AS t ON t.product = head.product JOIN row AS r ON r.n = t.n ORDER BY head.first, t.n"""
        )
        for _, found in itertools.groupby(rows, key=lambda row: row[0]):
            yield [Row(line, json.loads(cells)) for _, line, cells in found]

    def _tie(self) -> None:
        """Find the product of each row. The number of one of its rows identifies a product."""
        self._db.execute("CREATE INDEX row_group ON row (grp, n)")
        self._db.execute("CREATE INDEX refs_of_row ON ref (n, ref)")
        self._db.execute(
            """INSERT INTO head
               SELECT grp, COALESCE((SELECT MIN(n) FROM ref WHERE ref = grp), MIN(n))
               FROM row WHERE grp IS NOT NULL GROUP BY grp"""
        )
        self._db.execute(
            """INSERT INTO tied
               SELECT COALESCE(
                   (SELECT product FROM head WHERE head.grp = row.grp),
                   (SELECT MIN(m.n) FROM ref AS r JOIN member AS m ON m.ref = r.ref WHERE r.n = row.n AND m.n <> row.n),
                   n), n FROM row"""
        )

    def put_record(self, record: object) -> None:
        """Add the record built from the rows of one product."""
        self._db.execute("INSERT INTO record (pickled) VALUES (?)", (pickle.dumps(record),))

    def records(self) -> Iterator[Any]:
        """The records, in the order in which they were added."""
        for (pickled,) in self._db.execute("SELECT pickled FROM record ORDER BY n"):
            yield pickle.loads(pickled)

    def __len__(self) -> int:
        return self._count("record")

    def put_skus(self, skus: Iterable[tuple[str, int]]) -> None:
        """Add SKUs of the file with their lines."""
        rows = [(_folded(sku), line, sku) for sku, line in skus]
        self._db.executemany("INSERT OR IGNORE INTO sku VALUES (?, ?, ?)", rows)

    def put_slug(self, slug: str, line: int) -> None:
        """Add a slug of the file with its line."""
        self._db.execute("INSERT OR IGNORE INTO slug VALUES (?, ?)", (slug, line))

    def is_first_with_slug(self, slug: str, line: int) -> bool:
        """Whether no earlier product of the file has this slug."""
        found = self._db.execute("SELECT line FROM slug WHERE slug = ?", (slug,)).fetchone()
        return found is None or found == (line,)

    def put_made(self, sku: str) -> None:
        """Add a SKU that will be generated."""
        self._db.execute("INSERT OR IGNORE INTO made VALUES (?)", (sku,))

    def __contains__(self, sku: object) -> bool:
        """Whether a SKU is in the file or will be generated."""
        assert isinstance(sku, str)
        find = "SELECT 1 FROM sku WHERE folded = ? AND sku = ? UNION ALL SELECT 1 FROM made WHERE sku = ? LIMIT 1"
        return self._db.execute(find, (_folded(sku), sku, sku)).fetchone() is not None

    def repeated_skus(self) -> Iterator[tuple[str, int, str, int]]:
        """Each SKU that equals an earlier one except for case, with its line, the earlier SKU and its line."""
        yield from self._db.execute(
            """SELECT s.sku, s.line, first.sku, first.line FROM sku AS s
               JOIN (SELECT folded, MIN(line) AS line FROM sku GROUP BY folded HAVING COUNT(*) > 1) AS head
                   ON head.folded = s.folded
               JOIN sku AS first ON (first.folded, first.line) = (head.folded, head.line)
               WHERE s.line > first.line ORDER BY s.line"""
        )

    def free(self, item_ids: Iterable[int]) -> None:
        """Add the ids of items whose SKU the file changes."""
        self._db.executemany("INSERT OR IGNORE INTO freed VALUES (?)", ((item_id,) for item_id in item_ids))

    def clash(self, found: Iterable[tuple[int, str, int]]) -> None:
        """Add SKUs that other items have: the line, the SKU, and the other item's id."""
        self._db.executemany("INSERT OR IGNORE INTO clash VALUES (?, ?, ?)", found)

    def clashes(self) -> Iterator[tuple[int, str]]:
        """The lines with SKUs that other items have and keep."""
        yield from self._db.execute(
            "SELECT line, sku FROM clash WHERE item_id NOT IN (SELECT item_id FROM freed) ORDER BY line"
        )
