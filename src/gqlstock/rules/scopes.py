"""Scopes of tokens and callers of requests: who may do what. Tokens are verified elsewhere."""

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
"""Scopes that tokens limited to some warehouses cannot have: webhooks report the stock of all warehouses."""


@dataclass(frozen=True)
class Caller:
    """The caller of a request. ``name``: the actor in the ledger; ``key``: the owner of its idempotency keys.

    ``warehouses``: the ids of the warehouses that it is limited to; None for all.
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
        """Whether the caller may see and move the stock of a warehouse; None stands for all warehouses together."""
        return self.warehouses is None or warehouse_id in self.warehouses

    @cached_property
    def identity(self) -> tuple[object, ...]:
        """Equal for equal callers, and faster to hash and compare."""
        return self.name, self.key, self.scopes, self.authenticated, self.warehouses

    @cached_property
    def unnamed(self) -> "Caller":
        """The caller without its name and key. Callers with equal values have the same permissions."""
        return replace(self, name="", key="")

    @cached_property
    def sees_all_stock(self) -> bool:
        """Whether the caller sees the figures over all warehouses that the shop hides from the public."""
        return self.warehouses is None and self.may(Scope.INVENTORY_READ)

    @cached_property
    def sees_orders_in_full(self) -> bool:
        """Whether the caller sees the quantities and dates of orders that the shop hides from the public."""
        return self.may(Scope.ORDERS_READ) or self.may(Scope.ORDERS_WRITE) or self.sees_all_stock


ANONYMOUS = Caller(name="anonymous", key="anonymous", authenticated=False)
"""The public. All anonymous callers share one space of idempotency keys."""

SYSTEM = Caller(name="gqlstock", key="system", scopes=frozenset({Scope.ADMIN}))
"""The server itself and its commands."""

_RESERVED = frozenset({SYSTEM.name, ANONYMOUS.name})
_MAX_NAME = 255


def is_reserved(name: str) -> bool:
    """Whether a name looks like the name of the system or of the public in the ledger.

    Ignores case, spaces, accents, invisible characters and the difference between compatible Unicode letters.
    """
    letters = (c for c in unicodedata.normalize("NFKD", name) if unicodedata.category(c)[0] not in "ZCM")
    return "".join(letters).casefold() in _RESERVED


def actor(kind: str, name: str) -> str:
    """The name of a caller in the ledger. A reserved name is prefixed with the kind of the token."""
    return f"{kind}:{name}"[:_MAX_NAME] if is_reserved(name) else name
