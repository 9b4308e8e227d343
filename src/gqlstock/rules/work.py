"""A queued delivery, with the fields that webhooks and letters share. ``store.work`` is the queue."""

from dataclasses import dataclass
from datetime import datetime

from gqlstock.rules.retries import WorkState


@dataclass(frozen=True, slots=True)
class Work:
    """A queued delivery. ``attempts``: all started attempts; ``spent``: those before its last redelivery.

    Deliveries of one ``line`` are sent in order, one at a time. A delivery that may be sent has a ``due_at``.
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
