"""Idempotency keys: a call with a key is carried out once, and a repeated call gets the same answer.

``stock.idempotency`` stores the answers.
"""

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
    """The key of a call, with its owner (a token or the public), its mutation and the digest of its input."""

    owner: str
    mutation: str
    key: str
    digest: str
    arrived_at: datetime | None = field(default=None, compare=False)
    """When the call arrived."""

    @property
    def place(self) -> tuple[str, str, str]:
        return self.owner, self.mutation, self.key


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """The stored answer of a call: the ids of the objects it created or changed, or its refusals."""

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
    """The seal of a stored answer."""
    return seals.seal(*key.place, key.digest, answer, *(("refused",) if refused else ()))


def decides(kept: KeptAnswer, key: IdempotencyKey) -> bool:
    """Whether a stored answer applies to a call. A refusal only applies to an identical call that arrived before it.

    A client may retry a call while the first attempt still waits in another process; the one decided first answers both.
    A call that arrives after a refusal is decided again.
    """
    if not kept.refused:
        return True
    return kept.digest == key.digest and key.arrived_at is not None and key.arrived_at < kept.created_at


def check(kept: KeptAnswer, key: IdempotencyKey) -> None:
    """Refuse a call whose key was used with another input."""
    # Digests of earlier releases cannot be compared. Returning the stored answer is safer: after a conflict, a client would
    # repeat the change with another key. Anonymous callers share one key space, so they get the conflict.
    comparable = canonical.is_comparable(kept.digest) or key.owner == ANONYMOUS.key
    if kept.digest != key.digest and comparable:
        raise Refusal(
            Code.IDEMPOTENCY_CONFLICT,
            f"The idempotency key {refusals.shown(key.key)} was used for a different {key.mutation}; use a new key.",
            ("idempotencyKey",),
        ).only()


def stored_refusals(found: Sequence[Refusal]) -> list[dict[str, Any]]:
    """Refusals as JSON."""
    return [{"kind": type(one).__name__} | _stored(one) for one in found]


def refusals_of(stored: Sequence[Mapping[str, Any]]) -> list[Refusal]:
    """The refusals in JSON that ``stored_refusals`` wrote."""
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
"""Converts the JSON of a field to its value."""
