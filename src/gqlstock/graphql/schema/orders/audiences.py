"""Why a caller is shown an order. What hangs below the order is shown for the same reason."""

from enum import Enum
from typing import Any


class Audience(Enum):
    STAFF = "the scopes of the caller"
    BUYER = "the caller placed it, and is given its access token"
    SHOPPER = "the caller has its access token"


def is_shopper(parent: Any) -> bool:
    """Whether a part of an order is shown to who has the order's access token."""
    return bool(parent.audience is Audience.SHOPPER)
