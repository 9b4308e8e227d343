"""What the migrations leave behind, however often, by how many at once, and wherever they are killed."""

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from subprocess import PIPE, Popen

import asyncpg
import pytest
from tortoise import Tortoise
from tortoise.migrations.api.migrate import migrate

import gqlstock
from gqlstock.config import Config
from gqlstock.services import status
from gqlstock.store.db import connection, migrations, sql, versions
from gqlstock.store.db.connection import DatabaseUrl, Postgres, SqliteFile
from support.worker_databases import POSTGRES

PATIENCE = 60
# Applies the migrations, and is killed when the second one has been applied and is to be recorded.
KILLED = """
import asyncio, os, signal
from gqlstock.cli import session
from gqlstock.store.db import versions
from tortoise.migrations import executor

class Recorder(executor.MigrationRecorder):
    async def record_applied(self, app, name):
        if name == "0002_outbox_horizon":
            os.kill(os.getpid(), signal.SIGKILL)
        await super().record_applied(app, name)

executor.MigrationRecorder = Recorder
asyncio.run(versions.migrate(session.config().database))
"""


async def test_no_migration_has_cost_a_table_its_indexes(tmp_path: Path) -> None:
    url = SqliteFile(str(tmp_path / "sqlite.db"))
    await versions.migrate(url)

    async with connection.opened(url):
        assert Tortoise.apps is not None
        for model in Tortoise.apps["gqlstock"].values():
            there = await sql.query(
                "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = ?",
                model._meta.db_table,
            )
            assert len(there) >= len(model._meta.indexes), model._meta.db_table
        by_hand = await sql.query("SELECT name FROM sqlite_master WHERE name = 'customer_order_email'")
        assert len(by_hand) == 1


