"""Committed events with their positions, as readers of the feed get them. ``store.outbox`` reads them."""

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gqlstock.rules.events import Topic


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
