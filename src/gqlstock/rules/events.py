"""What can be news: the topics of the outbox, and what an entry says."""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from gqlstock.rules.alerts import AlertState, LowInventoryAlert


class Topic(StrEnum):
    """What an entry is about; its subject is the id of that object."""

    LEVEL = "LEVEL"
    ALERT = "ALERT"
    ORDER = "ORDER"
    ITEM = "ITEM"
    STOCK = "STOCK"
    """An item has run out on a website, or there is some of it again."""
    SETTINGS = "SETTINGS"
    """Settings, websites, organizations, warehouses or the tree of categories: of no one object, its subject is 0."""


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the outbox before it is written, in the same transaction as what it tells of."""

    topic: Topic
    subject: int
    data: dict[str, Any] = field(default_factory=dict)


def order_placed(order_id: int) -> Event:
    """A new order; every later change of it is an entry of the same topic that says nothing."""
    return Event(Topic.ORDER, order_id, {"placed": True})


def items_changed(item_ids: Iterable[int]) -> list[Event]:
    """Something about these items is not what it was; what it is, is read."""
    return [Event(Topic.ITEM, item_id) for item_id in item_ids]


def stock_crossed(item_id: int, website_id: int, *, in_stock: bool) -> Event:
    """An item reached the threshold on a website, from one side or the other."""
    return Event(Topic.STOCK, item_id, {"website": website_id, "in_stock": in_stock})


def alert_changed(alert: LowInventoryAlert) -> Event:
    """The news of an alert's state as it is now; what follows later does not change what was told."""

    def text(moment: datetime | None) -> str | None:
        return moment.isoformat() if moment else None

    told = {
        "state": alert.state.value,
        "acknowledged_at": text(alert.acknowledged_at),
        "acknowledged_by": alert.acknowledged_by,
        "resolved_at": text(alert.resolved_at),
    }
    return Event(Topic.ALERT, alert.id, told)


def alert_then(alert: LowInventoryAlert, data: Mapping[str, Any]) -> LowInventoryAlert:
    """The alert as it was when news of it was written; ``data`` is what ``alert_changed`` said."""

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


def together(events: Iterable[Event]) -> list[Event]:
    """The news of one transaction: what only says that its subject changed comes once, and not beside what says more."""
    given = list(events)
    told = {(event.topic, event.subject) for event in given if event.data}
    out = []
    for event in given:
        key = event.topic, event.subject
        if event.data or key not in told:
            out.append(event)
            told.add(key)
    return out
