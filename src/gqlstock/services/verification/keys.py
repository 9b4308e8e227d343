"""Whether the answers that are kept under idempotency keys are as they were given."""

from collections.abc import AsyncIterator

from gqlstock.services.verification.differences import Difference, content, different
from gqlstock.store import verification as rows


async def check() -> AsyncIterator[Difference]:
    async for part in rows.kept_answers():
        for kept in part:
            place = f"Idempotency key {kept.key} of {kept.mutation}"
            if kept.answer is None:
                yield Difference(place, "answer", "missing", "kept")
                continue
            for difference in different(place, [content(kept.seal, kept.sealed(kept.answer))]):
                yield difference
