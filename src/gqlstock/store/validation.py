"""Finds the cache keys that were dropped since a mark. A process does so before it uses anything in its cache."""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from gqlstock.rules import cache_keys
from gqlstock.rules.cache_keys import EVERYTHING, Key
from gqlstock.store.db import connection

Fetch = Callable[[str, Sequence[Any]], Awaitable[Sequence[Any]]]
"""Returns the rows of a statement with its values."""

_MAX_ENTRIES = 5_000
"""With more entries than this, everything is dropped."""

# Unlike PRAGMA data_version, this is the same on every connection. Sweeps do not reset it.
_LAST_ENTRY = "SELECT seq FROM sqlite_sequence WHERE name = 'outbox'"
_NEW_ENTRIES = f"""SELECT topic, item_id FROM outbox WHERE id > ?
    UNION ALL SELECT 'SWEPT', NULL FROM outbox_horizon WHERE entry_id > ? LIMIT {_MAX_ENTRIES + 1}"""

# A single statement, so the snapshot is the one in which the entries were searched.
_NEW_ENTRIES_OF_POSTGRES = f"""
    SELECT pg_current_snapshot()::text AS snapshot, pg_postmaster_start_time() AS started,
        (SELECT oid FROM pg_database WHERE datname = current_database()) AS database,
        COALESCE((SELECT era FROM outbox_era), 0) AS era,
        EXISTS (SELECT 1 FROM outbox_horizon WHERE (era, tx) >= ($1, $2)) AS swept,
        ARRAY(
            SELECT topic || ' ' || COALESCE(item_id::text, '') FROM (
                SELECT topic, item_id FROM outbox WHERE era = $1 AND tx >= $3
                UNION ALL SELECT topic, item_id FROM outbox WHERE era = $1 AND tx = ANY($4::bigint[])
                LIMIT {_MAX_ENTRIES + 1}
            ) AS entries
        ) AS entries"""


@dataclass(frozen=True, slots=True)
class Mark:
    """The database snapshot that was validated last.

    ``server``: the database and its server. On SQLite, ``end`` is the number of the last entry. On PostgreSQL,
    transactions from ``end`` on and those in ``running`` had not committed.
    """

    server: Hashable
    end: int
    running: tuple[int, ...] = ()
    era: int = 0


async def since(mark: Mark | None, fetch: Fetch) -> tuple[Mark, set[Key]]:
    """The mark of the snapshot that ``fetch`` reads, and the keys that were dropped between the two marks."""
    return await (_since_on_postgres(mark, fetch) if connection.is_postgres() else _since_on_sqlite(mark, fetch))


async def _since_on_sqlite(mark: Mark | None, fetch: Fetch) -> tuple[Mark, set[Key]]:
    found = await fetch(_LAST_ENTRY, ())
    last, server = (found[0]["seq"] if found else 0), connection.filename()
    if mark is None or mark.server != server or mark.end > last:
        return Mark(server, last), {EVERYTHING}
    if mark.end == last:
        return mark, set()
    entries = await fetch(_NEW_ENTRIES, (mark.end, mark.end))
    return Mark(server, last), _dropped([(row["topic"], row["item_id"]) for row in entries])


async def _since_on_postgres(mark: Mark | None, fetch: Fetch) -> tuple[Mark, set[Key]]:
    known = mark or Mark(None, 0)
    oldest = min(known.running, default=known.end)
    found = (await fetch(_NEW_ENTRIES_OF_POSTGRES, (known.era, oldest, known.end, list(known.running))))[0]
    _, end, running = found["snapshot"].split(":")
    server = found["database"], found["started"]
    new = Mark(server, int(end), tuple(map(int, running.split(","))) if running else (), found["era"])
    if known.server != server or known.era != new.era or found["swept"]:
        return new, {EVERYTHING}
    return new, _dropped([_entry(text) for text in found["entries"]])


def _entry(text: str) -> tuple[str, int | None]:
    topic, item_id = text.split(" ")
    return topic, int(item_id) if item_id else None


def _dropped(entries: Sequence[tuple[str, int | None]]) -> set[Key]:
    return {EVERYTHING} if len(entries) > _MAX_ENTRIES else cache_keys.dropped(entries)
