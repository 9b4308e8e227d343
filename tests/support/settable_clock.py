"""A clock that can be set, like a machine's clock."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from gqlstock.store.db import clock


class SetClock:
    """The machine's time plus an offset."""

    def __init__(self, ahead: timedelta = timedelta(0)) -> None:
        self.ahead = ahead

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@contextmanager
def ahead(by: timedelta = timedelta(hours=2)) -> Iterator[None]:
    """Run the block with a clock that is ahead. Code after the block sees a clock that was set back."""
    with clock.replaced(SetClock(by)):
        yield
