"""Opens the database and provides its connections: one for writing and one for reading."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.backends.base.executor import EXECUTOR_CACHE
from tortoise.connection import get_connection
from tortoise.context import TortoiseContext, get_current_context
from tortoise.models import Model
from tortoise.validators import MaxLengthValidator

from gqlstock.store.db.outages import Patience

# The first line of a table's docstring is its comment in the database. Changing it requires a migration.
TABLES = [
    f"gqlstock.store.{noun}"
    for noun in (
        "categories",
        "catalog",
        "warehouses",
        "settings",
        "inventory",
        "announcements",
        "transfers",
        "orders",
        "order_keys",
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

# SQLite gives the write lock to the process that polls next. A queue of hundreds drains in ten seconds.
_BUSY_MILLISECONDS = 10_000
# SQLite reuses its 4 MB write-ahead log. Tortoise's default truncates the log to 16 KB; it then grows again with every
# commit, and commits take twice as long to reach the disk. This limit only truncates larger logs, such as an import's.
_LOG_BYTES = 16 * 1024 * 1024
_TO_CONNECT = ("user", "password", "database", "timeout", "ssl", "statement_cache_size")
_MAX_WRITE_CONNECTIONS = 6
_MAX_READ_CONNECTIONS = 10
_WATCHER_CONNECTIONS = 1
CONNECTIONS_PER_PROCESS = _MAX_WRITE_CONNECTIONS + _MAX_READ_CONNECTIONS + _WATCHER_CONNECTIONS
"""The connections to PostgreSQL that one process of the server can open."""

in_transaction: ContextVar[bool] = ContextVar("in_transaction", default=False)
"""Whether the running task is in a transaction. Its reads then use the transaction's connection."""


class Router:
    """Routes reads to separate connections, so they do not wait for transactions."""

    def db_for_read(self, model: type[Model]) -> str:
        return "default" if in_transaction.get() else "reader"

    def db_for_write(self, model: type[Model]) -> str:
        return "default"


def settings(
    url: "DatabaseUrl", *, create: bool = False, patience: Patience | None = None, read_only: bool = False
) -> dict[str, Any]:
    """Tortoise's configuration for a database. ``create``: create a missing SQLite file. ``read_only``: write nothing."""
    connections = url.connections(create=create, patience=patience, read_only=read_only)
    return {
        "connections": {**connections, "default": connections["reader"]} if read_only else connections,
        "apps": {APP: {"models": TABLES, "default_connection": "default", "migrations": _MIGRATIONS}},
        "routers": [Router],
        "use_tz": True,
        "timezone": "UTC",
    }


class DatabaseUrl:
    """The location of a database: ``SqliteFile`` or ``Postgres``."""

    def connections(
        self, *, create: bool = False, patience: Patience | None = None, read_only: bool = False
    ) -> dict[str, Any]:
        raise NotImplementedError


class SqliteFile(DatabaseUrl):
    def __init__(self, path: str) -> None:
        self.path = path

    def connections(
        self, *, create: bool = False, patience: Patience | None = None, read_only: bool = False
    ) -> dict[str, Any]:
        engine = "gqlstock.store.db.sqlite"
        pragmas = {
            "file_path": self.path,
            "create": create,
            "busy_timeout": _BUSY_MILLISECONDS,
            "synchronous": "FULL",
            "journal_size_limit": _LOG_BYTES,
        }
        return {
            "default": {"engine": engine, "credentials": pragmas},
            "reader": {"engine": engine, "credentials": {**pragmas, "query_only": "ON"}},
        }


