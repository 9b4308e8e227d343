"""How long what is to be delivered is tried, and how long it is kept what became of it."""

from datetime import timedelta

from gqlstock.rules.retries import WorkState
from gqlstock.store import database, dispatch, webhooks, work
from gqlstock.store.mail import Mail
from gqlstock.store.webhooks import WebhookDelivery

# Behind an endpoint that is gone each message would wait for the one before it to be given up, and the last for ever.
_TRIED = timedelta(days=7)
_GIVEN_UP = "It could not be delivered for 7 days."
# What failed is kept longer: somebody may want to order it again.
_KEPT = {WorkState.DELIVERED: timedelta(days=7), WorkState.FAILED: timedelta(days=30)}


async def forget() -> None:
    """Give up what could not be delivered for long; forget what was delivered or given up long ago."""
    now = database.now()
    await work.give_up(
        WebhookDelivery, now - _TRIED, _GIVEN_UP, lambda rows: webhooks.lock({row.endpoint_id for row in rows})
    )
    await work.give_up(Mail, now - _TRIED, _GIVEN_UP, lambda _: dispatch.lock())
    for table in (WebhookDelivery, Mail):
        for state, kept in _KEPT.items():
            await work.forget(table, state, now - kept)
