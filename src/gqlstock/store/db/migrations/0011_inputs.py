"""Normalized SKUs and codes, folded text for search, and the coordinates that orders ship to."""

import logging
from typing import Any

from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from gqlstock.rules import skus
from gqlstock.rules.folding import folded
from gqlstock.store.db.fields import FoldedField

log = logging.getLogger(__name__)

_BATCH_SIZE = 5_000

# The tables with a SKU or a code, its column, and whether it is unique.
_NORMALIZED = {
    "item": ("sku", True),
    "warehouse": ("code", True),
    "website": ("code", True),
    "organization": ("code", True),
    "order_line": ("sku", False),
    "stock_hold_line": ("sku", False),
    "low_inventory_alert": ("sku", False),
    "back_in_stock_subscription": ("sku", False),
}
# The source columns of each folded column. The first is never null.
_FOLDED: dict[str, dict[str, tuple[str, ...]]] = {
    "item": {"folded_sku": ("sku",), "folded": ("name", "own_code", "barcode")},
    "customer_order": {"folded": ("customer_email", "reference")},
    "order_line": {"folded": ("sku", "name")},
}


class _Database:
    """The database being migrated. Its statements have the placeholder ``?``."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.is_postgres = client.capabilities.dialect == "postgres"

    def _numbered(self, statement: str) -> str:
        parts = statement.split("?")
        if not self.is_postgres:
            return statement
        return "".join(f"{part}${number}" for number, part in enumerate(parts[:-1], 1)) + parts[-1]

    async def query(self, statement: str, *values: Any) -> list[Any]:
        return list(await self._client.execute_query_dict(self._numbered(statement), list(values)))

    async def run(self, statement: str, rows: list[list[Any]]) -> None:
        await self._client.execute_many(self._numbered(statement), rows)

    def is_odd(self, text: str) -> str:
        """SQL: whether a text contains anything but printable ASCII and single spaces."""
        if self.is_postgres:
            return f"(({text}) COLLATE \"C\" ~ '[^ -~]' OR ({text}) LIKE '%  %')"
        return f"(({text}) GLOB '*[^ -~]*' OR ({text}) LIKE '%  %')"

    def lower(self, text: str) -> str:
        return f'LOWER(({text}) COLLATE "C")' if self.is_postgres else f"LOWER({text})"


async def _normalize(_: Any, editor: Any) -> None:
    """Normalize every SKU and code, because lookups use the normalized form."""
    db = _Database(editor.client)
    for table, (column, unique) in _NORMALIZED.items():
        rows = await db.query(
            f"SELECT id, {column} AS text FROM {table} WHERE {db.is_odd(column)} OR {column} <> TRIM({column}) ORDER BY id"
        )
        wrong = [(row["id"], row["text"], skus.normalized(row["text"])) for row in rows]
        changes = []
        for row_id, text, wanted in wrong:
            if wanted == text:
                continue
            new = await _free(db, table, column, row_id, wanted or f"{table}-{row_id}") if unique else wanted
            if new != wanted:
                log.warning(
                    "%s %s: %s %r changed to %r, because %r is taken or empty.",
                    table,
                    row_id,
                    column,
                    text,
                    new,
                    wanted,
                )
            if unique:
                await db.query(f"UPDATE {table} SET {column} = ? WHERE id = ?", new, row_id)
            else:
                changes.append([new, row_id])
        if changes:
            await db.run(f"UPDATE {table} SET {column} = ? WHERE id = ?", changes)


async def _free(db: _Database, table: str, column: str, row_id: int, wanted: str) -> str:
    """The wanted text, with a number appended if another row has it."""
    in_use = "AND deleted_at IS NULL" if table == "item" else ""
    if in_use and not await db.query(f"SELECT 1 AS found FROM item WHERE id = ? {in_use}", row_id):
        return wanted
    text, number = wanted, 1
    while await db.query(
        f"SELECT 1 AS found FROM {table} WHERE {column} = ? AND id <> ? {in_use} LIMIT 1", text, row_id
    ):
        number += 1
        text = f"{wanted[:240]}-{number}"
    return text


async def _fold(_: Any, editor: Any) -> None:
    """Fill the folded columns: plain ASCII in SQL, other text with ``folding.folded``."""
    db = _Database(editor.client)
    for table, columns in _FOLDED.items():
        for column, of in columns.items():
            text = " || ".join(f"COALESCE({name}, '')" for name in of)
            lines = " || ".join(
                f"COALESCE({name}, '')" if n == 0 else _next_line(of[:n], name) for n, name in enumerate(of)
            )
            await db.query(f"UPDATE {table} SET {column} = {db.lower(lines)} WHERE NOT {db.is_odd(text)}")
            last = 0
            while rows := await db.query(
                f"""SELECT id, {", ".join(of)} FROM {table} WHERE {column} IS NULL AND id > ?
                    ORDER BY id LIMIT {_BATCH_SIZE}""",
                last,
            ):
                last = rows[-1]["id"]
                found = [[folded(*(row[name] for name in of)), row["id"]] for row in rows]
                await db.run(f"UPDATE {table} SET {column} = ? WHERE id = ?", found)


def _next_line(before: tuple[str, ...], name: str) -> str:
    """SQL: a column on its own line, like ``folded``."""
    first = " AND ".join(f"COALESCE({other}, '') = ''" for other in before)
    return f"CASE WHEN COALESCE({name}, '') = '' THEN '' WHEN {first} THEN {name} ELSE '\n' || {name} END"


class OnPostgres(ops.RunSQL):
    """SQL that SQLite does not need or support."""

    async def database_forward(self, app_label: str, old_state: Any, new_state: Any, state_editor: Any = None) -> None:
        if state_editor and state_editor.client.capabilities.dialect == "postgres":
            await super().database_forward(app_label, old_state, new_state, state_editor)


# The index of 0005_growth, now on the folded columns.
_SEARCH = """
    DO $$ BEGIN
        DROP INDEX IF EXISTS item_search;
        CREATE EXTENSION IF NOT EXISTS pg_trgm;
        CREATE INDEX item_search ON item USING gin (folded gin_trgm_ops, folded_sku gin_trgm_ops);
    EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported OR undefined_object THEN
        RAISE NOTICE 'pg_trgm is not available: item searches use no index';
    END $$
"""


class Migration(migrations.Migration):
    dependencies = [("gqlstock", "0010_planned_order_and_reassessments")]

    initial = False

    operations = [
        ops.AddField(model_name="Order", name="ship_latitude", field=fields.FloatField(null=True)),
        ops.AddField(model_name="Order", name="ship_longitude", field=fields.FloatField(null=True)),
        ops.AddField(model_name="Item", name="folded_sku", field=FoldedField()),
        ops.AddField(model_name="Item", name="folded", field=FoldedField()),
        ops.AddField(model_name="Order", name="folded", field=FoldedField()),
        ops.AddField(model_name="OrderLine", name="folded", field=FoldedField()),
        ops.AddIndex(model_name="BackInStockSubscription", index=Index(fields=["item_id", "id"])),
        ops.RunPython(_normalize),
        ops.RunPython(_fold),
        OnPostgres(_SEARCH),
    ]
