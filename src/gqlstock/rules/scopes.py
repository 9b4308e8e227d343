"""Who may do what: the scopes a token can carry, and the caller that a request acts for."""

from dataclasses import dataclass
from enum import StrEnum


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


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever asks. ``name`` stands as the actor in the ledger; ``key`` owns the idempotency keys."""

    name: str
    key: str
    scopes: frozenset[Scope] = frozenset()
    authenticated: bool = True

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes or Scope.ADMIN in self.scopes


ANONYMOUS = Caller(name="anonymous", key="anonymous", authenticated=False)
"""The public. All anonymous callers share one space of idempotency keys."""

SYSTEM = Caller(name="gqlstock", key="system", scopes=frozenset({Scope.ADMIN}))
"""The server itself and its commands."""
