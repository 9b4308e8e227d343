"""A queue of deliveries with leases, one row each. Webhooks and mail use it.

Deliveries in one line go out one after another; lines do not wait for each other. A delivery that may go out has a
``due_at``. The process that claims it sets ``due_at`` to the end of a lease and renews the lease while it delivers. If
the process dies, another takes over when the lease expires. Leases use the database's clock, because the clocks of
machines differ.
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
_ROWS_PER_STATEMENT = 5_000
_ROWS_PER_DELETE = 1_000


@dataclass(frozen=True, slots=True)
class WorkQueue(Generic[Row]):
    """The queue in one table, with records of one type."""

    kind: type[Row]
    table: type[Work]

    @property
    def _name(self) -> str:
        return self.table._meta.db_table

    async def add(self, rows: Sequence[Row]) -> list[int]:
        """Queue deliveries. The first in each line is due; the others wait. The caller has locked the lines.

        Returns their ids.
        """
        if not rows:
            return []
        busy = await self._busy({row.line for row in rows})
        now = clock.now()
        queued = []
        for row in rows:
            queued.append(replace(row, due_at=None if row.line in busy else now))
            busy.add(row.line)
        return await writing.insert(self.table, queued)

    async def _busy(self, lines: set[str]) -> set[str]:
        """The lines with pending deliveries."""
        found: set[str] = set()
        for part in sql.parts(lines, _ROWS_PER_STATEMENT):
            pending = f"state = 'PENDING' AND line IN ({sql.slots(part)})"
            rows = await sql.query(f"SELECT DISTINCT line FROM {self._name} WHERE {pending}", *part)
            found.update(row["line"] for row in rows)
        return found

    async def pending(self, limit: int) -> int:
        """The number of pending deliveries, counted up to ``limit``."""
        found = await sql.query(
            f"""SELECT COUNT(*) AS deliveries
                FROM (SELECT 1 AS one FROM {self._name} WHERE state = 'PENDING' LIMIT ?) AS part""",
            limit,
        )
        return int(found[0]["deliveries"])

    async def oldest_pending(self) -> datetime | None:
        """When the oldest pending delivery was queued; None if none is pending."""
        found = await records(self.kind, self.table.filter(state=WorkState.PENDING).order_by("id").limit(1))
        return found[0].created_at if found else None

    async def claim(self, limit: int, **of: Any) -> list[Row]:
        """Claim up to ``limit`` due deliveries for a lease. ``of``: only those with these column values."""
        conditions = "".join(f" AND {column} = ?" for column in of)
        # Read the clock before waiting for a lock: a process waiting for the same lock cannot renew its lease meanwhile.
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
        """Renew leases. Returns the deliveries that another process has taken over."""
        if not rows:
            return []
        claimed = " OR ".join("(id = ? AND attempts = ?)" for _ in rows)
        ids = [value for row in rows for value in (row.id, row.attempts)]

        async def work() -> set[int]:
            renewed = await sql.execute(
                f"""UPDATE {self._name} SET due_at = ? WHERE id IN (
                        SELECT id FROM {self._name} WHERE ({claimed}) AND state = 'PENDING' AND sending
                        ORDER BY id {_skip_locked()}
                    ) RETURNING id""",
                clock.now() + LEASE,
                *ids,
            )
            return {row["id"] for row in renewed}

        renewed = await transactions.run(work)
        lost = {row.id: row for row in rows if row.id not in renewed}
        if not lost:
            return []
        # The others were settled meanwhile, or are being settled. Taking over a delivery increments its attempts.
        found = await self.table.filter(id__in=list(lost)).values_list("id", "attempts")
        return [lost[row_id] for row_id, attempts in found if attempts != lost[row_id].attempts]

    async def settle(self, row: Row, **changes: Any) -> bool:
        """Record an attempt. Returns False if the lease expired and another process has taken over.

        If the delivery is no longer PENDING, the next in its line becomes due. The caller has locked the line.
        """
        if not await self._as_claimed(row).update(sending=False, **{"due_at": None, **changes}):
            return False
        if changes.get("state", WorkState.PENDING) is not WorkState.PENDING:
            await self.release_line(row.line)
        return True

    def _as_claimed(self, row: Row) -> QuerySet[Work]:
        """The stored row of a delivery, unless another process has claimed or settled it."""
        return self.table.filter(id=row.id, attempts=row.attempts, state=WorkState.PENDING)

    async def drop(self, row: Row) -> None:
        """Delete a delivery. The next in its line becomes due. The caller has locked the line."""
        await self._as_claimed(row).delete()
        await self.release_line(row.line)

    async def release_line(self, line: str) -> None:
        """Make the first delivery in a line due if it was waiting for an earlier one."""
        await sql.execute(
            f"""UPDATE {self._name} SET due_at = ? WHERE due_at IS NULL
                AND id = (SELECT MIN(id) FROM {self._name} WHERE line = ? AND state = 'PENDING')""",
            clock.now(),
            line,
        )

    async def give_back(self, rows: Sequence[Row]) -> None:
        """Return claimed deliveries to the queue, due immediately."""
        for row in rows:
            await self._as_claimed(row).update(due_at=clock.now(), sending=False)

    async def bring_forward(self) -> None:
        """Shorten waits that exceed every pause and lease. They date from before the clock was set back."""
        now, failed = clock.now(), range(len(retries.PAUSES))
        at = "?::timestamptz" if connection.is_postgres() else "?"
        bound = f"CASE WHEN sending THEN {at} {f'WHEN attempts - spent <= ? THEN {at} ' * len(failed)}ELSE {at} END"
        pauses = [value for number in failed for value in (number, now + retries.longest(number))]
        values = [now + LEASE, *pauses, now + retries.longest(len(retries.PAUSES))]
        late = await sql.query(f"SELECT id FROM {self._name} WHERE state = 'PENDING' AND due_at > {bound}", *values)
        for part in sql.parts(late, _ROWS_PER_STATEMENT):
            ids = [row["id"] for row in part]
            statement = f"""UPDATE {self._name} SET due_at = {bound}
                WHERE state = 'PENDING' AND due_at > {bound} AND id IN ({sql.slots(ids)})"""
            await sql.execute(statement, *values, *values, *ids)

    async def give_up(self, before: datetime, why: str, lock: Callable[[Sequence[Row]], Awaitable[object]]) -> None:
        """Fail pending deliveries created before ``before``, in batches. ``lock`` locks the lines of a batch."""

        async def work() -> int:
            pending = self.table.filter(state=WorkState.PENDING, created_at__lt=before).order_by("id")
            found = await records(self.kind, pending.limit(_ROWS_PER_DELETE))
            await lock(found)
            old = self.table.filter(id__in=[row.id for row in found], state=WorkState.PENDING)
            await old.update(state=WorkState.FAILED, due_at=None, sending=False, last_error=why)
            for line in sorted({row.line for row in found}):
                await self.release_line(line)
            return len(found)

        while await transactions.run(work):
            pass

    async def forget(self, state: WorkState, before: datetime) -> None:
        """Delete deliveries in a state created before ``before``, in batches, so others never wait for long."""
        while True:
            old = self.table.filter(state=state, created_at__lt=before).order_by("id").limit(_ROWS_PER_DELETE)
            ids = await old.values_list("id", flat=True)
            if not ids:
                return
            await self.table.filter(id__in=ids).delete()


def _skip_locked() -> str:
    return "FOR UPDATE SKIP LOCKED" if connection.is_postgres() else ""
