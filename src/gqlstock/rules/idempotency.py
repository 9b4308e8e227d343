"""Answers kept under idempotency keys."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gqlstock.rules import seals


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """A key belongs to one caller and one mutation. ``answer`` names the objects that the call made or touched."""

    id: int
    owner: str
    mutation: str
    key: str
    digest: str
    answer: dict[str, Any] | None
    created_at: datetime
    seal: int | None

    def sealed(self, answer: dict[str, Any]) -> int:
        """The seal of an answer that is kept under this key."""
        return seals.seal(self.owner, self.mutation, self.key, self.digest, answer)
