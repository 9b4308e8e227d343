"""Runs a batch of commands in one transaction: resolve, lock, load, decide each in turn, write once, commit once."""

import asyncio
import dataclasses
import logging
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gqlstock.rules.cache_keys import EVERYTHING
from gqlstock.rules.events import Event
from gqlstock.rules.idempotency import IdempotencyKey
from gqlstock.rules.ledger import Level, StockMovement
from gqlstock.rules.refusals import Refused
from gqlstock.stock import cache, for_writing, idempotency, ledger, loading
from gqlstock.stock.batcher import Batcher, Lock, Locked
from gqlstock.stock.command import Changes, Command, LedgerEntry, Result
from gqlstock.stock.consequences import apply_consequences
from gqlstock.stock.idempotency import Answers
from gqlstock.stock.snapshot import NotLoaded, Snapshot
from gqlstock.stock.unit_of_work import Key, UnitOfWork
from gqlstock.store import outbox
from gqlstock.store.db import connection, tables, transactions
from gqlstock.store.db.commits import CommitUnknown as CommitUnknown
from gqlstock.store.db.outages import Unavailable

log = logging.getLogger(__name__)

# Rounds may load, in turn: the decision's input, backorders to fill, a level's supply, its queue, the orders' other queues.
_MAX_ROUNDS = 7
_BATCH_ATTEMPTS = 2

Outcome = Result | Exception


async def run(command: Command) -> Result:
    """Run a command in a batch with concurrent ones. It is applied completely or not at all.

    During an outage of the database it waits outside of the queue, and raises ``Unavailable`` if that lasts too long.
    """
    await connection.until_available()
    return await _batcher.do(command)


