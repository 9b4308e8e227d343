"""One call under one key happens once: what it answered is kept with it, and answered again."""

from collections.abc import Iterable, Mapping

from gqlstock.rules.refusals import Refused
from gqlstock.stock.command import Result
from gqlstock.store import idempotency as rows
from gqlstock.store.idempotency import Ticket as IdempotencyKey


async def answers(keys: Iterable[IdempotencyKey]) -> dict[IdempotencyKey, Result | Refused]:
    """What is kept under keys that were used before."""
    return {}


async def keep(made: Mapping[IdempotencyKey, Result]) -> None:
    """Keep what was answered under keys."""


__all__ = ["IdempotencyKey", "answers", "keep", "rows"]
