"""When something that could not be delivered is tried again, and when it is given up."""

from datetime import timedelta
from enum import StrEnum

# After the first attempt that failed, after the second, and so on; after the last of them it is given up.
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
    """How far something to deliver is."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"


def pause(failed: int, chance: float) -> timedelta | None:
    """How long to wait after that many failed attempts; None: no more.

    ``chance`` is a number from 0 to 1. What failed together is not tried again together: a tenth is added or taken off.
    """
    if failed > len(PAUSES):
        return None
    return PAUSES[failed - 1] * (1 - _JITTER + 2 * _JITTER * chance)


def longest(failed: int) -> timedelta:
    """The longest pause after that many failed attempts: what is put off for longer was so by another clock."""
    return PAUSES[min(failed, len(PAUSES)) - 1] * (1 + _JITTER) if failed > 0 else timedelta(0)
