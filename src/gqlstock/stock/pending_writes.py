"""The new and changed records of a batch, written with one statement per table and kind of change.

``ledger`` writes levels and movements.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

from gqlstock.store.db import tables


class PendingWrites:
    """New records have temporary ids below 0. Writing replaces these ids, and references to them, with stored ids."""

    def __init__(self) -> None:
        self._added: dict[type, dict[int, Any]] = {kind: {} for kind in tables.WRITE_ORDER}
        self._before: dict[type, dict[int, Any]] = {kind: {} for kind in tables.WRITE_ORDER}
        self._changed: dict[type, dict[int, Any]] = {kind: {} for kind in tables.WRITE_ORDER}
        self._stored: dict[int, int] = {}

    def add(self, record: Any) -> None:
        self._added[type(record)][record.id] = record

    def change(self, before: Any, after: Any) -> None:
        """Register a new version of a stored or new record."""
        kind = type(after)
        if after.id in self._added[kind]:
            self._added[kind][after.id] = after
        else:
            self._before[kind].setdefault(after.id, before)
            self._changed[kind][after.id] = after

    def id_of(self, record_id: int) -> int:
        """The stored id of a written record."""
        return self._stored.get(record_id, record_id)

    def store(self, new_id: int, stored_id: int) -> None:
        self._stored[new_id] = stored_id

    def record(self, record: Any) -> Any:
        """The latest version of a record, with stored ids."""
        kind = type(record)
        latest = self._added[kind].get(record.id) or self._changed[kind].get(record.id) or record
        return self._with_stored_ids(latest)

    async def write(self, kinds: Iterable[type]) -> None:
        for kind in kinds:
            await self._insert_all(kind)
            changed = self._changed[kind]
            pairs = [(self._before[kind][id_], self._with_stored_ids(changed[id_])) for id_ in sorted(changed)]
            await tables.update(kind, [(before, after) for before, after in pairs if before != after])

    async def _insert_all(self, kind: type) -> None:
        """Insert new records. Those that refer to others of their kind come last, such as split allocations."""
        new, refers = self._added[kind], tables.REFERENCES.get(kind, ())
        first: list[Any] = []
        last: list[Any] = []
        for record in new.values():
            refers_to_own = any(getattr(record, name) in new for name in refers)
            (last if refers_to_own else first).append(record)
        for records in (first, last):
            if records:
                await self._insert(kind, records)

    async def _insert(self, kind: type, records: Sequence[Any]) -> None:
        columns: dict[str, Sequence[Any]] = {}
        for name in tables.REFERENCES.get(kind, ()):
            columns[name] = [self.id_of(getattr(record, name)) for record in records]
        if tables.has_seal(kind):
            columns["seal"] = self._seals(records)
        ids = await tables.insert(kind, records, columns)
        self._stored.update(zip((record.id for record in records), ids, strict=True))

    def _seals(self, records: Sequence[Any]) -> list[int]:
        below = [self._by_parent(kind) for kind in tables.SEALED_WITH.get(type(records[0]), ())]
        return [
            tables.seal(self._with_stored_ids(record), *(found.get(record.id, ()) for found in below))
            for record in records
        ]

    def _by_parent(self, kind: type) -> dict[int, list[Any]]:
        """The new records of a kind, by the id of the record that they belong to."""
        found: dict[int, list[Any]] = {}
        for record in self._added[kind].values():
            parent = getattr(record, tables.REFERENCES[kind][0])
            found.setdefault(parent, []).append(self._with_stored_ids(record))
        return found

    def _with_stored_ids(self, record: Any) -> Any:
        stored = self._stored
        ids = {
            name: stored[value]
            for name in ("id", *tables.REFERENCES.get(type(record), ()))
            if (value := getattr(record, name)) in stored
        }
        return dataclasses.replace(record, **ids) if ids else record
