"""Holds for carts: stock kept until it is ordered, released, or the time is up."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from gqlstock.rules import holds as rules
from gqlstock.rules import refusals
from gqlstock.rules.holds import HeldUnits, StockHold, StockHoldLine, StockHoldState
from gqlstock.rules.idempotency import IdempotencyKey
from gqlstock.rules.ledger import Change, Level
from gqlstock.rules.limits import PublicHolds
from gqlstock.rules.network import SalesChannel
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import Refused, wrong_state
from gqlstock.rules.scopes import SYSTEM, Caller
from gqlstock.services import drafts
from gqlstock.services.drafts import Asked, Draft, OrderLine, PlannedLine, plan, stocked
from gqlstock.services.handles import Handle
from gqlstock.services.idempotency import ticket_on_website
from gqlstock.stock import loading, transaction
from gqlstock.stock.command import Changes, LedgerEntry, Names, Result, new_id, summed
from gqlstock.stock.shelf import Shelf
from gqlstock.stock.snapshot import OpenHold, Snapshot
from gqlstock.store import database
from gqlstock.store import holds as rows

_SWEPT_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Holding:
    """``replaces``: the hold of the same cart that this one takes the place of."""

    lines: tuple[OrderLine, ...]
    website: str | None = None
    minutes: int = 15
    replaces: Handle | None = None


@dataclass(slots=True)
class EndedHold:
    """A hold that a command ends, and what that does to its levels."""

    held: OpenHold
    closed: StockHold
    entries: list[LedgerEntry] = field(default_factory=list)

    def add_to(self, changes: Changes) -> None:
        """Make it part of what a command decided; its units are free before anything else."""
        changes.entries[:0] = self.entries
        changes.changed.append(self.closed)


def named(hold_id: int | None) -> frozenset[int]:
    return frozenset() if hold_id is None else frozenset({hold_id})


def named_address(address: str | None) -> frozenset[str]:
    return frozenset() if address is None else frozenset({address})


def items_of(handle: Handle | None, found: Snapshot) -> set[int]:
    """The items of which a hold keeps units."""
    if handle is None or handle.row_id is None:
        return set()
    return {found.level_items[one.level_id] for one in found.all(HeldUnits) if one.hold_id == handle.row_id}


def end(
    caller: Caller, handle: Handle | None, snapshot: Snapshot, website_id: int | None, state: StockHoldState, *path: str
) -> EndedHold | None:
    """End an active hold of that website: its units are free. None where no hold is named."""
    if handle is None:
        return None
    held = snapshot.hold(handle.row_id)
    if held is None:
        raise refusals.missing("hold", handle.told, *path)
    check(held.hold, held.hold.website_id if website_id is None else website_id, snapshot.now, *path)
    entries = summed([_entry(one.level, Change(held=-one.quantity), caller) for one in held.units])
    return EndedHold(held, replace(held.hold, state=state, address=None), entries)


def check(hold: StockHold, website_id: int, now: datetime, *path: str) -> None:
    """Refuse a hold that is over, or of another website."""
    rules.check_active(hold.state, hold.expires_at, now, *path)
    if hold.website_id != website_id:
        raise wrong_state("The hold is of another website.", *path)


def _entry(level: Level, change: Change, caller: Caller) -> LedgerEntry:
    return LedgerEntry(level.item_id, level.warehouse_id, change, caller)


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody without a token: where they come from (None where that is not counted), and what they may hold."""

    address: str | None
    limits: PublicHolds


async def hold(caller: Caller, asked: Holding, key: str | None = None, guest: Guest | None = None) -> Result:
    """Keep what is free for a cart, all of it or nothing. Answers the hold's id."""
    rules.check_minutes(asked.minutes)
    if guest is not None:
        rules.check_public(asked.minutes, len(asked.lines), guest.limits)
    used = await ticket_on_website(caller, "holdStock", key, asked)
    return await transaction.run(HoldStock(caller, asked, used, guest))


