"""News, written in the transaction that made it and read by whoever delivers it. In commit order, by cursor.

What is older than the retention is swept; up to where, is kept, so that a cursor from before is refused and never
answered with a gap.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from gqlstock.rules import events as rules
from gqlstock.rules.events import Event, Topic
from gqlstock.store import database


class OutboxEntry(Model):
    """``tx`` is the transaction that wrote the entry: PostgreSQL's own number, 0 on SQLite.

    Ids are given before the commit, so that a smaller one may show up after a larger one was read. Read in the order
    of (tx, id) and below every running transaction, none is missed. SQLite has one writer: there the id will do.
    """

    id = fields.BigIntField(primary_key=True)
    tx = fields.BigIntField()
    topic = fields.CharEnumField(Topic, max_length=20)
    subject = fields.BigIntField()
    data: fields.Field[dict[str, Any]] = fields.JSONField(default=dict)
    created_at = fields.DatetimeField()

    class Meta:
        table = "outbox"
        indexes = (("tx", "id"), ("topic", "subject"), ("created_at",))


class OutboxHorizon(Model):
    """The place up to which entries were swept: one row, none as long as nothing was."""

    id = fields.BigIntField(primary_key=True)
    tx = fields.BigIntField()
    entry_id = fields.BigIntField()

    class Meta:
        table = "outbox_horizon"


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A place in the feed: everything up to it was read."""

    tx: int
    id: int


START = Cursor(0, 0)


class OutOfReach(Exception):
    """A cursor that nothing can be read on from without a gap; says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as it is read back, with its place in the feed."""

    cursor: Cursor
    topic: Topic
    subject: int
    data: dict[str, Any]
    created_at: datetime


_SWEPT_AT_ONCE = 5_000
_listeners: list[Callable[[], None]] = []


def listen(call: Callable[[], None]) -> Callable[[], None]:
    """Call this after each commit of this process that wrote news; gives what stops it."""
    _listeners.append(call)
    return lambda: _listeners.remove(call)


def _wake() -> None:
    for call in tuple(_listeners):
        call()


async def add(events: Sequence[Event]) -> None:
    """Write news with the running transaction; readers are woken once it has committed."""
    if events:
        database.gather(_write, events)
        database.on_commit(_wake)


async def _write(gathered: list[Event]) -> None:
    events = rules.together(gathered)
    tx = "pg_current_xact_id()::text::bigint" if database.is_postgres() else "0"
    at = database.now()
    rows = [(event.topic.value, event.subject, _stored(event.data)) for event in events]
    await database.insert(OutboxEntry, ("topic", "subject", "data"), rows, {"created_at": at}, {"tx": tx})


def _stored(data: dict[str, Any]) -> str:
    # Half of all entries only say that something changed.
    return json.dumps(data) if data else "{}"


@dataclass(frozen=True, slots=True)
class Among:
    """The subjects that a statement of its own finds."""

    statement: str
    values: tuple[Any, ...]


async def after(
    cursor: Cursor,
    limit: int,
    topics: Sequence[Topic] | None = None,
    *,
    upto: Cursor | None = None,
    among: Among | None = None,
) -> list[Entry]:
    """The next entries behind a cursor, in commit order; ``upto``: only those before that one."""
    where, values = _where(cursor, upto, topics, among)
    return await _entries(f"{where} ORDER BY tx, id LIMIT ?", *values, limit)


async def before(
    cursor: Cursor | None, limit: int, topics: Sequence[Topic], *, since: Cursor = START, among: Among | None = None
) -> list[Entry]:
    """The last entries before a cursor, the end of the feed without one; the latest first."""
    where, values = _where(since, cursor, topics, among)
    return await _entries(f"{where} ORDER BY tx DESC, id DESC LIMIT ?", *values, limit)


async def count(topics: Sequence[Topic], among: Among | None = None) -> int:
    """How many entries of these topics there are."""
    where, values = _where(START, None, topics, among)
    found = await database.query(f"SELECT COUNT(*) AS entries FROM outbox {where}", *values)
    return int(found[0]["entries"])


async def waiting(behind: Cursor, most: int) -> tuple[int, datetime | None]:
    """How many entries stand behind a place, counted up to so many, and when the first was written; held back ones too."""
    where = "FROM outbox WHERE (tx, id) > (?, ?) ORDER BY tx, id LIMIT ?"
    found = await database.query(f"SELECT COUNT(*) AS entries FROM (SELECT id {where}) AS behind", *_row(behind), most)
    rows = await database.query(f"SELECT tx, id, topic, subject, data, created_at {where}", *_row(behind), 1)
    first = _entry(OutboxEntry._init_from_db(**rows[0])).created_at if rows else None
    return int(found[0]["entries"]), first


