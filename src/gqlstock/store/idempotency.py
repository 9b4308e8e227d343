"""Answers kept under idempotency keys, so that a repeated call changes nothing twice."""

from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from gqlstock.store import database


class KeptAnswer(Model):
    """A key belongs to one caller and one mutation. ``answer`` names the objects that the call made or touched."""

    id = fields.BigIntField(primary_key=True)
    owner = fields.CharField(max_length=255)
    mutation = fields.CharField(max_length=50)
    key = fields.CharField(max_length=255)
    digest = fields.CharField(max_length=64)
    answer: fields.Field[dict[str, Any] | None] = fields.JSONField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "kept_answer"
        unique_together = (("owner", "mutation", "key"),)
        indexes = (("created_at",),)


async def claim(owner: str, mutation: str, key: str, digest: str) -> KeptAnswer | None:
    """Take a key for this transaction; None when it is ours now, else what is kept under it.

    While another transaction has the key, PostgreSQL waits here for its end, and SQLite's one writer before.
    """
    made = await database.execute(
        """INSERT INTO kept_answer (owner, mutation, key, digest, created_at) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (owner, mutation, key) DO NOTHING RETURNING id""",
        owner,
        mutation,
        key,
        digest,
        database.now(),
    )
    return None if made else await KeptAnswer.get(owner=owner, mutation=mutation, key=key)


async def keep(owner: str, mutation: str, key: str, answer: dict[str, Any]) -> None:
    await KeptAnswer.filter(owner=owner, mutation=mutation, key=key).update(answer=answer)


async def sweep(before: datetime) -> None:
    """Forget what was kept before that moment."""
    await KeptAnswer.filter(created_at__lt=before).delete()
