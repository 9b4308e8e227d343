"""Things to deliver, one row each: who delivers it now, and what it waits for. Webhooks and mail have this in common.

Things of one line go out one after another; lines do not wait for each other. What may go out has a ``due_at``; who
takes it moves that to the end of a lease and renews the lease for as long as it is at it. When its process dies, another
takes over at the end of the lease. Leases go by the database's clock: those of several machines differ.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from tortoise import fields
from tortoise.models import Model
from tortoise.queryset import QuerySet

from gqlstock.rules import retries
from gqlstock.rules import work as rules
from gqlstock.rules.retries import WorkState
from gqlstock.store.db import clock, connection, sql, transactions, writing
from gqlstock.store.db.records import hydrate, records


class Work(Model):
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


Row = TypeVar("Row", bound=rules.Work)
LEASE = timedelta(seconds=4)
_ASKED_AT_ONCE = 5_000
_FORGOTTEN_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class WorkQueue(Generic[Row]):
    """The work of one table, as records of one kind."""

    kind: type[Row]
    table: type[Work]

    @property
    def _name(self) -> str:
        return self.table._meta.db_table

    async def add(self, rows: Sequence[Row]) -> None:
        """Write work; the first of each line is due, the others wait. The caller has the lines locked."""
        if not rows:
            return
        busy = await self._busy({row.line for row in rows})
        at = clock.now()
        made = []
        for row in rows:
            made.append(replace(row, due_at=None if row.line in busy else at))
            busy.add(row.line)
        await writing.insert(self.table, made)

    async def _busy(self, lines: set[str]) -> set[str]:
        """The lines in which something is still to be delivered."""
        found: set[str] = set()
        wanted = list(lines)
        for start in range(0, len(wanted), _ASKED_AT_ONCE):
            part = wanted[start : start + _ASKED_AT_ONCE]
            pending = f"state = 'PENDING' AND line IN ({sql.slots(part)})"
            rows = await sql.query(f"SELECT DISTINCT line FROM {self._name} WHERE {pending}", *part)
            found.update(row["line"] for row in rows)
        return found

    async def pending(self, most: int) -> int:
        """How many things are still to be delivered, counted up to so many."""
        found = await sql.query(
            f"""SELECT COUNT(*) AS things
                FROM (SELECT 1 AS one FROM {self._name} WHERE state = 'PENDING' LIMIT ?) AS part""",
            most,
        )
        return int(found[0]["things"])

    async def claim(self, limit: int, **of: Any) -> list[Row]:
        """Take up to so many things that are due, for a lease; ``of`` narrows them down to a column's value."""
        conditions = "".join(f" AND {column} = ?" for column in of)
        # Before the wait for a lock: whoever else waits for the same one could not renew its lease meanwhile.
        now = clock.now()

        async def work() -> list[dict[str, Any]]:
            return await sql.execute(
                f"""UPDATE {self._name} SET due_at = ?, sending = TRUE, attempts = attempts + 1 WHERE id IN (
                        SELECT id FROM {self._name} WHERE due_at <= ?{conditions}
                        ORDER BY due_at, id LIMIT ? {_skip_locked()}
                    ) RETURNING *""",
                clock.now() + LEASE,
                now,
                *of.values(),
                limit,
            )

        return sorted(hydrate(self.kind, await transactions.run(work)), key=lambda row: row.id)

    async def renew(self, rows: Sequence[Row]) -> list[Row]:
        """Keep for another lease what is being delivered; gives those that another process has taken by now."""
        if not rows:
            return []
        mine = " OR ".join("(id = ? AND attempts = ?)" for _ in rows)
        ids = [value for row in rows for value in (row.id, row.attempts)]

        async def work() -> set[int]:
            renewed = await sql.execute(
                f"""UPDATE {self._name} SET due_at = ? WHERE id IN (
                        SELECT id FROM {self._name} WHERE ({mine}) AND state = 'PENDING' AND sending
                        ORDER BY id {_skip_locked()}
                    ) RETURNING id""",
                clock.now() + LEASE,
                *ids,
            )
            return {row["id"] for row in renewed}

        renewed = await transactions.run(work)
        left = {row.id: row for row in rows if row.id not in renewed}
        if not left:
            return []
        # Some were settled in between, or are just being settled. Who takes one counts an attempt.
        found = await self.table.filter(id__in=list(left)).values_list("id", "attempts")
        return [left[row_id] for row_id, attempts in found if attempts != left[row_id].attempts]

    async def settle(self, row: Row, **changes: Any) -> bool:
        """Write what became of an attempt; False when the lease was over and another process has the thing by now.

        Once it is not PENDING any more, the next of its line is due. The caller has the line locked.
        """
        if not await self._as_taken(row).update(sending=False, **{"due_at": None, **changes}):
            return False
        if changes.get("state", WorkState.PENDING) is not WorkState.PENDING:
            await self.pass_on(row.line)
        return True

    def _as_taken(self, row: Row) -> QuerySet[Work]:
        """The stored row of a thing, as long as nobody else has taken or settled it."""
        return self.table.filter(id=row.id, attempts=row.attempts, state=WorkState.PENDING)

    async def drop(self, row: Row) -> None:
        """Take back what is not to be delivered after all; the next of its line is due. The caller has the line locked."""
        await self._as_taken(row).delete()
        await self.pass_on(row.line)

    async def pass_on(self, line: str) -> None:
        """Let the first of a line go out, if it only waited for its turn."""
        await sql.execute(
            f"""UPDATE {self._name} SET due_at = ? WHERE due_at IS NULL
                AND id = (SELECT MIN(id) FROM {self._name} WHERE line = ? AND state = 'PENDING')""",
            clock.now(),
            line,
        )

    async def give_back(self, rows: Sequence[Row]) -> None:
        """Say that these are not being delivered after all: they are due at once, to whoever comes first."""
        for row in rows:
            await self._as_taken(row).update(due_at=clock.now(), sending=False)

    async def bring_forward(self) -> None:
        """Have nothing wait for longer than its pause or its lease can be: that was put off before the clock was set back."""
        now, failed = clock.now(), range(len(retries.PAUSES))
        at = "?::timestamptz" if connection.is_postgres() else "?"
        bound = f"CASE WHEN sending THEN {at} {f'WHEN attempts - spent <= ? THEN {at} ' * len(failed)}ELSE {at} END"
        pauses = [value for number in failed for value in (number, now + retries.longest(number))]
        values = [now + LEASE, *pauses, now + retries.longest(len(retries.PAUSES))]
        late = await sql.query(f"SELECT id FROM {self._name} WHERE state = 'PENDING' AND due_at > {bound}", *values)
        for start in range(0, len(late), _ASKED_AT_ONCE):
            ids = [row["id"] for row in late[start : start + _ASKED_AT_ONCE]]
            statement = f"""UPDATE {self._name} SET due_at = {bound}
                WHERE state = 'PENDING' AND due_at > {bound} AND id IN ({sql.slots(ids)})"""
            await sql.execute(statement, *values, *values, *ids)

    async def give_up(self, before: datetime, why: str, lock: Callable[[Sequence[Row]], Awaitable[object]]) -> None:
        """Fail what is still to be delivered from before that moment, in parts; ``lock`` locks the lines of one."""

        async def work() -> int:
            pending = self.table.filter(state=WorkState.PENDING, created_at__lt=before).order_by("id")
            found = await records(self.kind, pending.limit(_FORGOTTEN_AT_ONCE))
            await lock(found)
            old = self.table.filter(id__in=[row.id for row in found], state=WorkState.PENDING)
            await old.update(state=WorkState.FAILED, due_at=None, sending=False, last_error=why)
            for line in sorted({row.line for row in found}):
                await self.pass_on(line)
            return len(found)

        while await transactions.run(work):
            pass

    async def forget(self, state: WorkState, before: datetime) -> None:
        """Remove what was made before that moment and is in that state; in parts, so that nobody waits for long."""
        while True:
            old = self.table.filter(state=state, created_at__lt=before).order_by("id").limit(_FORGOTTEN_AT_ONCE)
            ids = await old.values_list("id", flat=True)
            if not ids:
                return
            await self.table.filter(id__in=ids).delete()


def _skip_locked() -> str:
    return "FOR UPDATE SKIP LOCKED" if connection.is_postgres() else ""
