"""The levels that supply units of an item on a website: free units, room for backorders, and how a line is sourced.

``availability`` displays these quantities and ``allocation`` plans orders with them, so what is displayed can be ordered.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from gqlstock.rules import promises, quantities
from gqlstock.rules.fast_init import fast_init
from gqlstock.rules.ledger import Level
from gqlstock.rules.promises import Arrival
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.settings import BackorderMode, Settings


@dataclass(slots=True)
class LevelsInUse:
    """The levels in use of an item, with their dated supply."""

    levels: list[Level] = field(default_factory=list)
    supply: dict[int, tuple[Arrival, ...]] = field(default_factory=dict)
    """The dated supply by level id, for levels that have any."""
    until: datetime | None = None
    """When they change by time alone: a hold expires, or an announcement becomes overdue."""

    def add(self, level: Level, supply: tuple[Arrival, ...] = (), until: datetime | None = None) -> None:
        """Add a level. ``until``: when its next hold expires."""
        self.levels.append(level)
        if supply:
            self.supply[level.id] = supply
        for moment in (until, promises.changes_at(supply)):
            if moment is not None and (self.until is None or moment < self.until):
                self.until = moment


@fast_init
@dataclass(frozen=True, slots=True)
class Source:
    """A level of an item in an active warehouse of the website. ``supply``: its dated supply, soonest first."""

    warehouse_id: int
    level: Level
    backorders: BackorderMode = BackorderMode.NO_BACKORDERS
    supply: tuple[Arrival, ...] = ()

    @property
    def takes_backorders(self) -> bool:
        return self.backorders is not BackorderMode.NO_BACKORDERS


@fast_init
@dataclass(frozen=True, slots=True)
class Stock:
    """The quantities for sale. None means no limit."""

    available: Decimal
    """A: the free units of all sources, less the safety stock."""
    room: Decimal | None
    """The units that can still be backordered."""
    salable: Decimal | None


@fast_init
@dataclass(frozen=True, slots=True)
class Taken:
    """Units that a line takes from a source, by the source's index. ``waits``: whether they are backordered there."""

    source: int
    quantity: Decimal
    waits: bool


@dataclass(slots=True)
class Remaining:
    """What sources can still supply: free units, and room for backorders of each and of all together. None: no limit."""

    frees: list[Decimal]
    rooms: list[Decimal | None]
    room: Decimal | None

    def deduct(self, taken: Sequence[Taken]) -> None:
        """Deduct the units of a line."""
        for one in taken:
            if not one.waits:
                self.frees[one.source] -= one.quantity
                continue
            here = self.rooms[one.source]
            self.rooms[one.source] = None if here is None else here - one.quantity
            self.room = None if self.room is None else self.room - one.quantity


def take_backorders(sources: Sequence[Source]) -> bool:
    """Whether any of these sources takes backorders."""
    for source in sources:  # noqa: SIM110 – any() with a generator is slower here.
        if source.backorders is not BackorderMode.NO_BACKORDERS:
            return True
    return False


def safety_stock(settings: Settings, sources: Sequence[Source]) -> Decimal:
    """k: the units that are never sold; 0 if backorders are allowed. (Magento)"""
    threshold = settings.out_of_stock_threshold
    return ZERO if threshold <= 0 or take_backorders(sources) else threshold


def free(settings: Settings, sources: Sequence[Source]) -> list[Decimal]:
    """The free units of each source: its available units, at least 0. The safety stock is deducted from the last sources.

    A shortage in one warehouse does not reduce the stock of another.
    """
    frees = [max(source.level.available, ZERO) for source in sources]
    left = safety_stock(settings, sources)
    for index in reversed(range(len(frees) if left else 0)):
        kept = min(frees[index], left)
        left -= kept
        frees[index] -= kept
    return frees


def total_free(settings: Settings, sources: Sequence[Source]) -> Decimal:
    """A: the free units of all sources, less the safety stock."""
    total = sum([max(source.level.available, ZERO) for source in sources], ZERO)
    return max(total - safety_stock(settings, sources), ZERO)


def room(settings: Settings, sources: Sequence[Source]) -> Decimal | None:
    """The units that can still be backordered; None for no limit.

    A negative threshold is a limit (Magento), as is dated supply with backordersFromIncoming.
    """
    if not take_backorders(sources):
        return ZERO
    limit = None
    if settings.out_of_stock_threshold < 0:
        limit = max(-settings.out_of_stock_threshold - sum((s.level.backordered for s in sources), ZERO), ZERO)
    if not settings.backorders_from_incoming:
        return limit
    coming = sum((promises.room(one.supply, one.level) for one in sources if one.takes_backorders), ZERO)
    return coming if limit is None else min(limit, coming)


def room_at(settings: Settings, source: Source) -> Decimal | None:
    """The units that can still be backordered at one source, apart from the overall limit; None if it has no own limit."""
    if not source.takes_backorders:
        return ZERO
    return promises.room(source.supply, source.level) if settings.backorders_from_incoming else None


def never_splits(settings: Settings) -> bool:
    """Whether a line must come whole from one warehouse, such as fabric cut from one roll. (Oro)"""
    return settings.quantity_uses_decimals and not settings.allow_multiple_boxes


def least(settings: Settings) -> Decimal:
    """L: the units that must be free for an item to be in stock. The smallest unit if no quantity can be ordered."""
    return settings.least_quantity or quantities.UNIT


