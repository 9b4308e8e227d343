"""News, written in the transaction that made it and read by whoever delivers it. In commit order, by cursor.

What is older than the retention is swept; up to where, is kept, so that a cursor from before is refused and never
answered with a gap. So is a cursor whose entry is not in this database's history, such as after a restore: its mark,
which the entry got when it was written, is not here.
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
from gqlstock.store.db import clock, connection, sql, transactions
from gqlstock.store.db.commits import Mark
from gqlstock.store.db.records import records


class OutboxEntry(Model):
    """``tx`` is the transaction that wrote the entry: PostgreSQL's own number, 0 on SQLite.

    Ids are given before the commit, so that a smaller one may show up after a larger one was read. Read in the order
    of (tx, id) and below every running transaction, none is missed. SQLite has one writer: there the id will do.
    ``era`` rises when another server goes on with numbers of its own; an older one has no transaction that still runs.
    ``mark`` is random: it tells this entry from one at the same place in another history.
    """

    id = fields.BigIntField(primary_key=True)
    # Servers of the previous version go on while the database is migrated: they do not know these two.
    era = fields.BigIntField(db_default=0)
    mark = fields.BigIntField(db_default=0)
    tx = fields.BigIntField()
    topic = fields.CharEnumField(Topic, max_length=20)
    subject = fields.BigIntField()
    data: fields.Field[dict[str, Any]] = fields.JSONField(default=dict)
    created_at = fields.DatetimeField()

    class Meta:
        table = "outbox"
        indexes = (("era", "tx", "id"), ("topic", "subject"), ("created_at",))


class OutboxHorizon(Model):
    """The place up to which entries were swept: one row, none as long as nothing was."""

    id = fields.BigIntField(primary_key=True)
    era = fields.BigIntField(db_default=0)
    tx = fields.BigIntField()
    entry_id = fields.BigIntField()
    mark = fields.BigIntField(db_default=0)

    class Meta:
        table = "outbox_horizon"


class OutboxEra(Model):
    """The era that is written in, and the identifier of the server whose transaction numbers it has: one row."""

    id = fields.BigIntField(primary_key=True, generated=False)
    era = fields.BigIntField()
    system = fields.BigIntField(null=True)

    class Meta:
        table = "outbox_era"


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """An entry of the feed, by its place and its mark: everything up to it was read."""

    era: int
    tx: int
    id: int
    mark: int

    @property
    def place(self) -> tuple[int, int, int]:
        return self.era, self.tx, self.id


START = Cursor(0, 0, 0, 0)
"""Before the first entry, in every history."""


class OutOfReach(Exception):
    """A cursor that nothing can be read on from without a gap; says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as it is read back, with its place in the feed."""

    era: int
    tx: int
    id: int
    mark: int
    topic: Topic
    subject: int
    data: dict[str, Any]
    created_at: datetime

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.era, self.tx, self.id, self.mark)


_SWEPT_AT_ONCE = 5_000
_CURSOR = "era, tx, id, mark"
_IN_ORDER = "ORDER BY era, tx, id"
_LAST_FIRST = "ORDER BY era DESC, tx DESC, id DESC"
_ERA = "COALESCE((SELECT era FROM outbox_era), 0)"
_MARKS = 2**53
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
        transactions.gather(_write, events)
        transactions.on_commit(_wake)


async def _write(gathered: list[Event]) -> None:
    events = rules.together(gathered)
    at = clock.now()
    rows = [(event.topic.value, event.subject, _stored(event.data)) for event in events]
    columns, same = ("topic", "subject", "data"), {"created_at": at}
    written = await sql.insert_returning(("id", "mark", "tx"), OutboxEntry, columns, rows, same, _worked_out())
    transactions.recognize_by(Mark(written[0]["id"], written[0]["mark"], written[0]["tx"]))


def _worked_out() -> dict[str, str]:
    """What the database itself says of a new entry."""
    if connection.is_postgres():
        mark = f"(random() * {_MARKS - 1})::bigint"
        return {"era": _ERA, "tx": "pg_current_xact_id()::text::bigint", "mark": mark}
    return {"era": "0", "tx": "0", "mark": f"random() & {_MARKS - 1}"}


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
    return await _entries(f"{where} {_IN_ORDER} LIMIT ?", *values, limit)


async def follow(cursor: Cursor, limit: int) -> list[Entry]:
    """The next entries of all topics behind a cursor that was kept: ``OutOfReach`` when it is not in this history."""
    where = f"WHERE (era, tx, id) >= (?, ?, ?) {_below_the_running()}"
    found = await _entries(f"{where} {_IN_ORDER} LIMIT ?", *cursor.place, limit + 1)
    if found and found[0].cursor == cursor:
        return found[1:]
    await check(cursor)
    return found[:limit]


async def before(
    cursor: Cursor | None, limit: int, topics: Sequence[Topic], *, since: Cursor = START, among: Among | None = None
) -> list[Entry]:
    """The last entries before a cursor, the end of the feed without one; the latest first."""
    where, values = _where(since, cursor, topics, among)
    return await _entries(f"{where} {_LAST_FIRST} LIMIT ?", *values, limit)


async def count(topics: Sequence[Topic], among: Among | None = None) -> int:
    """How many entries of these topics there are."""
    where, values = _where(START, None, topics, among)
    found = await sql.query(f"SELECT COUNT(*) AS entries FROM outbox {where}", *values)
    return int(found[0]["entries"])


async def waiting(behind: Cursor, most: int) -> tuple[int, datetime | None]:
    """How many entries stand behind a place, counted up to so many, and when the first was written; held back ones too."""
    where = f"WHERE (era, tx, id) > (?, ?, ?) {_IN_ORDER} LIMIT ?"
    found = await sql.query(
        f"SELECT COUNT(*) AS entries FROM (SELECT id FROM outbox {where}) AS behind", *behind.place, most
    )
    first = await _entries(where, *behind.place, 1)
    return int(found[0]["entries"]), first[0].created_at if first else None


def _where(
    after: Cursor, before: Cursor | None, topics: Sequence[Topic] | None, among: Among | None
) -> tuple[str, list[Any]]:
    where = f"WHERE (era, tx, id) > (?, ?, ?) {_below_the_running()}"
    values: list[Any] = [*after.place]
    if before is not None:
        where, values = f"{where} AND (era, tx, id) < (?, ?, ?)", [*values, *before.place]
    if topics is not None:
        where = f"{where} AND topic IN ({', '.join('?' * len(topics))})"
        values += [topic.value for topic in topics]
    if among is not None:
        where, values = f"{where} AND subject IN ({among.statement})", [*values, *among.values]
    return where, values


async def _entries(rest: str, *values: Any) -> list[Entry]:
    return await records(Entry, f"SELECT {{columns}} FROM outbox {rest}", *values)


async def held_back(cursor: Cursor) -> bool:
    """Whether there is news behind the cursor that is read only once another transaction has ended."""
    if not connection.is_postgres():
        return False
    behind = "SELECT 1 FROM outbox WHERE (era, tx, id) > (?, ?, ?)"
    found = await sql.query(f"SELECT EXISTS ({behind}) AS more", *cursor.place)
    return bool(found[0]["more"])


async def latest() -> Cursor:
    """The end of the feed as it is now."""
    where = f"WHERE TRUE {_below_the_running()}"
    found = await sql.query(f"SELECT {_CURSOR} FROM outbox {where} {_LAST_FIRST} LIMIT 1")
    return Cursor(**found[0]) if found else await horizon()


async def horizon() -> Cursor:
    """The place up to which everything was swept: the cursor of the last entry that was."""
    found = await sql.query("SELECT era, tx, entry_id AS id, mark FROM outbox_horizon")
    return Cursor(**found[0]) if found else START


async def has(cursor: Cursor) -> bool:
    """Whether the entry of this cursor is in this history, still or as the last one that was swept."""
    try:
        await check(cursor)
    except OutOfReach:
        return False
    return True


async def check(cursor: Cursor) -> None:
    """Refuse a cursor that news behind it was swept, or whose entry is not in this history.

    Asked after entries behind it were read, it says that none was missing when they were.
    """
    found = await sql.query(
        """SELECT 1 AS swept, era, tx, entry_id AS id, mark FROM outbox_horizon
           UNION ALL SELECT 0, era, tx, id, mark FROM outbox WHERE id = ?""",
        cursor.id,
    )
    known = {Cursor(row["era"], row["tx"], row["id"], row["mark"]): bool(row["swept"]) for row in found}
    if any(swept and cursor.place < one.place for one, swept in known.items()):
        raise OutOfReach("What came right behind that cursor is older than the news that is kept: start anew.")
    if cursor not in known and cursor != START:
        raise OutOfReach(
            "That cursor is not of this database's history, which may have been restored from a backup: start anew."
        )


async def sweep(older_than: datetime, keep_behind: Cursor | None = None) -> int:
    """Remove the entries from the front of the feed that are older, but none behind ``keep_behind``. Gives how many.

    In parts, so that nobody who writes waits for long; the horizon moves on with each part, in its transaction.
    """
    swept = 0
    while removed := await transactions.run(lambda: _sweep_part(older_than, keep_behind)):
        swept += removed
    return swept


async def _sweep_part(older_than: datetime, keep_behind: Cursor | None) -> int:
    part = await after(START, _SWEPT_AT_ONCE)
    # Times follow the order of the feed only roughly: what comes behind a younger entry waits for it.
    young = next((number for number, entry in enumerate(part) if entry.created_at >= older_than), len(part))
    old = [entry.cursor for entry in part[:young] if keep_behind is None or entry.cursor <= keep_behind]
    if old:
        await sql.execute(
            """INSERT INTO outbox_horizon (id, era, tx, entry_id, mark) VALUES (1, ?, ?, ?, ?) ON CONFLICT (id)
               DO UPDATE SET era = excluded.era, tx = excluded.tx, entry_id = excluded.entry_id, mark = excluded.mark
               WHERE (outbox_horizon.era, outbox_horizon.tx, outbox_horizon.entry_id)
                   < (excluded.era, excluded.tx, excluded.entry_id)""",
            *old[-1].place,
            old[-1].mark,
        )
        await sql.execute("DELETE FROM outbox WHERE (era, tx, id) <= (?, ?, ?)", *old[-1].place)
    return len(old)


def _below_the_running() -> str:
    """Leaves out what transactions wrote that began after one that is still running; none is of an older era."""
    running = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
    return f"AND (era, tx) < ({_ERA}, {running})" if connection.is_postgres() else ""
