"""When a failed delivery is retried, and when it fails for good."""

from datetime import timedelta
from enum import StrEnum

# The pause after each failed attempt. A delivery fails for good after one attempt more.
PAUSES = (
    timedelta(seconds=1),
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
)
_JITTER = 0.1


class WorkState(StrEnum):
    """The state of a delivery."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"


def pause(failed: int, chance: float) -> timedelta | None:
    """The pause after that many failed attempts; None: no retry.

    ``chance``, a number from 0 to 1, adds or deducts up to a tenth, so that failures of one moment spread out.
    """
    if failed > len(PAUSES):
        return None
    return PAUSES[failed - 1] * (1 - _JITTER + 2 * _JITTER * chance)


def longest(failed: int) -> timedelta:
    """The longest pause after that many failed attempts. A longer wait was set by another clock."""
    return PAUSES[min(failed, len(PAUSES)) - 1] * (1 + _JITTER) if failed > 0 else timedelta(0)
