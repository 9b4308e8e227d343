"""A database of its own for every test: a copy of a migrated SQLite file, or the worker's PostgreSQL database, emptied.

Long tests run with --all, or where the command line names files or folders.
"""

import asyncio
import contextlib
import functools
import logging
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import asyncpg
import hypothesis
import pytest

from gqlstock.config import Config
from gqlstock.rules.cache_keys import EVERYTHING
from gqlstock.services import order_tokens, warehouses
from gqlstock.stock import cache
from gqlstock.store.db import connection, sql, versions
from gqlstock.store.db.connection import DatabaseUrl, Postgres, SqliteFile
from support.browser import Browser
from support.worker_databases import POSTGRES, REDIS

# How long one example takes says nothing on a shared machine.
hypothesis.settings.register_profile("gqlstock", deadline=None)
hypothesis.settings.load_profile("gqlstock")

LONG_FOLDERS = ("races", "e2e")
LEFT_OUT = (
    "Left out: races, crashes, random lives and documents, browsers, protocol audits. scripts/test --all runs them too."
)

# Nothing else says which database the tests run on. No module of tests/support but the last one uses them.
NAMES_OF_DATABASE = ("GQLSTOCK_TEST_DATABASE_URL", "GQLSTOCK_TEST_REDIS_URL", "worker_databases")

NewDatabase = Callable[[], contextlib.AbstractAsyncContextManager[dict[str, str]]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="run the long tests too")
    parser.addoption(
        "--of-database", action="store_true", help="leave out the tests that cannot know which database is tested on"
    )


def pytest_configure(config: pytest.Config) -> None:
    # Workers get the same arguments.
    if config.args_source is pytest.Config.ArgsSource.ARGS or config.option.markexpr:
        config.option.all = True


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    tests = Path(__file__).parent
    for item in items:
        folder = item.path.relative_to(tests).parts[0]
        if folder in LONG_FOLDERS:
            item.add_marker("long")
            # One at a time: each starts several processes and waits for them.
            item.add_marker(pytest.mark.xdist_group(folder))
    if not config.option.all:
        _keep(config, items, lambda item: item.get_closest_marker("long") is None)
    if config.option.of_database:
        _keep(config, items, knows_database)


def _keep(config: pytest.Config, items: list[pytest.Item], kept: Callable[[pytest.Item], bool]) -> None:
    config.hook.pytest_deselected(items=[item for item in items if not kept(item)])
    items[:] = [item for item in items if kept(item)]


def knows_database(item: pytest.Item) -> bool:
    """Whether a test takes the database of this run, or its module names what says which one that is."""
    return "migrated" in getattr(item, "fixturenames", ()) or _names_database(item.path)


@functools.cache
def _names_database(module: Path) -> bool:
    text = module.read_text()
    return any(name in text for name in NAMES_OF_DATABASE)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Below pytest's own closing line."""
    yield
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None and not session.config.option.all:
        terminal.write_line(LEFT_OUT)


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """A server in this process logs to what pytest or a runner of commands closes after the test."""
    root = logging.getLogger()
    level, before = root.level, root.handlers[:]
    yield
    root.setLevel(level)
    for handler in root.handlers[:]:
        if handler not in before:
            root.removeHandler(handler)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> SqliteFile:
    """As ``migrated``, in a SQLite file, whatever the tests run on."""
    url = SqliteFile(str(tmp_path_factory.mktemp("template") / "gqlstock.db"))
    asyncio.run(_migrate(url))
    return url


@pytest.fixture(scope="session")
def migrated(request: pytest.FixtureRequest) -> DatabaseUrl:
    """A database that is up to date and has nothing in it; made once."""
    if not POSTGRES:
        file: SqliteFile = request.getfixturevalue("migrated_file")
        return file
    url = Config.from_env({"GQLSTOCK_DATABASE_URL": POSTGRES}).database
    assert isinstance(url, Postgres)
    asyncio.run(_recreate(url))
    asyncio.run(_migrate(url))
    return url


@pytest.fixture
def sqlite_file(migrated_file: SqliteFile, tmp_path: Path) -> SqliteFile:
    """A SQLite file of this test, up to date, with the default organization and nothing else, whatever the others run on."""
    return SqliteFile(str(shutil.copy(migrated_file.path, tmp_path / "sqlite.db")))


@pytest.fixture
def database_url(migrated: DatabaseUrl, tmp_path: Path) -> DatabaseUrl:
    """Where this test's database is: up to date, with the default organization and nothing else."""
    return _fresh(migrated, tmp_path)


