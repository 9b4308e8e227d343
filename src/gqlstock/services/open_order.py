"""An order while a command packs, ships, cancels, moves, returns or adds units.

``rules.shipments`` decides which units come first.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from gqlstock.rules import backorders, canonical, ledger, quantities, refusals
from gqlstock.rules import orders as rules
from gqlstock.rules import shipments as shipment_rules
from gqlstock.rules.allocation import Allocation, AllocationState, with_moved
from gqlstock.rules.catalog import Item
from gqlstock.rules.events import Event, Topic
from gqlstock.rules.ledger import Change, FulfilmentStep, Level
from gqlstock.rules.orders import LineTotals, Order, OrderLine, OrderStatus
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import Code, Refusal, Refused, invalid
from gqlstock.rules.scopes import Caller
from gqlstock.rules.settings import InventoryDecrement
from gqlstock.rules.shipments import GONE, Pick, Shipment, Unit, total
from gqlstock.stock.command import Changes, LedgerEntry, Result, Written, new_id, summed
from gqlstock.stock.snapshot import Snapshot

MAX_LINES = 500

Rule = Callable[[Sequence[Unit], Decimal | None], list[Pick]]
"""Picks at most this many units of a line, in the rule's order; None: all units."""


@dataclass(frozen=True, slots=True)
class LineQuantity:
    """Units of the line with this id, else of the lines with this SKU, in order. ``named``: the id as the caller gave it."""

    sku: str
    quantity: Decimal
    line: int | None = None
    named: str | None = field(default=None, metadata=canonical.called(None))


