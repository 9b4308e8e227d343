"""The connection to the database: how it is opened, one transaction, and many rows at once."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any, TypeVar

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.backends.base.executor import EXECUTOR_CACHE
from tortoise.connection import get_connection
from tortoise.context import TortoiseContext
from tortoise.exceptions import IntegrityError, OperationalError
from tortoise.models import Model
from tortoise.queryset import QuerySet
from tortoise.transactions import in_transaction
from tortoise.validators import MaxLengthValidator

from gqlstock.store.db import clock, commits
from gqlstock.store.db.commits import CommitLost, Mark
from gqlstock.store.db.commits import CommitUnknown as CommitUnknown

log = logging.getLogger(__name__)
now = clock.now
T = TypeVar("T")
M = TypeVar("M", bound=Model)

TABLES = [
    f"gqlstock.store.{noun}"
    for noun in (
        "categories",
        "catalog",
        "warehouses",
        "settings",
        "inventory",
        "announcements",
        "orders",
        "shipments",
        "holds",
        "alerts",
        "reassessments",
        "outbox",
        "dispatch",
        "webhooks",
        "back_in_stock",
        "mail",
        "tokens",
        "idempotency",
    )
]
APP = "gqlstock"
_MIGRATIONS = "gqlstock.store.migrations"

# Under load SQLite hands the write lock to whoever polls it next; ten seconds let a queue of hundreds drain.
_BUSY_MILLISECONDS = 10_000
ATTEMPTS = 8
_RETRIED_STATES = {"40001", "40P01"}  # serialization failure, deadlock
_MOST_PARAMETERS = 30_000
_MOST_THAT_WRITE = 6
_MOST_THAT_READ = 10

_writing: ContextVar[bool] = ContextVar("writing", default=False)
_ending: ContextVar["_Ending | None"] = ContextVar("ending", default=None)


class Outdated(Exception):
    """What a transaction read before it had its lock is no longer so: it is tried again."""


@dataclass(slots=True)
class _Ending:
    """What the running transaction has still to do: write together what was gathered, and call when it has committed."""

    gathered: dict[Callable[[list[Any]], Awaitable[None]], list[Any]] = field(default_factory=dict)
    calls: list[Callable[[], None]] = field(default_factory=list)
    mark: Mark | None = None
    """What tells that it has committed, when the answer to its COMMIT is lost."""
    repeatable: bool = False
    """Whether it may be run again then."""


class Router:
    """Sends reads to connections of their own, so that they do not wait for running transactions."""

    def db_for_read(self, model: type[Model]) -> str:
        return "default" if _writing.get() else "reader"

    def db_for_write(self, model: type[Model]) -> str:
        return "default"


def settings(url: "DatabaseUrl", *, create: bool = False) -> dict[str, Any]:
    """Tortoise's configuration for a database. ``create`` makes a SQLite file that is missing."""
    return {
        "connections": url.connections(create=create),
        "apps": {APP: {"models": TABLES, "default_connection": "default", "migrations": _MIGRATIONS}},
        "routers": [Router],
        "use_tz": True,
        "timezone": "UTC",
    }


class DatabaseUrl:
    """Where the database is. ``SqliteFile`` or ``Postgres``."""

    def connections(self, *, create: bool = False) -> dict[str, Any]:
        raise NotImplementedError


class SqliteFile(DatabaseUrl):
    def __init__(self, path: str) -> None:
        self.path = path

    def connections(self, *, create: bool = False) -> dict[str, Any]:
        engine = "gqlstock.store.sqlite"
        pragmas = {"file_path": self.path, "create": create, "busy_timeout": _BUSY_MILLISECONDS, "synchronous": "FULL"}
        return {
            "default": {"engine": engine, "credentials": pragmas},
            "reader": {"engine": engine, "credentials": {**pragmas, "query_only": "ON"}},
        }


class Postgres(DatabaseUrl):
    def __init__(self, **credentials: Any) -> None:
        self.credentials = credentials

    def connections(self, *, create: bool = False) -> dict[str, Any]:
        engine, given = "gqlstock.store.postgres", {"minsize": 1, **self.credentials}
        return {
            "default": {"engine": engine, "credentials": {"maxsize": _MOST_THAT_WRITE, **given}},
            "reader": {"engine": engine, "credentials": {"maxsize": _MOST_THAT_READ, **given, "only_reads": True}},
        }


