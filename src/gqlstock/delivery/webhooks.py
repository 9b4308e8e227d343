"""Delivers webhooks: signs and sends them, and records the outcome."""

import random
from datetime import datetime
from typing import Any

from gqlstock.adapters.signature import sign
from gqlstock.adapters.webhook_calls import Answer, Calls
from gqlstock.rules import retries
from gqlstock.rules.retries import WorkState
from gqlstock.rules.webhooks import WebhookDelivery, WebhookEndpoint
from gqlstock.store import webhooks
from gqlstock.store.db import clock

# The receiver wants no more messages, according to the Standard Webhooks specification.
_GONE = 410


class Webhooks:
    """The webhooks to deliver. Each endpoint is a group."""

    queue = webhooks.queue
    at_once = 8

    def __init__(self, http: Calls) -> None:
        self._http = http

    async def waiting(self) -> dict[int, datetime]:
        return await webhooks.waiting()

    async def claim(self, group: int, limit: int) -> list[WebhookDelivery]:
        return await self.queue.claim(limit, endpoint_id=group)

    async def deliver(self, thing: WebhookDelivery) -> bool:
        endpoint = (await webhooks.endpoints([thing.endpoint_id]))[thing.endpoint_id]
        if not endpoint.active:
            await self.queue.give_back([thing])
            return True
        answer = await self._http.post(endpoint.url, thing.body, headers(thing, endpoint, clock.now()))
        await _settle(thing, answer)
        return answer.is_taken


def headers(delivery: WebhookDelivery, endpoint: WebhookEndpoint, at: datetime) -> dict[str, str]:
    """The headers of a message. The id is the same for every attempt. While two secrets sign, both signatures are sent."""
    signatures = [sign(secret, delivery.message_id, at, delivery.body) for secret in endpoint.secrets(at)]
    return {
        "content-type": "application/json",
        "webhook-id": delivery.message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


async def _settle(delivery: WebhookDelivery, answer: Answer) -> None:
    at = clock.now()
    outcome: dict[str, Any] = {"last_status_code": answer.status, "last_error": answer.error}
    if answer.is_taken:
        await webhooks.settle(delivery, state=WorkState.DELIVERED, delivered_at=at, **outcome)
        return
    pause = retries.pause(delivery.attempts - delivery.spent, random.random())
    if pause is None or answer.status == _GONE:
        await webhooks.settle(delivery, disable=answer.status == _GONE, state=WorkState.FAILED, **outcome)
    else:
        await webhooks.settle(delivery, due_at=at + pause, **outcome)
