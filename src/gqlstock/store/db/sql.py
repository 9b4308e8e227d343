"""Statements of our own: ``?`` stands for a value on both databases, and many rows take one statement."""

from collections.abc import Collection, Mapping, Sequence
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any

from tortoise.models import Model
from tortoise.queryset import QuerySet

from gqlstock.store.db.connection import connection, is_of_postgres, is_postgres, reading

_MOST_PARAMETERS = 30_000


async def insert(
    table: type[Model],
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    same: Mapping[str, Any] = MappingProxyType({}),
    worked_out: Mapping[str, str] = MappingProxyType({}),
) -> list[int]:
    """Insert stored values with as few statements as there can be, and give the ids in the order of the rows.

    ``same`` are the values that every row has, ``worked_out`` expressions that every row has.
    """
    key = table._meta.db_pk_column
    returned = await insert_returning((key,), table, columns, rows, same, worked_out)
    # Ids are given in the order of the rows; the order in which RETURNING lists them is not promised.
    return sorted(found[key] for found in returned)


async def insert_returning(
    returning: Sequence[str],
    table: type[Model],
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    same: Mapping[str, Any] = MappingProxyType({}),
    worked_out: Mapping[str, str] = MappingProxyType({}),
) -> list[dict[str, Any]]:
    """As ``insert``; gives these columns of the new rows, in no order."""
    named = ", ".join(f'"{column}"' for column in (*worked_out, *same, *columns))
    into = f'INSERT INTO "{table._meta.db_table}" ({named})'
    wanted = ", ".join(f'"{column}"' for column in returning)
    shared = [*worked_out.values(), *(_slot(table, column, "") for column in same), "v.*"]
    returned: list[dict[str, Any]] = []
    step = _MOST_PARAMETERS // len(columns)
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        if is_postgres():
            # One array for each column: a text that is the same for any number of rows is parsed and planned once.
            given = f"unnest({', '.join(_slot(table, column, '[]') for column in columns)})"
            values: list[Any] = [list(column) for column in zip(*part, strict=True)]
        else:
            slot = f"({', '.join('?' * len(columns))})"
            given = f"(VALUES {', '.join([slot] * len(part))})"
            values = [value for row in part for value in row]
        statement = f"{into} SELECT {', '.join(shared)} FROM {given} AS v RETURNING {wanted}"
        returned += await execute(statement, *same.values(), *values)
    return returned


async def update(table: type[Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Set stored values of rows; each row has a value for each column, and then its id."""
    if not rows:
        return
    name, key = table._meta.db_table, table._meta.db_pk_column
    if not is_postgres():
        assigned = ", ".join(f'"{column}" = ?' for column in columns)
        await execute_many(f'UPDATE "{name}" SET {assigned} WHERE "{key}" = ?', [list(row) for row in rows])
        return
    assigned = ", ".join(f'"{column}" = v."{column}"' for column in columns)
    given = ", ".join(_slot(table, column, "[]") for column in (*columns, key))
    named = ", ".join(f'"{column}"' for column in (*columns, key))
    statement = f'UPDATE "{name}" AS t SET {assigned} FROM unnest({given}) AS v ({named}) WHERE t."{key}" = v."{key}"'
    await execute(statement, *(list(values) for values in zip(*rows, strict=True)))


def _slot(table: type[Model], column: str, many: str) -> str:
    """What stands for a value of a column, or for many of them; PostgreSQL is told its type."""
    return f"?::{_kind(table, column)}{many}" if is_postgres() else "?"


@cache
def _kind(table: type[Model], column: str) -> str:
    """The type of a column in PostgreSQL."""
    name = next(name for name, stored in table._meta.fields_db_projection.items() if stored == column)
    return str(table._meta.fields_map[name].get_for_dialect("postgres", "SQL_TYPE"))


async def query(statement: str, *values: Any) -> list[dict[str, Any]]:
    """Rows of a statement of our own that reads; ``?`` stands for a value."""
    return await reading().execute_query_dict(numbered(statement), list(values))


async def fetch_raw(statement: str, *values: Any) -> Sequence[Any]:
    """As ``query``, for what is asked most often: each row by position as well, as the driver has it."""
    db: Any = reading()
    return (await db.execute_query(_numbered_for(db, statement), list(values)))[1]  # type: ignore[no-any-return]


def compiled(query: QuerySet[Any]) -> tuple[Any, str, list[Any]]:
    """A query as the connection that it goes to, its statement, and the values in that."""
    query._choose_db_if_not_chosen()
    query._make_query()
    return query._db, *query.query.get_parameterized_sql()


def slots(values: Collection[Any]) -> str:
    """What stands for so many values in a statement; for none, what nothing is equal to."""
    return ", ".join("?" * len(values)) or "NULL"


async def execute(statement: str, *values: Any) -> list[dict[str, Any]]:
    """Run a statement of our own that writes, and give what it returns."""
    return await connection().execute_query_dict(numbered(statement), list(values))


async def execute_many(statement: str, values: list[list[Any]]) -> None:
    """Run one statement for many lists of values."""
    if values:
        await connection().execute_many(numbered(statement), values)


async def analyze(*tables: str) -> None:
    """Have PostgreSQL look at tables that may just have been filled: it reads them by what it saw of them last."""
    if is_postgres():
        await execute(f"ANALYZE {', '.join(tables)}")


def numbered(statement: str) -> str:
    """Our statements write ``?`` for a value; PostgreSQL wants $1, $2, …"""
    return _numbered_for(connection(), statement)


def _numbered_for(db: Any, statement: str) -> str:
    return _numbered(statement) if is_of_postgres(db) else statement


@lru_cache(maxsize=512)
def _numbered(statement: str) -> str:
    head, *tail = statement.split("?")
    return head + "".join(f"${number}{rest}" for number, rest in enumerate(tail, 1))
