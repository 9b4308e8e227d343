"""When a failed delivery is retried, and when it fails permanently."""

from datetime import timedelta
from enum import StrEnum

# The pause after each failed attempt. A delivery fails permanently after one more attempt.
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
    """The pause after that many failed attempts; None for no retry.

    ``chance``, a random number from 0 to 1, adds jitter of up to a tenth either way, to spread out simultaneous failures.
    """
    if failed > len(PAUSES):
        return None
    return PAUSES[failed - 1] * (1 - _JITTER + 2 * _JITTER * chance)


def longest(failed: int) -> timedelta:
    """The longest pause after that many failed attempts. A longer wait was set before the clock was set back."""
    return PAUSES[min(failed, len(PAUSES)) - 1] * (1 + _JITTER) if failed > 0 else timedelta(0)