@pytest.fixture(scope="module")
def database_of_module(migrated: DatabaseUrl, tmp_path_factory: pytest.TempPathFactory) -> DatabaseUrl:
    """One for all tests of a module, where a server is slow to start for each; for those that take no other."""
    return _fresh(migrated, tmp_path_factory.mktemp("module"))


def _fresh(migrated: DatabaseUrl, directory: Path) -> DatabaseUrl:
    if isinstance(migrated, SqliteFile):
        return SqliteFile(str(shutil.copy(migrated.path, directory / "gqlstock.db")))
    assert isinstance(migrated, Postgres)
    asyncio.run(_empty(migrated))
    return migrated


@pytest.fixture
def database_env(database_url: DatabaseUrl) -> dict[str, str]:
    """The environment of a process that works on this test's database."""
    return _env(database_url)


@pytest.fixture(scope="module")
def env_of_module(database_of_module: DatabaseUrl) -> dict[str, str]:
    return _env(database_of_module)


def _env(database_url: DatabaseUrl) -> dict[str, str]:
    url = f"sqlite:///{database_url.path}" if isinstance(database_url, SqliteFile) else POSTGRES
    assert url is not None
    return {"GQLSTOCK_DATABASE_URL": url} | ({"GQLSTOCK_REDIS_URL": REDIS} if REDIS else {})


@pytest.fixture
async def db(database_url: DatabaseUrl) -> AsyncIterator[None]:
    """This test's database, open."""
    async with connection.opened(database_url, everywhere=True):
        yield


@pytest.fixture
def new_database(migrated: DatabaseUrl, tmp_path: Path) -> NewDatabase:
    """Opens one database after another, each up to date and empty; gives the environment of processes that work on it."""

    @contextlib.asynccontextmanager
    async def opened() -> AsyncIterator[dict[str, str]]:
        directory = Path(tempfile.mkdtemp(dir=tmp_path))
        url = await asyncio.to_thread(_fresh, migrated, directory)
        async with connection.opened(url, everywhere=True):
            # Emptying a database with SQL tells no cache.
            cache.current().drop({EVERYTHING})
            yield _env(url)

    return opened


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with Browser() as started:
        yield started


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    """The one Chromium of all tests, with no window open before and after: a server that is stopped waits for streams."""
    yield chromium
    chromium("close")


async def _migrate(url: DatabaseUrl) -> None:
    await versions.migrate(url)
    async with connection.opened(url):
        await warehouses.ensure_default_organization()
        await order_tokens.ensure_key()
        await sql.execute("DELETE FROM outbox")


async def _recreate(url: Postgres) -> None:
    name = url.credentials["database"]
    server = await asyncpg.connect(**{**url.credentials, "database": "postgres"})
    try:
        await server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await server.execute(f'CREATE DATABASE "{name}"')
        # No test ends PostgreSQL itself: whether a commit is on the disk yet makes no difference to any other connection.
        await server.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
        # Without statistics, PostgreSQL starts two processes to count the rows of many small tables.
        await server.execute(f'ALTER DATABASE "{name}" SET max_parallel_workers_per_gather = 0')
    finally:
        await server.close()


async def _empty(url: Postgres) -> None:
    """Leave nothing but the default organization and a key for access tokens."""
    connection = await asyncpg.connect(**url.credentials)
    try:
        await connection.execute(_DELETE if await _is_superuser(connection) else _TRUNCATE)
        await connection.execute(_DEFAULT_ORGANIZATION)
        await connection.execute("INSERT INTO order_key (id, key) VALUES (1, $1)", secrets.token_hex(32))
    finally:
        await connection.close()


_DEFAULT_ORGANIZATION = """INSERT INTO organization (code, name, created_at)
    VALUES ('default', 'Default organization', now())"""


async def _is_superuser(connection: asyncpg.Connection) -> bool:
    return bool(await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"))


# Truncating takes a tenth of a second for each test, however little there is.
_DELETE = """DO $$ DECLARE one record; BEGIN
    SET LOCAL session_replication_role = replica;
    FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'tortoise_migrations' LOOP
        EXECUTE format('DELETE FROM %I', one.tablename);
    END LOOP;
    FOR one IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'
            AND sequencename NOT LIKE 'tortoise_migrations%' AND last_value IS NOT NULL LOOP
        PERFORM setval(format('%I', one.sequencename)::regclass, 1, false);
    END LOOP;
END $$"""
_TRUNCATE = """DO $$ DECLARE one record; BEGIN
    FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'tortoise_migrations' LOOP
        EXECUTE format('TRUNCATE %I RESTART IDENTITY CASCADE', one.tablename);
    END LOOP;
END $$"""
