"""Idempotency keys of commands: an answer is stored in the transaction of its command and returned to repeated calls.

``rules.idempotency`` decides which stored answer applies to a call.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
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
_REFUSAL_RETENTION = timedelta(hours=1)
"""A stored refusal only answers calls that arrived before it, so it is needed for a short time only."""


class _OnWebsite(Protocol):
    """A request on a website; None is the default website."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def website(self) -> str | None: ...


def key_of(caller: Caller, mutation: str, key: str | None, request: object) -> IdempotencyKey | None:
    """The idempotency key of a call, if it has one.

    ``request``: the parsed input, in frozen dataclasses. ``canonical`` decides which inputs are equal.
    """
    if key is None:
        return None
    name = catalog.text(key, "idempotencyKey", "idempotencyKey")
    return IdempotencyKey(caller.key, mutation, name, canonical.digest(request), clock.now())


async def key_on_website(caller: Caller, mutation: str, key: str | None, request: _OnWebsite) -> IdempotencyKey | None:
    """Like ``key_of``, for a request on a website. Naming the default website equals omitting it."""
    website = skus.normalized(request.website) if key is not None and request.website is not None else None
    if website is not None and website == await warehouses.default_website_code():
        request = replace(request, website=None)
    return key_of(caller, mutation, key, request)


async def is_used(caller: Caller, mutation: str, key: str) -> bool:
    """Whether a call of this mutation with this key was carried out."""
    name = catalog.text(key, "idempotencyKey", "idempotencyKey")
    return await rows.has(IdempotencyKey(caller.key, mutation, name, ""))


@dataclass(slots=True)
class Answers:
    """The stored answers for the keys of a batch."""

    valid: dict[IdempotencyKey, Answer] = field(default_factory=dict)
    """The answers to return."""
    outdated: list[int] = field(default_factory=list)
    """The ids of refusals that do not apply, because the calls arrived after them."""


async def answers(keys: Collection[IdempotencyKey]) -> Answers:
    """The stored answers for these keys. Call it under the locks: earlier calls with the same keys have committed by then."""
    found = Answers()
    for key, kept in (await rows.kept(keys)).items():
        if rules.decides(kept, key):
            found.valid[key] = _answer(kept, key)
        else:
            found.outdated.append(kept.id)
    return found


async def keep(new: Mapping[IdempotencyKey, Answer], outdated: Collection[int]) -> None:
    """Store answers under keys. If another transaction has used a key meanwhile, raises ``Outdated`` for a retry."""
    if outdated:
        await rows.remove(outdated)
    refused = {key for key, answer in new.items() if isinstance(answer, Refused)}
    if not await rows.insert({key: _stored(answer) for key, answer in new.items()}, refused):
        raise transactions.Outdated("an idempotency key was used meanwhile")


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


async def once(key: IdempotencyKey | None, work: Callable[[], Awaitable[Result]]) -> Result:
    """Run ``work``, which is not a command, in a transaction, once per key. If it is refused, it must have written nothing.

    The answer is stored in the same transaction. Of two concurrent calls with one key, the later is retried and gets the
    stored answer.
    """

    async def transaction() -> Answer:
        known = await answers([key]) if key is not None else Answers()
        if key is not None and key in known.valid:
            transactions.allow_repeat()
            await transactions.confirm_visible()
            return known.valid[key]
        answer: Answer
        try:
            answer = await work()
        except Refused as refused:
            transactions.allow_repeat()
            answer = refused
        if key is not None:
            await keep({key: answer}, known.outdated)
        return answer

    answer = await transactions.run(transaction)
    if isinstance(answer, Refused):
        raise answer
    return answer


async def forget(older_than: timedelta) -> None:
    """Delete answers that are older than ``older_than``."""
    now = clock.now()
    await rows.sweep(now - older_than, now - _REFUSAL_RETENTION)
