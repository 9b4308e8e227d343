"""Why a caller may see an order. The objects below the order are shown for the same reason."""

from enum import Enum
from typing import Any


class Audience(Enum):
    STAFF = "the caller has the scopes"
    BUYER = "the caller placed it, and receives its access token"
    SHOPPER = "the caller has its access token"


def is_shopper(parent: Any) -> bool:
    """Whether a part of an order is shown because the caller has the order's access token."""
    return bool(parent.audience is Audience.SHOPPER)
