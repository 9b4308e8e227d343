"""A model of an MVCC database, and of processes that cache what they read in the real ``Cache``.

Everything that waits is a generator, and a run resumes one of them at random. Each answer is compared with the snapshot
and the time that it claims, and with everything that was acknowledged before its request.
"""

import random
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from gqlstock.rules import cache_keys
from gqlstock.rules.cache_keys import EVERYTHING, Key
from gqlstock.stock.cache import Cache
from gqlstock.store.validation import Mark

Steps = Generator[None, None, None]

KEYS = [cache_keys.item(number) for number in range(5)]
_START = datetime(2030, 1, 1, tzinfo=UTC)
_BYTES = 500
_TASKS = 8
_STEPS = 3_000
_CHANCE_OF_WRITER = 0.25
_CHANCE_OF_ROLLBACK = 0.15
_CHANCE_OF_RESET = 0.03
_CHANCE_OF_HOLD = 0.4


class Wrong(AssertionError):
    """An answer that matches no snapshot, or that is older than an acknowledged change."""


@dataclass(frozen=True, slots=True)
class Row:
    """``number`` increases with each version. ``expires_at``: units are held until then."""

    number: int = 0
    expires_at: datetime | None = None

    def at(self, now: datetime) -> tuple[int, bool]:
        """The content of an answer: the version, and whether units are held."""
        return self.number, self.expires_at is not None and now < self.expires_at

    def until(self, now: datetime) -> datetime | None:
        return self.expires_at if self.expires_at is not None and now < self.expires_at else None


@dataclass(slots=True)
class Database:
    """Transactions commit in any order. Row locks are held until commit."""

    now: datetime = _START
    next: int = 1
    running: set[int] = field(default_factory=set)
    committed: set[int] = field(default_factory=set)
    rows: dict[Key, list[tuple[int, Row]]] = field(default_factory=dict)
    entries: list[tuple[int, Collection[Key]]] = field(default_factory=list)
    locks: dict[Key, int] = field(default_factory=dict)
    acknowledged: dict[Key, int] = field(default_factory=dict)
    written: int = 0

    def begin(self) -> int:
        number, self.next = self.next, self.next + 1
        self.running.add(number)
        return number

    def end(self, number: int, *, commits: bool) -> None:
        self.running.discard(number)
        if commits:
            self.committed.add(number)
        for key in [key for key, owner in self.locks.items() if owner == number]:
            del self.locks[key]

    def snapshot(self) -> Mark:
        return Mark("server", self.next, tuple(self.running))

    def _sees(self, snapshot: Mark, number: int) -> bool:
        return number in self.committed and number < snapshot.end and number not in snapshot.running

    def read(self, key: Key, snapshot: Mark) -> Row:
        seen = [row for number, row in self.rows.get(key, ()) if self._sees(snapshot, number)]
        return seen[-1] if seen else Row()

    def dropped(self, since: Mark, snapshot: Mark) -> set[Key]:
        """The keys of the entries in ``snapshot`` that are not in ``since``."""
        return {
            key
            for number, keys in self.entries
            if (number >= since.end or number in since.running) and self._sees(snapshot, number)
            for key in keys
        }


