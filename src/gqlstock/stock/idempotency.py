"""One call under one key happens once: what it answered is kept with it, and answered again."""

from collections.abc import Collection, Mapping
from dataclasses import fields
from decimal import Decimal
from typing import Any

from gqlstock.rules import canonical, quantities, refusals
from gqlstock.rules.refusals import Code, Refusal, Refused, StaleQuantity
from gqlstock.rules.scopes import ANONYMOUS
from gqlstock.stock.command import Result
from gqlstock.store import database
from gqlstock.store import idempotency as rows
from gqlstock.store.idempotency import KeptAnswer
from gqlstock.store.idempotency import Ticket as IdempotencyKey


async def answers(keys: Collection[IdempotencyKey]) -> dict[IdempotencyKey, Result | Refused]:
    """What calls under these keys answered before. Read under the locks: whoever used a key has committed by now."""
    return {key: _answer(key, kept) for key, kept in (await rows.kept(list(keys))).items()}


def _answer(key: IdempotencyKey, kept: KeptAnswer) -> Result | Refused:
    # What was asked under a key of an earlier release is not known any more. Its answer is the safe one: a conflict would
    # make a client try again under another key, and do twice what was done. The public shares its keys: it gets the conflict.
    comparable = canonical.is_comparable(kept.digest) or key.owner == ANONYMOUS.key
    if kept.digest != key.digest and comparable:
        return Refusal(
            Code.IDEMPOTENCY_CONFLICT,
            f"The key {refusals.shown(key.key)} was used for another {key.mutation} before: take a new one.",
            ("idempotencyKey",),
        ).only()
    assert kept.answer is not None
    return Result(kept.answer["ids"], [_refusal(stored) for stored in kept.answer["refusals"]])


async def keep(made: Mapping[IdempotencyKey, Result]) -> None:
    """Keep what was answered under keys. Where another transaction has used one meanwhile, this one starts over."""
    stored = {
        key: {"ids": result.ids, "refusals": [_stored(refusal) for refusal in result.refusals]}
        for key, result in made.items()
    }
    if stored and not await rows.insert(stored):
        raise database.Outdated("a key was used meanwhile")


# The refusals that can stand in a kept answer: those of the rows of a partial stock mutation.
_KINDS: dict[str, type[Refusal]] = {
    kind.__name__: kind for kind in (Refusal, refusals.InsufficientStock, StaleQuantity)
}
_QUANTITIES = {"requested", "salable", "expected", "actual"}


def _stored(refusal: Refusal) -> dict[str, Any]:
    values = {f.name: getattr(refusal, f.name) for f in fields(refusal)}
    return {"kind": type(refusal).__name__} | {
        name: quantities.text(value) if isinstance(value, Decimal) else value for name, value in values.items()
    }


def _refusal(stored: dict[str, Any]) -> Refusal:
    values: dict[str, Any] = {
        name: Decimal(value) if name in _QUANTITIES and value is not None else value
        for name, value in stored.items()
        if name != "kind"
    }
    return _KINDS[stored["kind"]](**values | {"code": Code(values["code"]), "path": tuple(values["path"])})
