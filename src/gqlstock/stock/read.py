"""A read: what it has found, the transaction of its statements, and what its answer depends on. ``reading`` runs reads."""

import asyncio
from collections import defaultdict
from collections.abc import (
    Awaitable,
    Callable,
    Hashable,
    Iterable,
    Mapping,
    Sequence,
)
from datetime import datetime
from typing import Any, TypeVar

from gqlstock.rules import cache_keys
from gqlstock.rules.cache_keys import Key
from gqlstock.stock import validating
from gqlstock.stock.cache import Cache, Found, Name
from gqlstock.stock.loads import Loads
from gqlstock.store.db import clock, reads
from gqlstock.store.db.outages import Disconnected
from gqlstock.store.db.reads import Reader, Transaction

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)

# Above this number, a read depends on all items or levels instead of many single ones.
_MAX_KEYS = 2_000
_TRANSACTION = "transaction"
"""The name of the transaction among the kinds of loads."""
_NO_EPOCH = -1
"""Precedes the epoch of every cache entry."""


# A read starts over once for a changed value, and as often as its connection is lost.
_MAX_STARTS = 8


class StartOver(Exception):
    """A cached value that the read used has changed. The read runs again, in its transaction."""


class Reading:
    """A read in progress.

    Its statements run in one transaction, which begins with the first of them. Before the read begins and after it has ended,
    each statement runs by itself, as mutations need it.
    """

    def __init__(self, kept: Cache) -> None:
        self._cache = kept
        self.keeps = not kept.is_off
        """Whether caching is enabled."""
        self._begun = False
        self._pin = 0
        self._now: datetime | None = None
        self._transaction: Transaction | None = None
        self.loads = Loads()
        self._is_running = False
        self._is_outdated = False
        self._is_lost = False
        """Whether the connection of its transaction was lost."""
        self._has_changed = False
        self.is_changing = False
        """Whether a change is running outside of the read."""
        self._found: defaultdict[str, dict[Any, Any]] = defaultdict(dict)
        self._made: dict[Hashable, asyncio.Future[Any]] = {}
        self._counted: dict[Hashable, Any] = {}
        """Results that survive when the read starts over."""
        self._keys: set[Key] = set()
        self._until: datetime | None = None
        self.is_keepable = True

    @property
    def now(self) -> datetime:
        """The instant of the read."""
        return self._now or clock.now()

    async def begin(self) -> None:
        """Validate the cache. Raises ``validating.NotValidated``."""
        await validating.validate(self._cache)
        self._pin, self._now, self._begun = self._cache.epoch, clock.now(), True

    async def begin_again(self) -> None:
        """If the read has begun, begin it again at the current instant, without what it has found."""
        if self._begun:
            await self.end()
            await self.begin()

    async def release(self) -> None:
        """Begin again if there is a transaction, to release its connection before a possibly long wait."""
        if self._transaction is not None:
            await self.begin_again()

    def begin_later(self) -> None:
        """Begin with the first statement. Nothing cached is used before it."""
        self._pin, self._now, self._begun = _NO_EPOCH, clock.now(), True

    async def around(self, change: Callable[[], Awaitable[T]]) -> T:
        """Run a change outside of the read. Afterwards the read sees an instant after the change."""
        await self.end()
        self._has_changed = self.is_changing = True
        try:
            return await change()
        finally:
            self.is_changing = False
            self.begin_later()

    async def end(self) -> None:
        """End the transaction, and discard what was read."""
        self._begun, self._now = False, None
        self._forget()
        if self._transaction is not None:
            transaction, self._transaction = self._transaction, None
            await transaction.end()

    async def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run ``work``, which only reads.

        It starts over if a cached value that it used has changed, or if the connection of its transaction is lost.
        """
        if self._is_running:
            return await work()
        if not self._begun:
            await self.begin()
        self._is_running = True
        try:
            for _ in range(_MAX_STARTS - 1):
                try:
                    result = await work()
                    if not (self._is_outdated or self._is_lost):
                        return result
                except StartOver:
                    pass
                except Disconnected:
                    if not self._is_lost:
                        raise
                await self._start_over()
            return await work()
        finally:
            self._is_running = False

    async def _start_over(self) -> None:
        """Forget what was read. Without its transaction, the read begins again at the current instant."""
        if self._is_lost:
            await self.end()
            await self.begin()
        # Otherwise everything is now read in the transaction, or cached as of its snapshot.
        self._is_outdated = self._is_lost = False
        self._forget()

    def get_many(self, kind: str, ids: Iterable[K]) -> tuple[dict[K, Any], list[K]]:
        """The records that this read has found or that are cached, by id, and the ids of the others."""
        known, missing = self.get_found(kind, ids)
        if missing and self._now is not None:
            kept = self._cache.get_many(kind, missing, self._pin, self._now)
            if kept:
                self._depend_on(kept.values())
                found = self._found[kind]
                for one, entry in kept.items():
                    known[one] = found[one] = entry.value
                missing = [one for one in missing if one not in kept]
        return known, missing

    def get_found(self, kind: str, ids: Iterable[K]) -> tuple[dict[K, Any], list[K]]:
        """Like ``get_many``, without the cache: only records that this read has found."""
        found, wanted = self._found.get(kind), dict.fromkeys(ids)
        if not found:
            return {}, list(wanted)
        known = {one: found[one] for one in wanted if one in found}
        return known, [one for one in wanted if one not in known] if len(known) < len(wanted) else []

    def put_many(self, kind: str, found: Mapping[K, Found[Any]]) -> None:
        """Cache records that this read has read or computed, by id."""
        self._depend_on(found.values())
        # A concurrent task may have computed them from records that are now stale.
        if self._now is not None and not self._is_outdated:
            values = self._found[kind]
            for one, entry in found.items():
                values[one] = entry.value
            self._cache.keep_many(kind, found, self._pin, self._now)

    def remember(self, kind: str, name: Hashable, value: Any) -> None:
        """Store a value that was derived from records of this read, for this read only."""
        if self._begun and not self._is_outdated:
            self._found[kind][name] = value

    def _depend_on(self, found: Iterable[Found[Any]]) -> None:
        keys = self._keys
        for entry in found:
            keys.update(entry.keys)
            if entry.until is not None and (self._until is None or entry.until < self._until):
                self._until = entry.until
        if len(keys) > _MAX_KEYS:
            self._keys = cache_keys.coarse(keys)

    async def answer(self, name: Name) -> Found[Any] | None:
        """The cached answer, if current. A read that has not begun begins if there is an entry."""
        if not self._begun:
            if name not in self._cache:
                self._cache.missed(name)
                return None
            await self.begin()
        return self._cache.get(name, self._pin, self.now)

    def keep_answer(self, name: Name, value: Any, size: int) -> None:
        """Cache the answer of this read, if all its dependencies are known and no change ran in it."""
        if self._begun and self.is_keepable and not self._has_changed:
            self._cache.keep(name, value, self._pin, self.now, tuple(self._keys), self._until, size)

    def depend_on(self, keys: Iterable[Key], until: datetime | None = None) -> None:
        self._keys.update(keys)
        if len(self._keys) > _MAX_KEYS:
            self._keys = cache_keys.coarse(self._keys)
        if until is not None and (self._until is None or until < self._until):
            self._until = until

    def never_keep(self) -> None:
        self.is_keepable = False

    async def fetch(self, reader: Reader, statement: str, values: Sequence[Any]) -> Sequence[Any]:
        reads.declare(self, statement)
        if not self._begun:
            return await reader.fetch(statement, values)
        try:
            return await self._fetch_at_its_instant(reader, statement, values)
        except Disconnected:
            self._is_lost = True
            raise

    async def _fetch_at_its_instant(self, reader: Reader, statement: str, values: Sequence[Any]) -> Sequence[Any]:
        if self._transaction is None and _TRANSACTION in self.loads.running:
            await self.loads.wait(_TRANSACTION)
        if self._transaction is None:
            self.loads.begin(_TRANSACTION)
            try:
                await self._begin_transaction(reader)
            finally:
                self.loads.finish(_TRANSACTION)
        if self._is_outdated:
            raise StartOver
        assert self._transaction is not None
        return await self._transaction.fetch(statement, values)

    async def _begin_transaction(self, reader: Reader) -> None:
        transaction = await reader.begin_read()
        try:
            if self.keeps:
                async with self._cache.validating:
                    await validating.validate_by(transaction.fetch, self._cache)
        except BaseException:
            await transaction.end()
            raise
        self._is_outdated = self._pin != _NO_EPOCH and not self._cache.unchanged(self._keys, self._pin)
        self._transaction, self._pin = transaction, self._cache.epoch

    async def once(self, name: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """The result of ``make``, which runs once per name in this read."""
        if name not in self._made:
            self._made[name] = asyncio.ensure_future(make())
        made: T = await self._made[name]
        return made

    def count_once(self, name: Hashable, count: Callable[[], T]) -> T:
        """The result of ``count``, which runs once per name, even if the read starts over."""
        if name not in self._counted:
            self._counted[name] = count()
        counted: T = self._counted[name]
        return counted

    def _forget(self) -> None:
        self._found.clear()
        self._made.clear()
        self._keys.clear()
        self._until = None
        self.is_keepable = True
