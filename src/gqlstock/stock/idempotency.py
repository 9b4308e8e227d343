"""One call under one key happens once: its answer is kept with what it wrote, and given again."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from gqlstock.rules import idempotency as rules
from gqlstock.rules.idempotency import IdempotencyKey, KeptAnswer
from gqlstock.rules.refusals import Refused
from gqlstock.stock.command import Result
from gqlstock.store import idempotency as rows
from gqlstock.store.db import transactions

Answer = Result | Refused


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
