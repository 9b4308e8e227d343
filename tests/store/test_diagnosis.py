"""The facts about a database are read without writing, as far as the role may read them."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from gqlstock.rules.diagnosis.postgres import ConnectionLimit, Setting, Writer
from gqlstock.rules.diagnosis.sqlite import SqliteFacts
from gqlstock.rules.events import Event, Topic
from gqlstock.store import diagnosis, outbox
from gqlstock.store.db import clock, connection, sql, transactions
from gqlstock.store.db.connection import DatabaseUrl, Postgres, SqliteFile
from support.damage import damage


@pytest.fixture
def server(database_url: DatabaseUrl) -> Postgres:
    if not isinstance(database_url, Postgres):
        pytest.skip("needs GQLSTOCK_TEST_DATABASE_URL")
    return database_url


@contextlib.asynccontextmanager
async def connected(url: Postgres, **other: str) -> AsyncIterator[Any]:
    made = await asyncpg.connect(**{**url.credentials, **other})
    try:
        yield made
    finally:
        await made.close()


@pytest.fixture
async def plain_role(server: Postgres) -> AsyncIterator[Postgres]:
    """The database for a role that may read its tables, and has no other rights."""
    async with connected(server) as admin:
        if not await admin.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
            pytest.skip("needs a role that creates roles")
        name = f"{server.credentials['database']}_plain"
        await admin.execute(f'DROP ROLE IF EXISTS "{name}"')
        await admin.execute(f"""CREATE ROLE "{name}" LOGIN PASSWORD 'plain' CONNECTION LIMIT 5""")
        await admin.execute(f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{name}"')
        try:
            yield Postgres(**{**server.credentials, "user": name, "password": "plain"})
        finally:
            await admin.execute(f'DROP OWNED BY "{name}"; DROP ROLE "{name}"')


def of_process(writers: Sequence[Writer], process: int) -> Writer:
    (found,) = (writer for writer in writers if writer.process == process)
    return found


async def test_settings_of_the_database_are_those_in_use(server: Postgres) -> None:
    async with connection.opened(server, read_only=True):
        facts = await diagnosis.postgres(up_to_date=True)

    # The fixtures set it for each database.
    assert facts.settings["synchronous_commit"] == Setting("off", "database")
    assert (facts.database, facts.schema, facts.is_standby) == (server.credentials["database"], "public", False)
    assert facts.version >= 130_000
    assert (facts.search_index, facts.denied, facts.unreadable) == (True, (), ())
    assert facts.limits[0].most > 16
    assert abs(facts.clock_ahead) < 1


async def test_a_transaction_of_another_database_is_found_and_one_that_only_reads_is_not(server: Postgres) -> None:
    async with connected(server, database="postgres") as writing, connected(server) as reading:
        process, reader = [await one.fetchval("SELECT pg_backend_pid()") for one in (writing, reading)]
        async with writing.transaction(), reading.transaction():
            await writing.execute("SELECT pg_current_xact_id()")
            await reading.execute("SELECT 1")
            async with connection.opened(server, read_only=True):
                facts = await diagnosis.postgres(up_to_date=True)

    found = of_process(facts.writers, process)
    assert found.seconds is not None
    assert found == Writer("postgres", server.credentials["user"], process, found.seconds, idle=True)
    assert facts.held_back >= found.seconds > 0
    assert reader not in {writer.process for writer in facts.writers}


async def test_a_plain_role_sees_who_writes_and_how_long_changes_have_waited(
    server: Postgres, plain_role: Postgres
) -> None:
    async with connected(server, database="postgres") as writing:
        process = await writing.fetchval("SELECT pg_backend_pid()")
        async with writing.transaction():
            await writing.execute("SELECT pg_current_xact_id()")
            async with connection.opened(server):
                await transactions.run(lambda: outbox.add([Event(Topic.ORDER, 1)]))
            async with connection.opened(plain_role, read_only=True):
                may_read = await diagnosis.can_read_tables()
                facts = await diagnosis.postgres(up_to_date=True)

    assert may_read
    assert of_process(facts.writers, process) == Writer("postgres", server.credentials["user"], process)
    assert facts.held_back > 0
    assert not facts.reads_all_statistics
    assert "item" in facts.denied
    assert "tortoise_migrations" not in facts.denied
    assert facts.limits[1:] == (ConnectionLimit(f"the CONNECTION LIMIT of the role {facts.role}", 5),)


async def test_a_role_that_may_not_read_the_tables_is_told_from_one_that_may(
    server: Postgres, plain_role: Postgres
) -> None:
    async with connected(server) as admin:
        await admin.execute(f'REVOKE SELECT ON item FROM "{plain_role.credentials["user"]}"')

    async with connection.opened(plain_role, read_only=True):
        assert not await diagnosis.can_read_tables()


async def test_a_missing_search_index_is_found(server: Postgres) -> None:
    async with connected(server) as admin:
        transaction = admin.transaction()
        await transaction.start()
        await admin.execute("ALTER INDEX item_search RENAME TO item_search_before")
        await transaction.commit()
        try:
            async with connection.opened(server, read_only=True):
                facts = await diagnosis.postgres(up_to_date=True)
        finally:
            await admin.execute("ALTER INDEX item_search_before RENAME TO item_search")

    assert facts.search_index is False


async def test_a_database_that_is_only_read_keeps_its_era_and_takes_no_writes(server: Postgres) -> None:
    """A restored database begins an era with the first connection that may write."""
    async with connected(server) as admin:
        await admin.execute("DELETE FROM outbox_era; INSERT INTO outbox_era (id, era, system) VALUES (1, 3, 7)")
        async with connection.opened(server, read_only=True):
            await diagnosis.postgres(up_to_date=True)
            with pytest.raises(Exception, match="read-only transaction"):
                await sql.execute("DELETE FROM outbox")
        kept = await admin.fetchrow("SELECT era, system FROM outbox_era")
        async with connection.opened(server):
            await sql.query("SELECT 1 AS one")
        begun = await admin.fetchval("SELECT era FROM outbox_era")
        await admin.execute("DELETE FROM outbox_era")

    assert (tuple(kept), begun) == ((3, 7), 4)


def of_file(url: SqliteFile, *, integrity: bool = False) -> SqliteFacts:
    async def read() -> SqliteFacts:
        async with connection.opened(url, read_only=True):
            return await diagnosis.sqlite(integrity=integrity)

    return asyncio.run(read())


def test_the_facts_of_a_file(sqlite_file: SqliteFile) -> None:
    file = Path(sqlite_file.path)

    facts = of_file(sqlite_file, integrity=True)

    assert (facts.file, facts.octets, facts.journal_mode) == (str(file.resolve()), file.stat().st_size, "wal")
    assert abs(facts.free_octets - shutil.disk_usage(file.parent).free) < 1_024**3
    assert (facts.is_writable, facts.damage) == (True, ())


def test_a_file_below_a_private_directory_is_not_reached_by_others(sqlite_file: SqliteFile) -> None:
    file = Path(sqlite_file.path)
    file.chmod(0o644)
    file.parent.chmod(0o700)

    facts = of_file(sqlite_file)

    assert (facts.mode, facts.damage) == (None, None)


def test_the_file_behind_a_link_is_the_one_that_is_judged(sqlite_file: SqliteFile, tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(sqlite_file.path)

    assert of_file(SqliteFile(str(link))).file == str(Path(sqlite_file.path).resolve())


def test_damaged_pages_are_found(sqlite_file: SqliteFile) -> None:
    damage(sqlite_file, "organization")

    assert of_file(sqlite_file, integrity=True).damage


async def test_a_file_that_is_only_read_takes_no_writes(sqlite_file: SqliteFile) -> None:
    async with connection.opened(sqlite_file, read_only=True):
        with pytest.raises(Exception, match="readonly database"):
            await sql.execute("DELETE FROM outbox")


async def test_the_latest_time_is_that_of_any_entry(db: None) -> None:
    assert await outbox.latest_time() is None
    now = clock.now()
    for ahead in (60, 0):
        with clock.replaced(lambda ahead=ahead: now + timedelta(seconds=ahead)):  # type: ignore[misc]
            await transactions.run(lambda: outbox.add([Event(Topic.ORDER, 1)]))

    latest = await outbox.latest_time()

    assert latest is not None
    assert abs(latest - now - timedelta(seconds=60)) < timedelta(seconds=1)
