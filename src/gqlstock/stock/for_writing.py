"""Gives write transactions access to cached records, and validates under their locks that these were current."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from gqlstock.rules.cache_keys import Key
from gqlstock.stock import cache
from gqlstock.stock.cache import Cache, Found
from gqlstock.stock.loads import Loads
from gqlstock.store import validation
from gqlstock.store.db import clock, sql
from gqlstock.store.db.transactions import Outdated

K = TypeVar("K", bound=Hashable)


class ForWriting:
    """Cached records for a write transaction. It drops entries, but never adds any: no snapshot has its own changes yet."""

    def __init__(self, kept: Cache) -> None:
        self._cache = kept
        self._pin = kept.epoch
        self._now = clock.now()
        self._found: defaultdict[str, dict[Any, Any]] = defaultdict(dict)
        self._keys: set[Key] = set()
        self.loads = Loads()

    def get_many(self, kind: str, ids: Iterable[K]) -> tuple[dict[K, Any], list[K]]:
        """The records that were found before or that are cached, by id, and the ids of the others."""
        known, missing = self.get_found(kind, ids)
        for one, entry in self._cache.get_many(kind, missing, self._pin, self._now).items():
            self._keys.update(entry.keys)
            known[one] = self._found[kind][one] = entry.value
        return known, [one for one in missing if one not in known]

    def get_found(self, kind: str, ids: Iterable[K]) -> tuple[dict[K, Any], list[K]]:
        """Like ``get_many``, without the cache: only records that were found before."""
        found, wanted = self._found[kind], dict.fromkeys(ids)
        known = {one: found[one] for one in wanted if one in found}
        return known, [one for one in wanted if one not in known]

    def put_many(self, kind: str, found: Mapping[K, Found[Any]]) -> None:
        """Store records for this transaction."""
        self._found[kind] |= {one: entry.value for one, entry in found.items()}

    def remember(self, kind: str, one: Hashable, value: Any) -> None:
        """Stores nothing: derived values are derived again, because the transaction may change their records."""

    async def validate(self) -> None:
        """Validate, once the transaction has its locks. Raises ``Outdated`` if a cached record that was used has changed."""
        if not self._keys:
            return
        _, dropped = await validation.since(self._cache.mark, _fetch_in_transaction)
        self._cache.drop(dropped)
        if not self._cache.unchanged(self._keys, self._pin):
            raise Outdated("the catalog, the settings or the network have changed")


async def _fetch_in_transaction(statement: str, values: Sequence[Any]) -> Sequence[Any]:
    return await sql.fetch_raw(statement, *values)


running: ContextVar[ForWriting | None] = ContextVar("for_writing", default=None)


@contextmanager
def opened() -> Iterator[ForWriting]:
    """Use cached records in the running write transaction. ``validate`` must be called under its locks."""
    found = ForWriting(cache.current())
    token = running.set(found)
    try:
        yield found
    finally:
        running.reset(token)
