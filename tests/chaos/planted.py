"""gqlstock with a planted bug, for ``scripts/chaos`` to find. CHAOS_BUG names the bug."""

import itertools
import os
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

from starlette.types import ASGIApp

from gqlstock import app
from gqlstock.adapters.smtp import SmtpMail
from gqlstock.rules import events
from gqlstock.rules.events import Event
from gqlstock.store.db import transactions


def commits_never_found() -> None:
    """A change whose COMMIT was not answered is made again, committed or not."""

    async def is_committed(mark: object) -> bool:
        return False

    transactions._is_committed = is_committed


def commits_always_found() -> None:
    """A change whose COMMIT was not answered is confirmed, committed or not."""

    async def is_committed(mark: object) -> bool:
        return True

    transactions._is_committed = is_committed


def entry_lost() -> None:
    """The outbox lacks one placed order in ten."""
    right, numbers = events.deduplicated, itertools.count(1)

    def deduplicated(found: Any) -> list[Event]:
        kept = right(found)
        placed = [event for event in kept if event.data.get("placed")]
        is_lost = len(kept) > len(placed) > 0 and next(numbers) % 10 == 0
        return [event for event in kept if event not in placed] if is_lost else kept

    events.deduplicated = deduplicated


def mail_swallowed() -> None:
    """The first email of each process is marked as sent, but is not."""
    right, numbers = SmtpMail.send, itertools.count()

    async def send(self: SmtpMail, message: EmailMessage) -> None:
        if next(numbers):
            await right(self, message)

    SmtpMail.send = send  # type: ignore[method-assign]


BUGS: dict[str, tuple[Callable[[], None], str]] = {
    bug.__name__.replace("_", "-"): (bug, fault)
    for bug, fault in (
        (commits_never_found, "commits-unanswered"),
        (commits_always_found, "commits-unanswered"),
        (entry_lost, "connections-ended"),
        (mail_swallowed, "connections-ended"),
    )
}
"""Each bug, and the fault that reveals it."""


def from_env() -> ASGIApp:
    plant, _ = BUGS[os.environ["CHAOS_BUG"]]
    plant()
    return app.from_env()
