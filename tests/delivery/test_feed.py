import asyncio
import contextlib
import json
import logging
import os
from collections.abc import AsyncIterator, Sequence

import pytest

from gqlstock.adapters.bus import Bus, OneProcess, RedisBus
from gqlstock.delivery.feed import OutboxFeed
from gqlstock.rules.events import Event, Topic
from gqlstock.rules.feed import START, Cursor, Entry, OutOfReach
from gqlstock.services import status
from gqlstock.store import outbox
from gqlstock.store.db import clock, connection, sql, transactions
from gqlstock.store.db.connection import DatabaseUrl, Postgres
from gqlstock.store.inventory import InventoryLevel
from support import database_backup
from support import shop_builders as make
from support.settled_news import settled

REDIS = os.environ.get("GQLSTOCK_TEST_REDIS_URL")
needs_redis = pytest.mark.skipif(REDIS is None, reason="needs GQLSTOCK_TEST_REDIS_URL")
NEVER = 3_600.0
TOPICS = [Topic.ORDER]


async def tell(*subjects: int, topic: Topic = Topic.ORDER) -> None:
    """Write news, and wait until it can be read."""
    await transactions.run(lambda: outbox.add([Event(topic, subject) for subject in subjects]))
    await settled()


async def tell_from_elsewhere(*subjects: int) -> None:
    """As another process would: nobody here is woken, and what is told can be read."""
    for subject in subjects:
        await transactions.run(
            lambda subject=subject: sql.execute(  # type: ignore[misc]
                "INSERT INTO outbox (tx, topic, subject, data, created_at) VALUES "
                f"({'pg_current_xact_id()::text::bigint' if connection.is_postgres() else '0'}, ?, ?, ?, ?)",
                "ORDER",
                subject,
                json.dumps({}),
                clock.now(),
            )
        )
    await settled()


@contextlib.asynccontextmanager
async def subscribed(
    feed: OutboxFeed, after: Cursor | None = None, topics: Sequence[Topic] = TOPICS, subject: int | None = None
) -> AsyncIterator[asyncio.Queue[Entry]]:
    """A subscriber that reads as fast as it can; it is there once the block begins."""
    heard: asyncio.Queue[Entry] = asyncio.Queue()

    async def read() -> None:
        async with contextlib.aclosing(feed.parts(topics, after, subject)) as parts:
            async for part in parts:
                for entry in part.entries:
                    heard.put_nowait(entry)

    reading = asyncio.create_task(read())
    await asyncio.sleep(0.05)
    try:
        yield heard
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def next_of(heard: asyncio.Queue[Entry], count: int) -> list[int]:
    return [(await asyncio.wait_for(heard.get(), 10)).subject for _ in range(count)]


async def test_a_subscriber_hears_what_is_committed_from_now_on(db: None) -> None:
    await tell(1)
    feed = OutboxFeed(OneProcess(), seconds_between_polls=NEVER)

    async with feed.running(), subscribed(feed) as heard:
        await tell(2)
        await tell(3, 4)

        assert await next_of(heard, 3) == [2, 3, 4]


@pytest.mark.parametrize("late", [False, True])
async def test_a_subscriber_to_a_subject_hears_of_it_alone(db: None, late: bool) -> None:
    await tell(7, 8)
    before = await outbox.latest()
    feed = OutboxFeed(OneProcess(), seconds_between_polls=NEVER)
    if late:
        await tell(8, 7, 9)

    async with feed.running(), subscribed(feed, before if late else None, subject=7) as heard:
        if not late:
            await tell(8, 7, 9)
        await tell(7, topic=Topic.ALERT)
        await tell(9)
        await tell(7)

        assert await next_of(heard, 2) == [7, 7]
        assert heard.empty()


async def test_news_of_others_neither_waits_for_a_subscriber_to_a_subject_nor_leaves_it_behind(db: None) -> None:
    feed = OutboxFeed(OneProcess(), seconds_between_polls=NEVER)

    async with feed.running(), contextlib.aclosing(feed.parts(TOPICS, None, 7)) as slow, subscribed(feed) as fast:
        first = asyncio.create_task(anext(slow))
        await asyncio.sleep(0.05)
        await tell(7)
        await first
        # It is not asked for more; who is offered this many entries falls behind.
        await tell(*range(1_000, 2_500))
        assert await next_of(fast, 1_501) == [7, *range(1_000, 2_500)]

        assert feed.waiting == 0
        await tell(7)
        assert await next_of(fast, 1) == [7]
        assert feed.waiting == 1
        assert [entry.subject for entry in (await anext(slow)).entries] == [7]


async def test_a_subscriber_hears_only_its_topics(db: None) -> None:
    feed = OutboxFeed(OneProcess(), seconds_between_polls=NEVER)

    async with feed.running(), subscribed(feed, topics=[Topic.ALERT, Topic.ITEM]) as heard:
        await tell(1, topic=Topic.ORDER)
        await tell(2, topic=Topic.ALERT)
        await tell(3, topic=Topic.ITEM)

        assert await next_of(heard, 2) == [2, 3]
        assert heard.empty()