@asynccontextmanager
async def opened(url: DatabaseUrl, *, everywhere: bool = False, create: bool = False) -> AsyncIterator[None]:
    """The database, open for the block. ``everywhere``: for tasks that were not started inside it as well.

    A SQLite file that is missing is an error, unless ``create`` makes it.
    """
    # Tortoise keeps the texts of its statements in the dialect of the database that it met first.
    EXECUTOR_CACHE.clear()
    async with TortoiseContext() as context:
        await context.init(config=settings(url, create=create), _enable_global_fallback=everywhere)
        assert context.apps is not None
        models = list(context.apps[APP].values())
        _look_for_long_texts(models)
        yield


def _look_for_long_texts(models: Iterable[type[Model]]) -> None:
    """Find nothing for a text that is longer than its column, where Tortoise would refuse to look for it.

    The rules keep such a text from being written.
    """
    for model in models:
        for column in model._meta.fields_map.values():
            column.validators = [one for one in column.validators if not isinstance(one, MaxLengthValidator)]


def connection() -> BaseDBAsyncClient:
    """The connection that writes; inside a transaction that transaction's."""
    return get_connection("default")


def reading() -> BaseDBAsyncClient:
    """The connection that reads: inside a transaction that transaction's."""
    return get_connection(Router().db_for_read(Model))


def is_postgres() -> bool:
    return _is_postgres(connection())


def _is_postgres(db: Any) -> bool:
    return bool(db.capabilities.dialect == "postgres")


def pool() -> tuple[int, int, int]:
    """How many connections of this process are in use, how many are open, and how many there can be."""
    writer: Any = connection()
    if not is_postgres():
        # One that writes, for whoever has the lock, and one that reads.
        return int(writer._lock.locked()), 2, 2
    in_use, are_open, most = zip(*map(_in_pool, (writer, get_connection("reader"))), strict=True)
    return sum(in_use), sum(are_open), sum(most)


def _in_pool(db: Any) -> tuple[int, int, int]:
    if db._pool is None:
        return 0, 0, int(db.pool_maxsize)
    size = db._pool.get_size()
    return size - db._pool.get_idle_size(), size, db._pool.get_max_size()


def on_commit(call: Callable[[], None]) -> None:
    """Call this once when the running transaction has committed; never when it has not."""
    calls = _running().calls
    if call not in calls:
        calls.append(call)


def gather(write: Callable[[list[T]], Awaitable[None]], rows: Sequence[T]) -> None:
    """Write these with all others that the running transaction gathers for the same function, just before it commits."""
    _running().gathered.setdefault(write, []).extend(rows)


def recognize_by(mark: Mark) -> None:
    """Tell by this mark whether the running transaction has committed, should the answer to its COMMIT be lost."""
    _running().mark = mark


def allow_repeat() -> None:
    """Have the running transaction run again when the answer to its COMMIT is lost: twice does no more than once."""
    _running().repeatable = True


async def write_gathered() -> None:
    """Write now what the running transaction has gathered, where it would become much until the end."""
    gathered = _running().gathered
    for write in tuple(gathered):
        await write(gathered.pop(write))


def _running() -> _Ending:
    ending = _ending.get()
    if ending is None:
        raise RuntimeError("There is no transaction that this could belong to.")
    return ending


async def transaction(work: Callable[[], Awaitable[T]], attempts: int = ATTEMPTS) -> T:
    """Run ``work`` in one transaction: all of it happens or nothing.

    Inside a transaction it joins that one. Deadlocks, serialization failures, a database that stays locked and what is
    ``Outdated`` are tried again from the start, a bounded number of times, and so is what a constraint refused:
    somebody else wrote first, which ``work`` now finds. It must therefore do nothing outside the database. What may have
    committed is never tried again: ``CommitUnknown``.
    """
    if _writing.get():
        return await work()
    return await _tried(lambda: _once(work), attempts)


