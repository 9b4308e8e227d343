"""Converts rows to frozen records and back. Only this module knows how the value of a column is stored.

A record is a frozen dataclass in ``rules`` whose fields have the names of the table's columns. SQLite stores moments and
JSON as text and has no booleans. Quantities are stored as integers of ten-thousandths.
"""

import dataclasses
import json
import types
import typing
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from operator import attrgetter, itemgetter
from typing import Any, TypeVar

from tortoise.queryset import QuerySet

from gqlstock.rules.alerts import LowInventoryAlert
from gqlstock.rules.allocation import Allocation
from gqlstock.rules.back_in_stock import BackInStockSubscription
from gqlstock.rules.catalog import Item
from gqlstock.rules.categories import Category
from gqlstock.rules.holds import HeldUnits, StockHold, StockHoldLine
from gqlstock.rules.idempotency import KeptAnswer
from gqlstock.rules.ledger import Level, StockMovement
from gqlstock.rules.network import Organization, Warehouse, Website
from gqlstock.rules.orders import Order, OrderLine
from gqlstock.rules.receiving import StockAnnouncement
from gqlstock.rules.shipments import Shipment
from gqlstock.rules.webhooks import WebhookDelivery, WebhookEndpoint
from gqlstock.store.db import sql
from gqlstock.store.db.fields import from_units, to_units

R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])

_TABLE_NAMES: Mapping[type, str] = {
    Item: "item",
    Level: "inventory_level",
    StockMovement: "stock_movement",
    Order: "customer_order",
    OrderLine: "order_line",
    Allocation: "allocation",
    Shipment: "shipment",
    StockHold: "stock_hold",
    StockHoldLine: "stock_hold_line",
    HeldUnits: "held_units",
    StockAnnouncement: "stock_announcement",
    LowInventoryAlert: "low_inventory_alert",
    BackInStockSubscription: "back_in_stock_subscription",
    Category: "category",
    Organization: "organization",
    Website: "website",
    Warehouse: "warehouse",
    WebhookEndpoint: "webhook_endpoint",
    WebhookDelivery: "webhook_delivery",
    KeptAnswer: "kept_answer",
}


def _cached(function: F) -> F:
    """``functools.cache`` for functions of a type, which mypy does not consider hashable."""
    return cache(function)  # type: ignore[return-value]


async def records(kind: type[R], source: "QuerySet[Any] | str", *values: Any) -> list[R]:
    """The rows of a query as records. SQL has ``{columns}`` for the columns, or returns all of them by name."""
    if isinstance(source, str):
        rows = await sql.fetch_raw(source.format(columns=columns(kind)) if "{columns}" in source else source, *values)
    else:
        db, statement, given = sql.compiled(source)
        rows = (await db.execute_query(statement, given))[1]
    return hydrate(kind, rows)


async def where(kind: type[R], condition: str, *values: Any) -> list[R]:
    """The rows of a record's table with a condition. Building a QuerySet takes ten times as long."""
    return await records(kind, f"SELECT {{columns}} FROM {_TABLE_NAMES[kind]} WHERE {condition}", *values)


async def by_id(kind: type[R], ids: Collection[int]) -> dict[int, R]:
    """Records by id, in the order of ids."""
    found: list[Any] = await where(kind, f"id IN ({sql.slots(ids)}) ORDER BY id", *ids) if ids else []
    return {record.id: record for record in found}


async def below(kind: type[R], column: str, parents: Collection[int]) -> dict[int, list[R]]:
    """The records below each parent, in the order of their ids. ``column`` refers to the parent."""
    found: dict[int, list[R]] = {parent: [] for parent in parents}
    if found:
        for record in await where(kind, f"{column} IN ({sql.slots(found)}) ORDER BY id", *found):
            found[getattr(record, column)].append(record)
    return found


def hydrate(kind: type[R], rows: Sequence[Any]) -> list[R]:
    """The records of rows that have every column by name."""
    if not rows:
        return []
    names, readers = _readers(kind)
    pick = itemgetter(*names) if isinstance(rows[0], dict) else _picker(names, tuple(rows[0].keys()))
    construct: Callable[..., R] = kind
    hydrated = []
    for row in rows:
        values = list(pick(row))
        for position, read in readers:
            if values[position] is not None:
                values[position] = read(values[position])
        hydrated.append(construct(*values))
    return hydrated


@_cached
def _picker(names: tuple[str, ...], columns: tuple[str, ...]) -> Callable[[Any], Sequence[Any]]:
    """A function that picks columns out of rows, by position: SQLite's rows search names linearly."""
    if columns[: len(names)] == names:
        return itemgetter(slice(len(names)))
    return itemgetter(*map(columns.index, names))


@_cached
def columns(kind: type[Any], alias: str = "") -> str:
    """The columns of a record for a SELECT. ``alias``: the table's alias."""
    prefix = f"{alias}." if alias else ""
    return ", ".join(f'{prefix}"{field.name}"' for field in dataclasses.fields(kind))


def stored(kind: type[Any], name: str) -> Callable[[Any], Any]:
    """A function that returns the stored value of a record's field."""
    write = _columns(kind)[name].write
    read = attrgetter(name)
    return read if write is _same else lambda row: write(read(row))


@dataclass(frozen=True, slots=True)
class _Column:
    read: Callable[[Any], Any] | None
    """None where the stored value needs no conversion."""
    write: Callable[[Any], Any]


@_cached
def _readers(kind: type[Any]) -> tuple[tuple[str, ...], tuple[tuple[int, Callable[[Any], Any]], ...]]:
    known = _columns(kind)
    readers = ((position, column.read) for position, column in enumerate(known.values()))
    return tuple(known), tuple((position, read) for position, read in readers if read is not None)


@_cached
def _columns(kind: type[Any]) -> Mapping[str, _Column]:
    hints = typing.get_type_hints(kind)
    return {field.name: _column(hints[field.name]) for field in dataclasses.fields(kind)}


def _column(hint: Any) -> _Column:
    plain = _plain(hint)
    origin = typing.get_origin(plain) or plain
    if origin is Decimal:
        return _Column(from_units, _if_given(to_units))
    if origin is datetime:
        return _Column(moment, _same)
    if origin is bool:
        return _Column(bool, _same)
    if isinstance(origin, type) and issubclass(origin, StrEnum):
        members = {member.value: member for member in origin}
        return _Column(members.__getitem__, _if_given(lambda member: member.value))
    if origin in (int, str, float):
        return _Column(None, _same)
    return _Column(_from_json, _if_given(_to_json))


def _plain(hint: Any) -> Any:
    """A hint without ``| None``."""
    if isinstance(hint, types.UnionType):
        return next(one for one in hint.__args__ if one is not type(None))
    return hint


def _same(value: Any) -> Any:
    return value


def _if_given(write: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else write(value)


def _from_json(value: Any) -> Any:
    if value == "{}":
        return {}
    if value == "[]":
        return []
    return json.loads(value) if isinstance(value, str) else value


def _to_json(value: Any) -> str:
    return json.dumps(value) if value else ("{}" if isinstance(value, Mapping) else "[]")


def moment(value: Any) -> datetime:
    """A stored moment in UTC. SQLite returns a text, PostgreSQL a datetime."""
    found: datetime = datetime.fromisoformat(value) if isinstance(value, str) else value
    if found.tzinfo is UTC:
        return found
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
