"""Answers kept under idempotency keys, so that a repeated call changes nothing twice."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from gqlstock.rules.seals import seal
from gqlstock.store import database


class KeptAnswer(Model):
    """A key belongs to one caller and one mutation. ``answer`` names the objects that the call made or touched."""

    id = fields.BigIntField(primary_key=True)
    owner = fields.CharField(max_length=255)
    mutation = fields.CharField(max_length=50)
    key = fields.CharField(max_length=255)
    digest = fields.CharField(max_length=64)
    answer: fields.Field[dict[str, Any] | None] = fields.JSONField(null=True)
    created_at = fields.DatetimeField()
    seal = fields.BigIntField(null=True)

    class Meta:
        table = "kept_answer"
        unique_together = (("owner", "mutation", "key"),)
        indexes = (("created_at",),)

    @property
    def ticket(self) -> "Ticket":
        return Ticket(self.owner, self.mutation, self.key, self.digest)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A key as it was used: whose it is, for which mutation, and the digest of what was asked."""

    owner: str
    mutation: str
    key: str
    digest: str

    @property
    def place(self) -> tuple[str, str, str]:
        return self.owner, self.mutation, self.key

    def sealed(self, answer: dict[str, Any]) -> int:
        """The seal of what is kept under it."""
        return seal(*self.place, self.digest, answer)


async def claim(tickets: Sequence[Ticket]) -> dict[Ticket, KeptAnswer]:
    """Take keys for this transaction; gives what is kept under those that are not ours now.

    While another transaction has a key, PostgreSQL waits here for its end, and SQLite's one writer before. They are
    taken in one order, so that two that want the same keys never wait for each other in a circle.
    """
    if not tickets:
        return {}
    wanted, at = sorted(tickets, key=lambda ticket: ticket.place), database.now()
    made = await database.execute(
        f"""INSERT INTO kept_answer (owner, mutation, key, digest, created_at)
            VALUES {", ".join(["(?, ?, ?, ?, ?)"] * len(wanted))}
            ON CONFLICT (owner, mutation, key) DO NOTHING RETURNING owner, mutation, key""",
        *(value for ticket in wanted for value in (*ticket.place, ticket.digest, at)),
    )
    ours = {(row["owner"], row["mutation"], row["key"]) for row in made}
    return {ticket: await KeptAnswer.get(**_named(ticket)) for ticket in wanted if ticket.place not in ours}


async def kept(tickets: Sequence[Ticket]) -> dict[Ticket, KeptAnswer]:
    """What is kept under keys that were used before."""
    if not tickets:
        return {}
    same = " OR ".join(["(owner = ? AND mutation = ? AND key = ?)"] * len(tickets))
    found = await database.rows(KeptAnswer, same, *(value for ticket in tickets for value in ticket.place))
    by_place = {(row.owner, row.mutation, row.key): row for row in found}
    return {ticket: by_place[ticket.place] for ticket in tickets if ticket.place in by_place}


async def insert(answers: Mapping[Ticket, dict[str, Any]]) -> bool:
    """Keep answers under keys, in one order; False where another transaction has used one of them meanwhile."""
    wanted, at = sorted(answers, key=lambda ticket: ticket.place), database.now()
    made = await database.execute(
        f"""INSERT INTO kept_answer (owner, mutation, key, digest, answer, seal, created_at)
            VALUES {", ".join(["(?, ?, ?, ?, ?, ?, ?)"] * len(wanted))}
            ON CONFLICT (owner, mutation, key) DO NOTHING RETURNING id""",
        *(
            value
            for one in wanted
            for value in (*one.place, one.digest, json.dumps(answers[one]), one.sealed(answers[one]), at)
        ),
    )
    return len(made) == len(wanted)


async def has(ticket: Ticket) -> bool:
    """Whether anything is kept under a key."""
    return await KeptAnswer.filter(**_named(ticket)).exists()


async def keep(answers: Mapping[Ticket, dict[str, Any]]) -> None:
    """Keep what was answered under keys that were taken."""
    await database.execute_many(
        "UPDATE kept_answer SET answer = ?, seal = ? WHERE owner = ? AND mutation = ? AND key = ?",
        [[json.dumps(answer), ticket.sealed(answer), *ticket.place] for ticket, answer in answers.items()],
    )


async def give_back(tickets: Sequence[Ticket]) -> None:
    """Let keys that were taken be used again: what was asked under them was refused."""
    for ticket in tickets:
        await KeptAnswer.filter(**_named(ticket)).delete()


def _named(ticket: Ticket) -> dict[str, Any]:
    return {"owner": ticket.owner, "mutation": ticket.mutation, "key": ticket.key}


async def sweep(before: datetime) -> None:
    """Forget what was kept before that moment."""
    await KeptAnswer.filter(created_at__lt=before).delete()
