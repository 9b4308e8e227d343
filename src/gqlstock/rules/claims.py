"""What the claims of an identity provider's token say of a caller. Whether they are true, is checked before."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gqlstock.rules.scopes import Scope, actor

_NAMES = ("preferred_username", "email", "azp", "client_id")
"""The claims that may name a caller; the first that can stand in the ledger does, else the subject."""

_LONGEST_NAME = 255
# The owner of idempotency keys is kept with its mark in front.
_LONGEST_SUBJECT = 250


@dataclass(frozen=True, slots=True)
class Identity:
    """A subject of the provider. ``warehouses``: the codes of those whose stock it sees and moves; None for all."""

    name: str
    subject: str
    scopes: frozenset[Scope]
    warehouses: frozenset[str] | None


def read(claims: Mapping[str, Any]) -> Identity | None:
    """Whom claims speak of; None where they name no subject that can be kept."""
    subject = _text(claims.get("sub"))
    if subject is None or len(subject) > _LONGEST_SUBJECT:
        return None
    name = next((text for claim in _NAMES if (text := _text(claims.get(claim))) is not None), subject)
    given = _words(claims.get("scope"))
    scopes = frozenset(scope for scope in Scope if scope.value in given)
    return Identity(
        actor("jwt", name), subject, scopes, _words(claims["warehouses"]) if "warehouses" in claims else None
    )


def _text(value: Any) -> str | None:
    """A claim that can be kept as it is; None for any other."""
    fine = isinstance(value, str) and value.strip() and value.isprintable() and len(value) <= _LONGEST_NAME
    return value if fine else None


def _words(value: Any) -> frozenset[str]:
    """A claim of several words: a list, or one text with spaces between. What is neither, says nothing."""
    if isinstance(value, str):
        return frozenset(value.split())
    return frozenset(one for one in value if isinstance(one, str)) if isinstance(value, list) else frozenset()