async def test_news_of_what_was_rolled_back_is_not_heard(db: None) -> None:
    feed = OutboxFeed(OneProcess(), seconds_between_polls=NEVER)

    async def work() -> None:
        await outbox.add([Event(Topic.ORDER, 1)])
        raise LookupError

    async with feed.running(), subscribed(feed) as heard:
        with pytest.raises(LookupError):
            await transactions.run(work)
        await tell(2)

        assert await next_of(heard, 1) == [2]


async def test_with_a_cursor_what_was_missed_comes_first_and_each_once(db: None) -> None:
    await tell(1, 2, 3)
    first, *_ = await outbox.after(START, 10)
    feed = OutboxFeed(OneProcess(), seconds_between_polls=NEVER)

    async with feed.running(), subscribed(feed, first.cursor) as heard:
        await tell(4)

        assert await next_of(heard, 3) == [2, 3, 4]
        assert heard.empty()


async def test_a_client_that_reconnects_with_its_last_cursor_misses_nothing_over_a_restart(db: None) -> None:
    heard: list[int] = []
    place = START
    told = 0
    for _ in range(3):
        feed = OutboxFeed(OneProcess(), seconds_between_polls=NEVER)
        async with feed.running(), contextlib.aclosing(feed.entries(TOPICS, place)) as news:
            await tell(told, told + 1, told + 2)
            told += 3
            while len(heard) < told - 1:  # goes away before the last one
                entry = await asyncio.wait_for(anext(news), 10)
                heard.append(entry.subject)
                place = entry.cursor
        await tell(told)
        told += 1

    feed = OutboxFeed(OneProcess(), seconds_between_polls=NEVER)
    async with feed.running(), contextlib.aclosing(feed.entries(TOPICS, place)) as news:
        while len(heard) < told:
            heard.append((await asyncio.wait_for(anext(news), 10)).subject)

    assert heard == list(range(12))


async def test_news_committed_while_a_subscriber_catches_up_comes_once(db: None) -> None:
    """More than is read at once, before it and while it reads."""
    await tell(*range(1_200))
    feed = OutboxFeed(OneProcess(), seconds_between_polls=NEVER)

    async with feed.running(), contextlib.aclosing(feed.entries(TOPICS, START)) as news:
        heard = [(await anext(news)).subject]
        await tell(*range(1_200, 2_600))
        await asyncio.sleep(0.2)
        while len(heard) < 2_600:
            heard.append((await asyncio.wait_for(anext(news), 10)).subject)

    assert heard == list(range(2_600))


async def test_a_slow_reader_misses_nothing_and_costs_no_memory_without_bound(db: None) -> None:
    feed = OutboxFeed(OneProcess(), seconds_between_polls=NEVER)
    async with (
        feed.running(),
        subscribed(feed) as quick,
        contextlib.aclosing(feed.entries(TOPICS, await outbox.latest())) as news,
    ):
        await tell(0)
        heard = [(await asyncio.wait_for(anext(news), 10)).subject]
        for start in range(1, 3_001, 500):
            await tell(*range(start, start + 500))
            assert await next_of(quick, 501 if start == 1 else 500) == list(range(start - (start == 1), start + 500))
            assert feed.waiting <= 1_000

        while len(heard) < 3_001:
            heard.append((await asyncio.wait_for(anext(news), 10)).subject)
        await tell(3_001)
        heard.append((await asyncio.wait_for(anext(news), 10)).subject)

    assert heard == list(range(3_002))


async def test_a_reader_that_falls_behind_while_it_catches_up_misses_nothing(db: None) -> None:
    """The last part is short and read slowly: what comes meanwhile is more than would be read at once."""
    await tell(*range(10))
    feed = OutboxFeed(OneProcess(), seconds_between_polls=NEVER)

    async with feed.running(), contextlib.aclosing(feed.entries(TOPICS, START)) as news:
        heard = [(await anext(news)).subject]
        for start in range(10, 2_510, 500):
            await tell(*range(start, start + 500))
            await asyncio.sleep(0.02)
        while len(heard) < 2_510:
            heard.append((await asyncio.wait_for(anext(news), 10)).subject)

    assert heard == list(range(2_510))


async def test_who_stops_listening_is_forgotten(db: None) -> None:
    feed = OutboxFeed(OneProcess(), seconds_between_polls=NEVER)

    async with feed.running():
        async with subscribed(feed):
            pass
        await tell(*range(5))
        await asyncio.sleep(0.05)

        assert feed.waiting == 0


async def test_news_that_no_wake_up_told_of_is_found_by_looking(db: None) -> None:
    feed = OutboxFeed(OneProcess(), seconds_between_polls=0.05)

    async with feed.running(), subscribed(feed) as heard:
        await tell_from_elsewhere(1, 2)

        assert await next_of(heard, 2) == [1, 2]


