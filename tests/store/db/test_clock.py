import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from gqlstock.store.db import clock, connection, sql
from gqlstock.store.db.clock import Clock, Server
from support.settable_clock import SetClock

HOURS = timedelta(hours=2)
MOMENT = timedelta(seconds=1)


async def test_a_clock_that_is_set_back_goes_on_a_little_slower(db: None) -> None:
    source = SetClock()
    with clock.replaced(source):
        began = clock.now()
        source.ahead = -HOURS
        told = []
        for _ in range(20):
            told.append(clock.now())
            await asyncio.sleep(0.01)
        passed = datetime.now(UTC) - began

    assert told == sorted(told)
    assert told[0] >= began
    assert 0.7 * passed <= told[-1] - began <= passed


def test_a_clock_that_was_set_back_a_little_is_right_again_when_its_source_has_caught_up() -> None:
    source = SetClock(MOMENT)
    made = Clock(source)
    made.now()
    source.ahead = timedelta(0)

    behind = made.now() - source()
    source.ahead = MOMENT * 2
    caught_up = made.now() - source()

    assert behind > timedelta(seconds=0.9)
    assert abs(caught_up) < timedelta(seconds=0.1)


def test_a_clock_that_is_set_forward_is_followed_at_once() -> None:
    source = SetClock()
    made = Clock(source)
    source.ahead = HOURS

    assert abs(made.now() - source()) < timedelta(seconds=0.1)


class Connection:
    """One to a server whose clock is not this machine's."""

    def __init__(self, ahead: timedelta, seconds: float = 0.0) -> None:
        self.ahead = ahead
        self.seconds = seconds

    async def fetchval(self, statement: str) -> Any:
        assert statement == "SELECT clock_timestamp()"
        await asyncio.sleep(self.seconds)
        return datetime.now(UTC) + self.ahead


async def test_the_time_is_the_servers() -> None:
    server = Server()
    await server.measure(Connection(-HOURS))
    made = Clock(server.now)

    assert abs(made.now() - (datetime.now(UTC) - HOURS)) < timedelta(seconds=0.1)
    assert not server.is_due


async def test_an_answer_that_took_long_changes_nothing() -> None:
    server = Server()
    await server.measure(Connection(timedelta(0)))
    await server.measure(Connection(HOURS, seconds=1.1))

    assert abs(server.now() - datetime.now(UTC)) < timedelta(seconds=0.1)


async def test_an_open_database_is_gone_by(db: None) -> None:
    if connection.is_postgres():
        (row,) = await sql.query("SELECT clock_timestamp() AS now")
        there = row["now"]
    else:
        there = datetime.now(UTC)

    assert abs(clock.now() - there) < MOMENT
