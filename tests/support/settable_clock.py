"""A clock that can be set, as somebody sets the clock of a machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from gqlstock.store.db import clock


class SetClock:
    """This machine's time, and what it was set ahead."""

    def __init__(self, ahead: timedelta = timedelta(0)) -> None:
        self.ahead = ahead

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@contextmanager
def ahead(by: timedelta = timedelta(hours=2)) -> Iterator[None]:
    """The block is done by a process whose clock is ahead; whoever comes after it finds the clock set back."""
    with clock.replaced(SetClock(by)):
        yield
