"""The final state of some items in the database: figures, ledger, orders, shipments, holds and announcements."""

import json
from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gqlstock.store.db import clock, sql
from support.stock_records import NO_SHIPMENT, Announcement, Place

_UNIT = 10_000


@dataclass(frozen=True)
class LedgerRow:
    """A stored movement. ``cause``: the reason that the caller gave, or None. It is the tag of the call."""

    kind: str
    quantity: int
    on_hand_after: int
    order: int | None
    cause: str | None
    at: datetime


@dataclass(frozen=True)
class Kept:
    """The answer stored under an idempotency key. ``made``: the id of the created object, if any; ``number`` increases with
    each call, even within a transaction."""

    made: int | None
    at: datetime
    number: int


@dataclass
class Evidence:
    levels: dict[Place, tuple[int, ...] | None] = field(default_factory=dict)
    """On hand, reserved, planned, backordered, held and incoming; None for a deleted level."""
    ledger: dict[Place, list[LedgerRow]] = field(default_factory=lambda: defaultdict(list))
    orders: dict[int, tuple[str, list[tuple[str, int, int]]]] = field(default_factory=dict)
    """The status of each order, and the SKU, quantity and canceled quantity of each line."""
    promised: dict[int, list[datetime | None]] = field(default_factory=dict)
    """The promise date of each line of an order."""
    plans: dict[int, list[Counter[tuple[int, str]]]] = field(default_factory=dict)
    """The units of each order line by the position and warehouse of their source."""
    pieces: dict[int, list[Counter[tuple[int, str, str, int]]]] = field(default_factory=dict)
    """The units of each order line by position, warehouse, state and shipment."""
    shipments: dict[int, tuple[int, str, str]] = field(default_factory=dict)
    holds: dict[int, tuple[str, Counter[Place]]] = field(default_factory=dict)
    announcements: dict[int, Announcement] = field(default_factory=dict)
    tagged: dict[str, int] = field(default_factory=dict)
    """The ids of orders and announcements, by the tag of the call that created them."""
    kept: dict[str, Kept] = field(default_factory=dict)
    """The stored answers of successful calls, by idempotency key."""
    times: dict[tuple[str, Any], datetime] = field(default_factory=dict)
    """Timestamps of the database that show when calls happened. They are only hints."""


async def read(skus: Collection[str], tags: str = "call") -> Evidence:
    """Read the evidence of these items, which must not share orders with other items. ``tags``: the common prefix of the tags
    of their calls."""
    found = Evidence()
    quoted = ", ".join(f"'{sku}'" for sku in skus)
    item_ids = f"IN (SELECT id FROM item WHERE sku IN ({quoted}))"
    await _read_levels(found, item_ids)
    await _read_orders(found, item_ids)
    await _read_holds(found, item_ids)
    await _read_kept(found, tags)
    return found


