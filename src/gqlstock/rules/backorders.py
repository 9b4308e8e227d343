"""Which backordered units get stock first. ``stock.consequences`` applies it after every change of a level."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from gqlstock.rules.ledger import Level
from gqlstock.rules.quantities import ZERO


@dataclass(frozen=True, slots=True)
class Fill:
    """Units of one waiting allocation that get stock."""

    allocation_id: int
    quantity: Decimal


def fillable(level: Level) -> Decimal:
    """The backordered units that get stock. min(backordered, max(-available, 0)) units still wait. (Solidus)"""
    return max(level.backordered - max(-level.available, ZERO), ZERO)


def fill(waiting: Sequence[tuple[int, Decimal]], quantity: Decimal) -> list[Fill]:
    """Give ``quantity`` units to the waiting allocations (id, units), oldest first. The last may be filled in part."""
    fills = []
    for allocation_id, units in waiting:
        given = min(units, quantity)
        if given <= 0:
            break
        fills.append(Fill(allocation_id, given))
        quantity -= given
    return fills
