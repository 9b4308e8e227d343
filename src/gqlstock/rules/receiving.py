"""Stock on its way: what an arrival fills of what was announced."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import wrong_state


@dataclass(frozen=True, slots=True)
class StockAnnouncement:
    """So many units that are to come to a level. The level's ``incoming`` sums what is still to come."""

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
        """What it has still to bring, as the level's ``incoming`` counts it."""
        return ZERO if self.withdrawn_at is not None else self.quantity - self.received


def fill(open_announcements: Sequence[StockAnnouncement], quantity: Decimal) -> dict[int, Decimal]:
    """What an arrival brings of each announcement, the oldest first; what nobody announced fills none."""
    filled: dict[int, Decimal] = {}
    for announced in open_announcements:
        brought = min(announced.remaining, quantity)
        if brought > 0:
            filled[announced.id] = brought
            quantity -= brought
    return filled


def check_open(announced: StockAnnouncement, *path: str) -> None:
    """Refuse an announcement that has nothing left to bring."""
    if announced.withdrawn_at is not None:
        raise wrong_state("The announcement was withdrawn.", *path)
    if announced.remaining <= 0:
        raise wrong_state("The announcement was received in full.", *path)
