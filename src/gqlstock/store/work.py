"""Things to deliver, one row each: who delivers it now, and what it waits for. Webhooks and mail have this in common.

Things of one line go out one after another; lines do not wait for each other. What may go out has a ``due_at``; who
takes it moves that to the end of a lease and renews the lease for as long as it is at it. When its process dies, another
takes over at the end of the lease. Leases go by the database's clock: those of several machines differ.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from tortoise import fields
from tortoise.models import Model

from gqlstock.rules import retries
from gqlstock.rules.retries import WorkState
from gqlstock.store import database


class Work(Model):
    """``attempts`` counts those that were begun; ``spent`` of them were before it was last ordered again."""

    id = fields.BigIntField(primary_key=True)
    line = fields.CharField(max_length=400)
    message_id = fields.CharField(max_length=100, unique=True)
    state = fields.CharEnumField(WorkState, max_length=20, default=WorkState.PENDING)
    attempts = fields.IntField(default=0)
    spent = fields.IntField(default=0)
    due_at = fields.DatetimeField(null=True)
    sending = fields.BooleanField(default=False)
    last_error: fields.Field[str | None] = fields.TextField(null=True)  # type: ignore[assignment]
    created_at = fields.DatetimeField()
    delivered_at = fields.DatetimeField(null=True)

    class Meta:
        abstract = True


Row = TypeVar("Row", bound=Work)
LEASE = timedelta(seconds=4)
_ASKED_AT_ONCE = 5_000
_FORGOTTEN_AT_ONCE = 1_000


async def add(rows: Sequence[Work]) -> None:
    """Write work of one table; the first of each line is due, the others wait. Whoever adds has the lines locked."""
    if not rows:
        return
    busy = await _busy(type(rows[0]), {row.line for row in rows})
    at = database.now()
    for row in rows:
        row.due_at = None if row.line in busy else at
        busy.add(row.line)
    await database.insert_many(rows)


async def _busy(table: type[Work], lines: set[str]) -> set[str]:
    """The lines in which something is still to be delivered."""
    found: set[str] = set()
    wanted = list(lines)
    for start in range(0, len(wanted), _ASKED_AT_ONCE):
        part = wanted[start : start + _ASKED_AT_ONCE]
        slots = ", ".join("?" * len(part))
        rows = await database.query(
            f"SELECT DISTINCT line FROM {table._meta.db_table} WHERE state = 'PENDING' AND line IN ({slots})", *part
        )
        found.update(row["line"] for row in rows)
    return found


async def pending(table: type[Work], most: int) -> int:
    """How many things are still to be delivered, counted up to so many."""
    found = await database.query(
        f"""SELECT COUNT(*) AS things
            FROM (SELECT 1 AS one FROM {table._meta.db_table} WHERE state = 'PENDING' LIMIT ?) AS part""",
        most,
    )
    return int(found[0]["things"])


async def claim(table: type[Row], limit: int, **of: Any) -> list[Row]:
    """Take up to so many things that are due, for a lease; ``of`` narrows them down to a column's value."""
    conditions = "".join(f" AND {column} = ?" for column in of)
    name, skip = table._meta.db_table, _skip_locked()
    # Before the wait for a lock: whoever else waits for the same one could not renew its lease meanwhile.
    now = database.now()

    async def work() -> list[dict[str, Any]]:
        return await database.execute(
            f"""UPDATE {name} SET due_at = ?, sending = TRUE, attempts = attempts + 1 WHERE id IN (
                    SELECT id FROM {name} WHERE due_at <= ?{conditions} ORDER BY due_at, id LIMIT ? {skip}
                ) RETURNING *""",
            now + LEASE,
            now,
            *of.values(),
            limit,
        )

    rows = [table._init_from_db(**row) for row in await database.transaction(work)]
    return sorted(rows, key=lambda row: row.id)


def _skip_locked() -> str:
    return "FOR UPDATE SKIP LOCKED" if database.is_postgres() else ""


