"""API tokens, their state and their callers. ``services.tokens`` creates and revokes tokens."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gqlstock.rules.scopes import Caller, Scope, actor


class TokenState(StrEnum):
    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token: the digest of its text, its scopes, and the ids of its warehouses (None for all)."""

    id: int
    name: str
    digest: str
    scopes: list[str]
    warehouses: list[int] | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    def state(self, now: datetime) -> TokenState:
        if self.revoked_at is not None:
            return TokenState.REVOKED
        is_expired = self.expires_at is not None and self.expires_at <= now
        return TokenState.EXPIRED if is_expired else TokenState.VALID

    @property
    def caller(self) -> Caller:
        """The caller that the token authenticates. Scopes of other releases are omitted."""
        known = {scope.value for scope in Scope}
        return Caller(
            actor("token", self.name),
            f"token:{self.id}",
            frozenset(Scope(scope) for scope in self.scopes if scope in known),
            warehouses=None if self.warehouses is None else frozenset(self.warehouses),
        )
