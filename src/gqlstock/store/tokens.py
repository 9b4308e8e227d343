"""Tokens of the API. Only a digest is kept: who reads the table cannot call with it."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from tortoise import fields
from tortoise.models import Model

from gqlstock.rules.scopes import Caller, Scope, actor
from gqlstock.store import database


class ApiToken(Model):
    id = fields.BigIntField(primary_key=True)
    name = fields.CharField(max_length=255, unique=True)
    digest = fields.CharField(max_length=64, unique=True)
    scopes: fields.Field[list[str]] = fields.JSONField()
    warehouses: fields.Field[list[int] | None] = fields.JSONField(null=True)
    """The ids of those that it is for; None for all."""
    created_at = fields.DatetimeField(auto_now_add=True)
    expires_at = fields.DatetimeField(null=True)
    revoked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "api_token"


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token is for: scopes, warehouses by id (None for all), and the moment from which it is worth nothing."""

    scopes: frozenset[Scope]
    warehouses: frozenset[int] | None = None
    expires_at: datetime | None = None


async def create(name: str, token: str, grant: Grant, now: datetime, again: ApiToken | None = None) -> ApiToken:
    """Write a token; ``again``: in the place of a revoked one of that name."""
    row = again or ApiToken(name=name)
    row.digest = digest(token)
    row.scopes = sorted(grant.scopes)
    row.warehouses = None if grant.warehouses is None else sorted(grant.warehouses)
    row.created_at, row.expires_at, row.revoked_at = now, grant.expires_at, None
    await row.save()
    return row


async def named(name: str) -> ApiToken | None:
    return await ApiToken.get_or_none(name=name)


async def all_tokens() -> list[ApiToken]:
    """Every token, oldest first."""
    return await ApiToken.all().order_by("id")


async def revoke(token: ApiToken, at: datetime) -> None:
    token.revoked_at = at
    await token.save(update_fields=["revoked_at"])


# PostgreSQL takes 32,767 values with one statement.
_ASKED_AT_ONCE = 10_000


async def callers(given: Collection[str], now: datetime) -> dict[str, Caller]:
    """Whom tokens stand for, without those that do not exist, are revoked or expired."""
    by_digest = {digest(token): token for token in given}
    wanted = list(by_digest)
    found: dict[str, Caller] = {}
    for start in range(0, len(wanted), _ASKED_AT_ONCE):
        part = wanted[start : start + _ASKED_AT_ONCE]
        standing = (
            f"digest IN ({database.slots(part)}) AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)"
        )
        for row in await database.rows(ApiToken, standing, *part, now):
            found[by_digest[row.digest]] = _caller(row)
    return found


def _caller(row: ApiToken) -> Caller:
    known = {scope.value for scope in Scope}
    return Caller(
        actor("token", row.name),
        f"token:{row.id}",
        frozenset(Scope(s) for s in row.scopes if s in known),
        warehouses=None if row.warehouses is None else frozenset(row.warehouses),
    )
