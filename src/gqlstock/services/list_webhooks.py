"""Finds webhook endpoints and their deliveries."""

from collections.abc import Collection

from gqlstock.rules.retries import WorkState
from gqlstock.rules.webhooks import WebhookDelivery, WebhookEndpoint
from gqlstock.stock.lists import QueryRows, Rows
from gqlstock.store import webhooks as rows


async def endpoints(ids: Collection[int]) -> dict[int, WebhookEndpoint]:
    """Endpoints by id, including deleted ones."""
    return await rows.endpoints(ids)


def endpoints_in_use() -> Rows[WebhookEndpoint]:
    return QueryRows(rows.endpoints_in_use())


async def deliveries(ids: Collection[int]) -> dict[int, WebhookDelivery]:
    return await rows.deliveries(ids)


def deliveries_among(endpoint_id: int | None, state: WorkState | None) -> Rows[WebhookDelivery]:
    """Deliveries to one endpoint or all, in one state or any."""
    return QueryRows(rows.deliveries_among(endpoint_id, state))
