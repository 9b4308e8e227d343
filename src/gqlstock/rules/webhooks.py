"""Webhooks: what they tell of, what an endpoint may be, and which news becomes which topic."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from gqlstock.rules import addresses
from gqlstock.rules.alerts import AlertState
from gqlstock.rules.events import Topic
from gqlstock.rules.refusals import invalid, shown

MAX_URL = 2_000


class WebhookTopic(StrEnum):
    LOW_INVENTORY = "LOW_INVENTORY"
    OUT_OF_STOCK = "OUT_OF_STOCK"
    BACK_IN_STOCK = "BACK_IN_STOCK"
    INVENTORY_CHANGED = "INVENTORY_CHANGED"
    ORDER_PLACED = "ORDER_PLACED"
    ORDER_UPDATED = "ORDER_UPDATED"


# What a payload calls its kind, as the Standard Webhooks specification writes such names.
TYPES = {
    WebhookTopic.LOW_INVENTORY: "inventory.low",
    WebhookTopic.OUT_OF_STOCK: "inventory.out_of_stock",
    WebhookTopic.BACK_IN_STOCK: "inventory.back_in_stock",
    WebhookTopic.INVENTORY_CHANGED: "inventory.changed",
    WebhookTopic.ORDER_PLACED: "order.placed",
    WebhookTopic.ORDER_UPDATED: "order.updated",
}


def topic(news: Topic, data: Mapping[str, Any]) -> WebhookTopic | None:
    """What an entry of the outbox is to endpoints; None: nothing."""
    match news:
        case Topic.LEVEL:
            return WebhookTopic.INVENTORY_CHANGED
        case Topic.ORDER:
            return WebhookTopic.ORDER_PLACED if data.get("placed") else WebhookTopic.ORDER_UPDATED
        case Topic.STOCK:
            return WebhookTopic.BACK_IN_STOCK if data["in_stock"] else WebhookTopic.OUT_OF_STOCK
        case Topic.ALERT if is_raised(data):
            return WebhookTopic.LOW_INVENTORY
    return None


def is_raised(alert: Mapping[str, Any]) -> bool:
    """Whether the news of an alert is that it was raised: not that somebody took it on, or that it is over."""
    return bool(alert["state"] == AlertState.RAISED and alert["acknowledged_at"] is None)


def topics(wanted: Iterable[WebhookTopic]) -> list[WebhookTopic]:
    """The topics of an endpoint, each once; refused when there is none."""
    found = sorted(set(wanted), key=list(WebhookTopic).index)
    if not found:
        raise invalid(f"An endpoint needs a topic: {', '.join(WebhookTopic)}.", "topics")
    return found


def url(value: str, *, private_addresses: bool) -> str:
    """Where webhooks may go; refused when it is no address of the web, or one that is nobody's business out there."""
    given = value.strip()
    if len(given) > MAX_URL:
        raise invalid(f"The URL {shown(given)} has {len(given)} characters: at most {MAX_URL}.", "url")
    if not given.isprintable() or " " in given:
        raise invalid(f"{shown(repr(given))} has a space or a control character in it.", "url")
    try:
        parts = urlsplit(given)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, 0
    if not host or port == 0 or parts.scheme not in ("http", "https"):
        raise invalid(f"{shown(given)} is no URL to call: write https://shop.example/webhooks.", "url")
    if parts.username is not None or parts.fragment:
        raise invalid(f"{shown(given)} must have neither a user nor a fragment (#).", "url")
    address = addresses.parse(host)
    is_private = addresses.is_local_name(host) if address is None else not addresses.is_public(address)
    if is_private and not private_addresses:
        raise invalid(f"{shown(given)} is a private address: webhooks go to public ones only.", "url")
    return given
