"""Caches records and answers in memory, and decides whether an entry is still current. It does not read the database.

Each validation drops the keys of everything that changed since the previous one; dropping keys begins a new epoch. An entry
belongs to the epoch of the snapshot that it was read in, and is current until one of its keys is dropped.
``stock.reading`` validates.
"""

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from gqlstock.rules.cache_keys import EVERYTHING, Key
from gqlstock.store.validation import Mark

ANSWER, RECORD = "answer", "record"
"""The kinds of entries. The name of an answer starts with ``ANSWER``."""

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Name = tuple[Any, ...]
"""The name of an entry, starting with its kind."""

_BEGINNING = datetime.min.replace(tzinfo=UTC)
_MAX_DROPPED_KEYS = 50_000
"""How many dropped keys are remembered with the epoch of their drop."""
# The overhead of an entry besides its value, measured and rounded up.
_BYTES_PER_ENTRY = 400
_BYTES_PER_KEY = 100


@dataclass(slots=True)
class Found(Generic[V]):
    """A value that was read, with its dependencies.

    Once cached, it is current in every snapshot from ``epoch`` on in which none of its keys was dropped, for reads from
    ``since`` (inclusive) to ``until`` (exclusive).
    """

    value: V
    keys: Collection[Key]
    size: int
    """The bytes of the value; once cached, of the whole entry."""
    until: datetime | None = None
    since: datetime = _BEGINNING
    epoch: int = 0
    checked: int = 0
    """The last epoch in which its keys were checked and none had been dropped."""


@dataclass(slots=True)
class Counts:
    """Hits and misses of lookups, and stale entries that lookups removed."""

    hits: int = 0
    misses: int = 0
    drops: int = 0


