"""One call under one key happens once: what a mutation answered is kept and answered again."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, fields
from datetime import timedelta
from decimal import Decimal
from typing import Any

from gqlstock.rules import catalog, quantities, refusals
from gqlstock.rules.refusals import Code, Refusal, StaleQuantity
from gqlstock.rules.scopes import Caller
from gqlstock.store import database, idempotency


@dataclass(frozen=True, slots=True)
class Kept:
    """What a mutation answers, as it is kept: the ids of what it made or touched, and what it refused besides."""

    ids: dict[str, list[int]]
    refusals: list[Refusal] = field(default_factory=list)


async def once(
    caller: Caller, mutation: str, key: str | None, asked: object, work: Callable[[], Awaitable[Kept]]
) -> Kept:
    """Run ``work`` in a transaction, or give what it answered when this caller used the key for this mutation before.

    ``asked`` is the parsed input, in frozen dataclasses: two inputs are the same when they are equal. An input that
    is refused keeps nothing. A second call while the first runs waits for it.
    """
    if key is None:
        return await database.transaction(work)
    name = catalog.text(key, "idempotencyKey", "idempotencyKey")
    digest = hashlib.sha256(repr(asked).encode()).hexdigest()

    async def run() -> Kept:
        kept = await idempotency.claim(caller.key, mutation, name, digest)
        if kept is None:
            made = await work()
            told = [_told(refusal) for refusal in made.refusals]
            await idempotency.keep(caller.key, mutation, name, {"ids": made.ids, "refusals": told})
            return made
        if kept.digest != digest:
            raise Refusal(
                Code.IDEMPOTENCY_CONFLICT,
                f"The key {refusals.shown(name)} was used for another {mutation} before: take a new one.",
                ("idempotencyKey",),
            ).only()
        assert kept.answer is not None
        return Kept(kept.answer["ids"], [_heard(told) for told in kept.answer["refusals"]])

    return await database.transaction(run)


async def forget(older_than: timedelta) -> None:
    """Forget the answers that have been kept for longer than that."""
    await idempotency.sweep(database.now() - older_than)


# The refusals that can stand in a kept answer: those of the rows of a partial stock mutation.
_KINDS: dict[str, type[Refusal]] = {
    kind.__name__: kind for kind in (Refusal, refusals.InsufficientStock, StaleQuantity)
}
_QUANTITIES = {"requested", "salable", "expected", "actual"}


def _told(refusal: Refusal) -> dict[str, Any]:
    values = {f.name: getattr(refusal, f.name) for f in fields(refusal)}
    return {"kind": type(refusal).__name__} | {
        name: quantities.text(value) if isinstance(value, Decimal) else value for name, value in values.items()
    }


def _heard(told: dict[str, Any]) -> Refusal:
    values: dict[str, Any] = {
        name: Decimal(value) if name in _QUANTITIES and value is not None else value
        for name, value in told.items()
        if name != "kind"
    }
    return _KINDS[told["kind"]](**values | {"code": Code(values["code"]), "path": tuple(values["path"])})
