"""Maps records to their tables, and writes records of one kind with one statement."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from tortoise.models import Model

from gqlstock.rules import seals
from gqlstock.rules.alerts import LowInventoryAlert
from gqlstock.rules.allocation import Allocation
from gqlstock.rules.back_in_stock import BackInStockSubscription
from gqlstock.rules.catalog import Item
from gqlstock.rules.categories import Category
from gqlstock.rules.holds import HeldUnits, StockHold, StockHoldLine
from gqlstock.rules.ledger import Level, StockMovement
from gqlstock.rules.network import Organization, Warehouse, Website
from gqlstock.rules.orders import Order, OrderLine
from gqlstock.rules.receiving import StockAnnouncement
from gqlstock.rules.shipments import Shipment
from gqlstock.rules.webhooks import WebhookDelivery, WebhookEndpoint
from gqlstock.store import (
    alerts,
    announcements,
    back_in_stock,
    catalog,
    categories,
    holds,
    inventory,
    orders,
    shipments,
    warehouses,
    webhooks,
)
from gqlstock.store.db import records, writing

WRITE_ORDER: tuple[type, ...] = (
    Order,
    OrderLine,
    Shipment,
    Allocation,
    StockHold,
    StockHoldLine,
    HeldUnits,
    StockAnnouncement,
    LowInventoryAlert,
)
"""The order of writing: a record comes after those that it refers to."""

REFERENCES: dict[type, tuple[str, ...]] = {
    OrderLine: ("order_id",),
    Shipment: ("order_id",),
    Allocation: ("line_id", "shipment_id", "level_id", "split_from"),
    StockHoldLine: ("hold_id",),
    HeldUnits: ("hold_id", "level_id"),
    StockAnnouncement: ("level_id",),
}
"""The fields that may hold the temporary id of a new record."""

_TABLES: dict[type, type[Model]] = {
    Order: orders.Order,
    OrderLine: orders.OrderLine,
    Shipment: shipments.Shipment,
    Allocation: orders.Allocation,
    StockHold: holds.StockHold,
    StockHoldLine: holds.StockHoldLine,
    HeldUnits: holds.HeldUnits,
    StockAnnouncement: announcements.StockAnnouncement,
    LowInventoryAlert: alerts.LowInventoryAlert,
    StockMovement: inventory.StockMovement,
    Item: catalog.Item,
    Category: categories.Category,
    Organization: warehouses.Organization,
    Website: warehouses.Website,
    Warehouse: warehouses.Warehouse,
    WebhookEndpoint: webhooks.WebhookEndpoint,
    WebhookDelivery: webhooks.WebhookDelivery,
}
_RECORDS: dict[type[Model], type] = {
    inventory.InventoryLevel: Level,
    back_in_stock.BackInStockSubscription: BackInStockSubscription,
    **{table: kind for kind, table in _TABLES.items()},
}
"""The record of each table that lists read."""

Related = Callable[[type], Sequence[Any]]
"""Returns the new records of a kind that refer to a record."""

_SEALS: dict[type, Callable[[Any, Related], int]] = {
    Order: lambda order, related: seals.of_order(order, related(OrderLine)),
    Shipment: lambda shipment, related: seals.of_shipment(shipment),
    StockHold: lambda hold, related: seals.of_hold(hold, related(StockHoldLine), related(HeldUnits)),
    StockAnnouncement: lambda announcement, related: seals.of_announcement(announcement),
    LowInventoryAlert: lambda alert, related: seals.of_alert(alert),
}


def sealed(record: Any, related: Related) -> Any:
    """A new record with its seal, where its kind has one."""
    seal = _SEALS.get(type(record))
    return record if seal is None else dataclasses.replace(record, seal=seal(record, related))


def hydrated(table: type[Model], rows: Sequence[Any]) -> list[Any]:
    """The records of a table's rows."""
    return records.hydrate(_RECORDS[table], rows)


async def insert(kind: type, rows: Sequence[Any]) -> list[int]:
    """Insert records of one kind. Returns their ids, in order."""
    return await writing.insert(_TABLES[kind], rows)


async def update(kind: type, pairs: Sequence[tuple[Any, Any]]) -> None:
    """Write the fields that differ between two versions of a record. The caller has locked the rows."""
    await writing.update(_TABLES[kind], pairs)
