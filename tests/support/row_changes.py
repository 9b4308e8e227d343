"""Records every row change, in order of writing, with database triggers."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tortoise import Tortoise

from gqlstock.store.db import connection, sql

Row = Mapping[str, Any]

_SQLITE_LOG = """CREATE TABLE row_change (
    id INTEGER PRIMARY KEY AUTOINCREMENT, tx INTEGER, name TEXT, old TEXT, new TEXT)"""
_POSTGRES_LOG = (
    "CREATE SCHEMA row_changes",
    "CREATE TABLE row_changes.row_change (id BIGSERIAL PRIMARY KEY, tx BIGINT, name TEXT, old JSONB, new JSONB)",
    """CREATE FUNCTION row_changes.record() RETURNS trigger AS $$ BEGIN
        INSERT INTO row_changes.row_change (tx, name, old, new) VALUES (
            pg_current_xact_id()::text::bigint, TG_TABLE_NAME,
            CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END, CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END);
        RETURN NULL; END $$ LANGUAGE plpgsql""",
)


@dataclass(frozen=True, slots=True)
class RowChange:
    """``before`` is None for a new row, ``after`` for a deleted one. ``transaction`` is always 0 on SQLite."""

    transaction: int
    table: str
    before: Row | None
    after: Row | None

    @property
    def columns(self) -> set[str]:
        """The columns with changed values; all columns of a new or deleted row."""
        before, after = self.before or {}, self.after or {}
        if not before or not after:
            return {*before, *after}
        return {name for name in before if before[name] != after[name]}


class RowChanges:
    def __init__(self, table: str) -> None:
        self._table = table
        self._seen = 0

    async def take(self) -> list[RowChange]:
        """The changes since the last call."""
        rows = await sql.query(f"SELECT * FROM {self._table} WHERE id > ? ORDER BY id", self._seen)
        if rows:
            self._seen = rows[-1]["id"]
        return [RowChange(row["tx"], row["name"], _row(row["old"]), _row(row["new"])) for row in rows]


def _row(value: Any) -> Row | None:
    return json.loads(value) if isinstance(value, str) else value


def columns() -> dict[str, set[str]]:
    """The columns of each table."""
    assert Tortoise.apps is not None
    models = Tortoise.apps["gqlstock"].values()
    return {model._meta.db_table: set(model._meta.fields_db_projection.values()) for model in models}


@asynccontextmanager
async def recorded() -> AsyncIterator[RowChanges]:
    """Record all row changes, by any process, during the block."""
    if connection.is_postgres():
        for statement in _POSTGRES_LOG:
            await sql.execute(statement)
        try:
            for table in columns():
                await sql.execute(
                    f"""CREATE TRIGGER record AFTER INSERT OR UPDATE OR DELETE ON {table}
                        FOR EACH ROW EXECUTE FUNCTION row_changes.record()"""
                )
            yield RowChanges("row_changes.row_change")
        finally:
            await sql.execute("DROP SCHEMA row_changes CASCADE")
    else:
        # The file belongs to the test, so the triggers need not be removed.
        await sql.execute(_SQLITE_LOG)
        for table, names in columns().items():
            for event, old, new in (("INSERT", 0, 1), ("UPDATE", 1, 1), ("DELETE", 1, 0)):
                values = ", ".join(
                    _json(row, names) if there else "NULL" for row, there in (("OLD", old), ("NEW", new))
                )
                await sql.execute(
                    f"""CREATE TRIGGER record_{table}_{event} AFTER {event} ON {table} BEGIN
                        INSERT INTO row_change (tx, name, old, new) VALUES (0, '{table}', {values}); END"""
                )
        yield RowChanges("row_change")


def _json(row: str, names: set[str]) -> str:
    pairs = ", ".join(f"'{name}', {row}.{name}" for name in sorted(names))
    return f"json_object({pairs})"
