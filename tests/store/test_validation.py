"""Which keys were dropped between two snapshots, as the outbox of either database tells."""

from collections.abc import AsyncIterator, Collection
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from gqlstock.rules import cache_keys, events
from gqlstock.rules.cache_keys import EVERYTHING, ITEMS, LEVELS, SETTINGS, TOKENS, Key
from gqlstock.rules.events import ANY_SETTING, ANY_TOKEN, Event, Topic
from gqlstock.services import clear_cache
from gqlstock.store import outbox, validation
from gqlstock.store.db import clock, connection, sql, transactions
from gqlstock.store.db.connection import DatabaseUrl, Postgres
from gqlstock.store.validation import Mark
from support.settled_news import settled


async def add(*added: Event) -> None:
    await transactions.run(lambda: outbox.add(added))


async def since(mark: Mark | None) -> tuple[Mark, Collection[Key]]:
    return await validation.since(mark, connection.reader().fetch)


async def now() -> Mark:
    return (await since(None))[0]


async def dropped(mark: Mark) -> Collection[Key]:
    return (await since(mark))[1]


def item(number: int) -> Event:
    return Event(Topic.ITEM, number, item_id=number)


@pytest.fixture
async def other(database_url: DatabaseUrl, db: None) -> AsyncIterator[asyncpg.Connection]:
    """A connection of another process to PostgreSQL."""
    if not isinstance(database_url, Postgres):
        pytest.skip("of PostgreSQL alone")
    found = await asyncpg.connect(**database_url.credentials)
    yield found
    await found.close()


async def insert(connection: asyncpg.Connection, number: int) -> None:
    await connection.execute(
        """INSERT INTO outbox (era, tx, topic, subject, item_id, data, created_at)
           VALUES (COALESCE((SELECT era FROM outbox_era), 0), pg_current_xact_id()::text::bigint, 'ITEM', $1, $1,
               '{}', now())""",
        number,
    )


# ── entries


async def test_the_first_validation_drops_everything(db: None) -> None:
    assert await dropped(Mark(None, 0)) == {EVERYTHING}
    assert (await since(None))[1] == {EVERYTHING}


async def test_nothing_is_dropped_where_nothing_was_written(db: None) -> None:
    mark = await now()

    later, keys = await since(mark)

    assert keys == set()
    assert later.end >= mark.end


async def test_each_entry_drops_its_keys_once(db: None) -> None:
    mark = await now()
    await add(item(3), events.level_changed(9, 4), ANY_SETTING)

    later, keys = await since(mark)

    assert keys == {cache_keys.item(3), ITEMS, cache_keys.levels(4), LEVELS, SETTINGS}
    assert await dropped(later) == set()


async def test_an_older_mark_still_finds_what_came_behind_it(db: None) -> None:
    mark = await now()
    await add(item(3))
    await now()
    await add(item(4))

    assert await dropped(mark) == {cache_keys.item(3), cache_keys.item(4), ITEMS}


async def test_entries_of_a_transaction_that_was_rolled_back_drop_nothing(db: None) -> None:
    mark = await now()

    async def fail() -> None:
        await outbox.add([item(3)])
        await transactions.write_gathered()
        raise LookupError

    with pytest.raises(LookupError):
        await transactions.run(fail)

    assert await dropped(mark) == set()


async def test_orders_and_crossings_drop_nothing(db: None) -> None:
    mark = await now()
    await add(events.order_placed(1), events.stock_crossed(3, 1, in_stock=True))

    assert await dropped(mark) == set()


@pytest.mark.parametrize(
    ("event", "keys"),
    [
        (ANY_TOKEN, {TOKENS}),
        (Event(Topic.ALERT, 5, item_id=4), {cache_keys.levels(4), LEVELS}),
        (events.level_row_changed(9, 4), {cache_keys.levels(4), LEVELS}),
        (Event(Topic.LEVEL, 9), {EVERYTHING}),
        (Event(Topic.RESET, 0), {EVERYTHING}),
    ],
    ids=["token", "alert", "row", "without item", "reset"],
)
async def test_an_entry_drops_what_its_topic_says(db: None, event: Event, keys: Collection[Key]) -> None:
    mark = await now()
    await add(event)

    assert await dropped(mark) == keys


async def test_a_cleared_cache_drops_everything(db: None) -> None:
    mark = await now()
    await clear_cache.clear()

    assert await dropped(mark) == {EVERYTHING}


