"""Creates, changes, tests and deletes webhook endpoints, and redelivers messages. ``delivery.webhooks`` sends them."""

import base64
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gqlstock.rules import refusals
from gqlstock.rules import webhooks as rules
from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.ids import UNSTORED, global_id
from gqlstock.rules.network import MAX_WAREHOUSES
from gqlstock.rules.refusals import Refusal, Refused, invalid, wrong_state
from gqlstock.rules.retries import WorkState
from gqlstock.rules.webhooks import WebhookDelivery, WebhookEndpoint, WebhookTopic
from gqlstock.store import outbox, warehouses
from gqlstock.store import webhooks as rows
from gqlstock.store.db import clock, transactions

# The Standard Webhooks specification requires 24 to 64 random bytes.
_SECRET_BYTES = 32
_PREFIX = "whsec_"


async def create(
    url: str,
    topics: Sequence[WebhookTopic],
    warehouse_codes: Sequence[str] | None = None,
    *,
    private_addresses: bool,
) -> tuple[int, str]:
    """Create an endpoint. Returns its id and the secret that signs its messages. ``warehouse_codes``: None for all."""
    checked_topics = rules.topics(topics)
    address = rules.url(url, private_addresses=private_addresses)
    secret = _new_secret()

    async def work() -> int:
        since_era, since_tx, since_id = (await outbox.latest()).place
        new = WebhookEndpoint(
            id=UNSTORED,
            url=address,
            stored_topics=[*checked_topics],
            warehouses=await _warehouse_ids(warehouse_codes),
            active=True,
            secret=secret,
            previous_secret=None,
            previous_secret_until=None,
            since_era=since_era,
            since_tx=since_tx,
            since_id=since_id,
            created_at=clock.now(),
            deleted_at=None,
        )
        return await rows.insert_endpoint(new)

    return await transactions.run(work), secret


async def update(given_id: GivenId, changes: Mapping[str, Any], *, private_addresses: bool) -> int:
    """Change the given fields of an endpoint. Inactive endpoints get nothing. ``warehouses``: codes; None for all."""
    values: dict[str, Any] = {}
    if changes.get("url") is not None:
        values["url"] = rules.url(changes["url"], private_addresses=private_addresses)
    if changes.get("topics") is not None:
        values["stored_topics"] = [*rules.topics(changes["topics"])]
    if changes.get("active") is not None:
        values["active"] = changes["active"]

    async def work() -> int:
        found = await _in_use(given_id)
        if "warehouses" in changes:
            values["warehouses"] = await _warehouse_ids(changes["warehouses"])
        await rows.update_endpoint(found, replace(found, **values))
        return found.id

    return await transactions.run(work)


async def delete(given_id: GivenId) -> int:
    """Delete an endpoint. Pending messages fail; all messages can still be read."""

    async def work() -> int:
        found = await _in_use(given_id)
        erased: dict[str, Any] = {"secret": "", "previous_secret": None, "previous_secret_until": None}
        await rows.update_endpoint(found, replace(found, active=False, deleted_at=clock.now(), **erased))
        await rows.abandon(found.id, "The endpoint was deleted.")
        return found.id

    return await transactions.run(work)


async def rotate_secret(given_id: GivenId) -> tuple[int, str]:
    """Replace the secret of an endpoint; the previous one still signs for 24 hours. Returns its id and the new secret."""
    secret = _new_secret()

    async def work() -> int:
        found = await _in_use(given_id)
        await rows.update_endpoint(found, rules.rotated(found, secret, clock.now()))
        return found.id

    return await transactions.run(work), secret


async def send_test(given_id: GivenId) -> int:
    """Queue a TEST message to an endpoint, regardless of its topics. It waits for no other message. Returns its id."""

    async def work() -> int:
        found = await _in_use(given_id)
        if not found.active:
            raise _not_active()
        at, token = clock.now(), secrets.token_hex(16)
        data = {"endpoint": {"id": global_id("WebhookEndpoint", found.id)}}
        body = rules.body(WebhookTopic.TEST, at, data)
        message = rules.new_delivery(found.id, f"test:{token}", f"msg_{token}", WebhookTopic.TEST, body, at)
        (delivery_id,) = await rows.add([message])
        return delivery_id

    return await transactions.run(work)


def _new_secret() -> str:
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


async def _warehouse_ids(codes: Sequence[str] | None) -> list[int] | None:
    """The ids of warehouses by their codes; None for all. Raises ``Refused`` for an unknown code and for an empty list."""
    if codes is None:
        return None
    if not codes:
        raise invalid("The list of warehouses is empty: name at least one, or pass null for all.", "warehouses")
    if len(codes) > MAX_WAREHOUSES:
        raise refusals.too_many("warehouses", len(codes), MAX_WAREHOUSES, "warehouses")
    known = await warehouses.warehouses_by_code(set(codes))
    refused: list[Refusal] = []
    for number, code in enumerate(codes):
        with refusals.collected(refused, "warehouses", number):
            if code not in known:
                raise refusals.missing("warehouse", code)
    if refused:
        raise Refused(refused)
    return sorted({one.id for one in known.values()})


async def _in_use(given_id: GivenId) -> WebhookEndpoint:
    """Lock an endpoint in use, and thereby the order of its messages."""
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


def _not_active() -> Refused:
    return wrong_state("The endpoint is not active: activate it with updateWebhookEndpoint.", "id")


def _check(found: WebhookDelivery, endpoint: WebhookEndpoint) -> None:
    """Refuse a message that cannot be sent now."""
    if endpoint.deleted_at is not None:
        raise wrong_state("The endpoint was deleted.", "id")
    if not endpoint.active:
        raise _not_active()
    if found.state is not WorkState.PENDING:
        return
    if found.due_at is None:
        raise wrong_state("It waits for an earlier message about the same thing.", "id")
    if found.sending and found.due_at > clock.now():
        raise wrong_state("It is being sent right now.", "id")
