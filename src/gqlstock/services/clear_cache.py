"""Has every server drop the reads that it keeps in memory."""

from gqlstock.rules.events import RESET
from gqlstock.store import outbox
from gqlstock.store.db import transactions


async def clear() -> None:
    """Servers see this with their next read."""
    await transactions.run(lambda: outbox.add([RESET]))
