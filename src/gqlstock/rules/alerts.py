"""When a low-inventory alert is raised and resolved: one alert for each fall below the threshold."""

from decimal import Decimal
from enum import StrEnum

SETTINGS = frozenset({"notify_below", "manage_stock"})
"""The settings that say whether an item is watched, and below which quantity."""


class AlertState(StrEnum):
    RAISED = "RAISED"
    RESOLVED = "RESOLVED"


class Step(StrEnum):
    RAISE = "RAISE"
    RESOLVE = "RESOLVE"


def step(available: Decimal, notify_below: Decimal | None, *, is_open: bool) -> Step | None:
    """What an item's quantity left says about its alert. (CS-Cart, nopCommerce, Magento)

    ``available`` is the sum of what its levels have, each cut at 0; thresholds are not taken off.
    """
    below = notify_below is not None and available < notify_below
    if below and not is_open:
        return Step.RAISE
    if is_open and not below:
        return Step.RESOLVE
    return None
