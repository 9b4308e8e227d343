"""Committed events with their positions, as readers of the feed get them. ``store.outbox`` reads them."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from gqlstock.rules.events import Topic

T = TypeVar("T")


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A position in the outbox: the last entry read, with its mark."""

    era: int
    tx: int
    id: int
    mark: int

    @property
    def place(self) -> tuple[int, int, int]:
        return self.era, self.tx, self.id

    @property
    def text(self) -> str:
        """The cursor as clients see it."""
        plain = ":".join(map(str, ("feed", *self.place, self.mark)))
        return base64.urlsafe_b64encode(plain.encode()).decode()


START = Cursor(0, 0, 0, 0)
"""The position before the first entry of any history."""


class OutOfReach(Exception):
    """Reading on from this cursor would leave a gap. The message says why."""


def row_of(rows: Mapping[int, T], row_id: int) -> T:
    """The row that an entry is about.

    Raises ``OutOfReach`` without one. The database then is another one than the entry was read from: a standby that lacks it.
    """
    if row_id not in rows:
        raise OutOfReach("The latest changes are no longer in this database's history: start over without a cursor.")
    return rows[row_id]


@dataclass(frozen=True, slots=True)
class Entry:
    """A stored event with its position."""

    era: int
    tx: int
    id: int
    mark: int
    topic: Topic
    subject: int
    data: dict[str, Any]
    created_at: datetime

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.era, self.tx, self.id, self.mark)
