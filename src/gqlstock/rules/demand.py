"""How long stock lasts at the rate of past orders, and how much to reorder."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, ROUND_UP, Decimal

from gqlstock.rules.quantities import UNIT, ZERO

MAX_DAYS = 3_650


@dataclass(frozen=True, slots=True)
class Demand:
    """Units of an item ordered, shipped and returned in a period, and ordered in the period before it."""

    ordered: Decimal = ZERO
    ordered_before: Decimal = ZERO
    shipped: Decimal = ZERO
    returned: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Outlook:
    """The forecast from demand. ``days_of_cover`` and ``stockout`` are None if nothing was ordered."""

    per_day: Decimal
    days_of_cover: Decimal | None
    stockout: datetime | None
    suggested_reorder: Decimal


def cover(demand: Demand, available: Decimal, days: int) -> Decimal | None:
    """How many days the available units last at the rate of the period; None if nothing was ordered."""
    return available * days / demand.ordered if demand.ordered > 0 else None


def outlook(
    demand: Demand,
    available: Decimal,
    incoming: Decimal,
    *,
    days: int,
    cover_days: int,
    decimals: bool,
    now: datetime,
) -> Outlook:
    """How long the available units last, and the reorder that covers ``cover_days`` days.

    Incoming units are deducted from the reorder, which is rounded up to whole units unless the item uses decimals.
    """
    # Multiplies before dividing: a rounded quotient could add a whole unit.
    lacking = max(demand.ordered * cover_days / days - available - incoming, ZERO)
    step = UNIT if decimals else Decimal(1)
    lasts = cover(demand, available, days)
    return Outlook(
        per_day=(demand.ordered / days).quantize(UNIT, rounding=ROUND_HALF_EVEN),
        days_of_cover=lasts,
        stockout=_after(now, lasts) if lasts is not None else None,
        suggested_reorder=lacking.quantize(step, rounding=ROUND_UP),
    )


def _after(now: datetime, days: Decimal) -> datetime | None:
    """The time that many days later; None beyond the range of datetime."""
    try:
        return now + timedelta(days=float(days))
    except OverflowError:
        return None