def _time(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


async def _read_levels(found: Evidence, item_ids: str) -> None:
    # Expired holds do not count, even if their state is still ACTIVE.
    levels = f"""SELECT i.sku, w.code, l.*, COALESCE((SELECT SUM(u.quantity) FROM held_units u
            JOIN stock_hold h ON h.id = u.hold_id
            WHERE u.level_id = l.id AND h.state = 'ACTIVE' AND h.expires_at <= ?), 0) AS expired
        FROM inventory_level l JOIN item i ON i.id = l.item_id JOIN warehouse w ON w.id = l.warehouse_id
        WHERE l.item_id {item_ids}"""
    places: dict[int, Place] = {}
    for row in await sql.query(levels, clock.now()):
        places[row["id"]] = place = row["sku"], row["code"]
        names = ("on_hand", "reserved", "planned", "backordered", "held", "incoming")
        figures = [row[name] // _UNIT for name in names]
        figures[4] -= int(row["expired"]) // _UNIT
        found.levels[place] = None if row["deleted_at"] is not None else tuple(figures)
        if row["deleted_at"] is not None:
            found.times["delete_level", place] = _time(row["deleted_at"])
    at_levels = f"level_id IN (SELECT id FROM inventory_level WHERE item_id {item_ids})"
    for row in await sql.query(f"SELECT * FROM stock_movement WHERE {at_levels} ORDER BY id"):
        movement = LedgerRow(
            row["kind"],
            row["quantity"] // _UNIT,
            row["on_hand_after"] // _UNIT,
            row["order_id"],
            row["reason"],
            _time(row["created_at"]),
        )
        found.ledger[places[row["level_id"]]].append(movement)
        if movement.cause is not None:
            found.times.setdefault(("tag", movement.cause), movement.at)
    for row in await sql.query(f"SELECT * FROM stock_announcement WHERE {at_levels}"):
        place = places[row["level_id"]]
        quantity, received = row["quantity"] // _UNIT, row["received"] // _UNIT
        at = None if row["expected_at"] is None else _time(row["expected_at"])
        announcement = Announcement(*place, quantity, at, received, withdrawn=row["withdrawn_at"] is not None)
        found.announcements[row["id"]] = announcement
        found.tagged[row["reference"]] = row["id"]
        found.times["tag", row["reference"]] = _time(row["created_at"])
        if row["withdrawn_at"] is not None:
            found.times["withdraw", row["id"]] = _time(row["withdrawn_at"])


async def _read_orders(found: Evidence, item_ids: str) -> None:
    which = f"IN (SELECT order_id FROM order_line WHERE item_id {item_ids})"
    for row in await sql.query(f"SELECT * FROM customer_order WHERE id {which}"):
        found.orders[row["id"]] = row["status"], []
        found.promised[row["id"]], found.plans[row["id"]], found.pieces[row["id"]] = [], [], []
        found.tagged[row["reference"]] = row["id"]
        found.times["tag", row["reference"]] = _time(row["placed_at"])
    lines: dict[int, tuple[int, int]] = {}
    for row in await sql.query(f"SELECT * FROM order_line WHERE order_id {which} ORDER BY id"):
        order = row["order_id"]
        lines[row["id"]] = order, len(found.plans[order])
        found.orders[order][1].append((row["sku"], row["quantity"] // _UNIT, row["canceled"] // _UNIT))
        found.promised[order].append(None if row["promised_at"] is None else _time(row["promised_at"]))
        found.plans[order].append(Counter())
        found.pieces[order].append(Counter())
    units = f"""SELECT a.*, w.code FROM allocation a JOIN warehouse w ON w.id = a.warehouse_id
        WHERE a.line_id IN (SELECT id FROM order_line WHERE order_id {which})"""
    for row in await sql.query(units):
        order, number = lines[row["line_id"]]
        key = row["position"], row["code"], row["state"], row["shipment_id"] or NO_SHIPMENT
        found.plans[order][number][key[:2]] += row["quantity"] // _UNIT
        found.pieces[order][number][key] += row["quantity"] // _UNIT
    shipments = f"""SELECT s.*, w.code FROM shipment s JOIN warehouse w ON w.id = s.warehouse_id
        WHERE s.order_id {which}"""
    for row in await sql.query(shipments):
        found.shipments[row["id"]] = row["order_id"], row["code"], row["state"]
        found.times["pack", row["id"]] = _time(row["created_at"])
        if row["shipped_at"] is not None:
            found.times["ship", row["id"]] = _time(row["shipped_at"])
        elif row["state"] == "CANCELED":
            found.times["unpack", row["id"]] = _time(row["updated_at"])


async def _read_holds(found: Evidence, item_ids: str) -> None:
    units = f"""SELECT h.id, h.state, h.created_at, h.expires_at, i.sku, w.code, u.quantity
        FROM held_units u JOIN stock_hold h ON h.id = u.hold_id JOIN inventory_level l ON l.id = u.level_id
        JOIN item i ON i.id = l.item_id JOIN warehouse w ON w.id = l.warehouse_id WHERE l.item_id {item_ids}"""
    for row in await sql.query(units):
        expired = row["state"] == "ACTIVE" and _time(row["expires_at"]) <= clock.now()
        _, parts = found.holds.setdefault(row["id"], ("EXPIRED" if expired else row["state"], Counter()))
        parts[row["sku"], row["code"]] += row["quantity"] // _UNIT
        found.times["hold", row["id"]] = _time(row["created_at"])


async def _read_kept(found: Evidence, tags: str) -> None:
    which = "refused = FALSE AND key LIKE ?"
    for row in await sql.query(f"SELECT id, key, answer, created_at FROM kept_answer WHERE {which}", f"{tags}-%"):
        answer = json.loads(row["answer"]) if isinstance(row["answer"], str) else row["answer"]
        made = [id for kind in ("order", "hold", "shipment") for id in answer["ids"].get(kind, [])]
        found.kept[row["key"]] = Kept(made[0] if made else None, _time(row["created_at"]), row["id"])
