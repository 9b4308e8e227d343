"""Which waiting units get stock first. Worked out again after every change of a level, whatever made it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from gqlstock.rules.ledger import Level
from gqlstock.rules.quantities import ZERO


@dataclass(frozen=True, slots=True)
class Fill:
    """So many units of one waiting allocation have stock now."""

    allocation_id: int
    quantity: Decimal


def fillable(level: Level) -> Decimal:
    """How many of the waiting units need not wait: at most min(backordered, max(-available, 0)) still may. (Solidus)"""
    return max(level.backordered - max(-level.available, ZERO), ZERO)


def fill(waiting: Sequence[tuple[int, Decimal]], quantity: Decimal) -> list[Fill]:
    """Give ``quantity`` units to the waiting allocations (id, units), which come oldest first; one may be split."""
    fills = []
    for allocation_id, units in waiting:
        given = min(units, quantity)
        if given <= 0:
            break
        fills.append(Fill(allocation_id, given))
        quantity -= given
    return fills
