"""Seals of rows: digests of the immutable fields, stored with the row, by which verification detects changes.

Seals are not keyed. They detect accidental changes and disk errors, not tampering.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from gqlstock.rules import quantities


def seal(*values: Any) -> int:
    """A digest of texts, numbers, times and lists of them, the same on every database."""
    digest = hashlib.blake2b(_encoder.encode(values).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def of_order(order: Any, lines: Sequence[Any]) -> int:
    """The seal of an order with its lines."""
    ordered = [
        (line.item_id, line.sku, line.name, line.code, line.selected_options, line.quantity, line.decrement)
        for line in lines
    ]
    return seal(order.website_id, order.placed_at, order.ship_latitude, order.ship_longitude, ordered)


def resealed(order: Any, before: Sequence[Any], lines: Sequence[Any]) -> Any:
    """An order resealed after its lines changed. A wrong seal is kept, so verification still reports it."""
    return replace(order, seal=of_order(order, lines)) if order.seal == of_order(order, before) else order


def of_shipment(shipment: Any) -> int:
    return seal(shipment.order_id, shipment.warehouse_id, shipment.created_at)


def of_hold(hold: Any, lines: Sequence[Any], units: Sequence[Any]) -> int:
    """The seal of a hold with its lines and held units."""
    requested = [(line.item_id, line.sku, line.quantity, line.selected_options) for line in lines]
    kept = [(one.level_id, one.quantity) for one in units]
    return seal(hold.website_id, hold.expires_at, hold.created_at, requested, kept)


def of_announcement(announcement: Any) -> int:
    # Announcements without a transfer keep the seal that they had before transfers existed.
    transfer = () if announcement.transfer_id is None else (announcement.transfer_id,)
    return seal(announcement.level_id, announcement.quantity, announcement.created_at, *transfer)


def of_transfer(transfer: Any, lines: Sequence[Any]) -> int:
    """The seal of a transfer with its lines."""
    sent = [(line.item_id, line.sku, line.quantity) for line in lines]
    return seal(transfer.source_id, transfer.target_id, transfer.reference, transfer.created_at, sent)


def of_alert(alert: Any) -> int:
    about = (alert.item_id, alert.warehouse_id, alert.sku, alert.name, alert.code)
    return seal(*about, alert.quantity_left, alert.threshold, alert.raised_at)


def of_movement(movement: Any, item_id: int, warehouse_id: int) -> int:
    """The seal of a movement with the item and the warehouse of its level."""
    where = (movement.level_id, item_id, warehouse_id)
    units = (movement.quantity, movement.on_hand_after)
    details = (movement.reason, movement.reference, movement.order_id)
    return seal(*where, movement.kind, *units, movement.actor, movement.created_at, *details)


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return quantities.text(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    raise TypeError(f"{value!r} cannot be sealed.")


_encoder = json.JSONEncoder(default=_plain, sort_keys=True, separators=(",", ":"))