async def test_an_entry_of_a_later_version_drops_everything(db: None) -> None:
    mark = await now()
    await add(item(3))
    await sql.execute("UPDATE outbox SET topic = 'NEWER'")

    assert await dropped(mark) == {EVERYTHING}


async def test_more_than_five_thousand_entries_drop_everything(db: None) -> None:
    mark = await now()
    await add(*map(item, range(1, 5_001)))
    later, keys = await since(mark)
    await add(*map(item, range(1, 5_002)))

    assert len(keys) == 5_001
    assert await dropped(later) == {EVERYTHING}


# ── sweeps


async def test_entries_that_were_swept_unseen_drop_everything(db: None) -> None:
    mark = await now()
    await add(item(3))
    await settled()
    await outbox.sweep(clock.now() + timedelta(hours=1))

    assert await dropped(mark) == {EVERYTHING}


async def test_entries_that_were_swept_after_they_were_seen_drop_nothing(db: None) -> None:
    await add(item(3))
    await settled()
    mark = await now()
    await outbox.sweep(clock.now() + timedelta(hours=1))

    assert await dropped(mark) == set()
    await add(item(4))
    assert await dropped(mark) == {cache_keys.item(4), ITEMS}


async def test_a_sweep_that_ends_between_unseen_entries_drops_everything(db: None) -> None:
    mark = await now()
    await add(item(3))
    await settled()
    await outbox.sweep(clock.now() + timedelta(hours=1))
    await add(item(4))

    assert EVERYTHING in await dropped(mark)


# ── other databases


async def test_the_mark_of_another_server_drops_everything(db: None) -> None:
    mark = await now()

    assert await dropped(replace(mark, server="elsewhere")) == {EVERYTHING}


async def test_a_mark_that_this_database_has_not_reached_drops_everything(db: None) -> None:
    """As after a backup was restored: on PostgreSQL that begins an era."""
    mark = await now()
    if connection.is_postgres():
        await sql.execute("UPDATE outbox_era SET era = era + 1")
        assert await dropped(mark) == {EVERYTHING}
    else:
        assert await dropped(replace(mark, end=mark.end + 1)) == {EVERYTHING}


# ── transactions of other processes


async def test_a_transaction_that_ran_while_the_mark_was_made_is_looked_for(
    db: None, other: asyncpg.Connection
) -> None:
    transaction = other.transaction()
    await transaction.start()
    await insert(other, 3)
    await add(item(4))
    mark = await now()
    number = int(await other.fetchval("SELECT pg_current_xact_id()::text"))
    assert number in mark.running
    await transaction.commit()

    later, keys = await since(mark)

    assert keys == {cache_keys.item(3), ITEMS}
    assert number not in later.running
    assert await dropped(later) == set()


async def test_a_transaction_that_is_rolled_back_after_the_mark_drops_nothing(
    db: None, other: asyncpg.Connection
) -> None:
    transaction = other.transaction()
    await transaction.start()
    await insert(other, 3)
    mark = await now()
    await transaction.rollback()

    assert await dropped(mark) == set()


async def test_entries_behind_a_long_transaction_are_looked_at_once(db: None, other: asyncpg.Connection) -> None:
    transaction = other.transaction()
    await transaction.start()
    await insert(other, 3)
    before = await now()
    await add(item(4))
    after, keys = await since(before)
    again = await dropped(after)
    await transaction.commit()

    assert (keys, again) == ({cache_keys.item(4), ITEMS}, set())
    assert await dropped(after) == {cache_keys.item(3), ITEMS}


async def test_a_sweep_beside_a_long_transaction_hides_nothing(db: None, other: asyncpg.Connection) -> None:
    transaction = other.transaction()
    await transaction.start()
    await insert(other, 3)
    mark = await now()
    await add(item(4))
    await outbox.sweep(clock.now() + timedelta(hours=1))
    await transaction.commit()

    assert await dropped(mark) == {cache_keys.item(3), cache_keys.item(4), ITEMS}


async def test_in_a_read_transaction_it_is_of_that_snapshot(db: None) -> None:
    mark = await now()
    transaction = await connection.reader().begin_read()
    first, _ = await validation.since(mark, transaction.fetch)
    await add(item(3))

    again, keys = await validation.since(mark, transaction.fetch)
    await transaction.end()

    assert (again, keys) == (first, set())
    assert await dropped(first) == {cache_keys.item(3), ITEMS}
