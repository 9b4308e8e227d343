"""Announced stock: which announcements an arrival fills, how they can change, and when they are overdue."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from gqlstock.rules import quantities, seals
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import invalid, wrong_state


@dataclass(frozen=True, slots=True)
class StockAnnouncement:
    """Announced units of a level. The level's ``incoming`` is the sum of the remaining units."""

    id: int
    level_id: int
    quantity: Decimal
    received: Decimal
    expected_at: datetime | None
    reference: str | None
    created_at: datetime
    withdrawn_at: datetime | None = None
    seal: int | None = None
    lapsed_at: datetime | None = None
    """When the waiting orders were notified that its date has passed. A new date resets it."""
    transfer_id: int | None = None
    """The transfer that fills it, exclusively; None if receiveStock fills it."""

    @property
    def remaining(self) -> Decimal:
        """The units that are yet to arrive, as counted in the level's ``incoming``."""
        return ZERO if self.withdrawn_at is not None else self.quantity - self.received


def fill(open_announcements: Sequence[StockAnnouncement], quantity: Decimal) -> dict[int, Decimal]:
    """The units of an arrival that fill each announcement, oldest first, by id. Any rest was not announced."""
    filled: dict[int, Decimal] = {}
    for announced in open_announcements:
        units = min(announced.remaining, quantity)
        if units > 0:
            filled[announced.id] = units
            quantity -= units
    return filled


def is_overdue(announced: StockAnnouncement, now: datetime) -> bool:
    """Whether units are yet to arrive although the date has passed. In SQL: ``store.announcements.is_overdue``."""
    return announced.remaining > 0 and announced.expected_at is not None and announced.expected_at <= now


def overdue_from(announced: StockAnnouncement, now: datetime) -> datetime | None:
    """When it will become overdue; None if it is overdue, has no date, or has no remaining units."""
    expected_at = announced.expected_at
    return expected_at if expected_at is not None and expected_at > now and announced.remaining > 0 else None


def with_quantity(announced: StockAnnouncement, quantity: Decimal, *path: str) -> StockAnnouncement:
    """The announcement with a new quantity, at least the received one. If equal, no units remain."""
    quantities.check_above_zero(quantity, "announced", *path)
    if quantity < announced.received:
        received = quantities.text(announced.received)
        raise invalid(
            f"The quantity must be at least the {received} already received, not {quantities.text(quantity)}.", *path
        )
    changed = replace(announced, quantity=quantity)
    return replace(changed, seal=seals.of_announcement(changed))


def with_date(announced: StockAnnouncement, expected_at: datetime | None) -> StockAnnouncement:
    """The announcement with a new date; None if the date is no longer known."""
    if expected_at == announced.expected_at:
        return announced
    return replace(announced, expected_at=expected_at, lapsed_at=None)


def check_not_withdrawn(announced: StockAnnouncement, *path: str) -> None:
    """Refuse a withdrawn announcement."""
    if announced.withdrawn_at is not None:
        raise wrong_state("The announcement was withdrawn.", *path)


def check_open(announced: StockAnnouncement, *path: str) -> None:
    """Refuse an announcement without remaining units."""
    check_not_withdrawn(announced, *path)
    if announced.remaining <= 0:
        raise wrong_state("The announcement was received in full.", *path)