async def _tried(once: Callable[[], Awaitable[T]], attempts: int) -> T:
    for attempt in range(1, attempts + 1):
        try:
            return await once()
        except Exception as error:
            if attempt == attempts or not is_passing(error):
                raise
            log.info("transaction tried again (%s of %s): %s", attempt, attempts, error)
            await asyncio.sleep(random.uniform(0, 0.02 * 2**attempt))
    raise AssertionError("unreachable")


async def at_one_moment(work: Callable[[], Awaitable[T]]) -> T:
    """Run ``work``, which only reads, on the database as it is at one moment, while others write.

    Inside a transaction it joins that one.
    """
    if _writing.get():
        return await work()
    async with in_transaction("reader"):
        if is_postgres():
            await query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return await work()


async def one_hop(work: Callable[[], Coroutine[Any, Any, T]], attempts: int = ATTEMPTS) -> T:
    """As ``transaction``; on SQLite all of it runs in one hop to the connection's thread.

    ``work`` may await statements of this database and nothing else.
    """
    if _writing.get():
        return await work()
    return await _tried(lambda: _once(work, _in_one_hop), attempts)


async def _in_one_hop(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    db: Any = connection()
    return await (_in_transaction(work) if is_postgres() else db.transact(work))


async def _in_transaction(work: Callable[[], Awaitable[T]]) -> T:
    async with in_transaction("default"):
        return await work()


async def _once(work: Callable[[], Awaitable[T]], run: Callable[..., Awaitable[T]] | None = None) -> T:
    ending = _Ending()
    writing, was_ending = _writing.set(True), _ending.set(ending)

    result: T

    async def whole() -> T:
        nonlocal result
        result = await work()
        await write_gathered()
        return result

    lost: CommitLost | None = None
    try:
        await (run or _in_transaction)(whole)
    except CommitLost as error:
        lost = error
    finally:
        _writing.reset(writing)
        _ending.reset(was_ending)
    if lost is not None and (ending.repeatable or not await commits.is_committed(ending.mark, execute)):
        raise lost
    for call in ending.calls:
        call()
    return result


def is_passing(error: Exception) -> bool:
    """Whether a transaction that failed like that may succeed when it is tried again."""
    if isinstance(error, Outdated | IntegrityError | CommitLost):
        return True
    if isinstance(error, OperationalError):
        return "locked" in str(error)
    return getattr(error, "sqlstate", None) in _RETRIED_STATES


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
    return await reading().execute_query_dict(sql(statement), list(values))


async def look(statement: str, *values: Any) -> Sequence[Any]:
    """As ``query``, for what is asked most often: each row by position as well, as the driver has it."""
    db: Any = reading()
    return (await db.execute_query(_told(db, statement), list(values)))[1]  # type: ignore[no-any-return]


def told(query: QuerySet[Any]) -> tuple[Any, str, list[Any]]:
    """A query as the connection that it goes to, its statement, and the values in that."""
    query._choose_db_if_not_chosen()
    query._make_query()
    return query._db, *query.query.get_parameterized_sql()


def slots(values: Collection[Any]) -> str:
    """What stands for so many values in a statement; for none, what nothing is equal to."""
    return ", ".join("?" * len(values)) or "NULL"


async def execute(statement: str, *values: Any) -> list[dict[str, Any]]:
    """Run a statement of our own that writes, and give what it returns."""
    return await connection().execute_query_dict(sql(statement), list(values))


async def execute_many(statement: str, values: list[list[Any]]) -> None:
    """Run one statement for many lists of values."""
    if values:
        await connection().execute_many(sql(statement), values)


async def analyze(*tables: str) -> None:
    """Have PostgreSQL look at tables that may just have been filled: it reads them by what it saw of them last."""
    if is_postgres():
        await execute(f"ANALYZE {', '.join(tables)}")


def sql(statement: str) -> str:
    """Our statements write ``?`` for a value; PostgreSQL wants $1, $2, …"""
    return _told(connection(), statement)


def _told(db: Any, statement: str) -> str:
    return _numbered(statement) if _is_postgres(db) else statement


@lru_cache(maxsize=512)
def _numbered(statement: str) -> str:
    head, *tail = statement.split("?")
    return head + "".join(f"${number}{rest}" for number, rest in enumerate(tail, 1))
