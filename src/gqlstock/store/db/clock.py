"""The one clock, which is the database's: whatever is stamped, due or expired goes by it.

A PostgreSQL server is asked for its time now and then; in between, this machine's monotonic clock goes on from there, so
that setting this machine's clock changes nothing. SQLite has no other clock than this machine's. Within a process it
never runs backwards: when its source is set back, it goes on a little slower until the source has caught up.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

Source = Callable[[], datetime]

# Two hours are caught up with in a day; a pause of a minute takes seven seconds longer meanwhile.
_PACE = 0.9
_SECONDS_BETWEEN_MEASUREMENTS = 60.0
# The server's time is known to half of what its answer takes.
_SECONDS_TO_ANSWER = 1.0


class Clock:
    """What its source says, and never less than before. ``fixed``: it stays with this source."""

    def __init__(self, source: Source, *, fixed: bool = False) -> None:
        self._source = source
        self._fixed = fixed
        self._told = source(), time.monotonic()

    def now(self) -> datetime:
        told, at = self._told
        moment = time.monotonic()
        self._told = max(self._source(), told + timedelta(seconds=_PACE * (moment - at))), moment
        return self._told[0]

    def follow(self, source: Source) -> None:
        if not self._fixed:
            self._source = source


class Server:
    """A server's time, from what it said last."""

    def __init__(self) -> None:
        self._said: tuple[datetime, float] | None = None
        self._due = 0.0

    @property
    def is_due(self) -> bool:
        return time.monotonic() >= self._due

    def now(self) -> datetime:
        assert self._said is not None
        moment, at = self._said
        return moment + timedelta(seconds=time.monotonic() - at)

    async def measure(self, connection: Any) -> None:
        before = time.monotonic()
        moment = await connection.fetchval("SELECT clock_timestamp()")
        after = time.monotonic()
        self._due = after + _SECONDS_BETWEEN_MEASUREMENTS
        if self._said is None or after - before < _SECONDS_TO_ANSWER:
            self._said = moment, (before + after) / 2


def _machine() -> datetime:
    return datetime.now(UTC)


_clock = Clock(_machine)
_server = Server()


def now() -> datetime:
    """The time in UTC, never earlier than it was said before."""
    return _clock.now()


def follow_machine() -> None:
    """Go by this machine's clock."""
    _clock.follow(_machine)


async def follow_server(connection: Any) -> None:
    """Go by the clock of the server that a connection was just opened to."""
    await _server.measure(connection)
    _clock.follow(_server.now)


async def keep(connection: Any) -> None:
    """Ask the server again, when its last answer is old."""
    if _server.is_due:
        await _server.measure(connection)


@contextmanager
def replaced(source: Source) -> Iterator[None]:
    """Another clock for the block, as a process has it that starts with this one; for tests."""
    global _clock
    before, _clock = _clock, Clock(source, fixed=True)
    try:
        yield
    finally:
        _clock = before
