"""Which backordered units are filled first. ``stock.consequences`` applies it after every change of a level."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from gqlstock.rules.ledger import Level
from gqlstock.rules.quantities import ZERO


@dataclass(frozen=True, slots=True)
class Fill:
    """The units of one backordered allocation to fill."""

    allocation_id: int
    quantity: Decimal


def fillable(level: Level) -> Decimal:
    """The backordered units that can be filled; min(backordered, max(-available, 0)) units keep waiting. (Solidus)"""
    return max(level.backordered - max(-level.available, ZERO), ZERO)


def fill(waiting: Sequence[tuple[int, Decimal]], quantity: Decimal) -> list[Fill]:
    """Distribute ``quantity`` units over the waiting allocations (id, units), oldest first; the last may be partly filled."""
    fills = []
    for allocation_id, units in waiting:
        filled = min(units, quantity)
        if filled <= 0:
            break
        fills.append(Fill(allocation_id, filled))
        quantity -= filled
    return fills
