"""The outbox: events, written in the transaction of their change and read in commit order, by cursor.

Entries older than the retention are swept. The position of the sweep, the horizon, is stored, so an older cursor is
rejected instead of silently skipping entries. A cursor from another history of the database, for example from before a
restore, is rejected as well: its random mark is unknown here.
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
from gqlstock.rules.feed import START, Cursor, Entry, OutOfReach
from gqlstock.store.db import clock, connection, sql, transactions
from gqlstock.store.db.commits import Mark
from gqlstock.store.db.records import moment, records


class OutboxEntry(Model):
    """``tx`` is the transaction that wrote the entry: PostgreSQL's own number, 0 on SQLite.

    Ids are assigned before the commit, so a smaller one may appear after a larger one was read. Reading in the order
    (tx, id), up to the oldest running transaction, misses none. SQLite has one writer and only needs the id.
    ``era`` increases when another server continues with its own transaction numbers. ``mark`` is random; it
    distinguishes the entry from one at the same position in another history. ``item_id`` determines which cached reads
    the entry invalidates (``rules.cache_keys``).
    """

    id = fields.BigIntField(primary_key=True)
    # Defaults, because servers of the previous version write entries without these columns during a migration.
    era = fields.BigIntField(db_default=0)
    mark = fields.BigIntField(db_default=0)
    tx = fields.BigIntField()
    topic = fields.CharEnumField(Topic, max_length=20)
    subject = fields.BigIntField()
    item_id = fields.BigIntField(null=True)
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


_ENTRIES_PER_BATCH = 5_000
_CURSOR = "era, tx, id, mark"
_IN_ORDER = "ORDER BY era, tx, id"
_LAST_FIRST = "ORDER BY era DESC, tx DESC, id DESC"
_ERA = "COALESCE((SELECT era FROM outbox_era), 0)"
_RUNNING = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
"""The oldest running transaction that writes, in any database of the server."""
# A role that is not a member of pg_read_all_stats sees when its own transactions began, and prepared ones.
_SECONDS_HELD_BACK = f"""SELECT EXTRACT(epoch FROM clock_timestamp() - LEAST(
    (SELECT MIN(xact_start) FROM pg_stat_activity WHERE backend_xid IS NOT NULL),
    (SELECT MIN(prepared) FROM pg_prepared_xacts),
    (SELECT created_at FROM outbox WHERE (era, tx) >= ({_ERA}, {_RUNNING}) {_IN_ORDER} LIMIT 1)
))::float8 AS seconds"""
_MARKS = 2**53
_listeners: list[Callable[[], None]] = []


def listen(call: Callable[[], None]) -> Callable[[], None]:
    """Call a function after each commit of this process that wrote events. Returns a function that unsubscribes it."""
    _listeners.append(call)
    return lambda: _listeners.remove(call)


def _wake() -> None:
    for call in tuple(_listeners):
        call()


async def add(events: Sequence[Event]) -> None:
    """Write events in the running transaction. Readers are woken after its commit."""
    if events:
        transactions.gather(_write, events)
        transactions.on_commit(_wake)


async def _write(gathered: list[Event]) -> None:
    events = rules.deduplicated(gathered)
    now = clock.now()
    rows = [(event.topic.value, event.subject, event.item_id, _stored(event.data)) for event in events]
    columns, same = ("topic", "subject", "item_id", "data"), {"created_at": now}
    written = await sql.insert_returning(("id", "mark", "tx"), OutboxEntry, columns, rows, same, _computed())
    transactions.recognize_by(Mark(written[0]["id"], written[0]["mark"], written[0]["tx"]))


async def reset() -> None:
    """Make every process drop all cached reads. Migrations use it, so it only names columns of the first version."""
    topic, same = Topic.RESET.value, {"created_at": clock.now()}
    await sql.insert(OutboxEntry, ("topic", "subject", "data"), [(topic, 0, "{}")], same, _computed())


def _computed() -> dict[str, str]:
    """The columns of a new entry that the database computes."""
    if connection.is_postgres():
        mark = f"(random() * {_MARKS - 1})::bigint"
        return {"era": _ERA, "tx": "pg_current_xact_id()::text::bigint", "mark": mark}
    return {"era": "0", "tx": "0", "mark": f"random() & {_MARKS - 1}"}


def _stored(data: dict[str, Any]) -> str:
    # Half of all entries have no data.
    return json.dumps(data) if data else "{}"


@dataclass(frozen=True, slots=True)
class Among:
    """A filter for subjects: a SELECT of ids, or a placeholder for one id."""

    statement: str
    values: tuple[Any, ...]


async def after(
    cursor: Cursor,
    limit: int,
    topics: Sequence[Topic] | None = None,
    *,
    before: Cursor | None = None,
    among: Among | None = None,
) -> list[Entry]:
    """The next entries after a cursor, in commit order. ``before``: only entries before that cursor."""
    where, values = _where(cursor, before, topics, among)
    return await _entries(f"{where} {_IN_ORDER} LIMIT ?", *values, limit)


async def resume(cursor: Cursor, limit: int) -> list[Entry]:
    """The next entries of all topics after a stored cursor. Raises ``OutOfReach`` if it is not in this history."""
    where = f"WHERE (era, tx, id) >= (?, ?, ?) {_committed_before()}"
    found = await _entries(f"{where} {_IN_ORDER} LIMIT ?", *cursor.place, limit + 1)
    if found and found[0].cursor == cursor:
        return found[1:]
    await check(cursor)
    return found[:limit]


async def before(
    cursor: Cursor | None, limit: int, topics: Sequence[Topic], *, since: Cursor = START, among: Among | None = None
) -> list[Entry]:
    """The last entries before a cursor or, with None, before the end; latest first."""
    where, values = _where(since, cursor, topics, among)
    return await _entries(f"{where} {_LAST_FIRST} LIMIT ?", *values, limit)


async def count(topics: Sequence[Topic], among: Among | None = None) -> int:
    """The number of entries of these topics."""
    where, values = _where(START, None, topics, among)
    found = await sql.query(f"SELECT COUNT(*) AS entries FROM outbox {where}", *values)
    return int(found[0]["entries"])


async def waiting(cursor: Cursor, limit: int) -> tuple[int, datetime | None]:
    """The number of entries after a cursor, up to ``limit``, and the time of the first. Includes held-back entries."""
    where = f"WHERE (era, tx, id) > (?, ?, ?) {_IN_ORDER} LIMIT ?"
    found = await sql.query(
        f"SELECT COUNT(*) AS entries FROM (SELECT id FROM outbox {where}) AS waiting", *cursor.place, limit
    )
    first = await _entries(where, *cursor.place, 1)
    return int(found[0]["entries"]), first[0].created_at if first else None


def _where(
    after: Cursor, before: Cursor | None, topics: Sequence[Topic] | None, among: Among | None
) -> tuple[str, list[Any]]:
    where = f"WHERE (era, tx, id) > (?, ?, ?) {_committed_before()}"
    values: list[Any] = [*after.place]
    if before is not None:
        where, values = f"{where} AND (era, tx, id) < (?, ?, ?)", [*values, *before.place]
    if topics is not None:
        where = f"{where} AND topic IN ({sql.slots(topics)})"
        values += [topic.value for topic in topics]
    if among is not None:
        where, values = f"{where} AND subject IN ({among.statement})", [*values, *among.values]
    return where, values


async def _entries(rest: str, *values: Any) -> list[Entry]:
    return await records(Entry, f"SELECT {{columns}} FROM outbox {rest}", *values)


async def held_back(cursor: Cursor) -> bool:
    """Whether entries after the cursor can only be read after another transaction has ended."""
    if not connection.is_postgres():
        return False
    entries = "SELECT 1 FROM outbox WHERE (era, tx, id) > (?, ?, ?)"
    found = await sql.query(f"SELECT EXISTS ({entries}) AS more", *cursor.place)
    return bool(found[0]["more"])


async def seconds_held_back() -> float:
    """The age of the oldest running transaction that writes, in any database of the server; feeds wait for it. 0 if none.

    If the role may not see when it began, the age of the oldest entry that waits for it.
    """
    if not connection.is_postgres():
        return 0.0
    seconds = (await sql.query(_SECONDS_HELD_BACK))[0]["seconds"]
    return max(seconds, 0.0) if seconds is not None else 0.0


async def latest() -> Cursor:
    """The current end of the outbox."""
    where = f"WHERE TRUE {_committed_before()}"
    found = await sql.query(f"SELECT {_CURSOR} FROM outbox {where} {_LAST_FIRST} LIMIT 1")
    return Cursor(**found[0]) if found else await horizon()


async def latest_time() -> datetime | None:
    """The latest time of an entry, which need not be that of the last one; None without entries."""
    found = await sql.query("SELECT MAX(created_at) AS at FROM outbox")
    return moment(found[0]["at"]) if found[0]["at"] is not None else None


async def horizon() -> Cursor:
    """The cursor of the last swept entry."""
    found = await sql.query("SELECT era, tx, entry_id AS id, mark FROM outbox_horizon")
    return Cursor(**found[0]) if found else START


async def has(cursor: Cursor) -> bool:
    """Whether the entry of this cursor is in this history, stored or as the last swept one."""
    try:
        await check(cursor)
    except OutOfReach:
        return False
    return True


async def check(cursor: Cursor) -> None:
    """Raise ``OutOfReach`` if entries after the cursor were swept, or its entry is not in this history.

    A call after reading the entries also proves that none was missing.
    """
    found = await sql.query(
        """SELECT 1 AS swept, era, tx, entry_id AS id, mark FROM outbox_horizon
           UNION ALL SELECT 0, era, tx, id, mark FROM outbox WHERE id = ?""",
        cursor.id,
    )
    known = {Cursor(row["era"], row["tx"], row["id"], row["mark"]): bool(row["swept"]) for row in found}
    if any(swept and cursor.place < entry.place for entry, swept in known.items()):
        raise OutOfReach("The entries after this cursor have expired: start over without a cursor.")
    if cursor not in known and cursor != START:
        raise OutOfReach(
            "This cursor is not from this database's history, which may have been restored from a backup: "
            "start over without a cursor."
        )


async def sweep(older_than: datetime, keep_after: Cursor | None = None) -> int:
    """Delete old entries from the start, but none after ``keep_after``. Returns how many were deleted.

    Deletes in batches, so writers never wait for long. Each batch advances the horizon in the same transaction.
    """
    swept = 0
    while removed := await transactions.run(lambda: _sweep_batch(older_than, keep_after)):
        swept += removed
    return swept


async def _sweep_batch(older_than: datetime, keep_after: Cursor | None) -> int:
    batch = await after(START, _ENTRIES_PER_BATCH)
    # Timestamps are not strictly in entry order: an old entry after a younger one is kept as well.
    young = next((number for number, entry in enumerate(batch) if entry.created_at >= older_than), len(batch))
    old = [entry.cursor for entry in batch[:young] if keep_after is None or entry.cursor <= keep_after]
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


def _committed_before() -> str:
    """The condition for entries below the oldest running transaction. Older eras have no running transactions."""
    return f"AND (era, tx) < ({_ERA}, {_RUNNING})" if connection.is_postgres() else ""
