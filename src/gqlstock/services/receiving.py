"""Announcing stock, receiving it, and withdrawing what will not come."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from gqlstock.rules import canonical, catalog, refusals
from gqlstock.rules import receiving as rules
from gqlstock.rules.ledger import Change, MovementKind
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.receiving import Announced
from gqlstock.rules.refusals import invalid
from gqlstock.rules.scopes import Caller
from gqlstock.services.bench import Bench, bench_of, check_rows
from gqlstock.services.idempotency import Kept, once, ticket
from gqlstock.services.lookup import lookup
from gqlstock.services.posting import post
from gqlstock.services.stock import StockLine
from gqlstock.store import announcements, database, inventory
from gqlstock.store.announcements import StockAnnouncement
from gqlstock.store.inventory import Posting


@dataclass(frozen=True, slots=True)
class Announcement:
    warehouse: str
    lines: tuple[StockLine, ...]
    expected_at: datetime | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class ArrivedLine:
    """``announcement``: the id of the one that it fills, and as the caller knows it."""

    sku: str
    quantity: Decimal
    announcement: int | None = None
    told: str | None = field(default=None, metadata=canonical.called(None))


@dataclass(frozen=True, slots=True)
class Arrival:
    warehouse: str
    lines: tuple[ArrivedLine, ...]
    reason: str | None = None
    reference: str | None = None


async def announce(caller: Caller, asked: Announcement, key: str | None = None) -> Kept:
    """Say what is to come; levels count it as incoming. Answers the ids of levels, and no movements."""

    async def change(bench: Bench, row: StockLine) -> None:
        bench.level(row.sku, asked.warehouse)
        rules.check(row.quantity, "announced")
        bench.check_decimals(row.quantity, row.sku, asked.warehouse, "quantity")
        bench.put(row.sku, asked.warehouse, Change(incoming=row.quantity))

    async def work() -> Kept:
        bench = await bench_of(caller, {line.sku for line in asked.lines}, None, asked.reference)
        await bench.run("lines", asked.lines, change)
        kept = await bench.write()
        at = database.now()
        reference = catalog.optional_text(asked.reference, "reference", "reference")
        made = [
            StockAnnouncement(
                level_id=bench.level_id(line.sku, asked.warehouse),
                quantity=line.quantity,
                expected_at=asked.expected_at,
                reference=reference,
                created_at=at,
            )
            for line in asked.lines
        ]
        for one in made:
            one.seal = one.sealed()
        await database.insert_many(made)
        return kept

    check_rows(asked.lines, "lines")
    return await once(ticket(caller, "announceStock", key, asked), work)


async def receive(caller: Caller, asked: Arrival, key: str | None = None) -> Kept:
    """Take in what arrived. It fills the announcement named, else those of its reference, else the oldest; it needs none."""

    async def work() -> Kept:
        bench = await bench_of(caller, {line.sku for line in asked.lines}, asked.reason, asked.reference)
        dock = await _dock(bench, asked)

        async def change(bench: Bench, row: ArrivedLine) -> None:
            bench.level(row.sku, asked.warehouse)
            rules.check(row.quantity, "received")
            bench.check_decimals(row.quantity, row.sku, asked.warehouse, "quantity")
            brought = dock.take_in(bench.known_level_id(row.sku, asked.warehouse), row, asked.warehouse)
            received = Change(on_hand=row.quantity, incoming=-brought, kind=MovementKind.RECEIPT)
            bench.put(row.sku, asked.warehouse, received)

        await bench.run("lines", asked.lines, change)
        kept = await bench.write()
        await announcements.receive(dock.filled)
        return kept

    check_rows(asked.lines, "lines")
    return await once(ticket(caller, "receiveStock", key, asked), work)


class _Dock:
    """The announcements that an arrival of a reference can fill, as the rows before leave them."""

    def __init__(self, found: Sequence[StockAnnouncement], reference: str | None) -> None:
        self.filled: dict[int, Decimal] = {}
        self._level_of = {row.id: row.level_id for row in found}
        self._states = {row.id: row.state for row in found}
        self._of_reference = {
            row.id for row in found if reference is not None and row.reference == reference and row.state.remaining
        }

    def take_in(self, level_id: int | None, row: ArrivedLine, warehouse: str) -> Decimal:
        """Fill what a row names, else its level's of the reference, else its oldest. Gives how much of it they expected."""
        if row.told is None:
            here = [id_ for id_ in sorted(self._states) if self._level_of[id_] == level_id]
            # What is over of a delivery that was announced is not taken off another one.
            waiting = [self._states[id_] for id_ in [one for one in here if one in self._of_reference] or here]
        else:
            waiting = [self._named(level_id, row, warehouse)]
        filled = rules.fill(waiting, row.quantity)
        for id_, quantity in filled.items():
            state = self._states[id_]
            self._states[id_] = replace(state, received=state.received + quantity)
            self.filled[id_] = self.filled.get(id_, ZERO) + quantity
        return sum(filled.values(), ZERO)

    def _named(self, level_id: int | None, row: ArrivedLine, warehouse: str) -> Announced:
        assert row.told is not None
        if row.announcement is None or row.announcement not in self._states:
            raise refusals.missing("announcement", row.told, "announcement")
        if self._level_of[row.announcement] != level_id:
            raise invalid(f"That announcement is not of {row.sku} in {warehouse}.", "announcement")
        rules.check_open(self._states[row.announcement], "announcement")
        return self._states[row.announcement]


async def _dock(bench: Bench, asked: Arrival) -> _Dock:
    """Read what is to come to the claimed levels, and what the rows name."""
    named = {line.announcement for line in asked.lines if line.announcement is not None}
    to_come = await announcements.to_come(bench.level_ids())
    found = {row.id: row for row in [*to_come, *(await announcements.announcements(named)).values()]}
    return _Dock(list(found.values()), catalog.optional_text(asked.reference, "reference", "reference"))


async def withdraw(caller: Caller, announcement_id: int | None, told: str) -> Kept:
    """Say that what is left of an announcement will not come. ``told`` is the id as the caller knows it."""

    async def work() -> Kept:
        found = await _announcement(announcement_id, told, "id")
        level = (await inventory.levels([found.level_id]))[found.level_id]
        if not caller.reaches(level.warehouse_id):
            raise refusals.missing("announcement", told, "id")
        claim = await inventory.claim([level.item_id])
        found = await _announcement(announcement_id, told, "id")
        rules.check_open(found.state, "id")
        await announcements.withdraw(found.id, database.now())
        claimed = await claim.open(level.item_id, level.warehouse_id)
        posting = Posting(claimed, Change(incoming=-found.state.remaining), caller)
        await post(claim, [posting], await lookup(claim.items.values()))
        return Kept({"levels": [level.id], "movements": []})

    return await database.transaction(work)


async def _announcement(announcement_id: int | None, told: str, *path: str) -> StockAnnouncement:
    found = (await announcements.announcements([announcement_id])) if announcement_id is not None else {}
    if announcement_id not in found:
        raise refusals.missing("announcement", told, *path)
    return found[announcement_id]
