"""When an address may subscribe to an item, and when the item is back in stock. Mail is sent elsewhere."""

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
    """A subscription for one mail when the item is back in stock. ``created_at``: the time of the latest request."""

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
    """Whether an item can be ordered. For a product with options, whether any of its combinations can."""
    if assessment.reason is UnavailableReason.SELECT_OPTIONS:
        return assessment.salable is None or assessment.salable > ZERO
    return assessment.orderable


def check(sku: str, assessment: Assessment) -> None:
    """Refuse a subscription to an item that is in stock, or that new stock would not make orderable. (nopCommerce)"""
    if assessment.can_subscribe:
        return
    if is_back(assessment):
        raise wrong_state(f"{shown(sku)} can be ordered now.", "sku")
    if assessment.status is InventoryStatus.DISCONTINUED:
        raise wrong_state(f"{shown(sku)} is discontinued and will not be restocked.", "sku")
    if assessment.reason is UnavailableReason.NO_QUANTITY_ALLOWED:
        raise wrong_state(f"{shown(sku)} cannot be ordered in any quantity: {NO_QUANTITY}.", "sku")
    raise wrong_state(f"The shop does not offer back-in-stock notifications for {shown(sku)}.", "sku")


def key(email: str) -> str:
    """The case-insensitive comparison key of an address."""
    return email.casefold()
