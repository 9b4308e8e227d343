"""Idempotency keys: one call under one key happens once, and the same call again gets the same answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from gqlstock.rules import canonical, quantities, refusals, seals
from gqlstock.rules.refusals import Code, QuantityRules, Refusal, UnavailableReason
from gqlstock.rules.scopes import ANONYMOUS


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A key as a call used it: its owner (a token, or the public), its mutation, and the digest of its input."""

    owner: str
    mutation: str
    key: str
    digest: str
    asked_at: datetime | None = field(default=None, compare=False)
    """When the call arrived."""

    @property
    def place(self) -> tuple[str, str, str]:
        return self.owner, self.mutation, self.key


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What a call under a key was answered: the ids of what it made or touched, or why it was refused."""

    id: int
    owner: str
    mutation: str
    key: str
    digest: str
    answer: dict[str, Any] | None
    refused: bool
    created_at: datetime
    seal: int | None

    @property
    def place(self) -> tuple[str, str, str]:
        return self.owner, self.mutation, self.key


def sealed(key: IdempotencyKey, answer: Mapping[str, Any], *, refused: bool) -> int:
    """The seal of an answer that is kept under a key."""
    return seals.seal(*key.place, key.digest, answer, *(("refused",) if refused else ()))


def decides(kept: KeptAnswer, key: IdempotencyKey) -> bool:
    """Whether a kept answer decides a call. A refusal decides the same call only where that arrived before it.

    A call that is sent again while the first still waits may be decided first, by another process: it decides for both.
    A call that arrives after a refusal is decided anew.
    """
    if not kept.refused:
        return True
    return kept.digest == key.digest and key.asked_at is not None and key.asked_at < kept.created_at


def check(kept: KeptAnswer, key: IdempotencyKey) -> None:
    """Refuse a call whose key was used with another input."""
    # The input behind a key of an earlier release is not known any more. Its answer is the safe one: a conflict would
    # make a client try again under another key, and do twice what was done. The public shares its keys: it gets the conflict.
    comparable = canonical.is_comparable(kept.digest) or key.owner == ANONYMOUS.key
    if kept.digest != key.digest and comparable:
        raise Refusal(
            Code.IDEMPOTENCY_CONFLICT,
            f"The key {refusals.shown(key.key)} was used for another {key.mutation} before: take a new one.",
            ("idempotencyKey",),
        ).only()


def stored_refusals(found: Sequence[Refusal]) -> list[dict[str, Any]]:
    """Refusals as JSON."""
    return [{"kind": type(one).__name__} | _stored(one) for one in found]


def refusals_of(stored: Sequence[Mapping[str, Any]]) -> list[Refusal]:
    """The refusals that ``stored_refusals`` gave as JSON."""
    return [_KINDS[one["kind"]](**_read(one)) for one in stored]


def _stored(of: Any) -> dict[str, Any]:
    return {one.name: _json(getattr(of, one.name)) for one in fields(of)}


def _json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return quantities.text(value)
    if isinstance(value, QuantityRules):
        return _stored(value)
    return [_json(one) for one in value] if isinstance(value, tuple) else value


def _read(stored: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _READ[name](value) if name in _READ and value is not None else value
        for name, value in stored.items()
        if name != "kind"
    }


def _rules(stored: Mapping[str, Any]) -> QuantityRules:
    return QuantityRules(**_read(stored))


def _decimals(stored: Sequence[str]) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, stored))


_KINDS: dict[str, type[Refusal]] = {
    kind.__name__: kind
    for kind in (
        Refusal,
        refusals.InsufficientStock,
        refusals.QuantityNotAllowed,
        refusals.NotOrderable,
        refusals.StaleQuantity,
    )
}
_QUANTITIES = ("requested", "salable", "expected", "actual", "minimum", "maximum", "increment")
_READ: dict[str, Callable[[Any], Any]] = dict.fromkeys(_QUANTITIES, Decimal) | {
    "allowed": _decimals,
    "rules": _rules,
    "reason": UnavailableReason,
    "code": Code,
    "path": tuple,
}
"""What makes a field's value of its JSON."""
