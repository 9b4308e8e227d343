"""Reads the caller from the claims of an identity provider's token, which is already verified."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gqlstock.rules.scopes import Scope, actor

_NAMES = ("preferred_username", "email", "azp", "client_id")
"""The claims that may name the caller. The first valid one is used, else the subject."""

_MAX_NAME = 255
# The owner of an idempotency key is stored with the prefix "jwt:".
_MAX_SUBJECT = 250


@dataclass(frozen=True, slots=True)
class Identity:
    """A subject of the provider. ``warehouses``: the codes of the warehouses that it is limited to; None for all."""

    name: str
    subject: str
    scopes: frozenset[Scope]
    warehouses: frozenset[str] | None


def read(claims: Mapping[str, Any]) -> Identity | None:
    """The identity in the claims; None without a valid subject."""
    subject = _text(claims.get("sub"))
    if subject is None or len(subject) > _MAX_SUBJECT:
        return None
    name = next((text for claim in _NAMES if (text := _text(claims.get(claim))) is not None), subject)
    granted = _words(claims.get("scope"))
    scopes = frozenset(scope for scope in Scope if scope.value in granted)
    return Identity(
        actor("jwt", name), subject, scopes, _words(claims["warehouses"]) if "warehouses" in claims else None
    )


def _text(value: Any) -> str | None:
    """The value of a text claim that can be stored unchanged; None for any other value."""
    is_valid = isinstance(value, str) and value.strip() and value.isprintable() and len(value) <= _MAX_NAME
    return value if is_valid else None


def _words(value: Any) -> frozenset[str]:
    """The words of a claim: a list, or a text separated by spaces. Any other value has none."""
    if isinstance(value, str):
        return frozenset(value.split())
    return frozenset(one for one in value if isinstance(one, str)) if isinstance(value, list) else frozenset()
