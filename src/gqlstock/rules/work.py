"""Something to deliver: what webhooks and letters have in common."""

from dataclasses import dataclass
from datetime import datetime

from gqlstock.rules.retries import WorkState


@dataclass(frozen=True, slots=True)
class Work:
    """``attempts`` counts the attempts that were begun; ``spent`` of them were before it was last ordered again.

    Things of one ``line`` go out one after another. What may go out has a ``due_at``.
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
