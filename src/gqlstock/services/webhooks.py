"""Creates, changes and deletes webhook endpoints, and redelivers messages. ``delivery.webhooks`` sends them."""

import base64
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gqlstock.rules import refusals
from gqlstock.rules import webhooks as rules
from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.ids import UNSTORED
from gqlstock.rules.refusals import wrong_state
from gqlstock.rules.retries import WorkState
from gqlstock.rules.webhooks import WebhookDelivery, WebhookEndpoint, WebhookTopic
from gqlstock.store import outbox
from gqlstock.store import webhooks as rows
from gqlstock.store.db import clock, transactions

# The Standard Webhooks specification demands 24 to 64 random bytes.
_SECRET_BYTES = 32
_PREFIX = "whsec_"


async def create(url: str, topics: Sequence[WebhookTopic], *, private_addresses: bool) -> tuple[int, str]:
    """Create an endpoint. Returns its id and the secret that signs its messages."""
    checked_topics = rules.topics(topics)
    address = rules.url(url, private_addresses=private_addresses)
    secret = _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()

    async def work() -> int:
        since_era, since_tx, since_id = (await outbox.latest()).place
        new = WebhookEndpoint(
            id=UNSTORED,
            url=address,
            stored_topics=[*checked_topics],
            active=True,
            secret=secret,
            since_era=since_era,
            since_tx=since_tx,
            since_id=since_id,
            created_at=clock.now(),
            deleted_at=None,
        )
        return await rows.insert_endpoint(new)

    return await transactions.run(work), secret


async def update(given_id: GivenId, changes: Mapping[str, Any], *, private_addresses: bool) -> int:
    """Change the URL and the topics of an endpoint, and whether it is active. Inactive endpoints get nothing."""
    values: dict[str, Any] = {}
    if changes.get("url") is not None:
        values["url"] = rules.url(changes["url"], private_addresses=private_addresses)
    if changes.get("topics") is not None:
        values["stored_topics"] = [*rules.topics(changes["topics"])]
    if changes.get("active") is not None:
        values["active"] = changes["active"]

    async def work() -> int:
        found = await _in_use(given_id)
        await rows.update_endpoint(found, replace(found, **values))
        return found.id

    return await transactions.run(work)


async def delete(given_id: GivenId) -> int:
    """Delete an endpoint. Pending messages fail; all messages can still be read."""

    async def work() -> int:
        found = await _in_use(given_id)
        await rows.update_endpoint(found, replace(found, active=False, secret="", deleted_at=clock.now()))
        await rows.abandon(found.id, "The endpoint was deleted.")
        return found.id

    return await transactions.run(work)


async def _in_use(given_id: GivenId) -> WebhookEndpoint:
    """Lock an endpoint in use, and so the order of its messages."""
    found = (await rows.lock([given_id.row_id])).get(given_id.row_id) if given_id.row_id is not None else None
    if found is None or found.deleted_at is not None:
        raise refusals.missing("webhook endpoint", given_id.text, "id")
    return found


async def redeliver(given_id: GivenId) -> int:
    """Send a message again immediately, with all retries, or a pending one before its next retry is due."""

    async def work() -> int:
        known = (await rows.deliveries([given_id.row_id])).get(given_id.row_id) if given_id.row_id is not None else None
        if known is None:
            raise refusals.missing("webhook delivery", given_id.text, "id")
        endpoint = (await rows.lock([known.endpoint_id]))[known.endpoint_id]
        # Read again under the lock, because it may have been delivered in between.
        found = (await rows.deliveries([known.id])).get(known.id)
        if found is None:
            raise refusals.missing("webhook delivery", given_id.text, "id")
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
    """Refuse a message that cannot be sent now."""
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
