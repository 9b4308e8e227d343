"""PostgreSQL's transaction numbers are of one server: on another one the feed goes on in a new era."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from gqlstock.rules.events import Event, Topic
from gqlstock.rules.feed import START, OutOfReach
from gqlstock.store import outbox
from gqlstock.store.db import clock, connection, sql, transactions
from gqlstock.store.db.connection import DatabaseUrl, Postgres
from support.settled_news import settled

AHEAD = 1_000_000_000


@pytest.fixture
def url(database_url: DatabaseUrl) -> Postgres:
    if not isinstance(database_url, Postgres):
        pytest.skip("of PostgreSQL alone")
    return database_url


async def tell(*subjects: int) -> None:
    await transactions.run(lambda: outbox.add([Event(Topic.ORDER, subject) for subject in subjects]))
    await settled()


async def subjects() -> list[int]:
    return [entry.subject for entry in await outbox.after(START, 100)]


async def era() -> int:
    (row,) = await sql.query("SELECT era FROM outbox_era")
    return int(row["era"])


async def have(change: str) -> None:
    """What another server would have left."""
    await transactions.run(lambda: sql.execute(change))


async def test_a_database_on_its_own_server_stays_in_its_era(url: Postgres) -> None:
    for number in range(3):
        async with connection.opened(url, everywhere=True):
            await tell(number)

    async with connection.opened(url, everywhere=True):
        assert (await era(), await subjects()) == (0, [0, 1, 2])


async def test_on_another_server_a_new_era_begins_and_the_feed_goes_on(url: Postgres) -> None:
    """Its numbers were higher than those here: nothing would be read for long, and new entries stand before old ones."""
    async with connection.opened(url, everywhere=True):
        await tell(1, 2)
        await have(f"UPDATE outbox SET tx = tx + {AHEAD}")
        await have("UPDATE outbox_era SET system = system + 1")

    async with connection.opened(url, everywhere=True):
        first, second = await outbox.after(START, 10)
        assert await outbox.latest() == second.cursor
        await tell(3)
        later = await outbox.latest()

        assert (await era(), later.era) == (1, 1)
        assert await subjects() == [1, 2, 3]
        assert [entry.subject for entry in await outbox.resume(first.cursor, 10)] == [2, 3]
        assert not await outbox.held_back(later)
    async with connection.opened(url, everywhere=True):
        assert await era() == 1


async def test_who_has_only_read_so_far_is_in_the_new_era_as_well(url: Postgres) -> None:
    """A connection that reads cannot begin it itself."""
    async with connection.opened(url, everywhere=True):
        await tell(1)
        await have("UPDATE outbox_era SET system = system + 1")

    async with connection.opened(url, everywhere=True):
        assert (await era(), await subjects()) == (1, [1])


async def test_a_new_era_begins_where_transaction_numbers_have_gone_back(url: Postgres) -> None:
    async with connection.opened(url, everywhere=True):
        await tell(1)
        await have(f"UPDATE outbox SET tx = tx + {AHEAD}")

    async with connection.opened(url, everywhere=True):
        await tell(2)

        assert (await era(), await subjects()) == (1, [1, 2])


async def test_a_new_era_begins_when_all_that_is_left_is_what_was_swept(url: Postgres) -> None:
    async with connection.opened(url, everywhere=True):
        await tell(1)
        await outbox.sweep(clock.now())
        await have(f"UPDATE outbox_horizon SET tx = tx + {AHEAD}")
        swept = await outbox.latest()

    async with connection.opened(url, everywhere=True):
        await tell(2)

        assert [entry.subject for entry in await outbox.resume(swept, 10)] == [2]


async def test_transaction_numbers_that_went_on_are_of_the_same_era(url: Postgres) -> None:
    async with connection.opened(url, everywhere=True):
        await tell(1)
        await have("UPDATE outbox SET tx = 3")

    async with connection.opened(url, everywhere=True):
        await tell(2)

        assert (await era(), await subjects()) == (0, [1, 2])


async def test_many_connections_at_once_begin_one_era(url: Postgres) -> None:
    async with connection.opened(url, everywhere=True):
        await tell(1)
        await have("UPDATE outbox_era SET system = system + 1")

    async with connection.opened(Postgres(**{**url.credentials, "minsize": 6}), everywhere=True):
        await asyncio.gather(*(tell(number) for number in range(2, 10)))

        assert await era() == 1
        assert sorted(await subjects()) == list(range(1, 10))


@asynccontextmanager
async def limited(url: Postgres) -> AsyncIterator[Postgres]:
    """A role that may not read the identifier of the server."""
    name = f"{url.credentials['database']}_limited"
    server = await asyncpg.connect(**url.credentials)
    try:
        await server.execute(f"""
            CREATE ROLE {name} LOGIN;
            GRANT ALL ON ALL TABLES IN SCHEMA public TO {name};
            GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {name};
            REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC;
        """)
        yield Postgres(**{**url.credentials, "user": name})
    finally:
        await server.execute(f"""
            GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC;
            DROP OWNED BY {name};
            DROP ROLE {name};
        """)
        await server.close()


async def test_who_may_not_read_the_identifier_goes_by_the_numbers_alone(url: Postgres) -> None:
    async with limited(url) as role:
        async with connection.opened(role, everywhere=True):
            await tell(1)
        async with connection.opened(url, everywhere=True):
            assert await era() == 0
            await have(f"UPDATE outbox SET tx = tx + {AHEAD}")
        async with connection.opened(role, everywhere=True):
            await tell(2)

            assert (await era(), await subjects()) == (1, [1, 2])


async def test_who_only_reads_begins_no_era_and_still_reads(url: Postgres) -> None:
    async with connection.opened(url, everywhere=True):
        await tell(1)
        await have("UPDATE outbox_era SET system = system + 1")
    only_reads = {"server_settings": {"default_transaction_read_only": "on"}}

    async with connection.opened(Postgres(**url.credentials, **only_reads), everywhere=True):
        assert (await era(), await subjects()) == (0, [1])


async def test_a_dump_in_another_database_goes_on_and_refuses_what_was_later_than_it(url: Postgres) -> None:
    if shutil.which("pg_dump") is None or shutil.which("pg_restore") is None:
        pytest.skip("needs pg_dump and pg_restore")
    source = os.environ["GQLSTOCK_TEST_DATABASE_URL"]
    name = f"{url.credentials['database']}_of_dump"
    restored = Postgres(**{**url.credentials, "database": name})
    async with connection.opened(url, everywhere=True):
        await tell(1, 2)
        kept = await outbox.latest()
        dump = await asyncio.to_thread(
            subprocess.run, ["pg_dump", "--format=custom", source], capture_output=True, check=True
        )
        await tell(3)
        lost = await outbox.latest()
    server = await asyncpg.connect(**url.credentials)
    try:
        await server.execute(f"CREATE DATABASE {name}")
        there = f"{source.rpartition('/')[0]}/{name}"
        command = ["pg_restore", "--no-owner", "--exit-on-error", "--dbname", there]
        await asyncio.to_thread(subprocess.run, command, input=dump.stdout, check=True)
        async with connection.opened(restored, everywhere=True):
            await tell(4, 5, 6)

            with pytest.raises(OutOfReach, match="not from this database's history"):
                await outbox.check(lost)
            assert [entry.subject for entry in await outbox.resume(kept, 10)] == [4, 5, 6]
    finally:
        await server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await server.close()