class OpenOrder:
    """An order with its lines, allocations and shipments, and the changes of a command to them so far."""

    def __init__(self, caller: Caller, number: str, snapshot: Snapshot, *path: str) -> None:
        order_id = rules.id_of(number)
        whole = snapshot.order(order_id) if order_id is not None else None
        if whole is None:
            raise refusals.missing("order", number, *path)
        self.order = whole.order
        self.lines = list(whole.lines)
        self.shipments = dict(whole.shipments)
        self.now = snapshot.now
        self._caller = caller
        self._snapshot = snapshot
        self._allocations = {line_id: list(found) for line_id, found in whole.allocations.items()}
        self._entries: list[LedgerEntry] = []
        self._written_off: list[LedgerEntry] = []
        self._moved_in: list[LedgerEntry] = []
        self._moved: dict[int, set[int]] = {}
        self._added: dict[int, Any] = {}
        self._changed: dict[tuple[type, int], Any] = {}
        self._repacked: set[int] = set()

    def units(self, line: OrderLine, warehouse_id: int | None = None) -> list[Unit]:
        """The units of a line as ``rules.shipments`` takes them, from all warehouses or one."""
        return [
            Unit(a.id, a.quantity, a.state, a.position, a.shipment_id is not None, self._shipped_at(a))
            for a in self._allocations[line.id]
            if warehouse_id is None or a.warehouse_id == warehouse_id
        ]

    def contents(self, shipment: Shipment) -> list[Pick]:
        """All units in a shipment; for a shipped one, the units it left with."""
        inside = [a for found in self._allocations.values() for a in found if a.shipment_id == shipment.id]
        return [Pick(a.id, a.quantity) for a in sorted(inside, key=lambda a: (a.line_id, a.position, a.id))]

    def chosen(self, row: LineQuantity) -> list[OrderLine]:
        """The lines that an input row takes units of. Raises ``Refused`` for an invalid quantity."""
        if row.quantity <= 0:
            raise invalid(
                f"{quantities.text(row.quantity)} is not a valid quantity: it must be greater than 0.", "quantity"
            )
        return self.named(row)

    def named(self, row: LineQuantity) -> list[OrderLine]:
        """The lines that an input row names."""
        if row.named is not None:
            found = self._with_sku(row.sku, [line for line in self.lines if line.id == row.line])
            if not found:
                raise refusals.missing(f"line of {refusals.shown(row.sku)} in the order with the id", row.named, "line")
            return found
        named = self._with_sku(row.sku, self.lines)
        if not named:
            raise refusals.missing(f"line of order {rules.number(self.order.id)} with the SKU", row.sku, "sku")
        return named

    def _with_sku(self, sku: str, lines: Sequence[OrderLine]) -> list[OrderLine]:
        """The lines with a SKU, as ordered or as it is now."""
        names = [(line.sku, self._snapshot.item(line.item_id).sku) for line in lines]
        return [lines[number] for number in rules.lines_named(sku, names)]

    def pick(self, row: LineQuantity, rule: Rule, action: str, warehouse_id: int | None = None) -> list[Pick]:
        """The units that an input row names. Raises ``Refused`` if too few are available for the ``action``."""
        left, lines = row.quantity, self.chosen(row)
        self._check_parts(row, lines)
        picks: list[Pick] = []
        for line in lines:
            picked = rule(self.units(line, warehouse_id), left)
            picks += picked
            left -= total(picked)
        if left > 0:
            raise too_many_units(row, left, action)
        return picks

    def _check_parts(self, row: LineQuantity, lines: Sequence[OrderLine]) -> None:
        if quantities.is_whole(row.quantity):
            return
        website = self._snapshot.on(self._snapshot.network.channel(self.order.website_id))
        decimals = any(website.settings(self._snapshot.item(line.item_id)).quantity_uses_decimals for line in lines)
        units = [unit for line in lines for unit in self.units(line)]
        shipment_rules.check_parts(row.quantity, row.sku, units, decimals=decimals)

    def advance(
        self,
        picks: Sequence[Pick],
        step: FulfilmentStep,
        *,
        state: AllocationState | None = None,
        counts: bool = True,
        **changes: int | None,
    ) -> None:
        """Apply a step to units. ``counts`` False: levels do not change."""
        lines = {line.id: line for line in self.lines}
        for pick in picks:
            before = self._allocation(pick.id)
            if not self._caller.reaches(before.warehouse_id):
                raise refusals.moves_elsewhere().only()
            self._repacked |= {one for one in (before.shipment_id, changes.get("shipment_id")) if one is not None}
            self._split(before, pick.quantity, {"state": state or before.state, **changes})
            if before.level_id is not None and counts:
                waiting = pick.quantity if state and before.state is AllocationState.BACKORDERED else ZERO
                change = ledger.effect(step, lines[before.line_id].decrement, pick.quantity, waiting)
                if change != Change():
                    level = self._snapshot.level_by_id(before.level_id)
                    key = level.item_id, level.warehouse_id
                    self._entries.append(LedgerEntry(*key, change, self._caller, order_id=self.order.id))

    def level(self, item_id: int, warehouse_id: int) -> Level | None:
        """A level in use with the changes so far; None if none exists."""
        level = self._snapshot.level(item_id, warehouse_id)
        if level is None or level.deleted_at is not None:
            return None
        changes = [one.change for one in (*self._entries, *self._moved_in) if one.key == (item_id, warehouse_id)]
        return functools.reduce(ledger.apply, changes, level)

    def move(self, picks: Sequence[Pick], warehouse_id: int) -> None:
        """Move units to a warehouse that has them on hand: the old levels get them back, the new ones allocate them."""
        positions = {line_id: self.next_position(line_id) for line_id in self.lines_of(picks)}
        modes = {line.id: line.decrement for line in self.lines}
        for pick in picks:
            before, item = self._allocation(pick.id), self.stock_item(pick)
            level = self._snapshot.level(item.id, warehouse_id) if item is not None else None
            self.advance(
                [pick],
                FulfilmentStep.CANCELED if before.shipment_id is None else FulfilmentStep.CANCELED_PACKED,
                state=AllocationState.ON_HAND,
                shipment_id=None,
                warehouse_id=warehouse_id,
                level_id=level.id if level is not None else None,
                position=positions[before.line_id],
            )
            change = ledger.effect(FulfilmentStep.ORDERED, modes[before.line_id], pick.quantity)
            if level is not None and change != Change():
                key = level.item_id, level.warehouse_id
                self._moved_in.append(LedgerEntry(*key, change, self._caller, order_id=self.order.id))
        for line_id, position in positions.items():
            self._moved.setdefault(line_id, set()).add(position)

    def cancel(self, picks: Sequence[Pick], *, restock: bool = True) -> None:
        """Cancel units and return their stock; without ``restock``, units on hand are written off."""
        units = {unit.id: unit for line in self.lines for unit in self.units(line)}
        canceled = self.lines_of(picks)
        for line in self.lines:
            if line.id in canceled:
                self.put(replace(line, canceled=line.canceled + canceled[line.id]))
        if not restock:
            self.write_off([pick for pick in picks if units[pick.id].state is AllocationState.ON_HAND])
        for packed, step in ((False, FulfilmentStep.CANCELED), (True, FulfilmentStep.CANCELED_PACKED)):
            of_step = [pick for pick in picks if units[pick.id].packed is packed]
            self.advance(of_step, step, state=AllocationState.CANCELED, shipment_id=None)

    def level_changes(self) -> dict[int, Change]:
        """The changes of levels so far, by level id, including the waiting units that they fill."""
        found: dict[int, Change] = {}
        for entry in summed(self._entries):
            level = self._snapshot.level(*entry.key)
            assert level is not None
            filled = Change(backordered=-backorders.fillable(ledger.apply(level, entry.change)))
            found[level.id] = ledger.combined(entry.change, filled)
        return found

    def next_position(self, line_id: int) -> int:
        """The position of the next source of a line."""
        return max((one.position for one in self._allocations[line_id]), default=-1) + 1

    def write_off(self, picks: Sequence[Pick]) -> None:
        """Subtract canceled units from onHand, because they cannot be sold again."""
        modes = {line.id: line.decrement for line in self.lines}
        for pick in picks:
            allocation = self._allocation(pick.id)
            change = ledger.written_off(modes[allocation.line_id], pick.quantity)
            if allocation.level_id is not None and change is not None:
                level = self._snapshot.level_by_id(allocation.level_id)
                key = level.item_id, level.warehouse_id
                self._written_off.append(LedgerEntry(*key, change, self._caller, order_id=self.order.id))

    def _split(self, allocation: Allocation, quantity: Decimal, changes: dict[str, Any]) -> None:
        """Change part of an allocation; the rest stays unchanged."""
        if quantity == allocation.quantity:
            self._put(replace(allocation, **changes, changed_at=self.now))
            return
        self._put(replace(allocation, quantity=allocation.quantity - quantity))
        split_from = allocation.planned_as
        part = replace(
            allocation, id=new_id(), split_from=split_from, quantity=quantity, changed_at=self.now, **changes
        )
        self._allocations[part.line_id].append(part)
        self._added[part.id] = part

    def _put(self, allocation: Allocation) -> None:
        found = self._allocations[allocation.line_id]
        found[next(place for place, one in enumerate(found) if one.id == allocation.id)] = allocation
        self.put(allocation)

    def add(self, record: Any) -> None:
        """Add a new record: a shipment, or a line."""
        self._added[record.id] = record
        if isinstance(record, Shipment):
            self.shipments[record.id] = record
        elif isinstance(record, OrderLine):
            self.lines.append(record)
            self._allocations[record.id] = []

    def put(self, record: Any) -> None:
        """Put a new version of a record of the order."""
        if record.id in self._added:
            self._added[record.id] = record
        else:
            self._changed[type(record), record.id] = record
        if isinstance(record, Shipment):
            self.shipments[record.id] = record
        elif isinstance(record, OrderLine):
            self.lines = [record if line.id == record.id else line for line in self.lines]
        elif isinstance(record, Order):
            self.order = record

    def stock_item(self, pick: Pick) -> Item | None:
        """The item that counts picked units; None if nothing is counted."""
        level_id = self._allocation(pick.id).level_id
        return None if level_id is None else self._snapshot.item(self._snapshot.level_items[level_id])

    def check_on_hand(self) -> None:
        """Refuse to ship units that are not on hand. Under ON_ORDER, waiting units were subtracted when ordered."""
        for entry in summed(self._entries):
            level = self._snapshot.level(*entry.key)
            assert level is not None
            leaving = -entry.change.on_hand
            if leaving > max(level.on_hand, ZERO):
                waiting = self._snapshot.waiting_units(level.id, InventoryDecrement.ON_ORDER)
                ledger.check_leaving(level, leaving, waiting, self._snapshot.item(entry.item_id).sku)

    def changes(self, answer: Callable[[Written], Result], reason: str | None = None) -> Changes:
        """The changes of the command, with the derived state of the order and of its open shipments."""
        for line_id, moved in self._moved.items():
            found = self._allocations[line_id]
            for before, after in zip(list(found), with_moved(found, moved), strict=True):
                if after != before:
                    self._put(after)
        for shipment_id in sorted(self._repacked):
            self._update_state(self.shipments[shipment_id])
        totals = [self.totals(line) for line in self.lines]
        status = rules.derived_status(totals, is_allocated=any(self._allocations.values()))
        self.put(
            replace(
                self.order,
                status=status,
                canceled_at=self.now if status is OrderStatus.CANCELED else self.order.canceled_at,
                canceled_units=sum((line.canceled for line in self.lines), ZERO),
                shipment_count=len(self.shipments),
                updated_at=self.now,
            )
        )
        moves = (self._entries, self._written_off, self._moved_in)
        return Changes(
            answer,
            [replace(one, reason=reason) for found in moves for one in summed(found)],
            list(self._added.values()),
            list(self._changed.values()),
            events=[Event(Topic.ORDER, self.order.id)],
        )

    def _update_state(self, shipment: Shipment) -> None:
        if shipment.state not in shipment_rules.OPEN_STATES:
            return
        inside = [a for found in self._allocations.values() for a in found if a.shipment_id == shipment.id]
        state = shipment_rules.state([a.state for a in inside])
        self.put(replace(shipment, state=state, quantity=sum((a.quantity for a in inside), ZERO), updated_at=self.now))

    def totals(self, line: OrderLine) -> LineTotals:
        shipped = sum((a.quantity for a in self._allocations[line.id] if a.state in GONE), ZERO)
        return LineTotals(line.quantity, line.canceled, shipped)

    def returned(self, line: OrderLine) -> Decimal:
        return sum((a.quantity for a in self._allocations[line.id] if a.state is AllocationState.RETURNED), ZERO)

    def lines_of(self, picks: Sequence[Pick]) -> dict[int, Decimal]:
        """The picked units of each line."""
        sums: dict[int, Decimal] = {}
        for pick in picks:
            line_id = self._allocation(pick.id).line_id
            sums[line_id] = sums.get(line_id, ZERO) + pick.quantity
        return sums

    def _allocation(self, allocation_id: int) -> Allocation:
        return next(a for found in self._allocations.values() for a in found if a.id == allocation_id)

    def _shipped_at(self, allocation: Allocation) -> datetime | None:
        shipment = self.shipments.get(allocation.shipment_id) if allocation.shipment_id is not None else None
        return shipment.shipped_at if shipment else None


def check_lines(rows: Sequence[LineQuantity] | None) -> None:
    if rows is not None and not rows:
        raise invalid("No lines given: name at least one.", "lines")
    if rows is not None and len(rows) > MAX_LINES:
        raise refusals.too_many("lines", len(rows), MAX_LINES, "lines")


def too_many_units(row: LineQuantity, left: Decimal, action: str) -> Refused:
    """The refusal of more units than possible; ``left`` of them are missing."""
    possible = quantities.text(row.quantity - left)
    return Refusal(
        Code.INVALID_STATE,
        f"{quantities.text(row.quantity)} of {refusals.shown(row.sku)} cannot be {action}: only {possible} can.",
        ("quantity",),
    ).only()