class Postgres(DatabaseUrl):
    """``host`` and ``port`` are single values, or lists of the same length if there are several servers."""

    def __init__(self, **credentials: Any) -> None:
        self.credentials = credentials

    @property
    def hosts(self) -> list[tuple[str, int]]:
        host, port = self.credentials["host"], self.credentials["port"]
        return list(zip(host, port, strict=True)) if isinstance(host, list) else [(host, port)]

    @property
    def servers(self) -> list["Postgres"]:
        """Each host on its own. It may be a standby."""
        return [Postgres(**{**self.credentials, "host": host, "port": port}) for host, port in self.hosts]

    def connections(
        self, *, create: bool = False, patience: Patience | None = None, read_only: bool = False
    ) -> dict[str, Any]:
        # asyncpg is an extra.
        from gqlstock.store.db.primary import Primary  # noqa: PLC0415

        options = {name: self.credentials[name] for name in _TO_CONNECT if name in self.credentials}
        found = {"host": None, "port": 0, "primary": Primary(self.hosts, options, patience)}
        engine, credentials = "gqlstock.store.db.postgres", {"minsize": 0, **self.credentials, **found}
        return {
            "default": {"engine": engine, "credentials": {"maxsize": _MAX_WRITE_CONNECTIONS, **credentials}},
            "reader": {
                "engine": engine,
                "credentials": {
                    "maxsize": _MAX_READ_CONNECTIONS,
                    **credentials,
                    "only_reads": True,
                    "inspects": read_only,
                },
            },
        }


class _Context(TortoiseContext):
    """Tortoise's context, with its database and its read client."""

    reader: Any

    def __init__(self, url: DatabaseUrl) -> None:
        super().__init__()
        self.url = url


@asynccontextmanager
async def opened(
    url: DatabaseUrl,
    *,
    everywhere: bool = False,
    create: bool = False,
    patience: Patience | None = None,
    read_only: bool = False,
) -> AsyncIterator[None]:
    """Open the database for the block. ``everywhere``: also for tasks that were not started in the block.

    A missing SQLite file is an error, unless ``create`` is set. ``patience``: watch PostgreSQL, and wait for it during an
    outage. Without it, an outage is an error of the driver. ``read_only``: write nothing, not even an era of the outbox.
    """
    # Tortoise caches statements in the dialect of the first database.
    EXECUTOR_CACHE.clear()
    context = _Context(url)
    async with context:
        configured = settings(url, create=create, patience=patience, read_only=read_only)
        await context.init(config=configured, _enable_global_fallback=everywhere)
        context.reader = context.connections.get("reader")
        assert context.apps is not None
        models = list(context.apps[APP].values())
        _allow_long_lookups(models)
        async with context.reader.primary.watched() if patience and isinstance(url, Postgres) else nullcontext():
            yield


def _allow_long_lookups(models: Iterable[type[Model]]) -> None:
    """Let lookups of a text longer than its column find nothing. By default Tortoise raises an error.

    The rules reject such texts before they are written.
    """
    for model in models:
        for column in model._meta.fields_map.values():
            column.validators = [each for each in column.validators if not isinstance(each, MaxLengthValidator)]


def connection() -> BaseDBAsyncClient:
    """The write connection; in a transaction, the transaction's."""
    return get_connection("default")


def reading() -> BaseDBAsyncClient:
    """The read connection; in a transaction, the transaction's."""
    return get_connection("default" if in_transaction.get() else "reader")


def reader() -> Any:
    """The read client, even within a transaction."""
    return _context().reader


async def until_available() -> None:
    """Wait while PostgreSQL is known to be away. Raises ``Unavailable`` if that lasts too long."""
    if is_postgres():
        await reader().primary.address()


def filename() -> str:
    """The path of the SQLite file."""
    url = _context().url
    assert isinstance(url, SqliteFile)
    return url.path


def is_postgres() -> bool:
    return isinstance(_context().url, Postgres)


def _context() -> _Context:
    context = get_current_context()
    assert isinstance(context, _Context)
    return context


def is_of_postgres(db: Any) -> bool:
    """Whether a connection is to PostgreSQL."""
    return bool(db.capabilities.dialect == "postgres")


def pool() -> tuple[int, int, int]:
    """The numbers of connections of this process: in use, open, and at most."""
    writer: Any = connection()
    if not is_postgres():
        # One write connection, in use while its lock is held, and one read connection.
        return int(writer._lock.locked()), 2, 2
    used, opened, maximum = zip(*map(_in_pool, (writer, get_connection("reader"))), strict=True)
    return sum(used), sum(opened), sum(maximum)


def _in_pool(db: Any) -> tuple[int, int, int]:
    if db._pool is None:
        return 0, 0, int(db.pool_maxsize)
    size = db._pool.get_size()
    return size - db._pool.get_idle_size(), size, db._pool.get_max_size()
