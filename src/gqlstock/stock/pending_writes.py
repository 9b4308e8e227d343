"""The new and changed records of a batch, written with one statement for each table and kind of change.

Levels and movements are written by ``ledger``.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

from gqlstock.store.db import tables


class PendingWrites:
    """New records have temporary ids below 0. Writing replaces these ids, also in records that refer to them."""

    def __init__(self) -> None:
        self._added: dict[type, dict[int, Any]] = {kind: {} for kind in tables.WRITE_ORDER}
        self._before: dict[type, dict[int, Any]] = {kind: {} for kind in tables.WRITE_ORDER}
        self._changed: dict[type, dict[int, Any]] = {kind: {} for kind in tables.WRITE_ORDER}
        self._stored: dict[int, int] = {}

    def add(self, record: Any) -> None:
        self._added[type(record)][record.id] = record

    def change(self, before: Any, after: Any) -> None:
        """Register a new version of a record, which may itself be new."""
        kind = type(after)
        if after.id in self._added[kind]:
            self._added[kind][after.id] = after
        else:
            self._before[kind].setdefault(after.id, before)
            self._changed[kind][after.id] = after

    def id_of(self, record_id: int) -> int:
        """The stored id of a record that was written."""
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
            new = self._added[kind].values()
            await self._insert(kind, [record for record in new if not self._refers_to_own_kind(record)])
            await self._insert(kind, [record for record in new if self._refers_to_own_kind(record)])
            changed = self._changed[kind]
            pairs = [(self._before[kind][id_], self._with_stored_ids(changed[id_])) for id_ in sorted(changed)]
            await tables.update(kind, [(before, after) for before, after in pairs if before != after])

    async def _insert(self, kind: type, new: Sequence[Any]) -> None:
        sealed = [tables.sealed(self._with_stored_ids(record), self._related(record.id)) for record in new]
        for record, stored_id in zip(new, await tables.insert(kind, sealed), strict=True):
            self._stored[record.id] = stored_id

    def _refers_to_own_kind(self, record: Any) -> bool:
        """Whether a new record refers to a new record of its own kind: units split off an allocation of the same batch."""
        own = self._added[type(record)]
        return any(getattr(record, name) in own for name in tables.REFERENCES.get(type(record), ()))

    def _related(self, record_id: int) -> tables.Related:
        def related(kind: type) -> list[Any]:
            refers = tables.REFERENCES[kind]
            return [
                self._with_stored_ids(one)
                for one in self._added[kind].values()
                if any(getattr(one, name) == record_id for name in refers)
            ]

        return related

    def _with_stored_ids(self, record: Any) -> Any:
        stored_ids = {}
        for name in ("id", *tables.REFERENCES.get(type(record), ())):
            value = getattr(record, name)
            if value is not None and value < 0:
                stored_ids[name] = self._stored.get(value, value)
        return dataclasses.replace(record, **stored_ids) if stored_ids else record