async def test_what_an_order_does_is_told_in_the_order_in_which_it_happened(db: None) -> None:
    await make.shop()
    await make.product("MUG")
    level_id = await make.stock("MUG", on_hand=5)
    await make.setting(product="MUG", notify_below=5)
    await settled()
    feed = OutboxFeed(OneProcess(), seconds_between_polls=NEVER)

    async with feed.running(), subscribed(feed, topics=list(Topic)) as heard:
        order_id = await make.order("MUG", 1)
        told = [await asyncio.wait_for(heard.get(), 10) for _ in range(3)]

    assert [(entry.topic, entry.subject) for entry in told if entry.topic is not Topic.ALERT] == [
        (Topic.LEVEL, level_id),
        (Topic.ORDER, order_id),
    ]
    assert [entry.data["state"] for entry in told if entry.topic is Topic.ALERT] == ["RAISED"]


async def test_while_redis_is_away_orders_go_on_and_news_arrive(db: None, caplog: pytest.LogCaptureFixture) -> None:
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=5)
    feed = OutboxFeed(RedisBus("redis://127.0.0.1:1/0"), seconds_between_polls=0.05)

    with caplog.at_level(logging.WARNING):
        async with feed.running(), subscribed(feed) as heard:
            order_id = await make.order("MUG", 1)
            assert await next_of(heard, 1) == [order_id]
            await tell_from_elsewhere(7)
            assert await next_of(heard, 1) == [7]

    assert (await InventoryLevel.get()).on_hand == 4
    assert any("Redis is unavailable" in record.message for record in caplog.records)


async def test_news_that_another_transaction_held_back_comes_when_that_has_ended(
    db: None, database_url: DatabaseUrl
) -> None:
    if not isinstance(database_url, Postgres):
        pytest.skip("SQLite has one writer")
    began, go_on = asyncio.Event(), asyncio.Event()
    feed = OutboxFeed(OneProcess(), seconds_between_polls=NEVER)

    async def long_one() -> None:
        await sql.execute("SELECT pg_current_xact_id()")
        began.set()
        await go_on.wait()

    async with feed.running(), subscribed(feed) as heard:
        running = asyncio.create_task(transactions.run(long_one))
        await began.wait()
        await transactions.run(lambda: outbox.add([Event(Topic.ORDER, 1)]))
        await asyncio.sleep(0.1)
        before = heard.empty()
        go_on.set()
        await running

        assert before
        assert await next_of(heard, 1) == [1]


async def test_a_database_that_is_away_for_a_moment_stops_no_news(db: None, database_url: DatabaseUrl) -> None:
    if not isinstance(database_url, Postgres):
        pytest.skip("of PostgreSQL alone")
    feed = OutboxFeed(OneProcess(), seconds_between_polls=0.05)

    async with feed.running(), subscribed(feed) as heard:
        await tell(1)
        assert await next_of(heard, 1) == [1]
        with contextlib.suppress(Exception):
            await sql.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()")
        await tell_when_it_is_back(2)

        assert await next_of(heard, 1) == [2]


async def test_who_has_heard_a_lost_future_is_told_to_start_anew_and_the_others_go_on(
    db: None, database_url: DatabaseUrl
) -> None:
    """The database is restored below a server that runs, and has grown past the end that was lost."""
    await tell(1)
    await tell(1, topic=Topic.ALERT)
    kept = await outbox.latest()
    await database_backup.take(database_url)
    feed = OutboxFeed(OneProcess(), seconds_between_polls=0.05)

    async with (
        feed.running(),
        contextlib.aclosing(feed.entries(TOPICS, kept)) as of_orders,
        subscribed(feed, kept, [Topic.ALERT]) as of_alerts,
    ):
        await tell(2)
        assert (await asyncio.wait_for(anext(of_orders), 10)).subject == 2
        await database_backup.restore(database_url)
        await tell_from_elsewhere(3, 4, 5)
        await tell(6, topic=Topic.ALERT)

        with pytest.raises(OutOfReach, match="not from this database's history"):
            await asyncio.wait_for(anext(of_orders), 10)
        assert await next_of(of_alerts, 1) == [6]


async def tell_when_it_is_back(subject: int) -> None:
    for _ in range(20):
        with contextlib.suppress(Exception):
            await status.database_answers()
            break
        await asyncio.sleep(0.05)
    await tell(subject)


@pytest.fixture
async def buses() -> tuple[Bus, Bus]:
    assert REDIS is not None
    return RedisBus(REDIS), RedisBus(REDIS)


@needs_redis
async def test_processes_wake_each_other_through_redis(db: None, buses: tuple[RedisBus, RedisBus]) -> None:
    here, there = buses
    feed = OutboxFeed(here, seconds_between_polls=NEVER)
    elsewhere = asyncio.create_task(there.run(lambda: None))

    async with feed.running(), subscribed(feed) as heard:
        await asyncio.sleep(0.3)  # both listen
        await tell_from_elsewhere(1)
        there.announce()
        assert await next_of(heard, 1) == [1]

        await tell_from_elsewhere(2)
        there.announce()
        assert await next_of(heard, 1) == [2]

    elsewhere.cancel()
    await asyncio.gather(elsewhere, return_exceptions=True)


@needs_redis
async def test_redis_answers_a_ping(buses: tuple[RedisBus, RedisBus]) -> None:
    here, there = buses

    await here.ping()

    for bus in (here, there):
        running = asyncio.create_task(bus.run(lambda: None))
        await asyncio.sleep(0.05)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
