"""API tokens, their state and their callers. ``services.tokens`` creates and revokes tokens."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gqlstock.rules.scopes import Caller, Scope, actor


class TokenState(StrEnum):
    UNUSED = "unused"
    """Its sign-in link has not been used: nobody has the token yet."""
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
    link_digest: str | None = None
    """The digest of the code of its sign-in link, until the link is used."""
    link_expires_at: datetime | None = None

    def state(self, now: datetime) -> TokenState:
        if self.revoked_at is not None:
            return TokenState.REVOKED
        is_expired = self.expires_at is not None and self.expires_at <= now
        if is_expired:
            return TokenState.EXPIRED
        return TokenState.VALID if self.link_digest is None else TokenState.UNUSED

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
