"""Promise dates: when units that wait for stock can leave.

Dates are derived from the dated supply of a level, from who waits for it, and from incomingBufferDays. They are never stored.
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
    """Units of an announcement that are still to come, with their date."""

    announcement_id: int
    quantity: Decimal
    expected_at: datetime


def supply(announcements: Iterable[StockAnnouncement], now: datetime) -> tuple[Arrival, ...]:
    """The dated supply of a level, soonest first, then oldest first. ``announcements``: those of the level, oldest first.

    Announcements without a date, or whose date has passed, promise nothing.
    """
    return to_come(_dated(announcements), now)


def told_supply(announcements: Iterable[StockAnnouncement], now: datetime) -> tuple[Arrival, ...]:
    """The supply as those who follow orders know it: a date that passed counts until they were told."""
    untold = (one for one in announcements if one.lapsed_at is None or not receiving.is_overdue(one, now))
    return _in_order(_dated(untold))


def _dated(announcements: Iterable[StockAnnouncement]) -> Iterator[Arrival]:
    """What is still to come of announcements with a date."""
    for one in announcements:
        if one.expected_at is not None and one.remaining > 0:
            yield Arrival(one.id, one.remaining, one.expected_at)


def has_lapsed(announced: StockAnnouncement, now: datetime) -> bool:
    """Whether an announcement is overdue, and those who follow orders were not told yet."""
    return announced.lapsed_at is None and receiving.is_overdue(announced, now)


def to_come(arrivals: Iterable[Arrival], now: datetime) -> tuple[Arrival, ...]:
    """The arrivals whose date is still to come, soonest first. Those of the same moment keep their order."""
    return _in_order(one for one in arrivals if one.expected_at > now)


def _in_order(arrivals: Iterable[Arrival]) -> tuple[Arrival, ...]:
    return tuple(sorted(arrivals, key=lambda one: one.expected_at))


def changes_at(arrivals: Sequence[Arrival]) -> datetime | None:
    """The moment at which the first of these arrivals is overdue and promises nothing any more."""
    return arrivals[0].expected_at if arrivals else None


def missing(level: Level) -> Decimal:
    """D: the units that a level lacks, backordered ones included."""
    return max(-level.available, ZERO)


def ahead(level: Level) -> Decimal:
    """The units that a level lacks besides the backordered ones. Supply covers them first."""
    return max(missing(level) - level.backordered, ZERO)


def for_waiting(arrivals: Sequence[Arrival], level: Level, waiting: Sequence[Decimal]) -> list[Arrival | None]:
    """The arrival that brings the last unit of each waiting quantity; None where supply does not reach that far.

    ``waiting``: all waiting quantities of the level, in the order in which they are filled. What the level lacks besides
    them is covered first.
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
    """What supply leaves for new orders, soonest first.

    More may wait than is missing, where a hold just ended. The next write fills those units from what is free.
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
    """The arrival that brings the last of the first ``quantity`` units; None where there are fewer."""
    for arrival in arrivals:
        quantity -= arrival.quantity
        if quantity <= 0:
            return arrival
    return None


def room(arrivals: Sequence[Arrival], level: Level) -> Decimal:
    """The units that a level can take on backorder with backordersFromIncoming."""
    return max(sum((one.quantity for one in arrivals), ZERO) - missing(level), ZERO)


def leaves_at(arrival: Arrival | None, buffer_days: int) -> datetime | None:
    """When the units of an arrival can leave. ``buffer_days``: incomingBufferDays of the website."""
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

    ``hides_quantities``: all lines have the date of those that wait, because which of them waits would show the stock.
    """
    if hides_dates:
        return [None] * len(dates)
    if not hides_quantities:
        return list(dates)
    return [latest(date for date, waiting in zip(dates, waits, strict=True) if waiting)] * len(dates)


def latest(dates: Iterable[datetime | None]) -> datetime | None:
    """The date of units that wait together: the latest; None where nothing waits, or any of it has no date."""
    last: datetime | None = None
    for date in dates:
        if date is None:
            return None
        last = date if last is None else max(last, date)
    return last
