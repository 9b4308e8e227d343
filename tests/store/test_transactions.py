import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
from tortoise.exceptions import OperationalError

from gqlstock.rules.catalog import new_product
from gqlstock.rules.events import Event, Topic
from gqlstock.stock import loading
from gqlstock.stock.command import Names
from gqlstock.store import catalog, outbox
from gqlstock.store.catalog import Item
from gqlstock.store.db import clock, connection, sql, transactions
from gqlstock.store.db.commits import CommitUnknown
from gqlstock.store.db.connection import DatabaseUrl, Postgres, SqliteFile
from gqlstock.store.db.outages import Unavailable
from gqlstock.store.db.transactions import Outdated
from gqlstock.store.warehouses import Warehouse
from support import shop_builders as make
from support.lost_commits import CommitLossProxy, losing_commits


@pytest.fixture
async def on_sqlite(sqlite_file: SqliteFile) -> AsyncIterator[SqliteFile]:
    """A SQLite database, open, whatever the other tests run on."""
    async with connection.opened(sqlite_file, everywhere=True):
        yield sqlite_file


@pytest.fixture
def on_postgres(database_url: DatabaseUrl) -> Postgres:
    if not isinstance(database_url, Postgres):
        pytest.skip("of PostgreSQL alone")
    return database_url


@pytest.fixture
async def other(on_postgres: Postgres) -> AsyncIterator[asyncpg.Connection]:
    """A connection that another program has."""
    connection = await asyncpg.connect(**on_postgres.credentials)
    yield connection
    await connection.close()


async def rename(code: str, name: str) -> None:
    await Warehouse.filter(code=code).update(name=name)


async def name_of(code: str) -> str:
    return (await Warehouse.get(code=code)).name


async def test_an_error_leaves_nothing_of_the_transaction(db: None) -> None:
    await make.warehouse("A", name="Before")

    async def work() -> None:
        await rename("A", "After")
        raise LookupError("halfway")

    with pytest.raises(LookupError, match="halfway"):
        await transactions.run(work)

    assert await name_of("A") == "Before"


async def test_a_transaction_inside_another_is_part_of_it(db: None) -> None:
    await make.warehouse("A", name="Before")

    async def inner() -> None:
        await rename("A", "After")

    async def outer() -> None:
        await transactions.run(inner)
        raise LookupError("after the inner one ended")

    with pytest.raises(LookupError):
        await transactions.run(outer)

    assert await name_of("A") == "Before"


async def test_a_transaction_reads_what_it_wrote(db: None) -> None:
    await make.warehouse("A", name="Before")

    async def work() -> str:
        await rename("A", "After")
        return await name_of("A")

    assert await transactions.run(work) == "After"


async def test_a_call_on_commit_comes_once_and_after_the_commit(db: None) -> None:
    await make.warehouse("A", name="Before")
    heard: list[str] = []

    def call() -> None:
        heard.append("committed")

    async def work() -> None:
        transactions.on_commit(call)
        await rename("A", "After")
        transactions.on_commit(call)
        assert heard == []

    await transactions.run(work)

    assert heard == ["committed"]


async def test_a_call_on_commit_never_comes_when_it_was_rolled_back(db: None) -> None:
    heard: list[str] = []

    async def work() -> None:
        transactions.on_commit(lambda: heard.append("committed"))
        raise LookupError

    with pytest.raises(LookupError):
        await transactions.run(work)

    assert heard == []


async def test_a_call_on_commit_of_an_attempt_that_failed_is_forgotten(db: None) -> None:
    attempts: list[str] = []
    heard: list[str] = []

    async def work() -> None:
        attempts.append("once more")
        number = len(attempts)
        transactions.on_commit(lambda: heard.append(f"attempt {number}"))
        if number < 3:
            raise Outdated

    await transactions.run(work)

    assert heard == ["attempt 3"]


async def test_a_call_on_commit_needs_a_transaction(db: None) -> None:
    with pytest.raises(RuntimeError, match="No transaction is running"):
        transactions.on_commit(lambda: None)


async def test_what_is_gathered_is_written_at_once_before_the_commit(db: None) -> None:
    written: list[list[str]] = []

    async def write(rows: list[str]) -> None:
        written.append(list(rows))

    async def work() -> None:
        transactions.gather(write, ["a"])
        transactions.gather(write, ["b", "c"])
        assert written == []

    await transactions.run(work)

    assert written == [["a", "b", "c"]]


