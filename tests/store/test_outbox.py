import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from gqlstock.rules.events import Event, Topic
from gqlstock.rules.feed import START, Cursor, OutOfReach
from gqlstock.store import outbox
from gqlstock.store.db import clock, sql, transactions
from gqlstock.store.db.connection import DatabaseUrl, Postgres
from support import database_backup
from support.settled_news import settled


async def write(*subjects: int, topic: Topic = Topic.ORDER) -> None:
    await transactions.run(lambda: outbox.add([Event(topic, subject) for subject in subjects]))


async def tell(*subjects: int, topic: Topic = Topic.ORDER) -> None:
    """Write news, and wait until it can be read."""
    await write(*subjects, topic=topic)
    await settled()


async def subjects_after(cursor: Cursor, limit: int = 100) -> list[int]:
    return [entry.subject for entry in await outbox.after(cursor, limit)]


async def test_news_is_read_in_the_order_in_which_it_was_committed(db: None) -> None:
    await tell(3)
    await tell(1, 2)

    assert await subjects_after(START) == [3, 1, 2]


async def test_news_says_what_was_told(db: None) -> None:
    before = clock.now()

    await transactions.run(lambda: outbox.add([Event(Topic.LEVEL, 7, {"movement": 12, "text": "Größe"})]))
    await settled()

    (entry,) = await outbox.after(START, 10)
    assert (entry.topic, entry.subject, entry.data) == (Topic.LEVEL, 7, {"movement": 12, "text": "Größe"})
    assert before <= entry.created_at <= clock.now()


async def test_news_goes_on_from_a_cursor(db: None) -> None:
    await tell(1, 2, 3)
    first, second, _ = await outbox.after(START, 10)

    assert await subjects_after(first.cursor) == [2, 3]
    assert await subjects_after(second.cursor) == [3]
    assert await subjects_after(first.cursor, limit=1) == [2]


async def test_the_end_of_the_feed_has_nothing_behind_it(db: None) -> None:
    assert await outbox.latest() == START
    await tell(1, 2)

    latest = await outbox.latest()

    assert await subjects_after(latest) == []
    await tell(3)
    assert await subjects_after(latest) == [3]


async def test_only_the_topics_asked_for_are_read(db: None) -> None:
    await tell(1, topic=Topic.LEVEL)
    await tell(2, topic=Topic.ALERT)
    await tell(3, topic=Topic.ORDER)

    found = await outbox.after(START, 10, [Topic.LEVEL, Topic.ORDER])

    assert [entry.subject for entry in found] == [1, 3]


async def test_news_of_what_was_rolled_back_is_never_told(db: None) -> None:
    woken: list[str] = []
    stop = outbox.listen(lambda: woken.append("woken"))

    async def work() -> None:
        await outbox.add([Event(Topic.ORDER, 1)])
        raise LookupError

    with pytest.raises(LookupError):
        await transactions.run(work)
    stop()

    assert await subjects_after(START) == []
    assert woken == []


async def test_listeners_are_woken_once_for_each_commit_until_they_stop(db: None) -> None:
    woken: list[str] = []
    stop = outbox.listen(lambda: woken.append("woken"))

    async def work() -> None:
        await outbox.add([Event(Topic.ORDER, 1)])
        await outbox.add([Event(Topic.ORDER, 2)])

    await transactions.run(work)
    assert woken == ["woken"]

    stop()
    await tell(3)
    assert woken == ["woken"]


async def test_a_transaction_without_news_wakes_nobody(db: None) -> None:
    woken: list[str] = []
    stop = outbox.listen(lambda: woken.append("woken"))

    await tell()
    stop()

    assert woken == []


async def test_ten_thousand_news_of_one_transaction_are_written(db: None) -> None:
    await tell(*range(10_000))

    assert await subjects_after(START, limit=20_000) == list(range(10_000))


async def test_news_needs_a_transaction(db: None) -> None:
    with pytest.raises(RuntimeError, match="No transaction is running"):
        await outbox.add([Event(Topic.ORDER, 1)])


