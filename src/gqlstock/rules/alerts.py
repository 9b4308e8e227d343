"""When low-inventory alerts are raised and resolved. A quantity that falls below its threshold raises one alert."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

SETTINGS = frozenset({"notify_below", "manage_stock"})
"""The settings that alerts depend on."""


class AlertState(StrEnum):
    RAISED = "RAISED"
    RESOLVED = "RESOLVED"


class AlertStep(StrEnum):
    RAISE = "RAISE"
    RESOLVE = "RESOLVE"


def step(available: Decimal, notify_below: Decimal | None, *, is_open: bool) -> AlertStep | None:
    """Whether to raise or resolve an alert; None for neither. (CS-Cart, nopCommerce, Magento)

    ``available`` is the sum over the levels, each at least 0, before any threshold is deducted.
    """
    below = notify_below is not None and available < notify_below
    if below and not is_open:
        return AlertStep.RAISE
    if is_open and not below:
        return AlertStep.RESOLVE
    return None


@dataclass(frozen=True, slots=True)
class LowInventoryAlert:
    """An item is below its threshold, in one warehouse or over all active warehouses (``warehouse_id`` None)."""

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
