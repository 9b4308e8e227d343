"""Converts rows to frozen records and back. Only this module knows how column values are stored.

A record is a frozen dataclass in ``rules`` whose fields have the names of the table's columns. SQLite stores timestamps
and JSON as text and has no booleans. Quantities are stored as integers, in ten-thousandths.
"""

import dataclasses
import json
import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

import orjson
from tortoise.queryset import QuerySet

from gqlstock.rules import moments
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
from gqlstock.rules.transfers import InventoryTransfer, InventoryTransferLine
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
    InventoryTransfer: "inventory_transfer",
    InventoryTransferLine: "inventory_transfer_line",
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
    """The rows of a query as records. SQL either has ``{columns}`` for the column list or selects all columns by name."""
    if isinstance(source, str):
        rows = await sql.fetch_raw(source.format(columns=columns(kind)) if "{columns}" in source else source, *values)
    else:
        db, statement, parameters = sql.compiled(source)
        rows = (await db.execute_query(statement, parameters))[1]
    return hydrate(kind, rows)


async def where(kind: type[R], condition: str, *values: Any) -> list[R]:
    """The records that meet a SQL condition. Building a QuerySet takes ten times as long."""
    return await records(kind, f"SELECT {{columns}} FROM {_TABLE_NAMES[kind]} WHERE {condition}", *values)


async def by_id(kind: type[R], ids: Collection[int]) -> dict[int, R]:
    """Records by id, in id order."""
    found: list[Any] = await where(kind, f"id IN ({sql.slots(ids)}) ORDER BY id", *ids) if ids else []
    return {record.id: record for record in found}


async def below(kind: type[R], column: str, parents: Collection[int]) -> dict[int, list[R]]:
    """The child records of each parent, in id order. ``column``: the foreign key to the parent."""
    found: dict[int, list[R]] = {parent: [] for parent in parents}
    if found:
        for record in await where(kind, f"{column} IN ({sql.slots(found)}) ORDER BY id", *found):
            found[getattr(record, column)].append(record)
    return found


def hydrate(kind: type[R], rows: Sequence[Any]) -> list[R]:
    """Convert rows to records. The rows have every column by name."""
    if not rows:
        return []
    found: list[R] = _hydration(kind, tuple(rows[0].keys()))(
        map(dict.values, rows) if isinstance(rows[0], dict) else rows
    )
    return found


@_cached
def _hydration(kind: type[Any], names: tuple[str, ...]) -> Callable[[Iterable[Any]], list[Any]]:
    """A function that converts rows with these columns to records. It is generated code, because it runs for every row."""
    places = {name: names.index(name) for name in _columns(kind)}
    scope: dict[str, Any] = {"kind": kind}
    values = []
    for name, column in _columns(kind).items():
        values.append(column.source.format(f"v{places[name]}", f"read_{name}"))
        scope[f"read_{name}"] = column.read
    row = "".join(f"v{place}, " for place in range(len(names)))
    exec(f"def hydration(rows):\n    return [kind({', '.join(values)}) for {row} in rows]", scope)
    return scope["hydration"]  # type: ignore[no-any-return]


@_cached
def columns(kind: type[Any], alias: str = "") -> str:
    """The column list of a record for a SELECT. ``alias``: the table's alias."""
    prefix = f"{alias}." if alias else ""
    return ", ".join(f'{prefix}"{field.name}"' for field in dataclasses.fields(kind))


def writer(kind: type[Any], name: str) -> Callable[[Any], Any] | None:
    """A function that converts values of a record's field to their stored form; None if they are stored as they are."""
    return _columns(kind)[name].write


_AS_STORED = "{0}"
_CONVERTED = "None if {0} is None else {1}({0})"
_MEMBER = "None if {0} is None else {1}[{0}]"
_JSON = "None if {0} is None else [] if {0} == '[]' else {{}} if {0} == '{{}}' else {1}({0})"


@dataclass(frozen=True, slots=True)
class _Column:
    source: str
    """The Python expression that converts a stored value. ``{0}`` stands for the value, ``{1}`` for ``read``."""
    read: Any
    write: Callable[[Any], Any] | None
    """None if values are stored as they are. It is never called with None."""


@_cached
def _columns(kind: type[Any]) -> Mapping[str, _Column]:
    hints = typing.get_type_hints(kind)
    return {field.name: _column(hints[field.name]) for field in dataclasses.fields(kind)}


def _column(hint: Any) -> _Column:
    plain = _plain(hint)
    origin = typing.get_origin(plain) or plain
    if origin is Decimal:
        return _Column(_CONVERTED, from_units, to_units)
    if origin is datetime:
        return _Column(_CONVERTED, moment, None)
    if origin is bool:
        return _Column(_CONVERTED, bool, None)
    if isinstance(origin, type) and issubclass(origin, StrEnum):
        return _Column(_MEMBER, _Members(origin), attrgetter("value"))
    if origin in (int, str, float):
        return _Column(_AS_STORED, None, None)
    return _Column(_JSON, _from_json, _to_json)


class _Members(dict[str, StrEnum]):
    """The members of an enum by value. Faster than calling the enum, which it does only for unknown values."""

    def __init__(self, kind: type[StrEnum]) -> None:
        super().__init__({member.value: member for member in kind})
        self._kind = kind

    def __missing__(self, value: str) -> StrEnum:
        return self._kind(value)


def _plain(hint: Any) -> Any:
    """A hint without ``| None``."""
    if isinstance(hint, types.UnionType):
        return next(each for each in hint.__args__ if each is not type(None))
    return hint


def _from_json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        # orjson rejects half of a surrogate pair, for example.
        return json.loads(value)


def _to_json(value: Any) -> str:
    return json.dumps(value) if value else ("{}" if isinstance(value, Mapping) else "[]")


# PostgreSQL stores Python's earliest and latest datetime as infinity, and JSON contains these words.
_INFINITE = {"-infinity": datetime.min, "infinity": datetime.max}


def stored_json(value: Any) -> Any:
    """Decode a stored JSON value. SQLite and PostgreSQL return it as text."""
    return _from_json(value)


def wire_moment(value: Any) -> str:
    """A stored timestamp in the format of the API."""
    if isinstance(value, str) and value.endswith("+00:00"):
        # SQLite's format. Parsing takes ten times as long.
        return f"{value[:10]}T{value[11:-6]}Z"
    return moments.wire(moment(value))


def moment(value: Any) -> datetime:
    """A stored timestamp as a datetime in UTC. SQLite returns text; PostgreSQL returns a datetime, but text within JSON."""
    found: datetime = (_INFINITE.get(value) or datetime.fromisoformat(value)) if isinstance(value, str) else value
    if found.tzinfo is UTC:
        return found
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
