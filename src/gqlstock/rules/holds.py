"""Stock kept for a cart: for how long, and what a hold is at a moment."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from gqlstock.rules.limits import PublicHolds
from gqlstock.rules.refusals import Code, Refusal, invalid, too_many, wrong_state

SHORTEST, LONGEST = 1, 1_440
"""Minutes."""


class StockHoldState(StrEnum):
    ACTIVE = "ACTIVE"
    ORDERED = "ORDERED"
    RELEASED = "RELEASED"
    EXPIRED = "EXPIRED"


def check_minutes(minutes: int) -> None:
    if not SHORTEST <= minutes <= LONGEST:
        raise invalid(f"A hold cannot last {minutes} minutes: {SHORTEST} to {LONGEST}.", "minutes")


def check_public(minutes: int, lines: int, limits: PublicHolds) -> None:
    """Refuse the public a hold that is too long or too large for somebody whom nobody knows."""
    if minutes > limits.minutes:
        raise invalid(
            f"A hold without a token cannot last {minutes} minutes: {SHORTEST} to {limits.minutes}.", "minutes"
        )
    if lines > limits.lines:
        raise too_many("lines", lines, limits.lines, "lines")


def check_active_of_address(active: int, limits: PublicHolds) -> None:
    """Refuse the public one hold more at an address that has as many as it may have."""
    if active >= limits.active:
        raise Refusal(
            Code.TOO_MANY,
            f"This address has {active} active holds: at most {limits.active} without a token. Order or release one.",
        ).only()


def is_expired(stored: StockHoldState, expires_at: datetime, now: datetime) -> bool:
    """Whether the time of an active hold is up: it counts nowhere from that moment. ``store.holds.EXPIRED`` in SQL."""
    return stored is StockHoldState.ACTIVE and expires_at <= now


def state(stored: StockHoldState, expires_at: datetime, now: datetime) -> StockHoldState:
    """What a hold is now, swept or not."""
    return StockHoldState.EXPIRED if is_expired(stored, expires_at, now) else stored


def check_active(stored: StockHoldState, expires_at: datetime, now: datetime, *path: str) -> None:
    """Refuse a hold that no longer holds anything."""
    found = state(stored, expires_at, now)
    if found is StockHoldState.EXPIRED:
        raise Refusal(Code.HOLD_EXPIRED, f"The hold expired at {expires_at.isoformat()}.", path).only()
    if found is not StockHoldState.ACTIVE:
        raise wrong_state(f"The hold is {found.value.lower()} already.", *path)


@dataclass(frozen=True, slots=True)
class StockHold:
    """Stock kept for a cart until ``expires_at``, or until it is ordered or released."""

    id: int
    website_id: int
    state: StockHoldState
    expires_at: datetime
    created_at: datetime
    address: str | None = None
    """Where a hold without a token was asked for, as long as it is active."""
    seal: int | None = None


@dataclass(frozen=True, slots=True)
class StockHoldLine:
    """What a cart asked for."""

    id: int
    hold_id: int
    item_id: int
    sku: str
    quantity: Decimal
    selected_options: dict[str, str]


@dataclass(frozen=True, slots=True)
class HeldUnits:
    """So many units of a level that a hold keeps, in the order of its plan."""

    id: int
    hold_id: int
    level_id: int
    quantity: Decimal


def is_active_of(address: str, hold: StockHold, now: datetime) -> bool:
    """Whether a hold is one of the active holds of an address."""
    return hold.address == address and state(hold.state, hold.expires_at, now) is StockHoldState.ACTIVE


def check(hold: StockHold, website_id: int, now: datetime, *path: str) -> None:
    """Refuse a hold that is over, or of another website."""
    check_active(hold.state, hold.expires_at, now, *path)
    if hold.website_id != website_id:
        raise wrong_state("The hold is of another website.", *path)
