"""One call under one key happens once: what a mutation answered is kept and answered again."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar, Protocol

from gqlstock.rules import canonical, catalog, quantities, refusals, skus
from gqlstock.rules.refusals import Code, Refusal, Refused, StaleQuantity
from gqlstock.rules.scopes import ANONYMOUS, Caller
from gqlstock.store import database, idempotency, warehouses
from gqlstock.store.idempotency import KeptAnswer, Ticket


@dataclass(frozen=True, slots=True)
class Kept:
    """What a mutation answers, as it is kept: the ids of what it made or touched, and what it refused besides."""

    ids: dict[str, list[int]]
    refusals: list[Refusal] = field(default_factory=list)
    rows: Sequence[object] = field(default=(), compare=False)
    """Those of the objects that are at hand as they were just written; not kept."""


class _OnWebsite(Protocol):
    """A request on a website; None is the default one."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def website(self) -> str | None: ...


def ticket(caller: Caller, mutation: str, key: str | None, asked: object) -> Ticket | None:
    """A key as a caller used it; None for none.

    ``asked`` is the parsed input, in frozen dataclasses; two inputs are the same when ``canonical`` says so.
    """
    if key is None:
        return None
    name = catalog.text(key, "idempotencyKey", "idempotencyKey")
    return Ticket(caller.key, mutation, name, canonical.digest(asked))


async def ticket_on_website(caller: Caller, mutation: str, key: str | None, asked: _OnWebsite) -> Ticket | None:
    """Like ``ticket``, but naming the default website and leaving it out give the same ticket."""
    named = skus.normalized(asked.website) if key is not None and asked.website is not None else None
    if named is not None and named == await warehouses.default_website_code():
        asked = replace(asked, website=None)
    return ticket(caller, mutation, key, asked)


async def is_used(caller: Caller, mutation: str, key: str) -> bool:
    """Whether a call of that mutation under that key has been answered."""
    return await idempotency.has(
        Ticket(caller.key, mutation, catalog.text(key, "idempotencyKey", "idempotencyKey"), "")
    )


async def once(used: Ticket | None, work: Callable[[], Awaitable[Kept]]) -> Kept:
    """Run ``work`` in a transaction, or give what it answered when the key was used before.

    An input that is refused keeps nothing. A second call while the first runs waits for it.
    """
    if used is None:
        return await database.transaction(work)

    async def run() -> Kept:
        answered = (await claim([used])).get(used)
        if isinstance(answered, Refused):
            raise answered
        if answered is not None:
            return answered
        made = await work()
        await settle({used: made})
        return made

    return await database.transaction(run)


async def claim(used: Sequence[Ticket]) -> dict[Ticket, Kept | Refused]:
    """Take keys for the running transaction; for those that were used before, what they answer now."""
    return {ticket: _again(ticket, kept) for ticket, kept in (await idempotency.claim(used)).items()}


def _again(used: Ticket, kept: KeptAnswer) -> Kept | Refused:
    # What was asked under a key of an earlier release is not known any more. Its answer is the safe one: a conflict would
    # make a client try again under another key, and do twice what was done. The public shares its keys: it gets the conflict.
    comparable = canonical.is_comparable(kept.digest) or used.owner == ANONYMOUS.key
    if kept.digest != used.digest and comparable:
        return Refusal(
            Code.IDEMPOTENCY_CONFLICT,
            f"The key {refusals.shown(used.key)} was used for another {used.mutation} before: take a new one.",
            ("idempotencyKey",),
        ).only()
    assert kept.answer is not None
    return Kept(kept.answer["ids"], [_heard(told) for told in kept.answer["refusals"]])


async def settle(outcomes: Mapping[Ticket, Kept | Refused]) -> None:
    """Keep what was answered under keys that were taken; those of what was refused are free again."""
    made = {used: kept for used, kept in outcomes.items() if isinstance(kept, Kept)}
    await idempotency.keep(
        {
            used: {"ids": kept.ids, "refusals": [_told(refusal) for refusal in kept.refusals]}
            for used, kept in made.items()
        }
    )
    await idempotency.give_back([used for used in outcomes if used not in made])


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
