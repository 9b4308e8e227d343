"""A queued delivery: the common fields of webhooks and letters. ``store.work`` is the queue."""

from dataclasses import dataclass
from datetime import datetime

from gqlstock.rules.retries import WorkState


@dataclass(frozen=True, slots=True)
class Work:
    """A queued delivery. ``attempts``: all started attempts; ``spent``: those before its last redelivery.

    Deliveries of one ``line`` go out one after another. One that may go out has a ``due_at``.
    """

    id: int
    line: str
    message_id: str
    state: WorkState
    attempts: int
    spent: int
    due_at: datetime | None
    sending: bool
    last_error: str | None
    created_at: datetime
    delivered_at: datetime | None
