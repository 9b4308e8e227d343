"""The only clock: the database's. All timestamps, due dates and expiries use it.

On PostgreSQL, the server's time is measured once a minute and extrapolated with this machine's monotonic clock, so setting
this machine's wall clock has no effect. On SQLite, it is this machine's clock. Within a process the clock never runs
backwards: when its source is set back, it runs slower until the source has caught up.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

Source = Callable[[], datetime]

# At this pace the clock loses two hours a day, and a one-minute wait takes seven seconds longer.
_SLOWED_PACE = 0.9
_SECONDS_BETWEEN_MEASUREMENTS = 60.0
# The error of a measurement is at most half its round-trip time.
_MAX_SECONDS_TO_ANSWER = 1.0


class Clock:
    """A clock that follows a source and never runs backwards. ``fixed``: the source cannot be replaced."""

    def __init__(self, source: Source, *, fixed: bool = False) -> None:
        self._source = source
        self._fixed = fixed
        self._has_source = False
        self._latest = source(), time.monotonic()

    def now(self) -> datetime:
        latest, at = self._latest
        moment = time.monotonic()
        self._latest = max(self._source(), latest + timedelta(seconds=_SLOWED_PACE * (moment - at))), moment
        return self._latest[0]

    def use(self, source: Source) -> None:
        """Switch to another source. The first one may be behind this machine: no timestamp has been written yet."""
        if self._fixed or source == self._source:
            return
        self._source = source
        if not self._has_source:
            self._has_source = True
            self._latest = source(), time.monotonic()


class Server:
    """A server's time, extrapolated from the latest measurement."""

    def __init__(self) -> None:
        self._measured: tuple[datetime, float] | None = None
        self._due = 0.0

    @property
    def is_due(self) -> bool:
        return time.monotonic() >= self._due

    def now(self) -> datetime:
        assert self._measured is not None
        moment, at = self._measured
        return moment + timedelta(seconds=time.monotonic() - at)

    async def measure(self, connection: Any) -> None:
        before = time.monotonic()
        moment = await connection.fetchval("SELECT clock_timestamp()")
        after = time.monotonic()
        self._due = after + _SECONDS_BETWEEN_MEASUREMENTS
        if self._measured is None or after - before < _MAX_SECONDS_TO_ANSWER:
            self._measured = moment, (before + after) / 2


def _machine() -> datetime:
    return datetime.now(UTC)


_clock = Clock(_machine)
_server = Server()


def now() -> datetime:
    """The current time in UTC. It never runs backwards."""
    return _clock.now()


def seconds_ahead() -> float:
    """How far the clock is ahead of this machine's."""
    return (now() - _machine()).total_seconds()


def use_machine() -> None:
    """Use this machine's clock."""
    _clock.use(_machine)


async def use_server(connection: Any) -> None:
    """Use the clock of the server of a new connection."""
    await _server.measure(connection)
    _clock.use(_server.now)


async def refresh(connection: Any) -> None:
    """Measure the server's time again if the latest measurement is stale."""
    if _server.is_due:
        await _server.measure(connection)


@contextmanager
def replaced(source: Source) -> Iterator[None]:
    """Replace the clock during the block, for tests."""
    global _clock
    before, _clock = _clock, Clock(source, fixed=True)
    try:
        yield
    finally:
        _clock = before
