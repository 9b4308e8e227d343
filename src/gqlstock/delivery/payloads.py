"""The bodies of webhooks: the type of the event, its time, and the objects that it is about. ``docs/webhooks.md`` shows each.

Data of the event itself is as it was at that time: an alert's figures, a movement, whether an item ran out, a shipment's
state. Levels, orders, shipments, transfers and products are as they are when the message is created. No body contains
personal data.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gqlstock.delivery import objects
from gqlstock.rules import events, moments
from gqlstock.rules import orders as order_rules
from gqlstock.rules import transfers as transfer_rules
from gqlstock.rules import webhooks as rules
from gqlstock.rules.alerts import LowInventoryAlert
from gqlstock.rules.allocation import Allocation
from gqlstock.rules.catalog import Item
from gqlstock.rules.events import Topic
from gqlstock.rules.feed import Entry, row_of
from gqlstock.rules.ids import global_id
from gqlstock.rules.ledger import Level, StockMovement
from gqlstock.rules.orders import Order, OrderLine
from gqlstock.rules.quantities import wire
from gqlstock.rules.receiving import StockAnnouncement
from gqlstock.rules.scopes import SYSTEM
from gqlstock.rules.shipments import Shipment
from gqlstock.rules.transfers import InventoryTransfer, InventoryTransferLine
from gqlstock.rules.webhooks import WebhookTopic
from gqlstock.services import order_dates
from gqlstock.stock import reading
from gqlstock.store import alerts, catalog, ledger, orders, shipments, transfers, warehouses
from gqlstock.store import levels as level_rows

_FIGURES = ("on_hand", "reserved", "planned", "held", "available", "backordered", "incoming")


@dataclass(frozen=True, slots=True)
class Message:
    """``about``: the object whose messages stay in order. ``concerns``: its warehouses; empty if it has none."""

    topic: WebhookTopic
    about: str
    body: str
    concerns: frozenset[int]


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
    packed = await shipments.shipments(_subjects(entries, Topic.SHIPMENT))
    contents = await shipments.contents(packed)
    shipped_orders = await orders.orders({one.order_id for one in packed.values()})
    moved_stock = await transfers.transfers(_subjects(entries, Topic.TRANSFER))
    items = {level.item_id for level in levels.values()} | {alert.item_id for alert in raised.values()}
    found = await catalog.items(items | _subjects(entries, Topic.STOCK) | _subjects(entries, Topic.ITEM))
    places = {level.warehouse_id for level in levels.values()} | {one.warehouse_id for one in packed.values()}
    places |= {alert.warehouse_id for alert in raised.values() if alert.warehouse_id is not None}
    places |= {end for one in moved_stock.values() for end in (one.source_id, one.target_id)}
    sites = {entry.data["website"] for entry in entries if entry.topic is Topic.STOCK}
    sites |= {one.website_id for one in [*shipped_orders.values(), *(dated.order for dated in told.values())]}
    return _News(
        levels=levels,
        movements=await ledger.movements(moved),
        alerts=raised,
        orders=told,
        order_warehouses=await orders.warehouses_of(told),
        shipments=packed,
        contents=contents,
        shipped_orders=shipped_orders,
        shipped_lines=await orders.lines({one.line_id for inside in contents.values() for one in inside}),
        transfers=moved_stock,
        transfer_lines=await transfers.lines_of(moved_stock),
        announcements=await transfers.announcements_of(moved_stock),
        items=await catalog.with_products(found.values()),
        warehouses={one.id: one.code for one in (await warehouses.warehouses(places)).values()},
        websites={one.id: one.code for one in (await warehouses.websites(sites)).values()},
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
    order_warehouses: dict[int, frozenset[int]]
    shipments: dict[int, Shipment]
    contents: dict[int, list[Allocation]]
    """By shipment."""
    shipped_orders: dict[int, Order]
    shipped_lines: dict[int, OrderLine]
    transfers: dict[int, InventoryTransfer]
    transfer_lines: dict[int, list[InventoryTransferLine]]
    announcements: dict[int, list[StockAnnouncement]]
    """By transfer."""
    items: dict[int, Item]
    warehouses: dict[int, str]
    websites: dict[int, str]

    def message(self, entry: Entry, topic: WebhookTopic) -> Message:
        concerns: frozenset[int] = frozenset()
        match entry.topic:
            case Topic.LEVEL:
                level = row_of(self.levels, entry.subject)
                about, data = f"item:{level.item_id}", self._level(level, entry.data.get("movement"))
                concerns = frozenset({level.warehouse_id})
            case Topic.ALERT:
                alert = events.alert_then(row_of(self.alerts, entry.subject), entry.data)
                about, data = f"item:{alert.item_id}", self._alert(alert)
                concerns = frozenset() if alert.warehouse_id is None else frozenset({alert.warehouse_id})
            case Topic.SHIPMENT:
                shipment = row_of(self.shipments, entry.subject)
                about, data = f"shipment:{entry.subject}", {"shipment": self._shipment(shipment), **_states(entry)}
                concerns = frozenset({shipment.warehouse_id})
            case Topic.TRANSFER:
                transfer = row_of(self.transfers, entry.subject)
                about, data = f"transfer:{entry.subject}", {"transfer": self._transfer(transfer)}
                concerns = frozenset({transfer.source_id, transfer.target_id})
            case Topic.STOCK:
                about, data = f"item:{entry.subject}", self._stock(entry)
            case Topic.ITEM:
                change = {"change": events.item_change(entry.data).value}
                about, data = f"item:{entry.subject}", change | objects.product(*self._with_product(entry.subject))
            case _:
                about, data = f"order:{entry.subject}", self._order(row_of(self.orders, entry.subject))
                if topic is WebhookTopic.ORDER_DATE_CHANGED:
                    data |= _dates(entry)
                concerns = row_of(self.order_warehouses, entry.subject) | events.left_warehouses(entry.data)
        return Message(topic, about, rules.body(topic, entry.created_at, data), concerns)

    def _with_product(self, item_id: int) -> tuple[Item, Item]:
        """An item and its product, which is itself for a product."""
        item = self.items[item_id]
        return item, item if item.product_id is None else self.items[item.product_id]

    def _item(self, item_id: int) -> dict[str, Any]:
        return objects.item(*self._with_product(item_id))

    def _level(self, level: Level, movement_id: int | None) -> dict[str, Any]:
        movement = row_of(self.movements, movement_id) if movement_id is not None else None
        figures = {_camel(name): wire(getattr(level, name)) for name in _FIGURES}
        return {
            "item": self._item(level.item_id),
            "warehouse": self.warehouses[level.warehouse_id],
            "level": {"id": global_id("InventoryLevel", level.id), **figures},
            "movement": objects.movement(movement) if movement is not None else None,
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
                "resolvedAt": objects.moment(alert.resolved_at),
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
                "expectedAt": objects.moment(dated.expected_at),
                "promisedAt": objects.moment(order.promised_at),
                "lines": [
                    {
                        "id": global_id("OrderLine", line.id),
                        "sku": line.sku,
                        "name": line.name,
                        "quantity": wire(line.quantity),
                        "canceled": wire(line.canceled),
                        "expectedAt": objects.moment(expected_at),
                    }
                    for line, expected_at in dated.lines
                ],
            }
        }

    def _shipment(self, shipment: Shipment) -> dict[str, Any]:
        order = self.shipped_orders[shipment.order_id]
        contents = [(self.shipped_lines[one.line_id], one.quantity) for one in self.contents[shipment.id]]
        return objects.shipment(
            shipment, order, contents, self.warehouses[shipment.warehouse_id], self.websites[order.website_id]
        )

    def _transfer(self, transfer: InventoryTransfer) -> dict[str, Any]:
        expected_at = transfer_rules.expected_at(self.announcements[transfer.id])
        source, target = self.warehouses[transfer.source_id], self.warehouses[transfer.target_id]
        return objects.transfer(transfer, self.transfer_lines[transfer.id], expected_at, source, target)


def _dates(entry: Entry) -> dict[str, str | None]:
    before, after = (events.moment_of(entry.data[name]) for name in ("expected_at_before", "expected_at"))
    return {"expectedAtBefore": objects.moment(before), "expectedAt": objects.moment(after)}


def _states(entry: Entry) -> dict[str, str | None]:
    return {"stateBefore": entry.data["state_before"], "state": entry.data["state"]}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
