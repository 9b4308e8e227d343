"""The table of answers stored under idempotency keys. ``stock.idempotency`` decides what is stored and returned."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from gqlstock.rules import idempotency as rules
from gqlstock.rules.idempotency import IdempotencyKey
from gqlstock.store.db import clock, sql
from gqlstock.store.db.records import records


class KeptAnswer(Model):
    """A key belongs to one caller and one mutation. ``answer`` names the objects that the call made or touched."""

    id = fields.BigIntField(primary_key=True)
    owner = fields.CharField(max_length=255)
    mutation = fields.CharField(max_length=50)
    key = fields.CharField(max_length=255)
    digest = fields.CharField(max_length=64)
    answer: fields.Field[dict[str, Any] | None] = fields.JSONField(null=True)
    refused = fields.BooleanField(default=False, db_default=False)
    created_at = fields.DatetimeField()
    seal = fields.BigIntField(null=True)

    class Meta:
        table = "kept_answer"
        unique_together = (("owner", "mutation", "key"),)
        indexes = (("created_at",),)


async def kept(keys: Collection[IdempotencyKey]) -> dict[IdempotencyKey, rules.KeptAnswer]:
    """The stored answers for keys that were used before."""
    if not keys:
        return {}
    same = " OR ".join(["(owner = ? AND mutation = ? AND key = ?)"] * len(keys))
    places = (value for key in keys for value in key.place)
    found = await records(rules.KeptAnswer, f"SELECT {{columns}} FROM kept_answer WHERE {same}", *places)
    by_place = {row.place: row for row in found}
    return {key: by_place[key.place] for key in keys if key.place in by_place}


async def insert(answers: Mapping[IdempotencyKey, dict[str, Any]], refused: Collection[IdempotencyKey]) -> bool:
    """Store answers in key order. Returns False if another transaction has used one of the keys meanwhile."""
    keys, now = sorted(answers, key=lambda key: key.place), clock.now()
    inserted = await sql.execute(
        f"""INSERT INTO kept_answer (owner, mutation, key, digest, answer, refused, seal, created_at)
            VALUES {", ".join(["(?, ?, ?, ?, ?, ?, ?, ?)"] * len(keys))}
            ON CONFLICT (owner, mutation, key) DO NOTHING RETURNING id""",
        *(value for key in keys for value in (*_values(key, answers[key], refused=key in refused), now)),
    )
    return len(inserted) == len(keys)


def _values(key: IdempotencyKey, answer: dict[str, Any], *, refused: bool) -> tuple[Any, ...]:
    return (*key.place, key.digest, json.dumps(answer), refused, rules.sealed(key, answer, refused=refused))


async def has(key: IdempotencyKey) -> bool:
    """Whether a call with this key was executed."""
    owner, mutation, name = key.place
    return await KeptAnswer.filter(owner=owner, mutation=mutation, key=name, refused=False).exists()


async def remove(ids: Collection[int]) -> None:
    """Delete these answers."""
    await KeptAnswer.filter(id__in=set(ids)).delete()


async def sweep(before: datetime, refused_before: datetime) -> None:
    """Delete answers older than ``before``, and refusals older than ``refused_before``."""
    await KeptAnswer.filter(created_at__lt=before).delete()
    await KeptAnswer.filter(refused=True, created_at__lt=refused_before).delete()
