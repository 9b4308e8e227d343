"""How far the outbox was turned into work: one cursor for all processes."""

from datetime import datetime, timedelta

from tortoise import fields
from tortoise.models import Model

from gqlstock.store.db import connection, sql
from gqlstock.store.outbox import START, Cursor

_ONLY = 1


class Dispatch(Model):
    """One row. What stands behind the place ``tx``, ``entry_id`` of the outbox is still to become webhooks and mail.

    Who makes work locks it first, so that what waits for what is decided by one at a time.
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
    """The cursor: every entry up to it has become work. None before the first entry has; a sweep stays behind it."""
    found = await Dispatch.get_or_none(id=_ONLY)
    return Cursor(found.era, found.tx, found.entry_id, found.mark) if found is not None else None


async def begin() -> Cursor:
    """The cursor, made at the start of the outbox when there is none yet."""
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
    """Move the cursor on from where it was known to be; False when another process did so first."""
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
    """Have the making of work to this transaction; SQLite's one writer has it anyway."""
    if connection.is_postgres():
        await sql.execute("SELECT id FROM dispatch WHERE id = ? FOR NO KEY UPDATE", _ONLY)


async def take_check(now: datetime, every: timedelta) -> bool:
    """Whether what is checked from time to time is due; then it is this process that does it.

    A check that is still to come was written down before the clock was set back.
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
    """Whether an endpoint or a shopper waits for any news."""
    found = await sql.query(
        """SELECT EXISTS (SELECT 1 FROM webhook_endpoint WHERE active) AS endpoints,
                  EXISTS (SELECT 1 FROM back_in_stock_subscription WHERE state = 'WAITING') AS shoppers"""
    )
    return bool(found[0]["endpoints"] or found[0]["shoppers"])
