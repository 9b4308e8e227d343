"""What a webhook says: the kind of news, when it was, and the objects that it is about. ``docs/webhooks.md`` shows each.

What the news itself says is as it was then: an alert's figures, a movement, whether an item ran out. Figures of a level,
of an order and of a transfer are those of the moment at which the message is made. Nothing of it is about a person.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gqlstock.rules import events, moments
from gqlstock.rules import orders as order_rules
from gqlstock.rules import transfers as transfer_rules
from gqlstock.rules import webhooks as rules
from gqlstock.rules.alerts import LowInventoryAlert
from gqlstock.rules.catalog import Item
from gqlstock.rules.events import Topic
from gqlstock.rules.feed import Entry
from gqlstock.rules.ids import global_id
from gqlstock.rules.ledger import Level, StockMovement
from gqlstock.rules.orders import Order, OrderLine
from gqlstock.rules.quantities import wire
from gqlstock.rules.receiving import StockAnnouncement
from gqlstock.rules.scopes import SYSTEM
from gqlstock.rules.transfers import InventoryTransfer, InventoryTransferLine
from gqlstock.rules.webhooks import WebhookTopic
from gqlstock.services import order_dates
from gqlstock.stock import reading
from gqlstock.store import alerts, catalog, ledger, orders, transfers, warehouses
from gqlstock.store import levels as level_rows

_FIGURES = ("on_hand", "reserved", "planned", "held", "available", "backordered", "incoming")


@dataclass(frozen=True, slots=True)
class Message:
    """``about`` is what messages are kept in order for."""

    topic: WebhookTopic
    about: str
    body: str


async def messages(entries: Sequence[tuple[Entry, WebhookTopic]]) -> list[Message]:
    """The message of each entry. The number of statements does not depend on the number of entries."""
    news = await _read([entry for entry, _ in entries])
    return [news.message(entry, topic) for entry, topic in entries]


def _subjects(entries: Sequence[Entry], topic: Topic) -> set[int]:
    return {entry.subject for entry in entries if entry.topic is topic}


async def _read(entries: Sequence[Entry]) -> "_News":
    levels = await level_rows.levels(_subjects(entries, Topic.LEVEL))
    moved = {entry.data["movement"] for entry in entries if entry.topic is Topic.LEVEL and "movement" in entry.data}
    raised = await alerts.alerts(_subjects(entries, Topic.ALERT))
    told = await _orders(_subjects(entries, Topic.ORDER))
    moved_stock = await transfers.transfers(_subjects(entries, Topic.TRANSFER))
    items = {level.item_id for level in levels.values()} | {alert.item_id for alert in raised.values()}
    found = await catalog.items(items | _subjects(entries, Topic.STOCK))
    places = {level.warehouse_id for level in levels.values()} | {
        alert.warehouse_id for alert in raised.values() if alert.warehouse_id is not None
    }
    places |= {end for one in moved_stock.values() for end in (one.source_id, one.target_id)}
    sites = {entry.data["website"] for entry in entries if entry.topic is Topic.STOCK}
    return _News(
        levels=levels,
        movements=await ledger.movements(moved),
        alerts=raised,
        orders=told,
        transfers=moved_stock,
        transfer_lines=await transfers.lines_of(moved_stock),
        announcements=await transfers.announcements_of(moved_stock),
        items=await catalog.with_products(found.values()),
        warehouses={one.id: one.code for one in (await warehouses.warehouses(places)).values()},
        websites={
            one.id: one.code
            for one in (await warehouses.websites(sites | {one.order.website_id for one in told.values()})).values()
        },
    )


@dataclass(frozen=True, slots=True)
class _DatedOrder:
    """An order and its lines, each with its expected date."""

    order: Order
    expected_at: datetime | None
    lines: Sequence[tuple[OrderLine, datetime | None]]


async def _orders(ids: set[int]) -> dict[int, _DatedOrder]:
    return await reading.run(lambda: _dated(ids)) if ids else {}


async def _dated(ids: set[int]) -> dict[int, _DatedOrder]:
    """Orders with their dates, all as of one instant."""
    found = await orders.orders(ids)
    lines = await orders.lines_of(found)
    dates = await order_dates.of_orders(list(found.values()), SYSTEM, lines)
    all_lines = [line for of_order in lines.values() for line in of_order]
    of_line = dict(zip([line.id for line in all_lines], await order_dates.of_lines(all_lines, SYSTEM), strict=True))
    return {
        order_id: _DatedOrder(found[order_id], date, [(line, of_line[line.id]) for line in lines[order_id]])
        for order_id, date in zip(found, dates, strict=True)
    }


@dataclass(frozen=True, slots=True)
class _News:
    """All records that the messages of some entries need."""

    levels: dict[int, Level]
    movements: dict[int, StockMovement]
    alerts: dict[int, LowInventoryAlert]
    orders: dict[int, "_DatedOrder"]
    transfers: dict[int, InventoryTransfer]
    transfer_lines: dict[int, list[InventoryTransferLine]]
    announcements: dict[int, list[StockAnnouncement]]
    """By transfer."""
    items: dict[int, Item]
    warehouses: dict[int, str]
    websites: dict[int, str]

    def message(self, entry: Entry, topic: WebhookTopic) -> Message:
        match entry.topic:
            case Topic.LEVEL:
                level = self.levels[entry.subject]
                about, data = f"item:{level.item_id}", self._level(level, entry.data.get("movement"))
            case Topic.ALERT:
                alert = events.alert_then(self.alerts[entry.subject], entry.data)
                about, data = f"item:{alert.item_id}", self._alert(alert)
            case Topic.TRANSFER:
                about, data = f"transfer:{entry.subject}", self._transfer(self.transfers[entry.subject])
            case Topic.STOCK:
                about, data = f"item:{entry.subject}", self._stock(entry)
            case _:
                about, data = f"order:{entry.subject}", self._order(self.orders[entry.subject])
                if topic is WebhookTopic.ORDER_DATE_CHANGED:
                    data |= _dates(entry)
        told = {"type": rules.TYPES[topic], "timestamp": moments.wire(entry.created_at), "data": data}
        return Message(topic, about, json.dumps(told, ensure_ascii=False, separators=(",", ":")))

    def _item(self, item_id: int) -> dict[str, Any]:
        item = self.items[item_id]
        product = item if item.product_id is None else self.items[item.product_id]
        kind = "Product" if item.is_product else "Combination"
        return {
            "id": global_id(kind, item.id),
            "sku": item.sku,
            "name": item.name,
            "code": item.own_code or product.sku,
        }

    def _level(self, level: Level, movement_id: int | None) -> dict[str, Any]:
        movement = self.movements[movement_id] if movement_id is not None else None
        figures = {_camel(name): wire(getattr(level, name)) for name in _FIGURES}
        return {
            "item": self._item(level.item_id),
            "warehouse": self.warehouses[level.warehouse_id],
            "level": {"id": global_id("InventoryLevel", level.id), **figures},
            "movement": _movement(movement) if movement is not None else None,
        }

    def _alert(self, alert: LowInventoryAlert) -> dict[str, Any]:
        return {
            "item": {**self._item(alert.item_id), "sku": alert.sku, "name": alert.name, "code": alert.code},
            "warehouse": self.warehouses[alert.warehouse_id] if alert.warehouse_id is not None else None,
            "alert": {
                "id": global_id("LowInventoryAlert", alert.id),
                "quantityLeft": wire(alert.quantity_left),
                "threshold": wire(alert.threshold),
                "raisedAt": moments.wire(alert.raised_at),
            },
        }

    def _stock(self, entry: Entry) -> dict[str, Any]:
        return {"item": self._item(entry.subject), "website": self.websites[entry.data["website"]]}

    def _order(self, dated: _DatedOrder) -> dict[str, Any]:
        order = dated.order
        return {
            "order": {
                "id": global_id("Order", order.id),
                "number": order_rules.number(order.id),
                "status": order.status.value,
                "website": self.websites[order.website_id],
                "reference": order.reference,
                "placedAt": moments.wire(order.placed_at),
                "updatedAt": moments.wire(order.updated_at),
                "expectedAt": _optional_moment(dated.expected_at),
                "promisedAt": _optional_moment(order.promised_at),
                "lines": [
                    {
                        "id": global_id("OrderLine", line.id),
                        "sku": line.sku,
                        "name": line.name,
                        "quantity": wire(line.quantity),
                        "canceled": wire(line.canceled),
                        "expectedAt": _optional_moment(expected_at),
                    }
                    for line, expected_at in dated.lines
                ],
            }
        }

    def _transfer(self, transfer: InventoryTransfer) -> dict[str, Any]:
        return {
            "transfer": {
                "id": global_id("InventoryTransfer", transfer.id),
                "number": transfer_rules.number(transfer.id),
                "state": transfer.state.value,
                "from": self.warehouses[transfer.source_id],
                "to": self.warehouses[transfer.target_id],
                "expectedAt": _optional_moment(transfer_rules.expected_at(self.announcements[transfer.id])),
                "reference": transfer.reference,
                "createdAt": moments.wire(transfer.created_at),
                "updatedAt": moments.wire(transfer.updated_at),
                "closedAt": _optional_moment(transfer.closed_at),
                "lines": [
                    {
                        "sku": line.sku,
                        "quantity": wire(line.quantity),
                        "received": wire(line.received),
                        "returned": wire(line.returned),
                        "lost": wire(line.lost),
                    }
                    for line in self.transfer_lines[transfer.id]
                ],
            }
        }


def _dates(entry: Entry) -> dict[str, str | None]:
    before, after = (events.moment_of(entry.data[name]) for name in ("expected_at_before", "expected_at"))
    return {"expectedAtBefore": _optional_moment(before), "expectedAt": _optional_moment(after)}


def _movement(movement: StockMovement) -> dict[str, Any]:
    return {
        "id": global_id("StockMovement", movement.id),
        "kind": movement.kind.value,
        "quantity": wire(movement.quantity),
        "onHandAfter": wire(movement.on_hand_after),
        "reason": movement.reason,
        "reference": movement.reference,
        "createdAt": moments.wire(movement.created_at),
    }


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _optional_moment(value: datetime | None) -> str | None:
    return moments.wire(value) if value is not None else None
