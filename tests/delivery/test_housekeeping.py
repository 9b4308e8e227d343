import asyncio
from datetime import timedelta

from gqlstock.delivery import housekeeping
from gqlstock.rules.events import Event, Topic
from gqlstock.rules.feed import START, Cursor
from gqlstock.store import outbox
from gqlstock.store.db import clock, sql, transactions
from support.settled_news import settled


async def news(days_old: int, *subjects: int) -> None:
    await transactions.run(lambda: outbox.add([Event(Topic.ORDER, subject) for subject in subjects]))
    then = clock.now() - timedelta(days=days_old)
    change = f"UPDATE outbox SET created_at = ? WHERE subject IN ({', '.join('?' * len(subjects))})"
    await transactions.run(lambda: sql.execute(change, then, *subjects))
    await settled()


async def left() -> list[int]:
    return [entry.subject for entry in await outbox.after(START, 100)]


async def left_in_the_end(count: int) -> list[int]:
    """What is left once there are that many, or after ten seconds."""
    for _ in range(200):
        if len(await left()) == count:
            break
        await asyncio.sleep(0.05)
    return await left()


async def test_news_older_than_is_kept_goes_while_the_server_runs(db: None) -> None:
    await news(3, 1, 2)
    await news(1, 3)

    async with housekeeping.running(timedelta(days=2)):
        assert await left_in_the_end(1) == [3]


async def test_news_that_somebody_has_still_to_read_stays(db: None) -> None:
    await news(30, 1, 2, 3)
    read = (await outbox.after(START, 1))[0].cursor

    async def bound() -> Cursor | None:
        return read

    async with housekeeping.running(timedelta(days=2), bound):
        assert await left_in_the_end(2) == [2, 3]
        await asyncio.sleep(0.1)
        assert await left() == [2, 3]
