"""PostgreSQL on several hosts: the one that takes writes is used, and calls wait while there is none."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from gqlstock.rules.events import Event, Topic
from gqlstock.services import status
from gqlstock.stock import reading
from gqlstock.store import outbox
from gqlstock.store.db import clock, commits, connection, primary, sql, transactions
from gqlstock.store.db.connection import DatabaseUrl, Postgres
from gqlstock.store.db.outages import ConnectionLost, Disconnected, Patience, Unavailable
from gqlstock.store.db.postgres import client_class
from support import server_processes
from support import shop_builders as make
from support.lost_commits import losing_commits
from support.tcp_proxy import Proxy, proxied


@pytest.fixture
def postgres(database_url: DatabaseUrl) -> Postgres:
    if not isinstance(database_url, Postgres):
        pytest.skip("SQLite has no hosts")
    return database_url


@pytest.fixture
async def door(postgres: Postgres) -> AsyncIterator[Proxy]:
    async with proxied(postgres.credentials["host"], postgres.credentials["port"]) as proxy:
        yield proxy


def on(postgres: Postgres, *ports: int) -> Postgres:
    """The database at several ports of this machine."""
    return Postgres(**{**postgres.credentials, "host": ["127.0.0.1"] * len(ports), "port": list(ports)})


async def test_the_host_that_answers_is_used(postgres: Postgres) -> None:
    url = on(postgres, server_processes.free_port(), postgres.credentials["port"])

    async with connection.opened(url):
        await status.check_usable(url)


class BehindAPooler:
    """A connection that stays open while the pooler changes the server."""

    def __init__(self, *, is_standby: bool) -> None:
        self.is_standby = is_standby

    async def fetchval(self, statement: str) -> bool:
        assert statement == "SELECT pg_is_in_recovery()"
        return self.is_standby


async def test_a_heartbeat_that_a_standby_answers_is_a_loss() -> None:
    await primary._beat(BehindAPooler(is_standby=False))

    with pytest.raises(Disconnected, match="the server is a standby") as raised:
        await primary._beat(BehindAPooler(is_standby=True))
    assert primary.is_lost(raised.value)


async def test_without_patience_the_error_of_the_first_host_is_raised(postgres: Postgres) -> None:
    refusing = server_processes.free_port()
    url = on(postgres, refusing, server_processes.free_port())

    async with connection.opened(url):
        with pytest.raises(ConnectionLost, match=f"{refusing}") as raised:
            await status.database_answers()

    assert isinstance(raised.value.__cause__, OSError)


async def test_calls_wait_until_the_outage_has_lasted_too_long(postgres: Postgres) -> None:
    url = on(postgres, server_processes.free_port(), server_processes.free_port())

    async with connection.opened(url, patience=Patience(outage=2, statement=10)):
        began = time.monotonic()
        for _ in range(20):
            with pytest.raises(Unavailable):
                await sql.query("SELECT 1 AS one")
        waited = time.monotonic() - began

    # The first call waits. For the others, the outage has already lasted too long.
    assert 2 <= waited < 30


async def test_a_transaction_and_a_read_wait_for_the_end_of_an_outage(postgres: Postgres, door: Proxy) -> None:
    url = on(postgres, door.port)
    async with connection.opened(url, everywhere=True, patience=Patience(outage=60, statement=10)):
        await make.warehouse("BERLIN")
        await door.shut()

        calls = [
            asyncio.create_task(
                transactions.run(lambda: sql.execute("UPDATE warehouse SET name = 'Later' RETURNING id"))
            ),
            asyncio.create_task(reading.run(lambda: sql.query("SELECT code FROM warehouse"))),
        ]
        await asyncio.sleep(0.5)
        waiting = [not call.done() for call in calls]
        await door.open()
        written, read = await asyncio.gather(*calls)

    assert waiting == [True, True]
    assert (len(written), read) == (1, [{"code": "BERLIN"}])


async def test_a_silent_server_is_left_for_one_that_answers(
    postgres: Postgres, door: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(primary, "_SECONDS_PER_STEP", 0.1)
    monkeypatch.setattr(primary, "_SECONDS_BETWEEN_HEARTBEATS", 0.1)
    spare = Proxy(postgres.credentials["host"], postgres.credentials["port"])
    await spare.open()
    await spare.shut()
    async with connection.opened(on(postgres, door.port, spare.port), patience=Patience(outage=60, statement=60)):
        await sql.query("SELECT 1 AS one")
        await spare.open()
        door.freeze()

        async with asyncio.timeout(30):
            found = await sql.query("SELECT 1 AS one")
        door.thaw()
    await spare.shut()

    assert found == [{"one": 1}]


async def test_a_statement_on_a_connection_that_is_half_open_is_sent_again_on_another_one(
    postgres: Postgres, door: Proxy
) -> None:
    async with connection.opened(on(postgres, door.port), patience=Patience(outage=60, statement=2)):
        await sql.query("SELECT 1 AS one")
        door.strand(1)  # not the heartbeat's

        found = await sql.query("SELECT 1 AS one")

    assert found == [{"one": 1}]


async def test_too_many_waiting_calls_are_refused(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(primary, "_MAX_WAITING", 2)
    url = on(postgres, server_processes.free_port())

    async with connection.opened(url, patience=Patience(outage=1, statement=10)):
        calls: list[Any] = [asyncio.create_task(sql.query("SELECT 1 AS one")) for _ in range(3)]
        done, _ = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        errors = [call.exception() for call in done]
        await asyncio.gather(*calls, return_exceptions=True)

    assert [str(error) for error in errors] == ["2 calls are already waiting for the database"]


async def test_a_mistake_in_a_statement_is_no_outage(postgres: Postgres) -> None:
    async with connection.opened(postgres, patience=Patience(outage=60, statement=10)):
        with pytest.raises(asyncpg.InterfaceError, match="32767"):
            await sql.query(f"SELECT 1 AS one WHERE 1 IN ({sql.slots(range(40_000))})", *range(40_000))


async def test_calls_give_up_when_the_primary_is_found_but_no_connection_can_be_used(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(_: Any) -> None:
        raise ConnectionResetError("reset by the peer")

    monkeypatch.setattr(clock, "use_server", breaks)
    async with connection.opened(postgres, patience=Patience(outage=0.5, statement=10)):
        with pytest.raises(Unavailable, match="no connection to the database can be used"):
            async with asyncio.timeout(60):
                await sql.query("SELECT 1 AS one")


async def test_the_end_of_a_read_transaction_whose_connection_was_lost_begins_no_outage(
    postgres: Postgres, door: Proxy
) -> None:
    async with connection.opened(on(postgres, door.port), patience=Patience(outage=60, statement=10)):
        reader = connection.reader()
        read = await reader.begin_read()
        await read.fetch("SELECT 1", ())
        await door.shut()
        with pytest.raises(Disconnected):
            await read.fetch("SELECT 1", ())
        await door.open()
        found = await reader.primary.address()

        await read.end()

        assert reader.primary._address == found


async def test_a_snapshot_is_complete_although_the_connection_breaks_at_its_end(postgres: Postgres) -> None:
    async def work() -> int:
        ((process,),) = await sql.fetch_raw("SELECT pg_backend_pid()")
        await connection.connection().execute_query_dict("SELECT pg_terminate_backend($1, 10000)", [process])
        return int(process)

    async with connection.opened(postgres, patience=Patience(outage=60, statement=10)):
        assert await transactions.at_one_moment(work) > 0


@pytest.mark.parametrize("measures", [False, True], ids=["BEGIN", "clock"])
async def test_a_half_open_connection_is_closed_without_waiting_for_the_server_to_cancel(
    postgres: Postgres, door: Proxy, monkeypatch: pytest.MonkeyPatch, measures: bool
) -> None:
    waited: list[str] = []
    close, release = asyncpg.Connection.close, client_class.release

    async def closing(of: Any, **more: Any) -> None:
        waited.extend(["close"] if of._protocol._is_cancelling() else [])
        await close(of, **more)

    async def releasing(of: Any, used: Any) -> None:
        waited.extend(["release"] if used._con is not None and used._protocol._is_cancelling() else [])
        await release(of, used)

    monkeypatch.setattr(asyncpg.Connection, "close", closing)
    monkeypatch.setattr(client_class, "release", releasing)
    async with connection.opened(on(postgres, door.port), patience=Patience(outage=60, statement=1)):
        await sql.execute("SELECT 1 AS one")
        if measures:
            monkeypatch.setattr(clock._server, "_due", 0.0)
        door.strand(1)  # not the heartbeat's

        found = await transactions.run(lambda: sql.execute("SELECT 1 AS one"))

    assert (found, waited) == ([{"one": 1}], [])


async def test_whether_a_transaction_committed_is_checked_for_as_long_as_calls_wait(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commits, "MIN_SECONDS", 0.1)
    postgres = Postgres(**{**postgres.credentials, "ssl": "disable"})
    async with (
        losing_commits(postgres) as proxy,
        connection.opened(on(postgres, proxy.port), patience=Patience(outage=60, statement=10)),
    ):

        async def work() -> None:
            await outbox.add([Event(Topic.ORDER, 1)])
            proxy.losing = True
            proxy.refuse()

        call = asyncio.create_task(transactions.run(work))
        await asyncio.sleep(0.5)
        is_waiting = not call.done()
        proxy.losing = False
        await proxy.open()
        await call
        entries = await sql.query("SELECT subject FROM outbox")

    assert (proxy.lost, is_waiting, entries) == (1, True, [{"subject": 1}])


async def test_an_error_of_a_connection_from_before_an_outage_begins_no_other_outage(
    postgres: Postgres, door: Proxy
) -> None:
    async with connection.opened(on(postgres, door.port), patience=Patience(outage=60, statement=0.5)):
        began, goes_on = asyncio.Event(), asyncio.Event()

        async def work() -> Any:
            await sql.execute("SELECT 1 AS one")
            began.set()
            await goes_on.wait()
            return await sql.execute("SELECT 2 AS two")

        call = asyncio.create_task(transactions.run(work))
        await began.wait()
        reader = connection.reader()
        reads = [await reader.begin_read() for _ in range(3)]
        for read in reads:
            await read.fetch("SELECT 1", ())
        await reads[2].end()  # back in the pool
        # Only the connections of the pools are half open, not that of the heartbeat.
        door.strand(1, 2, 3, 4)
        with pytest.raises(Disconnected):
            await reads[0].fetch("SELECT 1", ())
        await reader.primary.address()
        found = reader.primary.generation

        with pytest.raises(Disconnected):
            await reads[1].fetch("SELECT 1", ())
        single = await sql.query("SELECT 1 AS one")
        goes_on.set()
        written = await call

        assert (single, written) == ([{"one": 1}], [{"two": 2}])
        assert (found, reader.primary.generation) == (2, 2)
        for read in reads[:2]:
            await read.end()


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.TooManyConnectionsError("sorry, too many clients already"),
        asyncpg.CannotConnectNowError("the database system is starting up"),
    ],
    ids=["full", "starting"],
)
async def test_calls_wait_while_the_server_accepts_no_connections(
    postgres: Postgres, door: Proxy, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    connect, refused = asyncpg.connect, []

    async def refusing(*args: Any, **options: Any) -> Any:
        if len(refused) < 3:
            refused.append(error)
            raise error
        return await connect(*args, **options)

    async with connection.opened(on(postgres, door.port), patience=Patience(outage=60, statement=10)):
        await sql.query("SELECT 1 AS one")
        monkeypatch.setattr(asyncpg, "connect", refusing)
        door.reset(0, 1)

        found = await sql.query("SELECT 1 AS one")

    assert (found, len(refused)) == ([{"one": 1}], 3)


async def test_the_loss_of_one_connection_is_no_outage_while_the_server_is_full(
    postgres: Postgres, door: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: Any, **__: Any) -> None:
        raise asyncpg.TooManyConnectionsError("sorry, too many clients already")

    async with connection.opened(on(postgres, door.port), patience=Patience(outage=60, statement=10)):
        reader = connection.reader()
        reads = [await reader.begin_read() for _ in range(2)]
        monkeypatch.setattr(asyncpg, "connect", full)
        door.reset(1)
        with pytest.raises(Disconnected):
            await reads[0].fetch("SELECT 1 AS one", ())

        async with asyncio.timeout(5):
            await reader.primary.address()
            found = await reads[1].fetch("SELECT 1 AS one", ())
        for read in reads:
            await read.end()

    assert list(map(dict, found)) == [{"one": 1}]


@pytest.mark.parametrize(
    ("seconds", "reset"), [(0.1, [0]), (600, [0, 1])], ids=["by the heartbeat", "by another connection"]
)
async def test_connections_are_closed_when_that_of_the_heartbeat_was_reset(
    postgres: Postgres, door: Proxy, monkeypatch: pytest.MonkeyPatch, seconds: float, reset: list[int]
) -> None:
    monkeypatch.setattr(primary, "_SECONDS_BETWEEN_HEARTBEATS", seconds)
    monkeypatch.setattr(primary, "_SECONDS_PER_STEP", 60)
    async with connection.opened(on(postgres, door.port), patience=Patience(outage=60, statement=60)):
        reader = connection.reader()
        reads = [await reader.begin_read() for _ in range(2)]
        for read in reads:
            await read.fetch("SELECT 1", ())
        door.strand()
        waiting = asyncio.create_task(reads[1].fetch("SELECT 1", ()))
        door.reset(*reset)
        if 1 in reset:
            with pytest.raises(Disconnected):
                await reads[0].fetch("SELECT 1", ())

        async with asyncio.timeout(5):
            with pytest.raises(Disconnected):
                await waiting
        for read in reads:
            await read.end()


async def test_a_transaction_is_repeated_while_the_server_takes_no_writes(postgres: Postgres) -> None:
    attempts: list[int] = []

    async def work() -> Any:
        attempts.append(len(attempts))
        if len(attempts) == 1:
            await sql.execute("SET TRANSACTION READ ONLY")
        return await sql.execute("UPDATE warehouse SET name = 'Later' RETURNING name")

    async with connection.opened(postgres, everywhere=True, patience=Patience(outage=60, statement=10)):
        await make.warehouse("BERLIN")

        assert await transactions.run(work) == [{"name": "Later"}]

    assert attempts == [0, 1]


async def test_the_server_is_not_asked_to_cancel_a_commit(postgres: Postgres, door: Proxy) -> None:
    async def work() -> None:
        await sql.execute("UPDATE warehouse SET name = 'Later' RETURNING id")
        door.freeze()

    async with connection.opened(on(postgres, door.port), everywhere=True, patience=Patience(outage=60, statement=10)):
        await make.warehouse("BERLIN")
        before = door.connections
        call = asyncio.create_task(transactions.run(work))
        await asyncio.sleep(0.3)
        call.cancel()
        await asyncio.sleep(0.3)
        # asyncpg asks on another connection.
        during = door.connections
        door.thaw()
        with pytest.raises(asyncio.CancelledError):
            await call

    assert during == before
