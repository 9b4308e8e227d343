"""Clears the read cache of every server."""

from gqlstock.rules.events import RESET
from gqlstock.store import outbox
from gqlstock.store.db import transactions


async def clear() -> None:
    """Invalidate all cached reads. Each server notices with its next read."""
    await transactions.run(lambda: outbox.add([RESET]))
