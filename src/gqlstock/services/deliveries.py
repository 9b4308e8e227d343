"""How long what is to be delivered is tried, and how long it is kept what became of it."""

from datetime import timedelta

from gqlstock.rules.retries import WorkState
from gqlstock.store import dispatch, mail, webhooks
from gqlstock.store.db import clock

# Behind an endpoint that is gone each message would wait for the one before it to be given up, and the last for ever.
_TRIED = timedelta(days=7)
_GIVEN_UP = "It could not be delivered for 7 days."
# What failed is kept longer: somebody may want to order it again.
_KEPT = {WorkState.DELIVERED: timedelta(days=7), WorkState.FAILED: timedelta(days=30)}


async def forget() -> None:
    """Give up what could not be delivered for long; forget what was delivered or given up long ago."""
    now = clock.now()
    await webhooks.queue.give_up(now - _TRIED, _GIVEN_UP, lambda rows: webhooks.lock({row.endpoint_id for row in rows}))
    await mail.queue.give_up(now - _TRIED, _GIVEN_UP, lambda _: dispatch.lock())
    for state, kept in _KEPT.items():
        await webhooks.queue.forget(state, now - kept)
        await mail.queue.forget(state, now - kept)


async def bring_forward() -> None:
    """Have nothing wait for longer than it can have to: that was put off before the clock was set back."""
    await webhooks.queue.bring_forward()
    await mail.queue.bring_forward()
