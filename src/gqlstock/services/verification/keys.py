"""Verifies that no answer under an idempotency key was changed."""

from collections.abc import AsyncIterator

from gqlstock.rules import idempotency as rules
from gqlstock.rules.idempotency import IdempotencyKey, KeptAnswer
from gqlstock.services.verification.differences import Difference, content, different
from gqlstock.store import verification as stored


async def check() -> AsyncIterator[Difference]:
    async for part in stored.parts(KeptAnswer):
        for kept in part:
            place = f"Idempotency key {kept.key} of {kept.mutation}"
            if kept.answer is None:
                yield Difference(place, "answer", "missing", "kept")
                continue
            key = IdempotencyKey(kept.owner, kept.mutation, kept.key, kept.digest)
            for difference in different(
                place, [content(kept.seal, rules.sealed(key, kept.answer, refused=kept.refused))]
            ):
                yield difference
