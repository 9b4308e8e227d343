"""Promise dates: when units that wait for stock can ship.

Dates derive from the dated supply of a level, the queue of waiting units, and incomingBufferDays. They are never stored.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from gqlstock.rules import receiving
from gqlstock.rules.fast_init import fast_init
from gqlstock.rules.ledger import Level
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.receiving import StockAnnouncement

SETTINGS = frozenset({"incoming_buffer_days"})
"""The settings that dates depend on."""

_LAST_MOMENT = datetime.max.replace(tzinfo=UTC)


@fast_init
@dataclass(frozen=True, slots=True)
class Arrival:
    """The remaining units of an announcement, with their expected date."""

    announcement_id: int
    quantity: Decimal
    expected_at: datetime


def supply(announcements: Iterable[StockAnnouncement], now: datetime) -> tuple[Arrival, ...]:
    """The dated supply of a level, soonest first, then oldest first. ``announcements``: those of the level, oldest first.

    Announcements without a date, or with a date in the past, supply nothing.
    """
    return to_come(_dated(announcements), now)


def reported_supply(announcements: Iterable[StockAnnouncement], now: datetime) -> tuple[Arrival, ...]:
    """The supply as last reported to subscribers of orders: a past date counts until its lapse was reported."""
    current = (one for one in announcements if one.lapsed_at is None or not receiving.is_overdue(one, now))
    return _in_order(_dated(current))


def _dated(announcements: Iterable[StockAnnouncement]) -> Iterator[Arrival]:
    """The arrivals of announcements with a date and remaining units."""
    for one in announcements:
        if one.expected_at is not None and one.remaining > 0:
            yield Arrival(one.id, one.remaining, one.expected_at)


def has_lapsed(announced: StockAnnouncement, now: datetime) -> bool:
    """Whether an announcement is overdue, and that has not been reported to subscribers of orders yet."""
    return announced.lapsed_at is None and receiving.is_overdue(announced, now)


def to_come(arrivals: Iterable[Arrival], now: datetime) -> tuple[Arrival, ...]:
    """The arrivals with a future date, soonest first. The sort is stable."""
    return _in_order(one for one in arrivals if one.expected_at > now)


def _in_order(arrivals: Iterable[Arrival]) -> tuple[Arrival, ...]:
    return tuple(sorted(arrivals, key=lambda one: one.expected_at))


def changes_at(arrivals: Sequence[Arrival]) -> datetime | None:
    """When the first of these arrivals becomes overdue and no longer counts as supply."""
    return arrivals[0].expected_at if arrivals else None


def missing(level: Level) -> Decimal:
    """D: the shortage of a level, including backordered units."""
    return max(-level.available, ZERO)


def ahead(level: Level) -> Decimal:
    """The shortage of a level without its backordered units. Supply covers it first."""
    return max(missing(level) - level.backordered, ZERO)


def for_waiting(arrivals: Sequence[Arrival], level: Level, waiting: Sequence[Decimal]) -> list[Arrival | None]:
    """The arrival with the last unit of each waiting quantity; None where the supply is too small.

    ``waiting``: all waiting quantities of the level, in the order in which they are filled. Any further shortage of the
    level is covered first.
    """
    reached = max(missing(level) - sum(waiting, ZERO), ZERO)
    found: list[Arrival | None] = []
    coming, index = ZERO, 0
    for quantity in waiting:
        reached += quantity
        while index < len(arrivals) and coming < reached:
            coming += arrivals[index].quantity
            index += 1
        found.append(arrivals[index - 1] if index and coming >= reached else None)
    return found


def unclaimed(arrivals: Sequence[Arrival], level: Level) -> tuple[Arrival, ...]:
    """The supply that is left for new orders, soonest first.

    After a hold has ended, more units may wait than are missing. The next write fills them from free units.
    """
    return without(arrivals, missing(level))


def without(arrivals: Sequence[Arrival], quantity: Decimal) -> tuple[Arrival, ...]:
    """The arrivals without their first ``quantity`` units."""
    left = []
    for arrival in arrivals:
        taken = min(arrival.quantity, quantity)
        quantity -= taken
        if taken < arrival.quantity:
            left.append(arrival if not taken else replace(arrival, quantity=arrival.quantity - taken))
    return tuple(left)


def last_of(arrivals: Sequence[Arrival], quantity: Decimal) -> Arrival | None:
    """The arrival with the last of the first ``quantity`` units; None if there are fewer."""
    for arrival in arrivals:
        quantity -= arrival.quantity
        if quantity <= 0:
            return arrival
    return None


def room(arrivals: Sequence[Arrival], level: Level) -> Decimal:
    """The units that a level can still backorder with backordersFromIncoming."""
    return max(sum((one.quantity for one in arrivals), ZERO) - missing(level), ZERO)


def leaves_at(arrival: Arrival | None, buffer_days: int) -> datetime | None:
    """When the units of an arrival can ship. ``buffer_days``: incomingBufferDays on the website."""
    if arrival is None:
        return None
    try:
        return arrival.expected_at + timedelta(days=buffer_days)
    except OverflowError:
        return _LAST_MOMENT


def shown(
    dates: Sequence[datetime | None], waits: Sequence[bool], *, hides_dates: bool, hides_quantities: bool
) -> list[datetime | None]:
    """The date of each line of one item, as the caller may see it.

    ``hides_quantities``: all lines show the latest date, because showing which of them wait would reveal the stock.
    """
    if hides_dates:
        return [None] * len(dates)
    if not hides_quantities:
        return list(dates)
    return [latest(date for date, waiting in zip(dates, waits, strict=True) if waiting)] * len(dates)


def latest(dates: Iterable[datetime | None]) -> datetime | None:
    """The latest of the dates; None if there are none, or if any is unknown."""
    last: datetime | None = None
    for date in dates:
        if date is None:
            return None
        last = date if last is None else max(last, date)
    return last
