"""The events of the outbox: their topics and data. Who receives them is decided in ``delivery``."""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from gqlstock.rules.alerts import AlertState, LowInventoryAlert


class Topic(StrEnum):
    """The kind of object that an entry is about. The subject of the entry is the object's id."""

    LEVEL = "LEVEL"
    ALERT = "ALERT"
    ORDER = "ORDER"
    ITEM = "ITEM"
    STOCK = "STOCK"
    """An item ran out on a website, or is in stock again."""
    SETTINGS = "SETTINGS"
    """Settings, websites, organizations, warehouses or the category tree changed. The subject is 0."""


@dataclass(frozen=True, slots=True)
class Event:
    """An entry of the outbox before it is written, in the transaction of the change."""

    topic: Topic
    subject: int
    data: dict[str, Any] = field(default_factory=dict)


def order_placed(order_id: int) -> Event:
    """A new order. Later changes of an order are entries of the same topic without data."""
    return Event(Topic.ORDER, order_id, {"placed": True})


def items_changed(item_ids: Iterable[int]) -> list[Event]:
    """Changed items. Readers read the items again."""
    return [Event(Topic.ITEM, item_id) for item_id in item_ids]


def stock_crossed(item_id: int, website_id: int, *, in_stock: bool) -> Event:
    """An item crossed the in-stock threshold on a website."""
    return Event(Topic.STOCK, item_id, {"website": website_id, "in_stock": in_stock})


def alert_changed(alert: LowInventoryAlert) -> Event:
    """An alert with its current state. Later changes of the alert do not change the event."""

    def text(moment: datetime | None) -> str | None:
        return moment.isoformat() if moment else None

    data = {
        "state": alert.state.value,
        "acknowledged_at": text(alert.acknowledged_at),
        "acknowledged_by": alert.acknowledged_by,
        "resolved_at": text(alert.resolved_at),
    }
    return Event(Topic.ALERT, alert.id, data)


def alert_then(alert: LowInventoryAlert, data: Mapping[str, Any]) -> LowInventoryAlert:
    """The alert as it was when ``alert_changed`` wrote ``data``."""

    def moment(text: str | None) -> datetime | None:
        return datetime.fromisoformat(text) if text else None

    return dataclasses.replace(
        alert,
        state=AlertState(data["state"]),
        acknowledged_at=moment(data["acknowledged_at"]),
        acknowledged_by=data["acknowledged_by"],
        resolved_at=moment(data["resolved_at"]),
    )


ANY_SETTING = Event(Topic.SETTINGS, 0)


def deduplicated(events: Iterable[Event]) -> list[Event]:
    """The events of one transaction. An event without data is left out where its subject has another event."""
    given = list(events)
    seen = {(event.topic, event.subject) for event in given if event.data}
    kept = []
    for event in given:
        key = event.topic, event.subject
        if event.data or key not in seen:
            kept.append(event)
            seen.add(key)
    return kept
