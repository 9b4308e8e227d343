"""Tokens of the API. Only a digest is kept: who reads the table cannot call with it."""

import hashlib
from collections.abc import Collection
from datetime import datetime

from tortoise import fields
from tortoise.models import Model

from gqlstock.rules import tokens as rules
from gqlstock.rules.scopes import Caller
from gqlstock.store.db import sql, writing
from gqlstock.store.db.records import records


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


async def insert(made: rules.ApiToken) -> None:
    await writing.insert(ApiToken, [made])


async def update(before: rules.ApiToken, after: rules.ApiToken) -> None:
    await writing.update(ApiToken, [(before, after)])


async def named(name: str) -> rules.ApiToken | None:
    found = await records(rules.ApiToken, ApiToken.filter(name=name))
    return found[0] if found else None


async def all_tokens() -> list[rules.ApiToken]:
    """Every token, oldest first."""
    return await records(rules.ApiToken, ApiToken.all().order_by("id"))


# PostgreSQL takes 32,767 values with one statement.
_ASKED_AT_ONCE = 10_000


async def callers(given: Collection[str], now: datetime) -> dict[str, Caller]:
    """Whom tokens stand for, without those that do not exist, are revoked or expired."""
    by_digest = {digest(token): token for token in given}
    wanted = list(by_digest)
    found: dict[str, Caller] = {}
    for start in range(0, len(wanted), _ASKED_AT_ONCE):
        part = wanted[start : start + _ASKED_AT_ONCE]
        valid = f"digest IN ({sql.slots(part)}) AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)"
        # Each request asks this: a QuerySet would take as long to build as the statement to run.
        statement = f"SELECT {{columns}} FROM api_token WHERE {valid}"
        found |= {by_digest[row.digest]: row.caller for row in await records(rules.ApiToken, statement, *part, now)}
    return found
