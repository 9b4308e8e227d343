"""Webhooks in one process: creates endpoints, turns committed events into messages, and delivers them."""

import json
from collections.abc import Sequence
from typing import Any

from gqlstock.delivery.courier import Courier
from gqlstock.delivery.dispatcher import Dispatcher
from gqlstock.rules.webhooks import WebhookTopic
from gqlstock.services import webhooks
from gqlstock.store.webhooks import WebhookDelivery
from support.settled_news import settled
from support.webhook_receiver import Receiver

EVERYTHING = list(WebhookTopic)


async def endpoint(
    to: Receiver | str, *topics: WebhookTopic, path: str = "/", warehouses: Sequence[str] | None = None
) -> tuple[int, str]:
    """Create an endpoint, by default for all topics. Returns its id and secret. It receives no earlier events."""
    await settled()
    url = to if isinstance(to, str) else to.url(path)
    return await webhooks.create(url, topics or EVERYTHING, warehouses, private_addresses=True)


async def dispatched() -> None:
    """Turn all committed events into messages."""
    await settled()
    dispatcher = Dispatcher()
    while await dispatcher.step():
        pass


async def delivered(courier: Courier) -> None:
    """Deliver all due messages."""
    while True:
        await courier.step()
        if not courier.in_progress:
            return
        await courier.idle()


async def rows() -> list[WebhookDelivery]:
    """All messages, oldest first."""
    return await WebhookDelivery.all().order_by("id")


async def messages(endpoint_id: int | None = None) -> list[dict[str, Any]]:
    """The bodies of all messages, or of those to one endpoint, oldest first."""
    await dispatched()
    return [json.loads(row.body) for row in await rows() if endpoint_id in (None, row.endpoint_id)]