class Cache:
    """Holds at most ``max_bytes``; 0 disables it. Thread-safe: SQLite runs write transactions in another thread."""

    def __init__(self, max_bytes: int = 0, max_dropped_keys: int = _MAX_DROPPED_KEYS) -> None:
        self.epoch = 0
        self.mark: Mark | None = None
        self.validating = asyncio.Lock()
        """Held from the moment a validation is sent until its result is applied."""
        self.sent = 0
        """The number of validations sent so far."""
        self.applied = 0
        """The number of the last applied validation."""
        self.validated_at = 0.0
        """When that was, by the monotonic clock."""
        self.counts = {ANSWER: Counts(), RECORD: Counts()}
        self._floor = 0
        """Drops before this epoch may have been forgotten."""
        self._last_drop = 0
        self._max_dropped_keys = max_dropped_keys
        self._dropped: OrderedDict[Key, int] = OrderedDict()
        self._max_bytes = max_bytes
        # Least recently used first. LRUCache of cachetools is ten times slower, which would be a fifth of the time of a read.
        self._entries: OrderedDict[Name, Found[Any]] = OrderedDict()
        self.bytes = 0
        self._lock = threading.Lock()

    @property
    def is_off(self) -> bool:
        """Whether caching is disabled, so there is nothing to validate."""
        return self._max_bytes == 0

    def apply(self, mark: Mark, dropped: Collection[Key]) -> None:
        """Apply the result of a validation."""
        self.mark = mark
        self.drop(dropped)

    def drop(self, keys: Collection[Key]) -> None:
        """Drop everything that depends on one of these keys."""
        if not keys:
            return
        with self._lock:
            self.epoch += 1
            self._last_drop = self.epoch
            if EVERYTHING in keys:
                self._entries.clear()
                self._dropped.clear()
                self.bytes = 0
                self._floor = self.epoch
                return
            for key in keys:
                self._dropped[key] = self.epoch
                self._dropped.move_to_end(key)
            while len(self._dropped) > self._max_dropped_keys:
                self._floor = self._dropped.popitem(last=False)[1]

    def __contains__(self, name: Name) -> bool:
        """Whether there is an entry, current or stale."""
        return name in self._entries

    def missed(self, name: Name) -> None:
        """Count a miss that needed no validation."""
        self._counts(name[0]).misses += 1

    def _counts(self, kind: str) -> Counts:
        return self.counts[ANSWER if kind == ANSWER else RECORD]

    def get(self, name: Name, pin: int, now: datetime) -> Found[Any] | None:
        """The entry if it is current in the snapshot of epoch ``pin``."""
        counts = self._counts(name[0])
        with self._lock:
            entry = self._find(name, pin, now, counts)
        if entry is None:
            counts.misses += 1
        else:
            counts.hits += 1
        return entry

    def get_many(self, kind: str, ids: Collection[K], pin: int, now: datetime) -> dict[K, Found[Any]]:
        """The entries named (kind, id) that are current in the snapshot of epoch ``pin``, by id."""
        counts, entries, found = self.counts[RECORD], self._entries, {}
        with self._lock:
            for one in ids:
                if (kind, one) in entries:
                    entry = self._find((kind, one), pin, now, counts)
                    if entry is not None:
                        found[one] = entry
        counts.hits += len(found)
        counts.misses += len(ids) - len(found)
        return found

    def _find(self, name: Name, pin: int, now: datetime, counts: Counts) -> Found[Any] | None:
        entry = self._entries.get(name)
        if entry is None:
            return None
        if entry.checked < self._last_drop:
            if not self._unchanged(entry.keys, entry.checked):
                self._remove(name)
                counts.drops += 1
                return None
            entry.checked = self.epoch
        # A read that began earlier may run concurrently with the one that cached the entry; it sees its own instant.
        if entry.epoch > pin or entry.since > now or (entry.until is not None and entry.until <= now):
            return None
        self._entries.move_to_end(name)
        return entry

    def keep(
        self,
        name: Name,
        value: Any,
        pin: int,
        now: datetime,
        keys: Collection[Key],
        until: datetime | None,
        size: int,
    ) -> None:
        """Cache a value that was read in the snapshot of epoch ``pin``, unless it has changed since.

        ``now``: the time of that read; ``size``: in bytes.
        """
        self._keep([(name, Found(value, keys, size, until))], pin, now)

    def keep_many(self, kind: str, found: Mapping[K, Found[Any]], pin: int, now: datetime) -> None:
        """Like ``keep``, for entries named (kind, id), by id."""
        self._keep([((kind, one), entry) for one, entry in found.items()], pin, now)

    def _keep(self, found: Iterable[tuple[Name, Found[Any]]], pin: int, now: datetime) -> None:
        entries, most = self._entries, self._max_bytes
        with self._lock:
            is_latest = pin >= self._last_drop
            for name, entry in found:
                keys = entry.keys
                size = entry.size + _BYTES_PER_ENTRY + _BYTES_PER_KEY * len(keys)
                if size > most or not (is_latest or self._unchanged(keys, pin)):
                    continue
                if name in entries:
                    self._remove(name)
                entry.size, entry.since, entry.epoch, entry.checked = size, now, pin, pin
                entries[name] = entry
                self.bytes += size
            while self.bytes > most:
                self._remove(next(iter(entries)))

    def _remove(self, name: Name) -> None:
        self.bytes -= self._entries.pop(name).size

    def unchanged(self, keys: Iterable[Key], pin: int) -> bool:
        """Whether none of the keys was dropped after epoch ``pin``."""
        with self._lock:
            return self._unchanged(keys, pin)

    def _unchanged(self, keys: Iterable[Key], pin: int) -> bool:
        if pin >= self._last_drop:
            return True
        if pin < self._floor:
            return False
        dropped = self._dropped
        return dropped.keys().isdisjoint(keys) or all(dropped.get(key, 0) <= pin for key in keys)


_everywhere = Cache()
_in_context: ContextVar[Cache | None] = ContextVar("cache", default=None)


def current() -> Cache:
    """The cache of this process. By default it is disabled."""
    return _in_context.get() or _everywhere


@contextmanager
def everywhere(cache: Cache) -> Iterator[None]:
    """Use a cache in the whole process during the block."""
    global _everywhere
    before, _everywhere = _everywhere, cache
    try:
        yield
    finally:
        _everywhere = before


@contextmanager
def replaced(cache: Cache) -> Iterator[None]:
    """Use another cache in this context during the block; for tests."""
    token = _in_context.set(cache)
    try:
        yield
    finally:
        _in_context.reset(token)
