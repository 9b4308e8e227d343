"""The demo's shoppers: small orders over HTTP, about one a second, and a delivery now and then, so that it never ends."""

import asyncio
import logging
import random
from typing import Any

import httpx

from gqlstock.cli.demo_shop import Shop

log = logging.getLogger(__name__)

_PLACE = """
    mutation Place($lines: [OrderLineInput!]!) {
      placeOrder(input: {lines: $lines}) { order { number } userErrors { message } }
    }
"""
_DELIVER = """
    mutation Deliver($changes: [StockDeltaInput!]!) {
      adjustStock(input: {changes: $changes, reason: "Delivery"}) { userErrors { message } }
    }
"""
_ORDERS_PER_DELIVERY = 8


async def keep_shopping(url: str, token: str, shop: Shop, pause: float = 1.0) -> None:
    """Order and deliver until canceled; ``pause`` is the mean time between two orders, in seconds."""
    async with httpx.AsyncClient(timeout=30) as client:
        while True:
            await asyncio.sleep(random.uniform(0.5, 1.5) * pause)
            try:
                await _send(client, url, _PLACE, {"lines": _basket(shop)})
                if random.randrange(_ORDERS_PER_DELIVERY) == 0:
                    await _send(client, url, _DELIVER, {"changes": _delivery(shop)}, token)
            except httpx.HTTPError as error:
                log.warning("A shopper left: %s", error)


def _basket(shop: Shop) -> list[dict[str, Any]]:
    chosen = random.sample(shop.skus, random.randint(1, 3))
    return [{"sku": sku, "quantity": random.randint(1, 3)} for sku in chosen]


def _delivery(shop: Shop) -> list[dict[str, Any]]:
    """As much as about eight orders take."""
    return [
        {"sku": sku, "warehouse": random.choice(shop.warehouses), "delta": random.randint(2, 6)}
        for sku in random.sample(shop.skus, 8)
    ]


async def _send(
    client: httpx.AsyncClient, url: str, query: str, variables: dict[str, Any], token: str | None = None
) -> None:
    """Send a mutation. That something is out of stock is a part of shopping; that it cannot be asked for is not."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = await client.post(url, json={"query": query, "variables": variables}, headers=headers)
    answer.raise_for_status()
    for error in answer.json().get("errors", ()):
        log.warning("The server answered: %s", error["message"])