def _where(
    after: Cursor, before: Cursor | None, topics: Sequence[Topic] | None, among: Among | None
) -> tuple[str, list[Any]]:
    where = f"WHERE (tx, id) > (?, ?) {_below_the_running()}"
    values: list[Any] = [*_row(after)]
    if before is not None:
        where, values = f"{where} AND (tx, id) < (?, ?)", [*values, *_row(before)]
    if topics is not None:
        where = f"{where} AND topic IN ({', '.join('?' * len(topics))})"
        values += [topic.value for topic in topics]
    if among is not None:
        where, values = f"{where} AND subject IN ({among.statement})", [*values, *among.values]
    return where, values


async def _entries(rest: str, *values: Any) -> list[Entry]:
    rows = await database.query(f"SELECT tx, id, topic, subject, data, created_at FROM outbox {rest}", *values)
    return [_entry(OutboxEntry._init_from_db(**row)) for row in rows]


def _row(cursor: Cursor) -> tuple[int, int]:
    return cursor.tx, cursor.id


def _entry(row: OutboxEntry) -> Entry:
    return Entry(Cursor(row.tx, row.id), row.topic, row.subject, row.data, row.created_at)


async def held_back(cursor: Cursor) -> bool:
    """Whether there is news behind the cursor that is read only once another transaction has ended."""
    if not database.is_postgres():
        return False
    found = await database.query("SELECT EXISTS (SELECT 1 FROM outbox WHERE (tx, id) > (?, ?)) AS more", *_row(cursor))
    return bool(found[0]["more"])


async def latest() -> Cursor:
    """The end of the feed as it is now."""
    found = await database.query(
        f"SELECT tx, id FROM outbox WHERE TRUE {_below_the_running()} ORDER BY tx DESC, id DESC LIMIT 1"
    )
    return Cursor(found[0]["tx"], found[0]["id"]) if found else await horizon()


async def horizon() -> Cursor:
    """The place up to which everything was swept."""
    found = await database.query("SELECT tx, entry_id FROM outbox_horizon")
    return Cursor(found[0]["tx"], found[0]["entry_id"]) if found else START


async def check(cursor: Cursor) -> None:
    """Refuse a cursor that news behind it was swept, or that this feed never gave.

    Asked after entries behind it were read, it says that none was missing when they were.
    """
    if cursor < await horizon():
        raise OutOfReach("What came right behind that cursor is older than the news that is kept: start anew.")
    if cursor > await latest():
        raise OutOfReach("That cursor is ahead of this feed: it is of another database.")


async def sweep(older_than: datetime, keep_behind: Cursor | None = None) -> int:
    """Remove the entries from the front of the feed that are older, but none behind ``keep_behind``. Gives how many.

    In parts, so that nobody who writes waits for long; the horizon moves on with each part, in its transaction.
    """
    swept = 0
    while removed := await database.transaction(lambda: _sweep_part(older_than, keep_behind)):
        swept += removed
    return swept


async def _sweep_part(older_than: datetime, keep_behind: Cursor | None) -> int:
    part = await after(START, _SWEPT_AT_ONCE)
    # Times follow the order of the feed only roughly: what comes behind a younger entry waits for it.
    young = next((number for number, entry in enumerate(part) if entry.created_at >= older_than), len(part))
    old = [entry.cursor for entry in part[:young] if keep_behind is None or entry.cursor <= keep_behind]
    if old:
        await database.execute(
            """INSERT INTO outbox_horizon (id, tx, entry_id) VALUES (1, ?, ?) ON CONFLICT (id)
               DO UPDATE SET tx = excluded.tx, entry_id = excluded.entry_id
               WHERE (outbox_horizon.tx, outbox_horizon.entry_id) < (excluded.tx, excluded.entry_id)""",
            *_row(old[-1]),
        )
        await database.execute("DELETE FROM outbox WHERE (tx, id) <= (?, ?)", *_row(old[-1]))
    return len(old)


def _below_the_running() -> str:
    """Leaves out what transactions wrote that began after one that is still running."""
    return "AND tx < pg_snapshot_xmin(pg_current_snapshot())::text::bigint" if database.is_postgres() else ""
