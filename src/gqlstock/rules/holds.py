"""Holds of stock for carts: their duration, their state at a given time, and the limits for the public."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from gqlstock.rules.limits import PublicHolds
from gqlstock.rules.refusals import Code, Refusal, invalid, too_many, wrong_state

MIN_MINUTES, MAX_MINUTES = 1, 1_440


class StockHoldState(StrEnum):
    ACTIVE = "ACTIVE"
    ORDERED = "ORDERED"
    RELEASED = "RELEASED"
    EXPIRED = "EXPIRED"


def check_minutes(minutes: int) -> None:
    if not MIN_MINUTES <= minutes <= MAX_MINUTES:
        raise invalid(f"A hold must last {MIN_MINUTES} to {MAX_MINUTES} minutes, not {minutes}.", "minutes")


def check_public(minutes: int, lines: int, limits: PublicHolds) -> None:
    """Refuse a hold without a token that exceeds the public limits."""
    if minutes > limits.minutes:
        raise invalid(
            f"Without a token, a hold must last {MIN_MINUTES} to {limits.minutes} minutes, not {minutes}.", "minutes"
        )
    if lines > limits.lines:
        raise too_many("lines", lines, limits.lines, "lines")


def check_active_of_address(active: int, limits: PublicHolds) -> None:
    """Refuse another hold without a token if the address has reached its limit of active holds."""
    if active >= limits.active:
        raise Refusal(
            Code.TOO_MANY,
            f"Without a token, an address can have at most {limits.active} active holds; this one has {active}. "
            "Order or release one first.",
        ).only()


def is_expired(stored: StockHoldState, expires_at: datetime, now: datetime) -> bool:
    """Whether an active hold has expired. An expired hold counts nowhere. In SQL: ``store.holds.EXPIRED``."""
    return stored is StockHoldState.ACTIVE and expires_at <= now


def state(stored: StockHoldState, expires_at: datetime, now: datetime) -> StockHoldState:
    """The state of a hold now, whether or not a sweep has marked it as expired."""
    return StockHoldState.EXPIRED if is_expired(stored, expires_at, now) else stored


def check_active(stored: StockHoldState, expires_at: datetime, now: datetime, *path: str) -> None:
    """Refuse a hold that is not active."""
    found = state(stored, expires_at, now)
    if found is StockHoldState.EXPIRED:
        raise Refusal(Code.HOLD_EXPIRED, f"The hold expired at {expires_at.isoformat()}.", path).only()
    if found is not StockHoldState.ACTIVE:
        raise wrong_state(f"The hold is already {found.value.lower()}.", *path)


@dataclass(frozen=True, slots=True)
class StockHold:
    """Stock held for a cart until ``expires_at``, or until it is ordered or released."""

    id: int
    website_id: int
    state: StockHoldState
    expires_at: datetime
    created_at: datetime
    address: str | None = None
    """The network address of a guest, while the hold is active."""
    seal: int | None = None


@dataclass(frozen=True, slots=True)
class StockHoldLine:
    """A requested line of a hold."""

    id: int
    hold_id: int
    item_id: int
    sku: str
    quantity: Decimal
    selected_options: dict[str, str]


@dataclass(frozen=True, slots=True)
class HeldUnits:
    """The units of a level that a hold reserves. Ids follow the order of its plan."""

    id: int
    hold_id: int
    level_id: int
    quantity: Decimal


def is_active_of(address: str, hold: StockHold, now: datetime) -> bool:
    """Whether a hold is one of the active holds of an address."""
    return hold.address == address and state(hold.state, hold.expires_at, now) is StockHoldState.ACTIVE


def check(hold: StockHold, website_id: int, now: datetime, *path: str) -> None:
    """Refuse a hold that is not active or belongs to another website."""
    check_active(hold.state, hold.expires_at, now, *path)
    if hold.website_id != website_id:
        raise wrong_state("The hold belongs to another website.", *path)
