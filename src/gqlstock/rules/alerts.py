"""When a low-inventory alert is raised and resolved: one alert for each fall below the threshold."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

SETTINGS = frozenset({"notify_below", "manage_stock"})
"""The settings that say whether an item is watched, and below which quantity."""


class AlertState(StrEnum):
    RAISED = "RAISED"
    RESOLVED = "RESOLVED"


class AlertStep(StrEnum):
    RAISE = "RAISE"
    RESOLVE = "RESOLVE"


def step(available: Decimal, notify_below: Decimal | None, *, is_open: bool) -> AlertStep | None:
    """What an item's quantity left says about its alert. (CS-Cart, nopCommerce, Magento)

    ``available`` is the sum of what its levels have, each cut at 0; thresholds are not taken off.
    """
    below = notify_below is not None and available < notify_below
    if below and not is_open:
        return AlertStep.RAISE
    if is_open and not below:
        return AlertStep.RESOLVE
    return None


@dataclass(frozen=True, slots=True)
class LowInventoryAlert:
    """One fall of an item below its threshold: over all active warehouses, or in the one that is named."""

    id: int
    item_id: int
    warehouse_id: int | None
    sku: str
    name: str
    code: str
    quantity_left: Decimal
    threshold: Decimal
    state: AlertState
    raised_at: datetime
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    resolved_at: datetime | None = None
    seal: int | None = None