def stock(settings: Settings, sources: Sequence[Source], *, only_free: bool = False) -> Stock:
    """A, the room for backorders, and what one line can take of both. ``only_free``: no backorders."""
    available = total_free(settings, sources)
    left = ZERO if only_free else room(settings, sources)
    if left is None:
        return Stock(available, None, None)
    salable = available + left
    if never_splits(settings):
        frees = zip(free(settings, sources), sources, strict=True)
        salable = max((f + _within(left, room_at(settings, s)) for f, s in frees), default=ZERO)
    return Stock(available, left, salable if settings.quantity_uses_decimals else quantities.floor(salable))


def _within(units: Decimal, limit: Decimal | None) -> Decimal:
    return units if limit is None else min(units, limit)


def remaining(settings: Settings, sources: Sequence[Source], *, only_free: bool = False) -> Remaining:
    """What sources can supply to the lines of an order. ``only_free``: no backorders, as for a hold."""
    rooms = [ZERO if only_free else room_at(settings, source) for source in sources]
    return Remaining(free(settings, sources), rooms, ZERO if only_free else room(settings, sources))


def take(quantity: Decimal, settings: Settings, left: Remaining) -> list[Taken] | None:
    """The units that a line takes from each source; None if there are too few.

    Free units are taken first, source by source. The rest is backordered source by source, up to the room of each. A line
    that never splits comes whole from the first source that can supply it. (Solidus, Oro)
    """
    return _take_unsplit(quantity, left) if never_splits(settings) else _take_by_source(quantity, left)


def _take_by_source(quantity: Decimal, left: Remaining) -> list[Taken] | None:
    found = []
    for index, free_here in enumerate(left.frees):
        units = min(free_here, quantity)
        if units > 0:
            found.append(Taken(index, units, waits=False))
            quantity -= units
    if quantity > 0 and left.room is not None and quantity > left.room:
        return None
    for index, here in enumerate(left.rooms if quantity > 0 else ()):
        units = _within(quantity, here)
        if units > 0:
            found.append(Taken(index, units, waits=True))
            quantity -= units
    return None if quantity > 0 else found


def _take_unsplit(quantity: Decimal, left: Remaining) -> list[Taken] | None:
    for index, free_here in enumerate(left.frees):
        waiting = max(quantity - free_here, ZERO)
        room_here = left.rooms[index]
        if all(limit is None or waiting <= limit for limit in (left.room, room_here)) or not waiting:
            parts = [Taken(index, quantity - waiting, waits=False), Taken(index, waiting, waits=True)]
            return [part for part in parts if part.quantity]
    return None


# ── dates


class Dates:
    """When backordered units can ship, computed line by line for an order."""

    def __init__(self, sources: Sequence[Source], buffer_days: int) -> None:
        self._buffer_days = buffer_days
        self._left = [promises.unclaimed(source.supply, source.level) if source.supply else () for source in sources]

    def of(self, taken: Sequence[Taken]) -> list[datetime | None]:
        """The dates of a line's units; None for units that do not wait, and if no date is known.

        The units queue behind all that wait already, and ahead of those of later lines.
        """
        return [self._take(one) if one.waits else None for one in taken]

    def _take(self, one: Taken) -> datetime | None:
        left = self._left[one.source]
        self._left[one.source] = promises.without(left, one.quantity) if left else ()
        return promises.leaves_at(promises.last_of(left, one.quantity), self._buffer_days)


def is_supplied(sources: Sequence[Source]) -> bool:
    """Whether any of these sources has dated supply."""
    for source in sources:  # noqa: SIM110 – any() with a generator is slower here.
        if source.supply:
            return True
    return False


def expected_at(settings: Settings, sources: Sequence[Source], buffer_days: int) -> datetime | None:
    """When the smallest orderable quantity could ship; None while it is free, and if no date is known.

    With backorders: when the backordered units of such an order could ship. Without: when that many units are free again.
    """
    wanted = settings.least_quantity
    if wanted is None:
        return None
    lacking = wanted - total_free(settings, sources)
    if lacking <= 0:
        return None
    if not take_backorders(sources):
        return _free_again(wanted, settings, sources, buffer_days)
    taken = take(wanted, settings, remaining(settings, sources)) or []
    return promises.latest(Dates(sources, buffer_days).of([one for one in taken if one.waits]))


def _free_again(wanted: Decimal, settings: Settings, sources: Sequence[Source], buffer_days: int) -> datetime | None:
    """When arrivals raise A to a quantity; None if they do not."""
    available = [source.level.available for source in sources]
    arrivals = [(arrival, index) for index, source in enumerate(sources) for arrival in source.supply]
    for arrival, index in sorted(arrivals, key=lambda one: one[0].expected_at):
        available[index] += arrival.quantity
        if sum((max(units, ZERO) for units in available), ZERO) - safety_stock(settings, sources) >= wanted:
            return promises.leaves_at(arrival, buffer_days)
    return None


@fast_init
@dataclass(frozen=True, slots=True)
class IncomingStock:
    """Units for new orders, by the time at which they can ship. ``quantity`` None: the caller may not see it."""

    at: datetime
    quantity: Decimal | None


def incoming(sources: Sequence[Source], buffer_days: int) -> tuple[IncomingStock, ...]:
    """The supply that is left for new orders at all sources, soonest first."""
    sums: dict[datetime, Decimal] = {}
    for source in sources:
        for arrival in promises.unclaimed(source.supply, source.level) if source.supply else ():
            at = promises.leaves_at(arrival, buffer_days)
            assert at is not None
            sums[at] = sums.get(at, ZERO) + arrival.quantity
    return tuple(IncomingStock(at, sums[at]) for at in sorted(sums))
