"""Announced stock: which announcements an arrival fills."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import wrong_state


@dataclass(frozen=True, slots=True)
class StockAnnouncement:
    """Announced units of a level. The level's ``incoming`` is the sum of the remaining ones."""

    id: int
    level_id: int
    quantity: Decimal
    received: Decimal
    expected_at: datetime | None
    reference: str | None
    created_at: datetime
    withdrawn_at: datetime | None = None
    seal: int | None = None

    @property
    def remaining(self) -> Decimal:
        """The units that are still to arrive, as the level's ``incoming`` counts them."""
        return ZERO if self.withdrawn_at is not None else self.quantity - self.received


def fill(open_announcements: Sequence[StockAnnouncement], quantity: Decimal) -> dict[int, Decimal]:
    """The units of an arrival that fill each announcement, oldest first. The rest was not announced."""
    filled: dict[int, Decimal] = {}
    for announced in open_announcements:
        units = min(announced.remaining, quantity)
        if units > 0:
            filled[announced.id] = units
            quantity -= units
    return filled


def check_open(announced: StockAnnouncement, *path: str) -> None:
    """Refuse an announcement without remaining units."""
    if announced.withdrawn_at is not None:
        raise wrong_state("The announcement was withdrawn.", *path)
    if announced.remaining <= 0:
        raise wrong_state("The announcement was received in full.", *path)
