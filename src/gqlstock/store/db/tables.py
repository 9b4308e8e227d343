"""Maps records to their tables, and writes records of one kind with one statement."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
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
from gqlstock.rules.transfers import InventoryTransfer, InventoryTransferLine
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
    transfers,
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
    InventoryTransfer,
    InventoryTransferLine,
    StockAnnouncement,
    LowInventoryAlert,
)
"""The order in which records are written: each type after those that it refers to."""

REFERENCES: dict[type, tuple[str, ...]] = {
    OrderLine: ("order_id",),
    Shipment: ("order_id",),
    Allocation: ("line_id", "shipment_id", "level_id", "split_from"),
    StockHoldLine: ("hold_id",),
    HeldUnits: ("hold_id", "level_id"),
    InventoryTransferLine: ("transfer_id",),
    StockAnnouncement: ("level_id", "transfer_id"),
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
    InventoryTransfer: transfers.InventoryTransfer,
    InventoryTransferLine: transfers.InventoryTransferLine,
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
"""The record type of each table that lists read."""

_SEALS: dict[type, Callable[..., int]] = {
    Order: seals.of_order,
    Shipment: seals.of_shipment,
    StockHold: seals.of_hold,
    StockAnnouncement: seals.of_announcement,
    InventoryTransfer: seals.of_transfer,
    LowInventoryAlert: seals.of_alert,
}
SEALED_WITH: dict[type, tuple[type, ...]] = {
    Order: (OrderLine,),
    StockHold: (StockHoldLine, HeldUnits),
    InventoryTransfer: (InventoryTransferLine,),
}
"""The child records that a record's seal also covers. The first of their ``REFERENCES`` is that record."""


def has_seal(kind: type) -> bool:
    """Whether new records of a kind are stored with a seal."""
    return kind in _SEALS


def seal(record: Any, *covered: Sequence[Any]) -> int:
    """The seal of a new record. ``covered``: its new child records, for each type in ``SEALED_WITH``."""
    return _SEALS[type(record)](record, *covered)


def hydrated(table: type[Model], rows: Sequence[Any]) -> list[Any]:
    """Convert rows of a table to records."""
    return records.hydrate(_RECORDS[table], rows)


async def insert(
    kind: type, rows: Sequence[Any], overrides: Mapping[str, Sequence[Any]] = MappingProxyType({})
) -> list[int]:
    """Insert records of one kind. Returns their ids, in order. ``overrides``: stored values that replace the records'."""
    return await writing.insert(_TABLES[kind], rows, overrides)


async def update(kind: type, pairs: Sequence[tuple[Any, Any]]) -> None:
    """Write the fields that differ between two versions of a record. The caller has locked the rows."""
    await writing.update(_TABLES[kind], pairs)