@dataclass(slots=True)
class Process:
    """A process that reads like ``stock.reading``. ``restarts`` False plants a bug."""

    db: Database
    cache: Cache
    chance: random.Random
    restarts: bool = True
    counts: Counter[str] = field(default_factory=Counter)
    _is_validating: bool = False

    def __post_init__(self) -> None:
        self.cache.apply(self.db.snapshot(), {EVERYTHING})

    def _pause(self, most: int) -> Steps:
        for _ in range(self.chance.randint(0, most)):
            yield

    def _validated(self) -> Generator[None, None, Mark]:
        """Validate, one at a time. Returns the snapshot of the validation."""
        while self._is_validating:
            yield
        self._is_validating = True
        assert self.cache.mark is not None
        snapshot = self.db.snapshot()
        dropped = self.db.dropped(self.cache.mark, snapshot)
        yield from self._pause(3)
        self.cache.apply(snapshot, dropped)
        self._is_validating = False
        return snapshot

    def query(self, keys: tuple[Key, ...]) -> Steps:
        acknowledged = dict(self.db.acknowledged)
        snapshot = yield from self._validated()
        pin, now = self.cache.epoch, self.db.now
        kept = self.cache.get(("answer", keys), pin, now)
        if kept is not None:
            self.counts["answers"] += 1
            self._compare(kept.value, keys, snapshot, now, acknowledged)
            return
        shown: dict[Key, tuple[int, bool]] = {}
        untils: list[datetime | None] = []
        for key in keys:
            record = self.cache.get(("record", key), pin, now)
            if record is None:
                break
            shown[key] = record.value
            untils.append(record.until)
            yield from self._pause(1)
        if len(shown) == len(keys):
            self.counts["records"] += 1
        else:
            before, snapshot = pin, (yield from self._validated())
            pin = self.cache.epoch
            if not self.cache.unchanged(shown, before) and self.restarts:
                self.counts["restarts"] += 1
                shown.clear()
            for key in keys:
                if key not in shown:
                    shown[key], until = yield from self._record(key, snapshot, pin, now)
                    untils.append(until)
        self._compare(shown, keys, snapshot, now, acknowledged)
        until = min((moment for moment in untils if moment is not None), default=None)
        self.cache.keep(("answer", keys), shown, pin, now, keys, until, _BYTES)

    def _record(
        self, key: Key, snapshot: Mark, pin: int, now: datetime
    ) -> Generator[None, None, tuple[tuple[int, bool], datetime | None]]:
        record = self.cache.get(("record", key), pin, now)
        if record is not None and self.chance.random() < 0.5:
            return record.value, record.until
        row = self.db.read(key, snapshot)
        yield from self._pause(2)
        self.cache.keep(("record", key), row.at(now), pin, now, (key,), row.until(now), _BYTES)
        self.counts["loads"] += 1
        return row.at(now), row.until(now)

    def _compare(
        self,
        shown: dict[Key, tuple[int, bool]],
        keys: Iterable[Key],
        snapshot: Mark,
        now: datetime,
        acknowledged: dict[Key, int],
    ) -> None:
        for key in keys:
            if shown[key] != self.db.read(key, snapshot).at(now):
                raise Wrong(f"{key} is {shown[key]}, not {self.db.read(key, snapshot).at(now)}")
            if shown[key][0] < acknowledged.get(key, 0):
                raise Wrong(f"{key} is {shown[key]}, although {acknowledged[key]} was acknowledged")

    def write(self, keys: Collection[Key]) -> Steps:
        """A transaction that decides by cached records, and validates them under its locks."""
        db, number = self.db, self.db.begin()
        pin, now = self.cache.epoch, db.now
        used = {key: kept.value for key in keys if (kept := self.cache.get(("record", key), pin, now)) is not None}
        for key in sorted(keys):
            while db.locks.get(key, number) != number:
                yield
            db.locks[key] = number
        assert self.cache.mark is not None
        snapshot = db.snapshot()
        dropped = db.dropped(self.cache.mark, snapshot)
        yield from self._pause(1)
        self.cache.drop(dropped)
        if self.cache.unchanged(used, pin):
            for key, shown in used.items():
                if shown != db.read(key, snapshot).at(now):
                    raise Wrong(f"{key} is {shown} in a write transaction")
            self.counts["writes"] += 1
            yield from self._change(number, keys)
        else:
            self.counts["outdated"] += 1
            db.end(number, commits=False)

    def _change(self, number: int, keys: Collection[Key]) -> Steps:
        db, values = self.db, {}
        for key in keys:
            db.written += 1
            held = self.chance.random() < _CHANCE_OF_HOLD
            expires_at = db.now + timedelta(seconds=self.chance.randint(1, 60)) if held else None
            values[key] = Row(db.written, expires_at)
            db.rows.setdefault(key, []).append((number, values[key]))
            yield from self._pause(1)
        dropped = {EVERYTHING} if self.chance.random() < _CHANCE_OF_RESET else set(keys)
        db.entries.append((number, dropped))
        yield from self._pause(4)
        commits = self.chance.random() >= _CHANCE_OF_ROLLBACK
        db.end(number, commits=commits)
        yield
        if commits:
            for key, row in values.items():
                db.acknowledged[key] = max(db.acknowledged.get(key, 0), row.number)


def run_many(runs: int, new_cache: Callable[[], Cache], *, restarts: bool = True) -> Counter[str]:
    """Run two processes on one database. Raises ``Wrong``; returns counts of what happened."""
    return sum((_run(seed, new_cache, restarts=restarts) for seed in range(runs)), Counter[str]())


def _run(seed: int, new_cache: Callable[[], Cache], *, restarts: bool) -> Counter[str]:
    chance = random.Random(seed)
    db = Database()
    processes = [Process(db, new_cache(), chance, restarts) for _ in range(2)]
    tasks: list[Steps] = []
    for _ in range(_STEPS):
        db.now += timedelta(seconds=1)
        if len(tasks) < _TASKS:
            process = chance.choice(processes)
            keys = chance.sample(KEYS, chance.randint(1, 3))
            is_writer = chance.random() < _CHANCE_OF_WRITER
            tasks.append(process.write(set(keys[:2])) if is_writer else process.query(tuple(sorted(keys))))
        task = chance.choice(tasks)
        try:
            next(task)
        except StopIteration:
            tasks.remove(task)
    return sum((process.counts for process in processes), Counter[str]())
