"""News, written in the transaction that made it and read by whoever delivers it. In commit order, by cursor."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

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


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A place in the feed: everything up to it was read."""

    tx: int
    id: int


START = Cursor(0, 0)


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as it is read back, with its place in the feed."""

    cursor: Cursor
    topic: Topic
    subject: int
    data: dict[str, Any]
    created_at: datetime


_WRITTEN_AT_ONCE = 5_000
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


async def _write(events: list[Event]) -> None:
    tx = "pg_current_xact_id()::text::bigint" if database.is_postgres() else "0"
    at = database.now()
    for start in range(0, len(events), _WRITTEN_AT_ONCE):
        part = events[start : start + _WRITTEN_AT_ONCE]
        slots = ", ".join([f"({tx}, ?, ?, ?, ?)"] * len(part))
        values = [value for e in part for value in (e.topic.value, e.subject, json.dumps(e.data), at)]
        await database.execute(f"INSERT INTO outbox (tx, topic, subject, data, created_at) VALUES {slots}", *values)


async def after(cursor: Cursor, limit: int, topics: Sequence[Topic] | None = None) -> list[Entry]:
    """The next entries behind a cursor, in commit order."""
    chosen = f"AND topic IN ({', '.join('?' * len(topics))})" if topics is not None else ""
    rows = await database.query(
        f"""SELECT tx, id, topic, subject, data, created_at FROM outbox
            WHERE (tx, id) > (?, ?) {chosen} {_below_the_running()} ORDER BY tx, id LIMIT ?""",
        *_row(cursor),
        *(topic.value for topic in topics or ()),
        limit,
    )
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
    return Cursor(found[0]["tx"], found[0]["id"]) if found else START


def _below_the_running() -> str:
    """Leaves out what transactions wrote that began after one that is still running."""
    return "AND tx < pg_snapshot_xmin(pg_current_snapshot())::text::bigint" if database.is_postgres() else ""