async def renew(rows: Sequence[Row]) -> list[Row]:
    """Keep for another lease what is being delivered; gives those that somebody else has taken by now."""
    if not rows:
        return []
    name, until = type(rows[0])._meta.db_table, database.now() + LEASE
    mine = " OR ".join("(id = ? AND attempts = ?)" for _ in rows)
    ids = [value for row in rows for value in (row.id, row.attempts)]

    async def work() -> set[int]:
        renewed = await database.execute(
            f"""UPDATE {name} SET due_at = ? WHERE id IN (
                    SELECT id FROM {name} WHERE ({mine}) AND state = 'PENDING' AND sending ORDER BY id {_skip_locked()}
                ) RETURNING id""",
            until,
            *ids,
        )
        return {row["id"] for row in renewed}

    renewed = await database.transaction(work)
    left = {row.id: row for row in rows if row.id not in renewed}
    if not left:
        return []
    # Some were settled in between, or are just being settled. Who takes one counts an attempt.
    found = await type(rows[0]).filter(id__in=list(left)).only("id", "attempts")
    return [left[now.id] for now in found if now.attempts != left[now.id].attempts]


async def settle(row: Work, **changes: Any) -> bool:
    """Write what became of an attempt; False when the lease was over and somebody else has the thing by now.

    Once it is not PENDING any more, the next of its line is due. Whoever settles has the line locked.
    """
    mine = type(row).filter(id=row.id, attempts=row.attempts, state=WorkState.PENDING)
    if not await mine.update(sending=False, **{"due_at": None, **changes}):
        return False
    if changes.get("state", WorkState.PENDING) is not WorkState.PENDING:
        await pass_on(type(row), row.line)
    return True


async def pass_on(table: type[Work], line: str) -> None:
    """Let the first of a line go out, if it only waited for its turn."""
    name = table._meta.db_table
    await database.execute(
        f"""UPDATE {name} SET due_at = ? WHERE due_at IS NULL
            AND id = (SELECT MIN(id) FROM {name} WHERE line = ? AND state = 'PENDING')""",
        database.now(),
        line,
    )


async def give_back(rows: Sequence[Work]) -> None:
    """Say that these are not being delivered after all: they are due at once, to whoever comes first."""
    for row in rows:
        mine = type(row).filter(id=row.id, attempts=row.attempts, state=WorkState.PENDING)
        await mine.update(due_at=database.now(), sending=False)


async def bring_forward(table: type[Work]) -> None:
    """Have nothing wait for longer than its pause or its lease can be: that was put off before the clock was set back."""
    now, failed = database.now(), range(len(retries.PAUSES))
    at = "?::timestamptz" if database.is_postgres() else "?"
    bound = f"CASE WHEN sending THEN {at} {f'WHEN attempts - spent <= ? THEN {at} ' * len(failed)}ELSE {at} END"
    pauses = [value for number in failed for value in (number, now + retries.longest(number))]
    values = [now + LEASE, *pauses, now + retries.longest(len(retries.PAUSES))]
    late = await database.query(
        f"SELECT id FROM {table._meta.db_table} WHERE state = 'PENDING' AND due_at > {bound}", *values
    )
    for start in range(0, len(late), _ASKED_AT_ONCE):
        ids = [row["id"] for row in late[start : start + _ASKED_AT_ONCE]]
        statement = f"""UPDATE {table._meta.db_table} SET due_at = {bound}
            WHERE state = 'PENDING' AND due_at > {bound} AND id IN ({database.slots(ids)})"""
        await database.execute(statement, *values, *values, *ids)


async def give_up(
    table: type[Row], before: datetime, why: str, lock: Callable[[Sequence[Row]], Awaitable[object]]
) -> None:
    """Fail what is still to be delivered from before that moment, in parts; ``lock`` locks the lines of one."""

    async def work() -> int:
        pending = table.filter(state=WorkState.PENDING, created_at__lt=before).order_by("id")
        found = await pending.limit(_FORGOTTEN_AT_ONCE)
        await lock(found)
        old = table.filter(id__in=[row.id for row in found], state=WorkState.PENDING)
        await old.update(state=WorkState.FAILED, due_at=None, sending=False, last_error=why)
        for line in sorted({row.line for row in found}):
            await pass_on(table, line)
        return len(found)

    while await database.transaction(work):
        pass


async def forget(table: type[Work], state: WorkState, before: datetime) -> None:
    """Remove what was made before that moment and is in that state; in parts, so that nobody waits for long."""
    while True:
        old = await table.filter(state=state, created_at__lt=before).order_by("id").limit(_FORGOTTEN_AT_ONCE).only("id")
        if not old:
            return
        await table.filter(id__in=[row.id for row in old]).delete()
