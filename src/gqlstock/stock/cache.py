"""Keeps records and answers in memory, and decides whether one is still current. It reads nothing itself.

Each validation drops the keys of what has changed since the one before, and begins an epoch. What a read keeps belongs to
the epoch of its snapshot. It is used as long as none of its keys was dropped afterwards. ``stock.reading`` validates.
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
"""The kinds of entries. The name of an answer begins with ``ANSWER``."""

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Name = tuple[Any, ...]
"""The name of an entry. It begins with the kind of the entry."""

_BEGINNING = datetime.min.replace(tzinfo=UTC)
_MAX_DROPPED_KEYS = 50_000
"""Of older ones it is forgotten when they were dropped."""
# What an entry takes besides its value, measured and rounded up.
_BYTES_PER_ENTRY = 400
_BYTES_PER_KEY = 100


@dataclass(slots=True)
class Found(Generic[V]):
    """Something that was read, and what it depends on.

    Once it is kept, it is current in every snapshot from ``epoch`` on in which no key has been dropped, for reads at
    ``since`` or later and before ``until``.
    """

    value: V
    keys: Collection[Key]
    size: int
    """The bytes that the value takes; once it is kept, those of everything."""
    until: datetime | None = None
    since: datetime = _BEGINNING
    epoch: int = 0
    checked: int = 0
    """The last epoch in which none of its keys had been dropped."""


@dataclass(slots=True)
class Counts:
    """Hits and misses of lookups, and entries that were found dropped."""

    hits: int = 0
    misses: int = 0
    drops: int = 0


class Cache:
    """At most ``max_bytes``; 0 keeps nothing. Write transactions of SQLite use it from another thread."""

    def __init__(self, max_bytes: int = 0, max_dropped_keys: int = _MAX_DROPPED_KEYS) -> None:
        self.epoch = 0
        self.mark: Mark | None = None
        self.validating = asyncio.Lock()
        """Held from the moment a validation is sent until its result is applied."""
        self.sent = 0
        """The number of validations that were sent."""
        self.applied = 0
        """The number of the last validation that was applied."""
        self.validated_at = 0.0
        """When that was, by this machine's monotonic clock."""
        self.counts = {ANSWER: Counts(), RECORD: Counts()}
        self._floor = 0
        """Keys dropped before this epoch may be forgotten."""
        self._last_drop = 0
        self._max_dropped_keys = max_dropped_keys
        self._dropped: OrderedDict[Key, int] = OrderedDict()
        self._max_bytes = max_bytes
        # The least recently used come first. LRUCache of cachetools takes ten times as long, a fifth of the time of a read.
        self._entries: OrderedDict[Name, Found[Any]] = OrderedDict()
        self.bytes = 0
        self._lock = threading.Lock()

    @property
    def is_off(self) -> bool:
        """Whether nothing is kept, so that there is nothing to validate."""
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
        """Whether there is an entry, current or not."""
        return name in self._entries

    def missed(self, name: Name) -> None:
        """Count a lookup that needed no validation to find nothing."""
        self._counts(name[0]).misses += 1

    def _counts(self, kind: str) -> Counts:
        return self.counts[ANSWER if kind == ANSWER else RECORD]

    def get(self, name: Name, pin: int, now: datetime) -> Found[Any] | None:
        """An entry that is current in the snapshot of epoch ``pin``."""
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
        # A read that began earlier may run beside the one that kept the entry, and is of its own time.
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
        """Keep something that was read in the snapshot of epoch ``pin``, unless it has changed since.

        ``now`` is the time of that read. ``size``: bytes.
        """
        self._keep([(name, Found(value, keys, size, until))], pin, now)

    def keep_many(self, kind: str, found: Mapping[K, Found[Any]], pin: int, now: datetime) -> None:
        """As ``keep``, for what is named (kind, id), by id."""
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
        """Whether none of the keys was dropped after the epoch ``pin``."""
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
    """The cache of this process. Without one, nothing is kept."""
    return _in_context.get() or _everywhere


@contextmanager
def everywhere(cache: Cache) -> Iterator[None]:
    """Use a cache in the whole process for the block."""
    global _everywhere
    before, _everywhere = _everywhere, cache
    try:
        yield
    finally:
        _everywhere = before


@contextmanager
def replaced(cache: Cache) -> Iterator[None]:
    """Use another cache in this context for the block; for tests."""
    token = _in_context.set(cache)
    try:
        yield
    finally:
        _in_context.reset(token)
