"""Webhook endpoints, from the side of whoever is called: making, changing, deleting one, and ordering a message again."""

import base64
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gqlstock.rules import refusals
from gqlstock.rules import webhooks as rules
from gqlstock.rules.handles import Handle
from gqlstock.rules.ids import UNSTORED
from gqlstock.rules.refusals import wrong_state
from gqlstock.rules.retries import WorkState
from gqlstock.rules.webhooks import WebhookDelivery, WebhookEndpoint, WebhookTopic
from gqlstock.store import outbox
from gqlstock.store import webhooks as rows
from gqlstock.store.db import clock, transactions

# As the Standard Webhooks specification wants it: 24 to 64 random bytes.
_SECRET_BYTES = 32
_MARK = "whsec_"


async def create(url: str, topics: Sequence[WebhookTopic], *, private_addresses: bool) -> tuple[int, str]:
    """Make an endpoint; answers its id, and the secret that its messages are signed with."""
    wanted = rules.topics(topics)
    address = rules.url(url, private_addresses=private_addresses)
    secret = _MARK + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()

    async def work() -> int:
        since_era, since_tx, since_id = (await outbox.latest()).place
        made = WebhookEndpoint(
            id=UNSTORED,
            url=address,
            stored_topics=[*wanted],
            active=True,
            secret=secret,
            since_era=since_era,
            since_tx=since_tx,
            since_id=since_id,
            created_at=clock.now(),
            deleted_at=None,
        )
        return await rows.insert_endpoint(made)

    return await transactions.run(work), secret


async def update(handle: Handle, changes: Mapping[str, Any], *, private_addresses: bool) -> int:
    """Change an endpoint's URL, its topics, and whether it is active. While it is not, nothing goes out to it."""
    values: dict[str, Any] = {}
    if changes.get("url") is not None:
        values["url"] = rules.url(changes["url"], private_addresses=private_addresses)
    if changes.get("topics") is not None:
        values["stored_topics"] = [*rules.topics(changes["topics"])]
    if changes.get("active") is not None:
        values["active"] = changes["active"]

    async def work() -> int:
        found = await _in_use(handle)
        await rows.update_endpoint(found, replace(found, **values))
        return found.id

    return await transactions.run(work)


async def delete(handle: Handle) -> int:
    """Take an endpoint out of use: what waits for it is given up, what was delivered stays to be looked up."""

    async def work() -> int:
        found = await _in_use(handle)
        await rows.update_endpoint(found, replace(found, active=False, secret="", deleted_at=clock.now()))
        await rows.abandon(found.id, "The endpoint was deleted.")
        return found.id

    return await transactions.run(work)


async def _in_use(handle: Handle) -> WebhookEndpoint:
    """The endpoint, with its lines locked."""
    found = (await rows.lock([handle.row_id])).get(handle.row_id) if handle.row_id is not None else None
    if found is None or found.deleted_at is not None:
        raise refusals.missing("webhook endpoint", handle.text, "id")
    return found


async def redeliver(handle: Handle) -> int:
    """Send a message again at once, with all its attempts before it, or one whose next attempt is not yet due."""

    async def work() -> int:
        known = (await rows.deliveries([handle.row_id])).get(handle.row_id) if handle.row_id is not None else None
        if known is None:
            raise refusals.missing("webhook delivery", handle.text, "id")
        endpoint = (await rows.lock([known.endpoint_id]))[known.endpoint_id]
        # Read again under the lock: it may have been delivered in between.
        found = (await rows.deliveries([known.id])).get(known.id)
        if found is None:
            raise refusals.missing("webhook delivery", handle.text, "id")
        _check(found, endpoint)
        changes: dict[str, Any] = {"due_at": clock.now()}
        if found.state is not WorkState.PENDING:
            changes = {
                "state": WorkState.PENDING,
                "spent": found.attempts,
                "delivered_at": None,
                "due_at": None if await rows.has_earlier(found) else clock.now(),
            }
        await rows.update_delivery(found, replace(found, **changes))
        return found.id

    return await transactions.run(work)


def _check(found: WebhookDelivery, endpoint: WebhookEndpoint) -> None:
    """Refuse what cannot go out at once."""
    if endpoint.deleted_at is not None:
        raise wrong_state("The endpoint was deleted.", "id")
    if not endpoint.active:
        raise wrong_state("The endpoint is not active: updateWebhookEndpoint makes it so.", "id")
    if found.state is not WorkState.PENDING:
        return
    if found.due_at is None:
        raise wrong_state("It waits for an earlier message about the same thing.", "id")
    if found.sending and found.due_at > clock.now():
        raise wrong_state("It is being sent right now.", "id")
