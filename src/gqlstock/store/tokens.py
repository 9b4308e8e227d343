"""The table of API tokens. It stores only digests, so a copy of the table contains no usable token."""

import hashlib
from collections.abc import Collection
from datetime import datetime

from tortoise import fields
from tortoise.models import Model

from gqlstock.rules import tokens as rules
from gqlstock.store.db import sql, writing
from gqlstock.store.db.records import records


class ApiToken(Model):
    id = fields.BigIntField(primary_key=True)
    name = fields.CharField(max_length=255, unique=True)
    digest = fields.CharField(max_length=64, unique=True)
    scopes: fields.Field[list[str]] = fields.JSONField()
    warehouses: fields.Field[list[int] | None] = fields.JSONField(null=True)
    """The ids of the warehouses that the token is limited to; None for all."""
    created_at = fields.DatetimeField(auto_now_add=True)
    expires_at = fields.DatetimeField(null=True)
    revoked_at = fields.DatetimeField(null=True)
    link_digest = fields.CharField(max_length=64, null=True)
    """Of the code of its sign-in link; None if it has none, or once it is used."""
    link_expires_at = fields.DatetimeField(null=True)

    class Meta:
        table = "api_token"


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


async def insert(new: rules.ApiToken) -> None:
    await writing.insert(ApiToken, [new])


async def update(before: rules.ApiToken, after: rules.ApiToken) -> None:
    await writing.update(ApiToken, [(before, after)])


async def named(name: str) -> rules.ApiToken | None:
    found = await records(rules.ApiToken, ApiToken.filter(name=name))
    return found[0] if found else None


async def use_link(link_digest: str, token_digest: str, now: datetime) -> bool:
    """Store the digest of the token that a link is exchanged for. False if the link is unknown, used or expired.

    Of calls at once, one succeeds: the others wait for its row, and then find it without a link.
    """
    return bool(
        await sql.execute(
            """UPDATE api_token SET digest = ?, link_digest = NULL, link_expires_at = NULL
               WHERE link_digest = ? AND link_expires_at > ? AND revoked_at IS NULL
                 AND (expires_at IS NULL OR expires_at > ?) RETURNING id""",
            token_digest,
            link_digest,
            now,
            now,
        )
    )


async def all_tokens() -> list[rules.ApiToken]:
    """Every token, oldest first."""
    return await records(rules.ApiToken, ApiToken.all().order_by("id"))


# PostgreSQL accepts at most 32,767 parameters per statement.
_TOKENS_PER_STATEMENT = 10_000


async def valid(digests: Collection[str], now: datetime) -> list[rules.ApiToken]:
    """The tokens with these digests that are neither revoked nor expired."""
    found: list[rules.ApiToken] = []
    for part in sql.parts(digests, _TOKENS_PER_STATEMENT):
        condition = f"digest IN ({sql.slots(part)}) AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)"
        # SQL, because building a QuerySet takes as long as running the statement.
        found += await records(rules.ApiToken, f"SELECT {{columns}} FROM api_token WHERE {condition}", *part, now)
    return found
