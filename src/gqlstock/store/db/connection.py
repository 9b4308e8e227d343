"""How the database is opened, and the connections to it: those that write and those that only read."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.backends.base.executor import EXECUTOR_CACHE
from tortoise.connection import get_connection
from tortoise.context import TortoiseContext
from tortoise.models import Model
from tortoise.validators import MaxLengthValidator

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
_MIGRATIONS = "gqlstock.store.db.migrations"

# Under load SQLite hands the write lock to the process that polls it next; ten seconds let a queue of hundreds drain.
_BUSY_MILLISECONDS = 10_000
_MOST_THAT_WRITE = 6
_MOST_THAT_READ = 10

in_transaction: ContextVar[bool] = ContextVar("in_transaction", default=False)
"""Whether the running task is inside a transaction, which then has the reads too."""


class Router:
    """Sends reads to connections of their own, so that they do not wait for running transactions."""

    def db_for_read(self, model: type[Model]) -> str:
        return "default" if in_transaction.get() else "reader"

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
        engine = "gqlstock.store.db.sqlite"
        pragmas = {"file_path": self.path, "create": create, "busy_timeout": _BUSY_MILLISECONDS, "synchronous": "FULL"}
        return {
            "default": {"engine": engine, "credentials": pragmas},
            "reader": {"engine": engine, "credentials": {**pragmas, "query_only": "ON"}},
        }


class Postgres(DatabaseUrl):
    def __init__(self, **credentials: Any) -> None:
        self.credentials = credentials

    def connections(self, *, create: bool = False) -> dict[str, Any]:
        engine, given = "gqlstock.store.db.postgres", {"minsize": 1, **self.credentials}
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
    return is_of_postgres(connection())


def is_of_postgres(db: Any) -> bool:
    """Whether a connection is one to PostgreSQL."""
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
