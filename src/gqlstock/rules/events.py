"""The events of the outbox: their topics and data.

``delivery`` decides who receives them, and ``cache_keys`` which cached reads they invalidate.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from gqlstock.rules.alerts import AlertState, LowInventoryAlert
from gqlstock.rules.catalog import Item
from gqlstock.rules.shipments import ShipmentState


class Topic(StrEnum):
    """The kind of object that an entry is about. The subject of the entry is the object's id."""

    LEVEL = "LEVEL"
    LEVEL_ROW = "LEVEL_ROW"
    """A level changed, but none of its figures, so the feed of levels omits it: a count confirmed the figures, the date or
    reference of an announcement changed, or a hold at a level out of use expired."""
    ALERT = "ALERT"
    ORDER = "ORDER"
    ITEM = "ITEM"
    STOCK = "STOCK"
    """An item ran out on a website, or came back in stock."""
    SETTINGS = "SETTINGS"
    """Websites, organizations, warehouses, categories or their settings changed. The subject is 0.

    A change of an item's or level's settings is a change of the item.
    """
    TOKENS = "TOKENS"
    """A token was created or revoked. The subject is 0."""
    TRANSFER = "TRANSFER"
    SHIPMENT = "SHIPMENT"
    """A shipment was created, or changed its state."""
    RESET = "RESET"
    """Rows may have changed without entries, for example by a migration. The subject is 0."""
    UNKNOWN = "UNKNOWN"
    """Any topic of a later version. Never written."""

    @classmethod
    def _missing_(cls, value: object) -> "Topic":
        return cls.UNKNOWN


