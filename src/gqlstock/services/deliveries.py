"""How long deliveries of webhooks and mail are retried, and how long their results are kept."""

from datetime import timedelta

from gqlstock.rules.retries import WorkState
from gqlstock.store import dispatch, mail, webhooks
from gqlstock.store.db import clock

# Messages to a dead endpoint fail one after the other. Without a limit, the last would wait forever.
_MAX_AGE = timedelta(days=7)
_GIVEN_UP = "Not delivered within 7 days."
# Failed deliveries are kept longer, because they can be redelivered.
_RETENTION = {WorkState.DELIVERED: timedelta(days=7), WorkState.FAILED: timedelta(days=30)}


async def forget() -> None:
    """Fail deliveries that are too old, and delete expired results and secrets that no longer sign."""
    now = clock.now()
    await webhooks.queue.give_up(
        now - _MAX_AGE, _GIVEN_UP, lambda rows: webhooks.lock({row.endpoint_id for row in rows})
    )
    await mail.queue.give_up(now - _MAX_AGE, _GIVEN_UP, lambda _: dispatch.lock())
    for state, retention in _RETENTION.items():
        await webhooks.queue.forget(state, now - retention)
        await mail.queue.forget(state, now - retention)
    await webhooks.forget_previous_secrets(now)


async def bring_forward() -> None:
    """Shorten waits that exceed the longest retry interval. They date from before the clock was set back."""
    await webhooks.queue.bring_forward()
    await mail.queue.bring_forward()