async def test_a_transaction_that_never_gets_through_gives_up_with_its_error(db: None) -> None:
    attempts: list[int] = []

    async def work() -> None:
        attempts.append(1)
        raise Outdated("changed again")

    with pytest.raises(Outdated, match="changed again"):
        await transactions.run(work)

    assert len(attempts) == 8


@pytest.mark.parametrize(("attempts", "raised"), [(1, OperationalError), (2, Unavailable)])
async def test_a_transaction_that_others_hold_up_has_its_own_error_only_if_it_was_not_retried(
    db: None, attempts: int, raised: type[Exception]
) -> None:
    """Migrations allow one attempt, and retry themselves."""

    async def work() -> None:
        raise OperationalError("database is locked")

    with pytest.raises(raised):
        await transactions.run(work, attempts=attempts)


async def test_a_cancelled_transaction_leaves_nothing_and_the_next_one_works(db: None) -> None:
    await make.warehouse("A", name="Before")
    began = asyncio.Event()

    async def work() -> None:
        await rename("A", "Halfway")
        began.set()
        await asyncio.sleep(60)

    task = asyncio.create_task(transactions.run(work))
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await name_of("A") == "Before"
    await transactions.run(lambda: rename("A", "After"))
    assert await name_of("A") == "After"


@pytest.mark.parametrize("ticks", range(12))
async def test_no_connection_is_lost_wherever_a_task_is_cancelled(db: None, ticks: int) -> None:
    await make.warehouse("A", name="Before")

    for _ in range(15):  # more than a pool has
        task = asyncio.create_task(transactions.run(lambda: rename("A", "Halfway")))
        for _ in range(ticks):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    await asyncio.wait_for(transactions.run(lambda: rename("A", "After")), 5)
    assert await name_of("A") == "After"


async def test_sqlite_begins_by_taking_the_write_lock(on_sqlite: SqliteFile) -> None:
    async def work() -> str:
        other = sqlite3.connect(on_sqlite.path, timeout=0)
        try:
            other.execute("UPDATE organization SET name = 'other'")
        except sqlite3.OperationalError as error:
            return str(error)
        finally:
            other.close()
        return "written"

    assert await transactions.run(work) == "database is locked"


@pytest.mark.parametrize(("megabytes", "at_least", "at_most"), [(6, 6, 8), (40, 16, 18)])
async def test_sqlite_writes_over_its_log_and_cuts_a_large_one(
    on_sqlite: SqliteFile, megabytes: int, at_least: int, at_most: int
) -> None:
    async def fill() -> None:
        await sql.execute("CREATE TABLE filling AS SELECT zeroblob(?) AS bytes", megabytes * 1_048_576)

    await transactions.run(fill)
    await make.warehouse("A")

    assert at_least <= _size_of(Path(f"{on_sqlite.path}-wal")) / 1_048_576 <= at_most


def _size_of(file: Path) -> int:
    return file.stat().st_size


async def test_sqlite_reads_do_not_wait_for_a_running_transaction(on_sqlite: SqliteFile) -> None:
    await make.warehouse("A", name="Before")
    wrote, go_on = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        await rename("A", "After")
        wrote.set()
        await go_on.wait()

    writing = asyncio.create_task(transactions.run(work))
    await wrote.wait()
    during = await asyncio.wait_for(name_of("A"), 5)
    by_hand = await asyncio.wait_for(sql.query("SELECT name FROM warehouse"), 5)
    go_on.set()
    await writing

    assert during == "Before"
    assert by_hand == [{"name": "Before"}]
    assert await name_of("A") == "After"


async def test_a_sqlite_read_that_lasts_is_answered_and_holds_nobody_up(on_sqlite: SqliteFile) -> None:
    """It is tried in the event loop, and goes to a thread after some milliseconds."""
    count = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT COUNT(*) AS found FROM n"
    )
    async with connection.opened(on_sqlite):
        lasting = asyncio.create_task(sql.query(count, 3_000_000))
        turns = 0
        while not lasting.done():
            await asyncio.sleep(0)
            turns += 1

        assert lasting.result() == [{"found": 3_000_000}]
        assert turns > 100
        assert await sql.query(count, 3) == [{"found": 3}]


async def test_the_sqlite_connection_that_reads_cannot_write(on_sqlite: SqliteFile) -> None:
    with pytest.raises(Exception, match="readonly"):
        await sql.query("UPDATE organization SET name = 'x' RETURNING id")


