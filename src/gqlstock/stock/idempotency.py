"""One call under one key happens once: its answer is kept with what it wrote, and given again."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, ClassVar, Protocol

from gqlstock.rules import canonical, catalog, skus
from gqlstock.rules import idempotency as rules
from gqlstock.rules.idempotency import IdempotencyKey, KeptAnswer
from gqlstock.rules.refusals import Refused
from gqlstock.rules.scopes import Caller
from gqlstock.stock.command import Result
from gqlstock.store import idempotency as rows
from gqlstock.store import warehouses
from gqlstock.store.db import clock, transactions

Answer = Result | Refused
_REFUSALS_KEPT = timedelta(hours=1)
"""A refusal only decides for calls that had arrived before it."""


class _OnWebsite(Protocol):
    """A request on a website; None is the default one."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def website(self) -> str | None: ...


def key_of(caller: Caller, mutation: str, key: str | None, request: object) -> IdempotencyKey | None:
    """A key as a caller used it; None for none.

    ``request`` is the parsed input, in frozen dataclasses; two inputs are the same when ``canonical`` says so.
    """
    if key is None:
        return None
    name = catalog.text(key, "idempotencyKey", "idempotencyKey")
    return IdempotencyKey(caller.key, mutation, name, canonical.digest(request), clock.now())


async def key_on_website(caller: Caller, mutation: str, key: str | None, request: _OnWebsite) -> IdempotencyKey | None:
    """As ``key_of``; the default website is the same whether it was named or left out."""
    named = skus.normalized(request.website) if key is not None and request.website is not None else None
    if named is not None and named == await warehouses.default_website_code():
        request = replace(request, website=None)
    return key_of(caller, mutation, key, request)


async def is_used(caller: Caller, mutation: str, key: str) -> bool:
    """Whether a call of that mutation under that key was carried out."""
    name = catalog.text(key, "idempotencyKey", "idempotencyKey")
    return await rows.has(IdempotencyKey(caller.key, mutation, name, ""))


@dataclass(slots=True)
class Answers:
    """What is kept under the keys of a batch."""

    given: dict[IdempotencyKey, Answer] = field(default_factory=dict)
    """The answers to calls that were decided before."""
    outdated: list[int] = field(default_factory=list)
    """The ids of refusals that do not count for these calls: they arrived later."""


async def answers(keys: Collection[IdempotencyKey]) -> Answers:
    """What is kept under these keys. Read under the locks: a call that used a key has committed by now."""
    found = Answers()
    for key, kept in (await rows.kept(keys)).items():
        if rules.decides(kept, key):
            found.given[key] = _answer(kept, key)
        else:
            found.outdated.append(kept.id)
    return found


async def keep(made: Mapping[IdempotencyKey, Answer], outdated: Collection[int]) -> None:
    """Keep answers under keys. The transaction starts over where another one has used a key meanwhile."""
    if outdated:
        await rows.remove(outdated)
    refused = {key for key, answer in made.items() if isinstance(answer, Refused)}
    if not await rows.insert({key: _stored(answer) for key, answer in made.items()}, refused):
        raise transactions.Outdated("a key was used meanwhile")


def _stored(answer: Answer) -> dict[str, object]:
    refusals: dict[str, object] = {"refusals": rules.stored_refusals(answer.refusals)}
    return refusals if isinstance(answer, Refused) else {"ids": answer.ids, **refusals}


def _answer(kept: KeptAnswer, key: IdempotencyKey) -> Answer:
    try:
        rules.check(kept, key)
    except Refused as conflict:
        return conflict
    assert kept.answer is not None
    found = rules.refusals_of(kept.answer["refusals"])
    return Refused(found) if kept.refused else Result(kept.answer["ids"], found)


async def forget(older_than: timedelta) -> None:
    """Forget the answers that have been kept for longer than that."""
    now = clock.now()
    await rows.sweep(now - older_than, now - _REFUSALS_KEPT)