@dataclass(frozen=True, slots=True)
class HoldStock:
    caller: Caller
    asked: Holding
    key: IdempotencyKey | None
    guest: Guest | None = None

    @property
    def names(self) -> Names:
        replaced = self.asked.replaces.row_id if self.asked.replaces is not None else None
        skus = frozenset(line.sku for line in self.asked.lines)
        return Names(skus, holds=named(replaced), addresses=named_address(self._address))

    @property
    def size(self) -> int:
        return len(self.asked.lines)

    @property
    def _address(self) -> str | None:
        return self.guest.address if self.guest is not None else None

    def items(self, found: Snapshot) -> Collection[int]:
        _, lines, shelf = self._identified(found)
        return stocked(lines, shelf).keys() | items_of(self.asked.replaces, found)

    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        channel, lines, shelf = self._identified(snapshot)
        ended = end(self.caller, self.asked.replaces, snapshot, channel.id, StockHoldState.RELEASED, "replaces")
        if ended is not None:
            shelf.free(ended.held.quantities)
        draft = plan(self.caller, self._order, lines, shelf)
        if draft.refusals:
            raise Refused(draft.refusals)
        if self.guest is not None and self._address is not None:
            rules.check_active_of_address(snapshot.active_holds(self._address), self.guest.limits)
        made = StockHold(
            id=rows.new_id(),
            website_id=channel.id,
            state=StockHoldState.ACTIVE,
            expires_at=now + timedelta(minutes=self.asked.minutes),
            created_at=now,
            address=self._address,
        )
        asked = [
            StockHoldLine(new_id(), made.id, line.item.id, line.item.sku, line.asked.quantity, line.selected)
            for line in draft.lines
            if line.item is not None
        ]
        kept = _kept(draft, snapshot, shelf)
        units = [HeldUnits(new_id(), made.id, level.id, quantity) for level, quantity in kept]
        entries = summed([_entry(level, Change(held=quantity), self.caller) for level, quantity in kept])
        changes = Changes(lambda written: Result({"hold": [made.id]}), entries, [made, *asked, *units])
        if ended is not None:
            ended.add_to(changes)
        return changes

    @property
    def _order(self) -> Asked:
        return Asked(self.asked.lines, self.asked.website, only_free=True)

    def _identified(self, found: Snapshot) -> tuple[SalesChannel, list[PlannedLine], Shelf]:
        channel = drafts.check(self._order, found.network)
        shelf = found.on(channel)
        return channel, drafts.identify(self.caller, self._order, found.by_sku, shelf), shelf


def _kept(draft: Draft, snapshot: Snapshot, shelf: Shelf) -> list[tuple[Level, Decimal]]:
    """What a draft takes of which level."""
    return [
        (level, part.quantity)
        for line in draft.lines
        if line.item is not None and line.counted
        for part in line.parts
        if (level := snapshot.level(shelf.stock_item(line.item).id, part.warehouse_id)) is not None
    ]


async def release(caller: Caller, handle: Handle) -> int:
    """Give a hold's units back. Answers its id."""
    return (await transaction.run(ReleaseHold(caller, handle))).ids["hold"][0]


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    caller: Caller
    handle: Handle
    key: IdempotencyKey | None = None
    size: int = 1

    @property
    def names(self) -> Names:
        return Names(holds=named(self.handle.row_id))

    def items(self, found: Snapshot) -> Collection[int]:
        return items_of(self.handle, found)

    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        ended = end(self.caller, self.handle, snapshot, None, StockHoldState.RELEASED, "id")
        assert ended is not None
        changes = Changes(lambda written: Result({"hold": [ended.closed.id]}))
        ended.add_to(changes)
        return changes


async def sweep() -> int:
    """Take expired holds out of the figures of their levels, with what follows from it. Gives how many."""
    swept = 0
    while found := await rows.expired(database.now(), _SWEPT_AT_ONCE):
        for hold_id in found:
            await transaction.run(ExpireHold(hold_id))
        swept += len(found)
    return swept


@dataclass(frozen=True, slots=True)
class ExpireHold:
    """What an expired hold kept leaves the stored figures. It counted nowhere since it expired."""

    hold_id: int
    caller: Caller = SYSTEM
    key: IdempotencyKey | None = None
    size: int = 1

    @property
    def names(self) -> Names:
        return Names(holds=named(self.hold_id))

    def items(self, found: Snapshot) -> Collection[int]:
        return items_of(Handle(self.hold_id, str(self.hold_id)), found)

    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        held = snapshot.hold(self.hold_id)
        changes = Changes(lambda written: Result({"hold": [self.hold_id]}))
        if held is None or held.hold.state is not StockHoldState.ACTIVE:
            return changes
        changes.changed.append(replace(held.hold, state=StockHoldState.EXPIRED, address=None))
        changes.expired = {(one.level.item_id, one.level.warehouse_id): ZERO for one in held.units}
        for level_id, quantity in held.quantities.items():
            level = snapshot.level_by_id(level_id)
            changes.told[level.item_id, level.warehouse_id] = replace(level, held=level.held + quantity)
            changes.expired[level.item_id, level.warehouse_id] = quantity
        return changes


async def taken_up(handle: Handle | None, *path: str) -> OpenHold | None:
    """The hold that a caller names, to be read alone; None for none named."""
    if handle is None:
        return None
    snapshot = await loading.resolve([Names(holds=named(handle.row_id))])
    await loading.load(snapshot, loading.Locks(None), set(snapshot.level_items.values()))
    held = snapshot.hold(handle.row_id)
    if held is None:
        raise refusals.missing("hold", handle.told, *path)
    return held
