"""Webhooks: topics, valid endpoints, and the topics of each event. ``delivery.webhooks`` sends them."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from gqlstock.rules import addresses, events, moments
from gqlstock.rules.alerts import AlertState
from gqlstock.rules.events import ItemChange, Topic
from gqlstock.rules.ids import UNSTORED
from gqlstock.rules.refusals import invalid, shown
from gqlstock.rules.retries import WorkState
from gqlstock.rules.work import Work

MAX_URL = 2_000
PREVIOUS_SECRET_SIGNS = timedelta(hours=24)
"""How long after a rotation the previous secret also signs."""
_SETTING = "GQLSTOCK_WEBHOOK_PRIVATE_ADDRESSES"


class WebhookTopic(StrEnum):
    LOW_INVENTORY = "LOW_INVENTORY"
    OUT_OF_STOCK = "OUT_OF_STOCK"
    BACK_IN_STOCK = "BACK_IN_STOCK"
    INVENTORY_CHANGED = "INVENTORY_CHANGED"
    ORDER_PLACED = "ORDER_PLACED"
    ORDER_UPDATED = "ORDER_UPDATED"
    ORDER_DATE_CHANGED = "ORDER_DATE_CHANGED"
    SHIPMENT_UPDATED = "SHIPMENT_UPDATED"
    TRANSFER_UPDATED = "TRANSFER_UPDATED"
    LOW_INVENTORY_RESOLVED = "LOW_INVENTORY_RESOLVED"
    PRODUCT_UPDATED = "PRODUCT_UPDATED"
    TEST = "TEST"


# The type names in payloads, in the style of the Standard Webhooks specification.
TYPES = {
    WebhookTopic.LOW_INVENTORY: "inventory.low",
    WebhookTopic.OUT_OF_STOCK: "inventory.out_of_stock",
    WebhookTopic.BACK_IN_STOCK: "inventory.back_in_stock",
    WebhookTopic.INVENTORY_CHANGED: "inventory.changed",
    WebhookTopic.ORDER_PLACED: "order.placed",
    WebhookTopic.ORDER_UPDATED: "order.updated",
    WebhookTopic.ORDER_DATE_CHANGED: "order.date_changed",
    WebhookTopic.SHIPMENT_UPDATED: "shipment.updated",
    WebhookTopic.TRANSFER_UPDATED: "transfer.updated",
    WebhookTopic.LOW_INVENTORY_RESOLVED: "inventory.low_resolved",
    WebhookTopic.PRODUCT_UPDATED: "product.updated",
    WebhookTopic.TEST: "test",
}


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    """A webhook endpoint. A deleted one is never active; its deliveries still refer to it.

    It receives the outbox entries after ``since``, the end of the outbox when the endpoint was created. ``warehouses``:
    ids; None for all. The previous secret also signs until ``previous_secret_until``.
    """

    id: int
    url: str
    stored_topics: list[str]
    warehouses: list[int] | None
    active: bool
    secret: str
    previous_secret: str | None
    previous_secret_until: datetime | None
    since_era: int
    since_tx: int
    since_id: int
    created_at: datetime
    deleted_at: datetime | None

    @property
    def since(self) -> tuple[int, int, int]:
        return self.since_era, self.since_tx, self.since_id

    @property
    def topics(self) -> list[WebhookTopic]:
        return [WebhookTopic(stored) for stored in self.stored_topics]

    def wants(self, topic: WebhookTopic, concerns: Collection[int]) -> bool:
        """Whether it receives messages of a topic that concern these warehouses. Without any, all endpoints do."""
        return topic in self.topics and (
            self.warehouses is None or not concerns or not set(concerns).isdisjoint(self.warehouses)
        )

    def secrets(self, at: datetime) -> list[str]:
        """The secrets that sign its messages at a given time, newest first."""
        if self.previous_secret is None or self.previous_secret_until is None or at >= self.previous_secret_until:
            return [self.secret]
        return [self.secret, self.previous_secret]


@dataclass(frozen=True, slots=True)
class WebhookDelivery(Work):
    """A message to an endpoint. Its line is the endpoint and the object it is about, such as an item or an order."""

    endpoint_id: int
    topic: WebhookTopic
    body: str
    last_status_code: int | None


def new_delivery(
    endpoint_id: int, about: str, message_id: str, topic: WebhookTopic, body: str, at: datetime
) -> WebhookDelivery:
    """A new message to an endpoint. ``about``: the object whose messages are kept in order."""
    return WebhookDelivery(
        id=UNSTORED,
        line=f"{endpoint_id}/{about}",
        message_id=message_id,
        state=WorkState.PENDING,
        attempts=0,
        spent=0,
        due_at=None,
        sending=False,
        last_error=None,
        created_at=at,
        delivered_at=None,
        endpoint_id=endpoint_id,
        topic=topic,
        body=body,
        last_status_code=None,
    )


def body(topic: WebhookTopic, at: datetime, data: Mapping[str, Any]) -> str:
    """The JSON body of a message: its type, the time of the event, and the data."""
    message = {"type": TYPES[topic], "timestamp": moments.wire(at), "data": data}
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def topics_of(entry: Topic, data: Mapping[str, Any]) -> tuple[WebhookTopic, ...]:
    """The webhook topics of an outbox entry. Most have one or none."""
    match entry:
        case Topic.LEVEL:
            return (WebhookTopic.INVENTORY_CHANGED,)
        case Topic.ORDER:
            return _of_order(data)
        case Topic.SHIPMENT:
            return (WebhookTopic.SHIPMENT_UPDATED,)
        case Topic.TRANSFER:
            return (WebhookTopic.TRANSFER_UPDATED,)
        case Topic.ITEM if events.item_change(data) is not ItemChange.NONE:
            return (WebhookTopic.PRODUCT_UPDATED,)
        case Topic.STOCK:
            return (WebhookTopic.BACK_IN_STOCK if data["in_stock"] else WebhookTopic.OUT_OF_STOCK,)
        case Topic.ALERT if is_raised(data):
            return (WebhookTopic.LOW_INVENTORY,)
        case Topic.ALERT if _is_resolved(data):
            return (WebhookTopic.LOW_INVENTORY_RESOLVED,)
    return ()


def _of_order(data: Mapping[str, Any]) -> tuple[WebhookTopic, ...]:
    if data.get("placed"):
        return (WebhookTopic.ORDER_PLACED,)
    if not events.is_date_change(data):
        return (WebhookTopic.ORDER_UPDATED,)
    updated = (WebhookTopic.ORDER_UPDATED,) if data.get("updated") else ()
    return (*updated, WebhookTopic.ORDER_DATE_CHANGED)


def is_raised(alert: Mapping[str, Any]) -> bool:
    """Whether an alert event reports a raised alert, not an acknowledged or resolved one."""
    return bool(alert["state"] == AlertState.RAISED and alert["acknowledged_at"] is None)


def _is_resolved(alert: Mapping[str, Any]) -> bool:
    """Whether an alert event reports that an alert was resolved, not that a resolved alert was acknowledged."""
    return bool(alert["state"] == AlertState.RESOLVED and not alert.get("acknowledging"))


def rotated(endpoint: WebhookEndpoint, secret: str, at: datetime) -> WebhookEndpoint:
    """The endpoint with a new secret. Of the old secrets, only the replaced one keeps signing."""
    return replace(
        endpoint,
        secret=secret,
        previous_secret=endpoint.secret,
        previous_secret_until=at + PREVIOUS_SECRET_SIGNS,
    )


def topics(wanted: Iterable[WebhookTopic]) -> list[WebhookTopic]:
    """The distinct topics of an endpoint. Raises ``Refused`` if there are none."""
    distinct = sorted(set(wanted), key=list(WebhookTopic).index)
    if not distinct:
        raise invalid(f"An endpoint needs at least one topic: {', '.join(WebhookTopic)}.", "topics")
    return distinct


def url(value: str, *, private_addresses: bool) -> str:
    """The URL of an endpoint, checked. Raises ``Refused`` for an invalid URL.

    Without ``private_addresses``, private addresses and http:// are refused as well.
    """
    url_text = value.strip()
    if len(url_text) > MAX_URL:
        raise invalid(f"The URL {shown(url_text)} has {len(url_text)} characters; the maximum is {MAX_URL}.", "url")
    if not url_text.isprintable() or " " in url_text:
        raise invalid(f"{shown(repr(url_text))} contains a space or a control character.", "url")
    try:
        parts = urlsplit(url_text)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, 0
    if not host or port == 0 or parts.scheme not in ("http", "https"):
        raise invalid(f"{shown(url_text)} is not a valid URL; use one such as https://shop.example/webhooks.", "url")
    if parts.username is not None or parts.fragment:
        raise invalid(f"{shown(url_text)} must not contain a user or a fragment (#).", "url")
    address = addresses.parse(host)
    is_private = addresses.is_local_name(host) if address is None else not addresses.is_public(address)
    if is_private and not private_addresses:
        raise invalid(
            f"{shown(url_text)} is a private address; webhooks go to public addresses, unless {_SETTING} is true.",
            "url",
        )
    if parts.scheme == "http" and not private_addresses:
        raise invalid(f"{shown(url_text)} is not encrypted; use https://. http:// requires {_SETTING}=true.", "url")
    return url_text
