"""Who may wait for an item, and when it is back."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gqlstock.rules.availability import Assessment
from gqlstock.rules.catalog import InventoryStatus
from gqlstock.rules.orders import NO_QUANTITY
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import UnavailableReason, shown, wrong_state


class BackInStockState(StrEnum):
    WAITING = "WAITING"
    NOTIFIED = "NOTIFIED"
    CANCELED = "CANCELED"


@dataclass(frozen=True, slots=True)
class BackInStockSubscription:
    """An address that is written to once, when the item is back. ``created_at`` is when it was last asked for."""

    id: int
    item_id: int
    website_id: int
    sku: str
    email: str
    email_key: str
    state: BackInStockState
    created_at: datetime
    notified_at: datetime | None = None


def is_back(found: Assessment) -> bool:
    """Whether an item that somebody waits for can be ordered. A product sold by its options: one of its combinations."""
    if found.reason is UnavailableReason.SELECT_OPTIONS:
        return found.salable is None or found.salable > ZERO
    return found.orderable


def check(sku: str, found: Assessment) -> None:
    """Refuse to wait for an item that is there, or that more stock would not bring back. (nopCommerce)"""
    if found.can_subscribe:
        return
    if is_back(found):
        raise wrong_state(f"{shown(sku)} can be ordered: there is nothing to wait for.", "sku")
    if found.status is InventoryStatus.DISCONTINUED:
        raise wrong_state(f"{shown(sku)} is discontinued: it will not come back.", "sku")
    if found.reason is UnavailableReason.NO_QUANTITY_ALLOWED:
        raise wrong_state(f"No quantity of {shown(sku)} can be ordered, whatever is in stock: {NO_QUANTITY}.", "sku")
    raise wrong_state(f"The shop does not tell when {shown(sku)} is back.", "sku")


def key(email: str) -> str:
    """What makes two addresses the same: compared without case."""
    return email.casefold()
