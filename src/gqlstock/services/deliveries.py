"""How long it is kept what became of webhooks and mail."""

from datetime import timedelta

from gqlstock.rules.retries import WorkState
from gqlstock.store import database, work
from gqlstock.store.mail import Mail
from gqlstock.store.webhooks import WebhookDelivery

# What failed is kept longer: somebody may want to order it again.
_KEPT = {WorkState.DELIVERED: timedelta(days=7), WorkState.FAILED: timedelta(days=30)}


async def forget() -> None:
    """Forget what was delivered or given up long ago."""
    for table in (WebhookDelivery, Mail):
        for state, kept in _KEPT.items():
            await work.forget(table, state, database.now() - kept)
