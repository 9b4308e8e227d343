"""Which table has which records, and how many of them are written with one statement."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from tortoise.models import Model

from gqlstock.rules import folding, seals
from gqlstock.rules.alerts import LowInventoryAlert
from gqlstock.rules.allocation import Allocation
from gqlstock.rules.catalog import Item
from gqlstock.rules.holds import HeldUnits, StockHold, StockHoldLine
from gqlstock.rules.orders import Order, OrderLine
from gqlstock.rules.receiving import StockAnnouncement
from gqlstock.rules.shipments import Shipment
from gqlstock.store import alerts, announcements, catalog, database, holds, orders, shipments
from gqlstock.store.db import records

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
"""A record is written after those that it refers to."""

REFERENCES: dict[type, tuple[str, ...]] = {
    OrderLine: ("order_id",),
    Shipment: ("order_id",),
    Allocation: ("line_id", "shipment_id", "level_id", "split_from"),
    StockHoldLine: ("hold_id",),
    HeldUnits: ("hold_id", "level_id"),
    StockAnnouncement: ("level_id",),
}
"""The fields that may hold the id of a record that is new."""

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
}
_LISTED: dict[type[Model], type] = {catalog.Item: Item}
"""The tables whose rows lists give as records."""
_OWN_IDS = {StockHold}
"""Records whose id cannot be guessed and is given by us."""

Related = Callable[[type], Sequence[Any]]
"""The new records of a kind that are written with a record and refer to it."""

_SEALS: dict[type, Callable[[Any, Related], int]] = {
    Order: lambda order, related: seals.of_order(order, related(OrderLine)),
    Shipment: lambda shipment, related: seals.of_shipment(shipment),
    StockHold: lambda hold, related: seals.of_hold(hold, related(StockHoldLine), related(HeldUnits)),
    StockAnnouncement: lambda announcement, related: seals.of_announcement(announcement),
    LowInventoryAlert: lambda alert, related: seals.of_alert(alert),
}
_FOLDED: dict[type, tuple[str, ...]] = {Order: ("customer_email", "reference"), OrderLine: ("sku", "name")}
"""What a search looks in, folded when the record is inserted."""


def sealed(record: Any, related: Related) -> Any:
    """A new record with its seal, where its kind has one."""
    seal = _SEALS.get(type(record))
    return record if seal is None else dataclasses.replace(record, seal=seal(record, related))


def made(table: type[Model], rows: Sequence[Any]) -> list[Any]:
    """Rows of a list: records of those tables that have them there, else objects of the table's own."""
    kind = _LISTED.get(table)
    return [table._init_from_db(**row) for row in rows] if kind is None else records.hydrate(kind, rows)


async def insert(kind: type, rows: Sequence[Any]) -> list[int]:
    """Insert records of one kind and give their ids, in order."""
    if not rows:
        return []
    names = [field.name for field in dataclasses.fields(kind) if field.name != "id" or kind in _OWN_IDS]
    writers = [records.stored(kind, name) for name in names]
    values = [[write(getattr(row, name)) for name, write in zip(names, writers, strict=True)] for row in rows]
    if kind in _FOLDED:
        names.append("folded")
        for row, stored in zip(rows, values, strict=True):
            stored.append(folding.folded(*(getattr(row, name) for name in _FOLDED[kind])))
    ids = await database.insert(_TABLES[kind], names, values)
    return [row.id for row in rows] if kind in _OWN_IDS else ids


async def update(kind: type, pairs: Sequence[tuple[Any, Any]]) -> None:
    """Write what changed from one version of a record to the next; whoever writes has the rows locked."""
    by_names: dict[tuple[str, ...], list[Any]] = {}
    for before, after in pairs:
        names = tuple(
            field.name
            for field in dataclasses.fields(kind)
            if getattr(before, field.name) != getattr(after, field.name)
        )
        by_names.setdefault(names, []).append(after)
    for names, rows in by_names.items():
        writers = [(name, records.stored(kind, name)) for name in (*names, "id")]
        values = [[write(getattr(row, name)) for name, write in writers] for row in rows]
        await database.update(_TABLES[kind], names, values)
