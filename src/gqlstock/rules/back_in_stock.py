"""When an address may subscribe to an item, and when the item is back. Sending mail is not decided here."""

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
    """An address that gets one mail when the item is back. ``created_at``: the latest request."""

    id: int
    item_id: int
    website_id: int
    sku: str
    email: str
    email_key: str
    state: BackInStockState
    created_at: datetime
    notified_at: datetime | None = None


def is_back(assessment: Assessment) -> bool:
    """Whether an item can be ordered; of a product sold by its options, any combination."""
    if assessment.reason is UnavailableReason.SELECT_OPTIONS:
        return assessment.salable is None or assessment.salable > ZERO
    return assessment.orderable


def check(sku: str, assessment: Assessment) -> None:
    """Refuse a subscription to an item that is in stock or that stock would not bring back. (nopCommerce)"""
    if assessment.can_subscribe:
        return
    if is_back(assessment):
        raise wrong_state(f"{shown(sku)} can be ordered: there is nothing to wait for.", "sku")
    if assessment.status is InventoryStatus.DISCONTINUED:
        raise wrong_state(f"{shown(sku)} is discontinued: it will not come back.", "sku")
    if assessment.reason is UnavailableReason.NO_QUANTITY_ALLOWED:
        raise wrong_state(f"No quantity of {shown(sku)} can be ordered, whatever is in stock: {NO_QUANTITY}.", "sku")
    raise wrong_state(f"The shop does not tell when {shown(sku)} is back.", "sku")


def key(email: str) -> str:
    """The comparison key of an address: without case."""
    return email.casefold()