class ItemChange(StrEnum):
    """What happened to the item of an entry."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    DELETED = "DELETED"
    NONE = "NONE"
    """Only something cached with the item changed, such as a setting of one of its levels."""


@dataclass(frozen=True, slots=True)
class Event:
    """An outbox entry, before the transaction of the change writes it.

    ``item_id``: the item whose cached reads are stale. For a level or an alert it is the item, for a combination its product,
    for a product itself.
    """

    topic: Topic
    subject: int
    data: dict[str, Any] = field(default_factory=dict)
    item_id: int | None = None


def order_placed(order_id: int) -> Event:
    """A new order. Later changes of the order are entries of the same topic without data."""
    return Event(Topic.ORDER, order_id, {"placed": True})


def order_date_changed(order_id: int, before: datetime | None, after: datetime | None) -> Event:
    """The expectedAt of a line changed. The event has the dates of the order, which may be equal.

    ``updated`` in its data means that the order itself changed as well; see ``deduplicated``.
    """
    return Event(Topic.ORDER, order_id, {"expected_at_before": _text(before), "expected_at": _text(after)})


def order_moved(order_id: int, left: Iterable[int]) -> Event:
    """An order whose units were moved to other warehouses. ``left``: the ids of the warehouses that had them before."""
    return Event(Topic.ORDER, order_id, {"left": sorted(set(left))})


def left_warehouses(order: Mapping[str, Any]) -> frozenset[int]:
    """The ids of the warehouses that units of an order left, by the data of its event."""
    return frozenset(order.get("left", ()))


def is_date_change(order: Mapping[str, Any]) -> bool:
    """Whether the data of an order event comes from ``order_date_changed``."""
    return "expected_at" in order


def items_changed(items: Iterable[Item], change: ItemChange = ItemChange.UPDATED) -> list[Event]:
    """Created, updated or deleted items. Readers read the items again."""
    return items_with_products_changed(((item.id, item.product_id) for item in items), change)


def items_with_products_changed(
    ids: Iterable[tuple[int, int | None]], change: ItemChange = ItemChange.UPDATED
) -> list[Event]:
    """Like ``items_changed``, for items given as (id, product id); the product id is None for a product."""
    # An entry without data is an update: earlier versions wrote all item entries without data.
    data = {} if change is ItemChange.UPDATED else {"change": change.value}
    return [Event(Topic.ITEM, item_id, data, item_id=product_id or item_id) for item_id, product_id in ids]


def item_change(item: Mapping[str, Any]) -> ItemChange:
    """What happened to an item, by the data of its event."""
    return ItemChange(item.get("change", ItemChange.UPDATED))


def level_changed(level_id: int, item_id: int) -> Event:
    """A changed level. If onHand changed, the data is the movement."""
    return Event(Topic.LEVEL, level_id, {}, item_id)


def level_row_changed(level_id: int, item_id: int) -> Event:
    """A changed level whose figures are unchanged."""
    return Event(Topic.LEVEL_ROW, level_id, {}, item_id)


def transfer_changed(transfer_id: int) -> Event:
    """A transfer that was shipped, partly received, closed or canceled, or has a new expected date."""
    return Event(Topic.TRANSFER, transfer_id)


def shipment_changed(shipment_id: int, before: ShipmentState | None, after: ShipmentState) -> Event:
    """A shipment with a new state. ``before`` is None for a new shipment."""
    return Event(Topic.SHIPMENT, shipment_id, {"state_before": before, "state": after})


def stock_crossed(item_id: int, website_id: int, *, in_stock: bool) -> Event:
    """An item crossed the in-stock threshold on a website."""
    return Event(Topic.STOCK, item_id, {"website": website_id, "in_stock": in_stock})


def alert_changed(alert: LowInventoryAlert) -> Event:
    """An alert, with its current state in the data, which later changes of the alert do not affect."""
    data = {
        "state": alert.state.value,
        "acknowledged_at": _text(alert.acknowledged_at),
        "acknowledged_by": alert.acknowledged_by,
        "resolved_at": _text(alert.resolved_at),
    }
    return Event(Topic.ALERT, alert.id, data, alert.item_id)


def alert_acknowledged(alert: LowInventoryAlert) -> Event:
    """An acknowledged alert, which may have been resolved before."""
    changed = alert_changed(alert)
    return dataclasses.replace(changed, data={**changed.data, "acknowledging": True})


def alert_then(alert: LowInventoryAlert, data: Mapping[str, Any]) -> LowInventoryAlert:
    """The alert as it was when ``alert_changed`` wrote ``data``."""
    return dataclasses.replace(
        alert,
        state=AlertState(data["state"]),
        acknowledged_at=moment_of(data["acknowledged_at"]),
        acknowledged_by=data["acknowledged_by"],
        resolved_at=moment_of(data["resolved_at"]),
    )


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def moment_of(text: str | None) -> datetime | None:
    """Parse a time in the data of an event."""
    return datetime.fromisoformat(text) if text else None


ANY_SETTING = Event(Topic.SETTINGS, 0)
ANY_TOKEN = Event(Topic.TOKENS, 0)
RESET = Event(Topic.RESET, 0)


def deduplicated(events: Iterable[Event]) -> list[Event]:
    """Deduplicate the events of a transaction. An event without data is omitted if its subject has another event.

    A date change of an order also reports that the order was updated, and which warehouses its units left. An item has
    one event.
    """
    left: dict[int, frozenset[int]] = {}
    merged = [_without_left(event, left) for event in _one_of_each_item(events)]
    seen = {(event.topic, event.subject) for event in merged if event.data}
    updated = {(event.topic, event.subject) for event in merged if not event.data}
    updated -= {(event.topic, event.subject) for event in merged if event.data.get("placed")}
    kept = []
    for event in merged:
        key = event.topic, event.subject
        if is_date_change(event.data) and key in updated:
            event = dataclasses.replace(event, data={**event.data, "updated": True})
            updated.discard(key)
        if event.data or key not in seen:
            kept.append(_with_left(event, left))
            seen.add(key)
    return kept


def _without_left(event: Event, left: dict[int, frozenset[int]]) -> Event:
    """The event; for moved units a plain update of the order, and their warehouses are added to ``left``."""
    if event.topic is not Topic.ORDER or "left" not in event.data:
        return event
    left[event.subject] = left.get(event.subject, frozenset()) | left_warehouses(event.data)
    return dataclasses.replace(event, data={})


def _with_left(event: Event, left: dict[int, frozenset[int]]) -> Event:
    """The event; the first one of an order in ``left`` gets its warehouses."""
    if event.topic is not Topic.ORDER or event.subject not in left:
        return event
    return dataclasses.replace(event, data={**event.data, "left": sorted(left.pop(event.subject))})


_WEAKEST_FIRST = (ItemChange.NONE, ItemChange.UPDATED, ItemChange.CREATED, ItemChange.DELETED)


def _one_of_each_item(events: Iterable[Event]) -> list[Event]:
    """The events, with one per item, the strongest: an item that was created and updated is reported as created."""
    kept: list[Event] = []
    places: dict[int, int] = {}
    for event in events:
        if event.topic is not Topic.ITEM:
            kept.append(event)
        elif event.subject not in places:
            places[event.subject] = len(kept)
            kept.append(event)
        elif _strength(event) > _strength(kept[places[event.subject]]):
            kept[places[event.subject]] = event
    return kept


def _strength(item: Event) -> int:
    return _WEAKEST_FIRST.index(item_change(item.data))
