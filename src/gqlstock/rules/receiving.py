"""Announced stock: which announcements an arrival fills, how an announcement can change, and when it is overdue."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from gqlstock.rules import quantities, seals
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import invalid, wrong_state


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
    lapsed_at: datetime | None = None
    """When the orders that wait were told that its date has passed. A new date ends it."""
    transfer_id: int | None = None
    """The transfer that alone fills it; None for one that receiveStock fills."""

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


def is_overdue(announced: StockAnnouncement, now: datetime) -> bool:
    """Whether units are still to arrive although the date has passed. In SQL: ``store.announcements.is_overdue``."""
    return announced.remaining > 0 and announced.expected_at is not None and announced.expected_at <= now


def overdue_from(announced: StockAnnouncement, now: datetime) -> datetime | None:
    """The moment at which it will be overdue, if nothing changes; None if it is, or has no date, or nothing is to come."""
    expected_at = announced.expected_at
    return expected_at if expected_at is not None and expected_at > now and announced.remaining > 0 else None


def with_quantity(announced: StockAnnouncement, quantity: Decimal, *path: str) -> StockAnnouncement:
    """The announcement of another quantity: at least what was received. If that is all of it, nothing more is to come."""
    quantities.check_above_zero(quantity, "announced", *path)
    if quantity < announced.received:
        received = quantities.text(announced.received)
        raise invalid(f"{quantities.text(quantity)} is less than what was received: at least {received}.", *path)
    changed = replace(announced, quantity=quantity)
    return replace(changed, seal=seals.of_announcement(changed))


def with_date(announced: StockAnnouncement, expected_at: datetime | None) -> StockAnnouncement:
    """The announcement with another date; None: it is not known any more."""
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