async def run_all(commands: Iterable[Command]) -> None:
    """Run commands concurrently, so they share batches. All of them run; the first error, if any, is raised afterwards."""
    results = await asyncio.gather(*map(run, commands), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result


async def _write_batch(commands: Sequence[Command], wait_for: frozenset[Lock]) -> Sequence[Outcome]:
    await loading.prefetch([command.names for command in commands])
    if len(commands) > 1:
        try:
            return await _write(commands, wait_for, _BATCH_ATTEMPTS)
        except (CommitUnknown, Unavailable, Locked):
            raise
        except Exception as error:
            if transactions.is_external(error):
                raise
            # Some command made the batch fail, so each runs alone.
            log.info("%s commands could not be written together: %s", len(commands), error)
    return [await _write_alone(command, wait_for) for command in commands]


async def _write_alone(command: Command, wait_for: frozenset[Lock]) -> Outcome:
    try:
        return (await _write([command], wait_for, transactions.ATTEMPTS))[0]
    except Exception as error:
        return error


class _NothingToWrite(Exception):
    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        self.outcomes = outcomes


async def _write(commands: Sequence[Command], wait_for: frozenset[Lock], own_attempts: int) -> Sequence[Outcome]:
    try:
        return await transactions.run_in_one_hop(lambda: _Batch(commands).run(wait_for), own_attempts)
    except _NothingToWrite as rolled_back:
        # Refusals alone need no commit. During a sale, most orders for sold-out items are refused.
        return rolled_back.outcomes


@dataclass(slots=True)
class _Batch:
    commands: Sequence[Command]
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    """By the index of the command."""
    answers: Answers = field(default_factory=Answers)

    def _open(self) -> dict[int, Command]:
        return {number: one for number, one in enumerate(self.commands) if number not in self.outcomes}

    async def run(self, wait_for: frozenset[Lock]) -> Sequence[Outcome]:
        snapshot = await self._locked_snapshot(wait_for)
        decided, unit = await self._decide(snapshot)
        if decided:
            written = await _write_all(unit)
            self.outcomes |= {number: changes.answer(written) for number, changes in decided.items()}
        else:
            # Only refusals are written, which is harmless to repeat.
            transactions.allow_repeat()
        if not await self._keep_answers() and not decided:
            if not self.answers.valid:
                raise _NothingToWrite(self._all())
            await transactions.confirm_visible()
        return self._all()

    def _all(self) -> list[Outcome]:
        return [self.outcomes[number] for number in range(len(self.commands))]

    async def _locked_snapshot(self, wait_for: frozenset[Lock]) -> Snapshot:
        """Resolve what the commands name, lock it, and load the snapshot. Raises ``Locked`` if it waited in vain."""
        try:
            await loading.wait(wait_for)
        except Exception as error:
            if transactions.is_lock_timeout(error):
                raise Locked(wait_for) from error
            raise
        with for_writing.opened() as kept:
            snapshot = await loading.resolve([one.names for one in self.commands])
            items_of = self._items(snapshot)
            locked = await loading.lock(snapshot, {item_id for items in items_of.values() for item_id in items})
            await kept.validate()
            locked.check_unchanged()
        for number, items in items_of.items():
            missing = locked.missing(items, self.commands[number].names, snapshot)
            if missing & wait_for:
                # The transaction waited for these locks, so the cache names rows that somebody deleted with SQL.
                cache.current().drop({EVERYTHING})
                raise transactions.Outdated(f"{sorted(missing & wait_for)} do not exist")
            if missing:
                self.outcomes[number] = Locked(missing)
        await self._answer_from_keys()
        undecided = self._open()
        item_ids = {item_id for number, items in items_of.items() if number in undecided for item_id in items}
        return await loading.load(snapshot, locked, item_ids)

    def _items(self, snapshot: Snapshot) -> dict[int, frozenset[int]]:
        items_of: dict[int, frozenset[int]] = {}
        for number, command in self._open().items():
            try:
                items_of[number] = frozenset(command.items(snapshot))
            except Refused as refused:
                self.outcomes[number] = refused
        return items_of

    async def _answer_from_keys(self) -> None:
        """Answer repeated calls by their idempotency keys, even if they would be refused now.

        Runs under the locks: earlier calls with the same keys have committed by then.
        """
        keys = self._keys()
        self.answers = await idempotency.answers(keys.values())
        self.outcomes |= {number: self.answers.valid[key] for number, key in keys.items() if key in self.answers.valid}

    def _keys(self) -> dict[int, IdempotencyKey]:
        """The idempotency keys of the commands whose locks were free."""
        return {
            number: command.key
            for number, command in enumerate(self.commands)
            if command.key is not None and not isinstance(self.outcomes.get(number), Locked)
        }

    async def _keep_answers(self) -> bool:
        """Store the answers, including refusals, to commands with a key. Returns whether there were any."""
        new = {key: self.outcomes[number] for number, key in self._keys().items() if key not in self.answers.valid}
        answers = {key: outcome for key, outcome in new.items() if isinstance(outcome, Result | Refused)}
        if answers:
            await idempotency.keep(answers, self.answers.outdated)
        return bool(answers)

    async def _decide(self, snapshot: Snapshot) -> tuple[dict[int, Changes], UnitOfWork]:
        before = dict(self.outcomes)
        for _ in range(_MAX_ROUNDS):
            self.outcomes = dict(before)
            unit = UnitOfWork(snapshot.copy(), snapshot.now)
            try:
                return self._decide_each(unit), unit
            except NotLoaded as more:
                await loading.load_more(snapshot, more)
        raise RuntimeError(f"{len(self.commands)} commands needed more than {_MAX_ROUNDS} rounds to be decided")

    def _decide_each(self, unit: UnitOfWork) -> dict[int, Changes]:
        """Decide each command in turn. Raises ``NotLoaded`` with everything that is missing for any of them."""
        decided: dict[int, Changes] = {}
        missing: list[NotLoaded] = []
        for number, command in self._open().items():
            try:
                decided[number] = _decide(command, unit)
            except Refused as refused:
                self.outcomes[number] = refused
            except NotLoaded as more:
                missing.append(more)
        if missing:
            raise NotLoaded.all(missing)
        return decided


def _decide(command: Command, unit: UnitOfWork) -> Changes:
    """Decide a command and apply its changes and their consequences."""
    unit.begin()
    changes = command.decide(unit.snapshot, unit.now)
    before = _levels(unit.snapshot, changes)
    changed = unit.apply(changes)
    apply_consequences(unit, changed, before, changes.reassessed, changes.promised)
    unit.events += changes.events
    return changes


def _levels(snapshot: Snapshot, changes: Changes) -> dict[Key, Level]:
    """All levels, before the change, of the items that a command changes."""
    keys = [*changes.retired, *changes.opened, *changes.levels_before, *(entry.key for entry in changes.entries)]
    items = {item_id for item_id, _ in keys}
    levels = {(level.item_id, level.warehouse_id): level for item_id in items for level in snapshot.levels_of(item_id)}
    return levels | changes.levels_before


@dataclass(frozen=True, slots=True)
class _Written:
    unit: UnitOfWork
    by_entry: dict[int, tuple[StockMovement, int]]

    def id_of(self, record_id: int) -> int:
        return self.unit.writes.id_of(record_id)

    def record(self, record: Any) -> Any:
        return self.unit.writes.record(record)

    def level(self, key: Key) -> Level:
        level = self.unit.snapshot.level(*key)
        assert level is not None
        return level if level.id > 0 else dataclasses.replace(level, id=self.id_of(level.id))

    def movements(self, entries: Collection[LedgerEntry]) -> list[Any]:
        written = [self.by_entry[id(entry)] for entry in entries if id(entry) in self.by_entry]
        return [dataclasses.replace(movement, id=movement_id) for movement, movement_id in written]


async def _write_all(unit: UnitOfWork) -> _Written:
    await ledger.write_levels(unit)
    await unit.writes.write(tables.WRITE_ORDER)
    movements = await ledger.write_entries(unit)
    id_of = unit.writes.id_of
    await outbox.add([_stored(event, id_of(event.subject)) for event in unit.events])
    return _Written(unit, movements)


def _stored(event: Event, subject: int) -> Event:
    return event if subject == event.subject else dataclasses.replace(event, subject=subject)


_batcher: Batcher[Command, Result] = Batcher(
    _write_batch, lambda one: _key_place(one.key), lambda one: one.size, transactions.max_wait
)


def _key_place(key: IdempotencyKey | None) -> Hashable | None:
    return key.place if key is not None else None