@pytest.fixture
def new(tmp_path: Path) -> Iterator[str]:
    """A URL of a database that nobody has migrated, in the configuration's form."""
    if not POSTGRES:
        yield f"sqlite:////{tmp_path}/new.db"
        return
    address, _, beside = POSTGRES.rpartition("/")
    name = f"{beside}_new"
    asyncio.run(_on_server(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}"'))
    yield f"{address}/{name}"
    asyncio.run(_on_server(f'DROP DATABASE "{name}" WITH (FORCE)'))


async def _on_server(*statements: str) -> None:
    url = parsed(POSTGRES or "")
    assert isinstance(url, Postgres)
    server = await asyncpg.connect(**{**url.credentials, "database": "postgres"})
    try:
        for statement in statements:
            await server.execute(statement)
    finally:
        await server.close()


def parsed(url: str) -> DatabaseUrl:
    return Config.from_env({"GQLSTOCK_DATABASE_URL": url}).database


def up_to_date(url: str) -> str:
    """What ``migrate`` prints at its end."""
    return f"The database {status.named(parsed(url))} is up to date.\n"


def started(url: str, *command: str) -> "Popen[str]":
    env = {**os.environ, "GQLSTOCK_DATABASE_URL": url}
    return subprocess.Popen([sys.executable, *command], env=env, stdout=PIPE, stderr=PIPE, text=True)


def told(process: "Popen[str]") -> tuple[int, str, str]:
    stdout, stderr = process.communicate(timeout=PATIENCE)
    return process.returncode, stdout, stderr


async def applied(url: str) -> list[str]:
    async with connection.opened(parsed(url)):
        assert await versions.pending() == []
        return [row["name"] for row in await sql.query("SELECT name FROM tortoise_migrations ORDER BY id")]


def test_a_migration_that_is_killed_before_its_record_is_applied_again(new: str) -> None:
    killed = told(started(new, "-c", KILLED))

    again = told(started(new, "-m", "gqlstock.cli", "migrate"))

    assert killed == (-9, "", "")
    assert again == (0, up_to_date(new), "")
    assert asyncio.run(applied(new)) == ALL


def test_processes_that_migrate_at_once_all_end_well(new: str) -> None:
    processes = [started(new, "-m", "gqlstock.cli", "migrate") for _ in range(4)]

    assert [told(process) for process in processes] == [(0, up_to_date(new), "")] * 4
    assert asyncio.run(applied(new)) == ALL


ALL = sorted(path.stem for path in Path(migrations.__path__[0]).glob("[0-9]*.py"))


@pytest.mark.parametrize("lost", ALL[:5])
def test_a_schema_whose_record_was_lost_is_recorded_and_the_rest_applied(new: str, lost: str) -> None:
    async def lose() -> None:
        url = parsed(new)
        async with connection.opened(url, create=True):
            await migrate(config=connection.settings(url, create=True), target=f"gqlstock.{lost}")
        async with connection.opened(url):
            await sql.execute("DELETE FROM tortoise_migrations WHERE name = ?", lost)

    asyncio.run(lose())

    again = told(started(new, "-m", "gqlstock.cli", "migrate"))

    assert again[:2] == (0, up_to_date(new))
    assert asyncio.run(applied(new)) == ALL


async def test_a_migration_that_fails_leaves_nothing_and_those_before_it(tmp_path: Path) -> None:
    url = SqliteFile(str(tmp_path / "sqlite.db"))
    with closing(sqlite3.connect(url.path)) as other:
        other.execute("CREATE TABLE mail (text TEXT)")  # which 0003 makes, after others

    with pytest.raises(Exception, match="already exists"):
        await versions.migrate(url)

    with closing(sqlite3.connect(url.path)) as found:
        tables = {name for (name,) in found.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        recorded = [name for (name,) in found.execute("SELECT name FROM tortoise_migrations ORDER BY id")]
    assert recorded == ["0001_initial", "0002_outbox_horizon"]
    assert tables & {"outbox_horizon", "back_in_stock_subscription", "dispatch"} == {"outbox_horizon"}


# Runs a command of the version in a directory.
OF_VERSION = "import sys; sys.path.insert(0, sys.argv.pop(1)); from gqlstock.cli import app; app()"
MIGRATION = """
from tortoise import migrations
from tortoise.migrations import operations as ops

class Migration(migrations.Migration):
    dependencies = [("gqlstock", "{after}")]
    initial = False
    operations = [ops.RunSQL("UPDATE warehouse SET name = 'Later'")]
"""


def test_a_migration_has_servers_drop_what_they_keep_and_none_of_a_new_database_does(new: str, tmp_path: Path) -> None:
    later_version = shutil.copytree(Path(gqlstock.__path__[0]), tmp_path / "gqlstock")
    (later_version / "store/db/migrations/9999_later.py").write_text(MIGRATION.format(after=ALL[-1]))

    async def topics() -> list[str]:
        async with connection.opened(parsed(new)):
            return [row["topic"] for row in await sql.query("SELECT topic FROM outbox ORDER BY id")]

    def migrated(*command: str) -> list[str]:
        assert told(started(new, *command)) == (0, up_to_date(new), "")
        return asyncio.run(topics())

    later = ("-c", OF_VERSION, str(tmp_path), "migrate")
    # Those of the default organization and of the key of access tokens.
    assert migrated("-m", "gqlstock.cli", "migrate") == ["SETTINGS", "TOKENS"]
    assert migrated(*later) == ["SETTINGS", "TOKENS", "RESET"]
    assert migrated(*later) == ["SETTINGS", "TOKENS", "RESET"]

    asyncio.run(forget(new))
    assert migrated(*later) == ["SETTINGS", "TOKENS"]


async def forget(url: str) -> None:
    """Have a new database in the place of this one."""
    found = parsed(url)
    if isinstance(found, SqliteFile):
        for file in Path(found.path).parent.glob(f"{Path(found.path).name}*"):
            file.unlink()
    else:
        name = url.rpartition("/")[2]
        await _on_server(f'DROP DATABASE "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}"')


async def test_no_migration_makes_the_ids_of_the_outbox_begin_again(tmp_path: Path) -> None:
    """On SQLite what is kept in memory is current as long as this number is the same."""
    url = SqliteFile(str(tmp_path / "sqlite.db"))
    async with connection.opened(url, create=True):
        await migrate(config=connection.settings(url, create=True), target="gqlstock.0001_initial")
    async with connection.opened(url):
        entry = "INSERT INTO outbox (tx, topic, subject, data, created_at) VALUES (0, 'ORDER', 1, '{}', '2026-01-01')"
        await sql.execute(entry)
        await sql.execute("DELETE FROM outbox")

    await versions.migrate(url)

    async with connection.opened(url):
        assert await sql.query("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'") == [{"seq": 1}]
