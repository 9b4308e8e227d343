"""The records of the stock model: levels, orders with the units of their lines, shipments, holds, announcements."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

ON_ORDER, ON_SHIPMENT, NEVER = "ON_ORDER", "ON_SHIPMENT", "NEVER"
OPEN = ("ON_HAND", "BACKORDERED")
GONE = ("SHIPPED", "RETURNED")
NO_SHIPMENT = 0

Place = tuple[str, str]
"""A SKU and a warehouse."""
Rows = Sequence[tuple[str, int]]
"""SKUs with quantities."""
Queued = tuple[int, int, int]
"""Waiting units at a level: the order, the number of the line in it, the position of the units in the line."""


class Refused(Exception):
    """``reasons``: the code of each refusal, with the quantity that it reports."""

    def __init__(self, *reasons: tuple[str, int | None]) -> None:
        super().__init__(*reasons)
        self.reasons = reasons


class Rules(NamedTuple):
    """The settings of an item. ``parks``: whether a shortage parks the order; ``from_incoming``: whether backorders are
    limited to dated supply."""

    mode: str = ON_ORDER
    backorders: bool = False
    threshold: int = 0
    parks: bool = False
    from_incoming: bool = False


class Level(NamedTuple):
    on_hand: int = 0
    reserved: int = 0
    planned: int = 0
    backordered: int = 0
    held: int = 0
    incoming: int = 0
    to_leave: int = 0
    """The units of orders that have not been shipped."""
    moved: int = 0
    """The number of its movements."""
    in_use: bool = True

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved - self.planned - self.held


class Piece(NamedTuple):
    """Units of a line that are equal in all fields."""

    position: int
    warehouse: str
    state: str
    shipment: int
    quantity: int


class Line(NamedTuple):
    sku: str
    quantity: int
    canceled: int = 0
    pieces: tuple[Piece, ...] = ()
    promised: datetime | None = None
    """The promise date, as of when its units were taken."""


class Order(NamedTuple):
    """``left``: its shipped shipments, in order."""

    lines: tuple[Line, ...]
    parked: bool
    left: tuple[int, ...] = ()

    @property
    def status(self) -> str:
        wanted = sum(line.quantity - line.canceled for line in self.lines)
        gone = sum(p.quantity for line in self.lines for p in line.pieces if p.state in GONE)
        if not wanted:
            return "CANCELED"
        if self.parked:
            return "BACKORDERED"
        return "SHIPPED" if gone == wanted else "PARTIALLY_SHIPPED" if gone else "PLACED"


class Shipment(NamedTuple):
    order: int
    warehouse: str
    state: str


class Hold(NamedTuple):
    parts: tuple[tuple[str, str, int], ...]
    state: str = "ACTIVE"


class Announcement(NamedTuple):
    """``at``: when it is expected, always in the far future; None if no date is known."""

    sku: str
    warehouse: str
    quantity: int
    at: datetime | None = None
    received: int = 0
    withdrawn: bool = False

    @property
    def remaining(self) -> int:
        return 0 if self.withdrawn else self.quantity - self.received


class Movement(NamedTuple):
    """A line of the ledger. ``number``: the number of earlier lines of its level."""

    sku: str
    warehouse: str
    kind: str
    quantity: int
    on_hand_after: int
    number: int


class Pick(NamedTuple):
    """Units of a piece of a line, by the line's number in its order."""

    line: int
    piece: Piece
    quantity: int


def merged(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """Merge equal pieces, in order."""
    sums: Counter[tuple[int, str, str, int]] = Counter()
    for piece in pieces:
        sums[piece[:4]] += piece.quantity
    return tuple(Piece(*alike, quantity) for alike, quantity in sorted(sums.items()) if quantity)


def changed(pieces: Iterable[Piece], piece: Piece, quantity: int, *, state: str, shipment: int) -> tuple[Piece, ...]:
    """The pieces after some units of one of them changed."""
    left = [one for one in pieces if one != piece]
    rest = piece._replace(quantity=piece.quantity - quantity)
    return merged([*left, rest, piece._replace(quantity=quantity, state=state, shipment=shipment)])
