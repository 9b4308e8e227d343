"""Access tokens of orders, with which shoppers read their own orders, and encrypted feed cursors for shoppers.

A token is the order's id and the time at which it was placed, with an HMAC of both. The time distinguishes two orders with
the same id, one placed before a backup was restored and one after. A plain feed cursor reveals how much happens in the shop;
a shopper's cursor is therefore encrypted, and valid for one order only.
"""

import base64
import hashlib
import hmac
import re
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gqlstock.rules.feed import Cursor

KEY_BYTES = 32
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_ORDER = struct.Struct(">Qq")
_PLACE = struct.Struct(">4Q")
_TAG_BYTES = 16
# 48 bytes need no padding, so distinct texts decode to distinct bytes.
_TEXT = re.compile(r"[A-Za-z0-9_-]{64}")


@dataclass(frozen=True, slots=True)
class NamedOrder:
    """The order that a token names."""

    id: int
    placed_at: datetime


def token(key: bytes, named: NamedOrder) -> str:
    """The access token of an order, deterministic for a key."""
    order = _ORDER.pack(named.id, (named.placed_at - _EPOCH) // _MICROSECOND)
    return _text(order + _hmac(key, b"order", order))


def named(key: bytes, text: str) -> NamedOrder | None:
    """The order that a token names; None for a text that was not signed with this key."""
    decoded = _decoded(text)
    order, mac = decoded[: _ORDER.size], decoded[_ORDER.size :]
    if not hmac.compare_digest(mac, _hmac(key, b"order", order)):
        return None
    order_id, placed = _ORDER.unpack(order)
    return NamedOrder(order_id, _EPOCH + placed * _MICROSECOND)


def sealed(key: bytes, order_id: int, cursor: Cursor) -> str:
    """Encrypt a cursor for the shopper of an order."""
    place = _PLACE.pack(*cursor.place, cursor.mark)
    tag = _tag(key, order_id, place)
    return _text(tag + _encrypted(key, tag, place))


def opened(key: bytes, order_id: int, sealed_cursor: str) -> Cursor | None:
    """Decrypt the cursor of an order's shopper; None for an invalid one."""
    decoded = _decoded(sealed_cursor)
    tag, encrypted = decoded[:_TAG_BYTES], decoded[_TAG_BYTES:]
    if len(encrypted) != _PLACE.size:
        return None
    place = _encrypted(key, tag, encrypted)
    if not hmac.compare_digest(tag, _tag(key, order_id, place)):
        return None
    return Cursor(*_PLACE.unpack(place))


def _tag(key: bytes, order_id: int, place: bytes) -> bytes:
    return _hmac(key, b"place", order_id.to_bytes(8, "big") + place)[:_TAG_BYTES]


def _encrypted(key: bytes, tag: bytes, place: bytes) -> bytes:
    """Encrypt or decrypt a place, with the tag as the initialization vector, as in AES-SIV."""
    return bytes(a ^ b for a, b in zip(place, _hmac(key, b"stream", tag), strict=True))


def _hmac(key: bytes, purpose: bytes, message: bytes) -> bytes:
    return hmac.digest(key, purpose + b":" + message, hashlib.sha256)


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode()


def _decoded(text: str) -> bytes:
    """The bytes of a token or cursor; empty for a malformed text."""
    return base64.urlsafe_b64decode(text) if _TEXT.fullmatch(text) else b""