async def test_a_reader_misses_nothing_when_transactions_commit_out_of_order(
    db: None, database_url: DatabaseUrl
) -> None:
    """Numbers are given before the commit: the smaller one may appear after the larger one was read."""
    if not isinstance(database_url, Postgres):
        pytest.skip("SQLite has one writer")
    written, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        await sql.execute("SELECT pg_current_xact_id()")
        written.set()
        await go_on.wait()
        await outbox.add([Event(Topic.ORDER, 1)])

    slow_one = asyncio.create_task(transactions.run(slow))
    await written.wait()
    await write(2)
    before = await outbox.after(START, 10)
    held_back = await outbox.held_back(START)
    go_on.set()
    await slow_one
    await settled()

    assert before == []
    assert held_back
    assert await subjects_after(START) == [1, 2]


async def test_a_reader_beside_many_writers_sees_each_news_once(db: None) -> None:
    seen: list[int] = []
    place = START

    async def write_on(writer: int) -> None:
        for number in range(25):
            await write(writer * 100 + number)

    async def read() -> None:
        nonlocal place
        while len(seen) < 200:
            for entry in await outbox.after(place, 7):
                seen.append(entry.subject)
                place = entry.cursor
            await asyncio.sleep(0)

    await asyncio.wait_for(asyncio.gather(read(), *(write_on(writer) for writer in range(8))), 20)

    assert sorted(seen) == sorted(writer * 100 + number for writer in range(8) for number in range(25))
    assert await outbox.after(place, 10) == []


async def told_of(*events: Event) -> list[tuple[str, int, dict[str, object]]]:
    await transactions.run(lambda: outbox.add(events))
    await settled()
    return [(entry.topic.value, entry.subject, entry.data) for entry in await outbox.after(START, 100)]


async def test_what_only_changed_is_told_once_in_a_transaction_and_not_beside_what_says_more(db: None) -> None:
    order, level = Event(Topic.ORDER, 1), Event(Topic.LEVEL, 7)

    told = await told_of(level, order, Event(Topic.LEVEL, 7, {"movement": 3}), level, order, Event(Topic.LEVEL, 8))

    assert told == [("ORDER", 1, {}), ("LEVEL", 7, {"movement": 3}), ("LEVEL", 8, {})]


async def test_each_movement_of_a_level_is_told(db: None) -> None:
    told = await told_of(Event(Topic.LEVEL, 7, {"movement": 3}), Event(Topic.LEVEL, 7, {"movement": 4}))

    assert told == [("LEVEL", 7, {"movement": 3}), ("LEVEL", 7, {"movement": 4})]


async def age(first: int, last: int) -> None:
    """Make the entries with these subjects ten days old."""
    old = clock.now() - timedelta(days=10)
    await outbox.OutboxEntry.filter(subject__gte=first, subject__lte=last).update(created_at=old)


def week() -> datetime:
    return clock.now() - timedelta(days=7)


async def test_old_news_is_swept_from_the_front_and_the_horizon_is_kept(db: None) -> None:
    await tell(1, 2, 3, 4)
    entries = await outbox.after(START, 10)
    await age(1, 2)

    swept = await outbox.sweep(week())

    assert swept == 2
    assert await subjects_after(START) == [3, 4]
    assert await outbox.horizon() == entries[1].cursor


async def test_a_cursor_from_before_what_was_swept_is_out_of_reach_and_the_last_swept_one_is_not(db: None) -> None:
    await tell(1, 2, 3)
    first, second, third = await outbox.after(START, 10)
    await age(1, 2)
    await outbox.sweep(week())

    for cursor in (START, first.cursor):
        with pytest.raises(OutOfReach, match="entries after this cursor have expired"):
            await outbox.check(cursor)
    await outbox.check(second.cursor)
    await outbox.check(third.cursor)


async def test_a_cursor_ahead_of_the_feed_is_of_another_database(db: None) -> None:
    await tell(1)
    latest = await outbox.latest()

    await outbox.check(latest)
    with pytest.raises(OutOfReach, match="not from this database's history"):
        await outbox.check(replace(latest, id=latest.id + 1))


async def test_an_old_entry_behind_a_younger_one_waits_for_it(db: None) -> None:
    await tell(1, 2, 3)
    await age(1, 1)
    await age(3, 3)

    await outbox.sweep(week())

    assert await subjects_after(START) == [2, 3]


