"""The cursor up to which the outbox was dispatched, shared by all processes."""

from datetime import datetime, timedelta

from tortoise import fields
from tortoise.models import Model

from gqlstock.rules.feed import START, Cursor
from gqlstock.store.db import connection, sql

_ONLY = 1


class Dispatch(Model):
    """One row. What stands behind the place ``tx``, ``entry_id`` of the outbox is still to become webhooks and mail.

    A dispatcher locks the row first, so only one at a time decides the order of deliveries.
    """

    id = fields.IntField(primary_key=True, generated=False)
    era = fields.BigIntField(db_default=0)
    tx = fields.BigIntField()
    entry_id = fields.BigIntField()
    mark = fields.BigIntField(db_default=0)
    checked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "dispatch"


async def place() -> Cursor | None:
    """The cursor; None before the first dispatch. Sweeps of the outbox do not pass it."""
    found = await Dispatch.get_or_none(id=_ONLY)
    return Cursor(found.era, found.tx, found.entry_id, found.mark) if found is not None else None


async def begin() -> Cursor:
    """The cursor. If there is none, create it at the start of the outbox."""
    found = await place()
    if found is not None:
        return found
    await sql.execute(
        "INSERT INTO dispatch (id, era, tx, entry_id, mark) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        _ONLY,
        *START.place,
        START.mark,
    )
    return await place() or START


async def advance(known: Cursor, to: Cursor) -> bool:
    """Advance the cursor from a known position. Returns False if another process did so first."""
    moved = await sql.execute(
        """UPDATE dispatch SET era = ?, tx = ?, entry_id = ?, mark = ?
           WHERE id = ? AND era = ? AND tx = ? AND entry_id = ? AND mark = ? RETURNING id""",
        *to.place,
        to.mark,
        _ONLY,
        *known.place,
        known.mark,
    )
    return bool(moved)


async def lock() -> None:
    """Lock out other dispatchers until the transaction ends. SQLite has only one writer anyway."""
    if connection.is_postgres():
        await sql.execute("SELECT id FROM dispatch WHERE id = ? FOR NO KEY UPDATE", _ONLY)


async def take_check(now: datetime, every: timedelta) -> bool:
    """Whether the periodic check is due. If so, this process takes it.

    If the last check lies in the future, the clock was set back since, and a check is due as well.
    """
    taken = await sql.execute(
        """UPDATE dispatch SET checked_at = ?
           WHERE id = ? AND (checked_at IS NULL OR checked_at <= ? OR checked_at > ?) RETURNING id""",
        now,
        _ONLY,
        now - every,
        now,
    )
    return bool(taken)


async def wanted() -> bool:
    """Whether there is an active endpoint or a waiting subscription."""
    found = await sql.query(
        """SELECT EXISTS (SELECT 1 FROM webhook_endpoint WHERE active) AS endpoints,
                  EXISTS (SELECT 1 FROM back_in_stock_subscription WHERE state = 'WAITING') AS shoppers"""
    )
    return bool(found[0]["endpoints"] or found[0]["shoppers"])
