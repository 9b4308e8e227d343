"""Who may do what: the scopes a token can carry, and the caller that a request acts for."""

import unicodedata
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property


class Scope(StrEnum):
    CATALOG_READ = "catalog:read"
    CATALOG_WRITE = "catalog:write"
    INVENTORY_READ = "inventory:read"
    INVENTORY_WRITE = "inventory:write"
    ORDERS_READ = "orders:read"
    ORDERS_WRITE = "orders:write"
    SETTINGS_WRITE = "settings:write"
    WEBHOOKS_WRITE = "webhooks:write"
    ADMIN = "admin"


OVER_ALL_WAREHOUSES = frozenset({Scope.WEBHOOKS_WRITE})
"""What has no part that belongs to one warehouse: webhooks tell of the stock of all of them."""


@dataclass(frozen=True)
class Caller:
    """Whoever asks. ``name`` stands as the actor in the ledger; ``key`` owns the idempotency keys.

    ``warehouses``: the ids of those whose stock it sees and moves, and of no other; None for all.
    """

    name: str
    key: str
    scopes: frozenset[Scope] = frozenset()
    authenticated: bool = True
    warehouses: frozenset[int] | None = None

    def may(self, scope: Scope) -> bool:
        if self.warehouses is not None and scope in OVER_ALL_WAREHOUSES:
            return False
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def reaches(self, warehouse_id: int | None) -> bool:
        """Whether the stock of a warehouse is this caller's to see and to move; None: of all of them together."""
        return self.warehouses is None or warehouse_id in self.warehouses

    @cached_property
    def unnamed(self) -> "Caller":
        """The caller without who it is: callers of whom this is equal may see and do the same."""
        return replace(self, name="", key="")

    @cached_property
    def sees_all_stock(self) -> bool:
        """Whether figures over all warehouses may be shown where the shop does not show them."""
        return self.warehouses is None and self.may(Scope.INVENTORY_READ)


ANONYMOUS = Caller(name="anonymous", key="anonymous", authenticated=False)
"""The public. All anonymous callers share one space of idempotency keys."""

SYSTEM = Caller(name="gqlstock", key="system", scopes=frozenset({Scope.ADMIN}))
"""The server itself and its commands."""

_RESERVED = frozenset({SYSTEM.name, ANONYMOUS.name})
_LONGEST_NAME = 255


def is_reserved(name: str) -> bool:
    """Whether a name reads as one that the ledger has for the system itself or for the public.

    Case, spaces, accents, invisible characters and the compatible letters of Unicode make no other name of it.
    """
    letters = (c for c in unicodedata.normalize("NFKD", name) if unicodedata.category(c)[0] not in "ZCM")
    return "".join(letters).casefold() in _RESERVED


def actor(kind: str, name: str) -> str:
    """What the ledger calls a caller; one whose name is reserved stands there with what vouches for it."""
    return f"{kind}:{name}"[:_LONGEST_NAME] if is_reserved(name) else name