async def test_nothing_behind_the_place_of_somebody_who_still_reads_is_swept(db: None) -> None:
    await tell(1, 2, 3)
    first, *_ = await outbox.after(START, 10)
    await age(1, 3)

    swept = await outbox.sweep(week(), first.cursor)

    assert swept == 1
    assert await subjects_after(START) == [2, 3]
    await outbox.check(first.cursor)


async def test_when_all_was_swept_the_feed_goes_on_where_it_was(db: None) -> None:
    await tell(1, 2)
    latest = await outbox.latest()
    await age(1, 2)
    await outbox.sweep(week())

    assert await outbox.latest() == latest
    await tell(3)
    assert await subjects_after(latest) == [3]


async def test_every_entry_has_a_mark_of_its_own(db: None) -> None:
    await tell(*range(50))
    await tell(*range(50, 100))

    assert len({entry.cursor.mark for entry in await outbox.after(START, 100)}) == 100


async def test_a_cursor_of_a_lost_future_is_refused_when_the_feed_has_grown_past_it(
    db: None, database_url: DatabaseUrl
) -> None:
    await tell(1, 2)
    kept = await outbox.latest()
    await database_backup.take(database_url)
    await tell(3, 4)
    lost = await outbox.latest()

    await database_backup.restore(database_url)
    with pytest.raises(OutOfReach, match="not from this database's history"):
        await outbox.check(lost)
    await tell(5, 6, 7)
    with pytest.raises(OutOfReach, match="not from this database's history"):
        await outbox.check(lost)

    await outbox.check(kept)
    assert await subjects_after(kept) == [5, 6, 7]
    assert (await outbox.latest()).id > lost.id


async def test_a_cursor_is_refused_at_the_place_of_another_entry(db: None) -> None:
    await tell(1)
    latest = await outbox.latest()

    with pytest.raises(OutOfReach, match="not from this database's history"):
        await outbox.check(replace(latest, mark=latest.mark + 1))


async def test_the_last_swept_cursor_is_known_by_its_mark(db: None) -> None:
    await tell(1, 2)
    swept = await outbox.latest()
    await age(1, 2)
    await outbox.sweep(week())
    await tell(3)

    await outbox.check(swept)
    assert [entry.subject for entry in await outbox.resume(swept, 10)] == [3]
    for read in (outbox.check(replace(swept, mark=swept.mark + 1)), outbox.resume(replace(swept, mark=1), 10)):
        with pytest.raises(OutOfReach, match="not from this database's history"):
            await read


async def test_the_start_of_a_feed_is_good_until_something_is_swept(db: None) -> None:
    start = await outbox.latest()
    await outbox.check(start)
    await tell(1, 2)
    await outbox.check(start)
    await age(1, 1)
    await outbox.sweep(week())

    with pytest.raises(OutOfReach, match="entries after this cursor have expired"):
        await outbox.check(start)


async def test_a_kept_place_is_followed_for_as_long_as_its_entry_is_there(db: None) -> None:
    await tell(1, 2, 3)
    first, second, _ = await outbox.after(START, 10)

    assert [entry.subject for entry in await outbox.resume(START, 2)] == [1, 2]
    assert [entry.subject for entry in await outbox.resume(first.cursor, 1)] == [2]
    assert await outbox.resume(await outbox.latest(), 10) == []
    await transactions.run(lambda: sql.execute("DELETE FROM outbox WHERE subject = 2"))
    with pytest.raises(OutOfReach, match="not from this database's history"):
        await outbox.resume(second.cursor, 10)


async def test_an_entry_is_stored_with_the_item_whose_kept_reads_it_drops(db: None) -> None:
    await tell(1)
    await transactions.run(lambda: outbox.add([Event(Topic.LEVEL, 7, item_id=3)]))

    rows = await sql.query("SELECT topic, subject, item_id FROM outbox ORDER BY id")

    assert [tuple(row.values()) for row in rows] == [("ORDER", 1, None), ("LEVEL", 7, 3)]


async def test_entries_of_topics_of_a_later_version_are_read_as_unknown(db: None) -> None:
    await tell(1)
    await transactions.run(lambda: sql.execute("UPDATE outbox SET topic = 'CARRIER'"))
    await tell(2)

    assert [entry.topic for entry in await outbox.after(START, 10)] == [Topic.UNKNOWN, Topic.ORDER]
