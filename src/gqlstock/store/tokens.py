"""Tokens of the API. Only a digest is kept: who reads the table cannot call with it."""

import hashlib
from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.expressions import Q
from tortoise.models import Model

from gqlstock.rules.scopes import Caller, Scope


class ApiToken(Model):
    id = fields.BigIntField(primary_key=True)
    name = fields.CharField(max_length=255, unique=True)
    digest = fields.CharField(max_length=64, unique=True)
    scopes: fields.Field[list[str]] = fields.JSONField()
    created_at = fields.DatetimeField(auto_now_add=True)
    expires_at = fields.DatetimeField(null=True)
    revoked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "api_token"


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


async def create(name: str, token: str, scopes: frozenset[Scope]) -> ApiToken:
    return await ApiToken.create(name=name, digest=digest(token), scopes=sorted(scopes))


async def exists(name: str) -> bool:
    return await ApiToken.exists(name=name)


async def caller(token: str, now: datetime) -> Caller | None:
    """Whom a token stands for; None when there is no such token, or it is revoked or expired."""
    unexpired: Any = Q(expires_at=None) | Q(expires_at__gt=now)
    found = await ApiToken.get_or_none(unexpired, digest=digest(token), revoked_at=None)
    if found is None:
        return None
    known = {scope.value for scope in Scope}
    return Caller(found.name, f"token:{found.id}", frozenset(Scope(s) for s in found.scopes if s in known))