async def test_a_begin_that_fails_on_sqlite_is_tried_again(on_sqlite: SqliteFile) -> None:
    """Another process has the lock for longer than SQLite waits for it."""
    await make.warehouse("A", name="Before")
    await connection.connection().execute_query("PRAGMA busy_timeout = 1")
    other = sqlite3.connect(on_sqlite.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    writing = asyncio.create_task(transactions.run(lambda: rename("A", "After")))
    await asyncio.sleep(0.1)
    other.execute("ROLLBACK")
    other.close()
    await asyncio.wait_for(writing, 10)

    assert await name_of("A") == "After"


async def test_a_cancelled_begin_on_sqlite_does_not_stay_open(on_sqlite: SqliteFile) -> None:
    """BEGIN is under way in the connection's thread when nobody waits for it any more."""
    await make.warehouse("A", name="Before")
    other = sqlite3.connect(on_sqlite.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    waiting = asyncio.create_task(transactions.run(lambda: rename("A", "Halfway")))
    await asyncio.sleep(0.05)
    waiting.cancel()
    other.execute("ROLLBACK")
    other.close()
    await asyncio.gather(waiting, return_exceptions=True)

    await asyncio.wait_for(transactions.run(lambda: rename("A", "After")), 10)
    assert await name_of("A") == "After"


async def test_a_commit_that_fails_on_sqlite_leaves_no_transaction_open(on_sqlite: SqliteFile) -> None:
    await make.warehouse("A", name="Before")

    async def work() -> None:
        await rename("A", "Halfway")
        await sql.execute("PRAGMA defer_foreign_keys = ON")
        await sql.execute("UPDATE website SET organization_id = 4711")

    await make.website("shop")
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        await transactions.run(work)

    await transactions.run(lambda: rename("A", "After"))
    assert await name_of("A") == "After"


async def test_a_database_file_that_cannot_be_opened_does_not_block_the_second_try(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    place = tmp_path_factory.mktemp("empty") / "not-there-yet"
    async with connection.opened(SqliteFile(str(place / "gqlstock.db")), create=True):
        with pytest.raises(Exception, match="unable to open database file"):
            await sql.query("SELECT 1 AS one")
        place.mkdir()

        found = await asyncio.wait_for(sql.query("SELECT 1 AS one"), 5)

    assert found == [{"one": 1}]


async def test_a_real_deadlock_is_tried_again_until_both_are_through(on_postgres: Postgres, db: None) -> None:
    await make.warehouse("A")
    await make.warehouse("B")
    attempts: list[str] = []
    both_have_one = asyncio.Barrier(2)

    def crossing(first: str, second: str) -> Callable[[], Awaitable[None]]:
        async def work() -> None:
            met = len([a for a in attempts if a == first]) > 0
            attempts.append(first)
            await rename(first, f"{first} first")
            if not met:
                await both_have_one.wait()
            await rename(second, f"{first} second")

        return work

    await asyncio.wait_for(
        asyncio.gather(transactions.run(crossing("A", "B")), transactions.run(crossing("B", "A"))), 15
    )

    assert len(attempts) == 3
    assert {await name_of("A"), await name_of("B")} in ({"A first", "A second"}, {"B first", "B second"})


async def test_a_real_serialization_failure_is_tried_again(
    on_postgres: Postgres, db: None, other: asyncpg.Connection
) -> None:
    await make.warehouse("A", name="Before")
    attempts: list[str] = []

    async def work() -> None:
        await connection.connection().execute_script("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        attempts.append(await name_of("A"))
        if len(attempts) == 1:
            await other.execute("UPDATE warehouse SET name = 'Meanwhile'")
        await rename("A", "After")

    await transactions.run(work)

    assert attempts == ["Before", "Meanwhile"]
    assert await name_of("A") == "After"


async def test_items_that_were_changed_before_they_were_locked_are_read_again(
    on_postgres: Postgres, db: None, other: asyncpg.Connection
) -> None:
    """A product that is deleted while an order for it is on its way is not sold."""
    await make.product("MUG")
    seen: list[bool] = []

    async def work() -> None:
        found = await loading.resolve([Names(skus=frozenset({"MUG"}))])
        seen.append("MUG" in found.by_sku)
        if len(seen) == 1:
            await other.execute("UPDATE item SET deleted_at = now(), updated_at = now()")
        (await loading.lock(found, [item.id for item in found.by_sku.values()])).check_unchanged()

    await transactions.run(work)

    assert seen == [True, False]


async def test_rows_over_the_limit_of_parameters_get_their_ids_in_order(db: None) -> None:
    at = clock.now()
    made = [replace(new_product(f"SKU-{n}", f"{n}", at), slug=f"sku-{n}") for n in range(4_000)]

    inserted = await transactions.run(lambda: catalog.insert(made))

    stored = await Item.all().order_by("id").values_list("id", "sku")
    assert stored == [(item.id, f"SKU-{n}") for n, item in enumerate(inserted)]


async def test_inserting_no_rows_is_nothing(db: None) -> None:
    await catalog.insert([])

    assert await Item.all().count() == 0


@pytest.fixture
async def losing(on_postgres: Postgres) -> AsyncIterator[CommitLossProxy]:
    """The database, open through a proxy that loses the answers to COMMIT when it is told to."""
    async with losing_commits(on_postgres) as proxy:
        through = {**on_postgres.credentials, "host": "127.0.0.1", "port": proxy.port, "ssl": "disable"}
        async with connection.opened(Postgres(**through), everywhere=True):
            yield proxy


async def test_a_transaction_whose_commit_answer_was_lost_is_not_redone_when_its_news_is_there(
    losing: CommitLossProxy,
) -> None:
    await make.warehouse("A", name="Before")
    runs, calls = [], []

    async def work() -> str:
        runs.append(len(runs))
        await rename("A", f"After {len(runs)}")
        await outbox.add([Event(Topic.ORDER, 1)])
        transactions.on_commit(lambda: calls.append("committed"))
        return "done"

    losing.losing = True
    assert await transactions.run(work) == "done"
    losing.losing = False

    assert losing.lost == 1
    assert (runs, calls) == ([0], ["committed"])
    assert await name_of("A") == "After 1"


async def test_a_transaction_without_news_whose_commit_answer_was_lost_is_unknown_and_not_redone(
    losing: CommitLossProxy,
) -> None:
    await make.warehouse("A", name="Before")
    runs = []

    async def work() -> None:
        runs.append(len(runs))
        await rename("A", f"After {len(runs)}")

    losing.losing = True
    with pytest.raises(CommitUnknown):
        await transactions.run(work)
    losing.losing = False

    assert runs == [0]


async def test_a_transaction_whose_connection_ended_before_its_commit_is_redone(
    on_postgres: Postgres, db: None, other: asyncpg.Connection
) -> None:
    await make.warehouse("A", name="Before")
    runs: list[int] = []

    async def work() -> None:
        runs.append(len(runs))
        await rename("A", f"After {len(runs)}")
        await outbox.add([Event(Topic.ORDER, 1)])
        await transactions.write_gathered()
        if len(runs) == 1:
            (row,) = await sql.query("SELECT pg_backend_pid() AS pid")
            await other.execute("SELECT pg_terminate_backend($1, 5000)", row["pid"])

    await transactions.run(work)

    assert runs == [0, 1]
    assert await name_of("A") == "After 2"


async def test_postgres_reads_do_not_wait_for_connections_that_write(on_postgres: Postgres, db: None) -> None:
    await make.warehouse("A", name="Before")
    ended = asyncio.Event()
    writers = [asyncio.create_task(transactions.run(ended.wait)) for _ in range(8)]
    await asyncio.sleep(0.5)

    assert await asyncio.wait_for(name_of("A"), 5) == "Before"
    in_use, _, most = connection.pool()
    # The other connections that write are for commands.
    assert (in_use, most) == (3, 16)

    ended.set()
    await asyncio.gather(*writers)


async def test_postgres_transactions_raise_their_own_error_although_the_connection_is_lost(
    on_postgres: Postgres, db: None
) -> None:
    async def fail() -> None:
        (own,) = await sql.execute("SELECT pg_backend_pid() AS pid")
        await connection.reader().fetch("SELECT pg_terminate_backend($1)", [own["pid"]])
        raise ValueError("of the transaction")

    with pytest.raises(ValueError, match="of the transaction"):
        await transactions.run(fail)

    assert await sql.query("SELECT 1 AS one") == [{"one": 1}]


async def test_postgres_connections_that_read_cannot_write(on_postgres: Postgres, db: None) -> None:
    with pytest.raises(Exception, match="read-only transaction"):
        await sql.query("UPDATE organization SET name = 'x' RETURNING id")
