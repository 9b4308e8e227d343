"""Runs hand-written SQL. ``?`` is the placeholder on both databases, and many rows take one statement."""

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any, TypeVar

from tortoise.models import Model
from tortoise.queryset import QuerySet

from gqlstock.store.db.connection import connection, is_of_postgres, is_postgres, reading

T = TypeVar("T")

# PostgreSQL accepts at most 32,767 parameters per statement.
_MAX_PARAMETERS = 30_000
# With arrays as parameters, a limit keeps single messages small.
_MAX_ROWS = 10_000


async def insert(
    table: type[Model],
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    same: Mapping[str, Any] = MappingProxyType({}),
    computed: Mapping[str, str] = MappingProxyType({}),
) -> list[int]:
    """Insert stored values with as few statements as possible; returns the ids in row order.

    ``same``: values that all rows share; ``computed``: SQL expressions that all rows share.
    """
    key = table._meta.db_pk_column
    returned = await insert_returning((key,), table, columns, rows, same, computed)
    # Ids are assigned in row order, but RETURNING guarantees no order.
    return sorted(found[key] for found in returned)


async def insert_returning(
    returning: Sequence[str],
    table: type[Model],
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    same: Mapping[str, Any] = MappingProxyType({}),
    computed: Mapping[str, str] = MappingProxyType({}),
) -> list[dict[str, Any]]:
    """Like ``insert``, but returns these columns of the new rows, in no particular order."""
    named = ", ".join(f'"{column}"' for column in (*computed, *same, *columns))
    into = f'INSERT INTO "{table._meta.db_table}" ({named})'
    wanted = ", ".join(f'"{column}"' for column in returning)
    shared = [*computed.values(), *(_slot(table, column, "") for column in same), "v.*"]
    returned: list[dict[str, Any]] = []
    # On PostgreSQL each column is one parameter.
    step = _MAX_ROWS if is_postgres() else _MAX_PARAMETERS // len(columns)
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        if is_postgres():
            # One array per column: the statement is the same for any number of rows, so it is planned once.
            source = f"unnest({', '.join(_slot(table, column, '[]') for column in columns)})"
            values: list[Any] = [list(column) for column in zip(*part, strict=True)]
        else:
            slot = f"({', '.join('?' * len(columns))})"
            source = f"(VALUES {', '.join([slot] * len(part))})"
            values = [value for row in part for value in row]
        statement = f"{into} SELECT {', '.join(shared)} FROM {source} AS v RETURNING {wanted}"
        returned += await execute(statement, *same.values(), *values)
    return returned


async def update(table: type[Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Update rows. Each has the stored value of each column, and then its id."""
    if not rows:
        return
    name, key = table._meta.db_table, table._meta.db_pk_column
    if not is_postgres():
        assigned = ", ".join(f'"{column}" = ?' for column in columns)
        await execute_many(f'UPDATE "{name}" SET {assigned} WHERE "{key}" = ?', [list(row) for row in rows])
        return
    assigned = ", ".join(f'"{column}" = v."{column}"' for column in columns)
    arrays = ", ".join(_slot(table, column, "[]") for column in (*columns, key))
    named = ", ".join(f'"{column}"' for column in (*columns, key))
    statement = f'UPDATE "{name}" AS t SET {assigned} FROM unnest({arrays}) AS v ({named}) WHERE t."{key}" = v."{key}"'
    await execute(statement, *(list(values) for values in zip(*rows, strict=True)))


def _slot(table: type[Model], column: str, many: str) -> str:
    """The placeholder of a column's value or, with ``[]``, of an array of them. PostgreSQL needs its type."""
    return f"?::{_kind(table, column)}{many}" if is_postgres() else "?"


@cache
def _kind(table: type[Model], column: str) -> str:
    """The PostgreSQL type of a column."""
    name = next(name for name, stored in table._meta.fields_db_projection.items() if stored == column)
    return str(table._meta.fields_map[name].get_for_dialect("postgres", "SQL_TYPE"))


async def query(statement: str, *values: Any) -> list[dict[str, Any]]:
    """The rows of a read statement."""
    return await reading().execute_query_dict(numbered(statement), list(values))


async def fetch_raw(statement: str, *values: Any) -> Sequence[Any]:
    """Like ``query``, but returns the driver's own rows, indexed by name and position. For hot paths."""
    db: Any = reading()
    return (await db.execute_query(_numbered_for(db, statement), list(values)))[1]  # type: ignore[no-any-return]


def compiled(query: QuerySet[Any]) -> tuple[Any, str, list[Any]]:
    """The connection, the statement and the values of a query."""
    query._choose_db_if_not_chosen()
    query._make_query()
    return query._db, *query.query.get_parameterized_sql()


def slots(values: Collection[Any]) -> str:
    """The placeholders for these values in an IN list. Without values it is NULL, which matches no row."""
    return ", ".join("?" * len(values)) or "NULL"


def parts(values: Iterable[T], size: int) -> Iterator[list[T]]:
    """The values in lists of at most ``size``, one per statement."""
    rest = iter(values)
    while part := list(itertools.islice(rest, size)):
        yield part


async def execute(statement: str, *values: Any) -> list[dict[str, Any]]:
    """Run a write statement; returns its RETURNING rows."""
    return await connection().execute_query_dict(numbered(statement), list(values))


async def execute_many(statement: str, values: list[list[Any]]) -> None:
    """Run a statement once for each list of values."""
    if values:
        await connection().execute_many(numbered(statement), values)


async def analyze(*tables: str) -> None:
    """Refresh PostgreSQL's statistics of tables that may just have been filled. Stale statistics lead to slow plans."""
    if is_postgres():
        await execute(f"ANALYZE {', '.join(tables)}")


def numbered(statement: str) -> str:
    """A statement with the placeholders of the database: $1, $2, … on PostgreSQL."""
    return _numbered_for(connection(), statement)


def _numbered_for(db: Any, statement: str) -> str:
    return _numbered(statement) if is_of_postgres(db) else statement


@lru_cache(maxsize=512)
def _numbered(statement: str) -> str:
    head, *tail = statement.split("?")
    return head + "".join(f"${number}{rest}" for number, rest in enumerate(tail, 1))
