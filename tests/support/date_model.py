"""A model of promise dates in plain Python, unit by unit, for one website that sells from all warehouses.

It shares no code with gqlstock's rules, so it reveals their faults. A supply is a list with one entry per expected unit, a
queue is a list of waiting units, and a unit's date is the supply entry at its index. The dates of a prospective order are
found by placing it in a copy.
"""

import copy
import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from support.stock_records import ON_ORDER, ON_SHIPMENT, OPEN, Place, Rows

Coming = tuple[datetime, int]
"""When a unit arrives, and the id of its announcement."""


class No(Exception):
    """The code of a refusal by the model."""


@dataclass(frozen=True)
class Rules:
    """The settings of an item. ``backorders``: the warehouses that allow them."""

    mode: str = ON_ORDER
    backorders: frozenset[str] = frozenset()
    from_incoming: bool = False
    threshold: int = 0
    buffer_days: int = 0


@dataclass
class Announcement:
    id: int
    sku: str
    warehouse: str
    quantity: int
    expected_at: datetime | None
    received: int = 0
    withdrawn: bool = False

    @property
    def remaining(self) -> int:
        return 0 if self.withdrawn else self.quantity - self.received


@dataclass
class Unit:
    """A part of a line. ``line``: its number in the order; ``position``: the index of its source among those of the line, in
    planning order."""

    order: int
    line: int
    sku: str
    warehouse: str
    position: int
    state: str


@dataclass
class Hold:
    parts: list[Place]
    state: str = "ACTIVE"
    """EXPIRED: its time is up; SWEPT: and a sweep has ended it."""


@dataclass(frozen=True)
class Shown:
    """The availability of an item: when it could ship if it had to wait, the supply for new orders, the salable quantity."""

    expected_at: datetime | None
    incoming: list[tuple[datetime, int]]
    salable: int | None


@dataclass
class DateModel:
    """The expected state. ``units``: all units, in planning order."""

    warehouses: Sequence[str]
    rules: dict[str, Rules]
    now: datetime
    on_hand: Counter[Place] = field(default_factory=Counter)
    announcements: dict[int, Announcement] = field(default_factory=dict)
    units: list[Unit] = field(default_factory=list)
    orders: dict[int, list[str]] = field(default_factory=dict)
    """The SKU of each line of each order."""
    holds: dict[int, Hold] = field(default_factory=dict)

    # ── levels

    def available(self, at: Place) -> int:
        held = sum(hold.parts.count(at) for hold in self.holds.values() if hold.state == "ACTIVE")
        return self.on_hand[at] - held - (len(self._open(at)) if self.rules[at[0]].mode == ON_SHIPMENT else 0)

    def _open(self, at: Place) -> list[Unit]:
        """The units of orders that have not been shipped."""
        return [u for u in self.units if (u.sku, u.warehouse) == at and u.state in OPEN]

    def waiting(self, at: Place) -> list[Unit]:
        return [u for u in self._open(at) if u.state == "BACKORDERED"]

    def lacking(self, at: Place) -> int:
        return max(-self.available(at), 0)

    def supply(self, at: Place) -> list[Coming]:
        """The dated supply, unit by unit, soonest first, then oldest first."""
        units = []
        for one in self.announcements.values():
            if (one.sku, one.warehouse) == at and one.expected_at is not None and one.expected_at > self.now:
                units += [(one.expected_at, one.id)] * one.remaining
        return sorted(units)

    # ── dates

    def _comings(self, at: Place) -> list[Coming | None]:
        """The arrival of each waiting unit."""
        queue, supply = self.waiting(at), self.supply(at)
        ahead = max(self.lacking(at) - len(queue), 0)
        return [supply[n] if n < len(supply) else None for n in range(ahead, ahead + len(queue))]

    def _leaves(self, sku: str, at: datetime) -> datetime:
        return at + timedelta(days=self.rules[sku].buffer_days)

    def waiting_parts(self, order: int, line: int) -> list[tuple[str, int, datetime | None, int | None]]:
        """Each source that a line waits for: the warehouse, the units, when the last of them can ship, and the announcement
        that supplies it."""
        sku = self.orders[order][line]
        found: dict[tuple[int, str], list[Coming | None]] = {}
        for warehouse in self.warehouses:
            at = sku, warehouse
            for unit, coming in zip(self.waiting(at), self._comings(at), strict=True):
                if (unit.order, unit.line) == (order, line):
                    found.setdefault((unit.position, warehouse), []).append(coming)
        parts: list[tuple[str, int, datetime | None, int | None]] = []
        for (_, warehouse), mine in sorted(found.items()):
            last = mine[-1]
            date, id = (self._leaves(sku, last[0]), last[1]) if last else (None, None)
            parts.append((warehouse, len(mine), date, id))
        return parts

    def line_date(self, order: int, line: int) -> datetime | None:
        return latest([date for _, _, date, _ in self.waiting_parts(order, line)])

    def order_date(self, order: int) -> datetime | None:
        numbers = range(len(self.orders[order]))
        return latest([date for line in numbers for _, _, date, _ in self.waiting_parts(order, line)])

    # ── availability on a website

    def _rooms(self, sku: str) -> tuple[dict[str, float], float]:
        """The room for backorders at each warehouse, and in total."""
        rules = self.rules[sku]
        rooms: dict[str, float] = {}
        for warehouse in self.warehouses:
            at = sku, warehouse
            coming = max(len(self.supply(at)) - self.lacking(at), 0) if rules.from_incoming else float("inf")
            rooms[warehouse] = coming if warehouse in rules.backorders else 0
        total = sum(rooms.values())
        if rules.threshold < 0:
            waiting = sum(len(self.waiting((sku, warehouse))) for warehouse in self.warehouses)
            total = min(total, max(-rules.threshold - waiting, 0))
        return rooms, total

    def _free(self, sku: str) -> int:
        return sum(max(self.available((sku, warehouse)), 0) for warehouse in self.warehouses)

    def shown(self, sku: str) -> Shown:
        salable = self._free(sku) + self._rooms(sku)[1]
        sums = Counter[datetime]()
        for warehouse in self.warehouses:
            for at, _ in self.supply((sku, warehouse))[self.lacking((sku, warehouse)) :]:
                sums[self._leaves(sku, at)] += 1
        return Shown(self._back_at(sku), sorted(sums.items()), None if salable == float("inf") else int(salable))

    def _back_at(self, sku: str) -> datetime | None:
        """When one unit could ship if it had to wait."""
        if self._free(sku) > 0:
            return None
        if self.rules[sku].backorders:
            other = copy.deepcopy(self)
            try:
                other.place(0, [(sku, 1)])
            except No:
                return None
            return other.line_date(0, 0)
        comings = sorted((at, warehouse) for warehouse in self.warehouses for at, _ in self.supply((sku, warehouse)))
        here = {warehouse: self.available((sku, warehouse)) for warehouse in self.warehouses}
        for at, warehouse in comings:
            here[warehouse] += 1
            if any(units > 0 for units in here.values()):
                return self._leaves(sku, at)
        return None

    # ── orders and holds

    def place(self, order: int, rows: Rows, hold: int | None = None) -> None:
        """A refusal leaves the model unchanged."""
        first = list(self._opened(hold).parts) if hold is not None else []
        before = self.holds[hold].state if hold is not None else ""
        if hold is not None:
            self.holds[hold].state = "ORDERED"
        try:
            plan = self._plan(rows, first)
        except No:
            if hold is not None:
                self.holds[hold].state = before
            raise
        self.orders[order] = [sku for sku, _ in rows]
        self._take(order, enumerate(plan))
        self.fill(*first, *(at for parts in plan for at, _ in parts))

    def _take(self, order: int, plan: Iterable[tuple[int, list[tuple[Place, str]]]]) -> None:
        """Plan units of lines, by line number, behind all waiting units and behind those that the lines have."""
        for number, parts in plan:
            first = self._next_position(order, number)
            for position, ((at, state), alike) in enumerate(itertools.groupby(parts), first):
                for _ in alike:
                    self.units.append(Unit(order, number, *at, position, state))
                    if self.rules[at[0]].mode == ON_ORDER:
                        self.on_hand[at] -= 1

    def _next_position(self, order: int, line: int) -> int:
        return max((u.position + 1 for u in self.units if (u.order, u.line) == (order, line)), default=0)

    def _plan(
        self, rows: Rows, first: Sequence[Place] = (), *, only_free: bool = False
    ) -> list[list[tuple[Place, str]]]:
        """Where each unit of each line comes from: free units first, then room for backorders."""
        free: dict[Place, int] = {}
        room: dict[str, tuple[dict[str, float], float]] = {}
        for sku in {sku for sku, _ in rows}:
            free |= {(sku, w): max(self.available((sku, w)), 0) for w in self.warehouses}
            room[sku] = (dict.fromkeys(self.warehouses, 0.0), 0.0) if only_free else self._rooms(sku)
            if sum(n for one, n in rows if one == sku) > sum(free[sku, w] for w in self.warehouses) + room[sku][1]:
                raise No("INSUFFICIENT_STOCK")
        plan = []
        for sku, wanted in rows:
            held = [warehouse for held_sku, warehouse in first if held_sku == sku]
            sources = [(sku, w) for w in dict.fromkeys([*held, *self.warehouses])]
            parts: list[tuple[Place, str]] = []
            for at in sources:
                taken = min(free[at], wanted - len(parts))
                free[at] -= taken
                parts += [(at, "ON_HAND")] * taken
            rooms = room[sku][0]
            for at in sources:
                taken = int(min(rooms[at[1]], wanted - len(parts)))
                rooms[at[1]] -= taken
                parts += [(at, "BACKORDERED")] * taken
            plan.append(parts)
        return plan

    def cancel(self, order: int, sku: str, quantity: int, *, restock: bool = True) -> None:
        """Cancel line by line. Units on hand are written off unless they are restocked."""
        lines = [number for number, one in enumerate(self.orders[order]) if one == sku]
        units = [unit for line in lines for unit in self._to_cancel(order, line)]
        self._cancel(units, quantity, restock=restock)
        self.fill(*((unit.sku, unit.warehouse) for unit in units[:quantity]))

    def _to_cancel(self, order: int, line: int) -> list[Unit]:
        """Waiting units first, then those planned last."""
        mine = [u for u in self.units if (u.order, u.line) == (order, line) and u.state in OPEN]
        return sorted(mine, key=lambda u: (u.state == "ON_HAND", -u.position))

    def _cancel(self, units: Sequence[Unit], quantity: int, *, restock: bool = True) -> None:
        if len(units) < quantity:
            raise No("INVALID_STATE")
        for unit in units[:quantity]:
            back = restock or unit.state == "BACKORDERED"
            self.on_hand[unit.sku, unit.warehouse] += back - (self.rules[unit.sku].mode == ON_SHIPMENT)
            unit.state = "CANCELED"

    def edit(self, order: int, change: Mapping[int, int], add: Rows) -> None:
        """``change``: the new quantities of lines, by line number. A refusal leaves the model unchanged.

        Units that are taken from lines are free for the other lines.
        """
        open_lines = {u.line for u in self.units if u.order == order and u.state in OPEN}
        if not open_lines:
            raise No("INVALID_STATE")
        other = copy.deepcopy(self)
        raised: list[tuple[int, int]] = []
        lowered: list[Place] = []
        for line, quantity in sorted(change.items()):
            more = quantity - sum((u.order, u.line) == (order, line) and u.state != "CANCELED" for u in self.units)
            if more > 0:
                raised.append((line, more))
            units = other._to_cancel(order, line)
            lowered += [(u.sku, u.warehouse) for u in units[: max(-more, 0)]]
            other._cancel(units, max(-more, 0))
        skus = other.orders[order]
        new = range(len(skus), len(skus) + len(add))
        plan = other._plan([*((skus[line], more) for line, more in raised), *add])
        skus += [sku for sku, _ in add]
        other._take(order, zip([*(line for line, _ in raised), *new], plan, strict=True))
        other.fill(*lowered, *(at for parts in plan for at, _ in parts))
        vars(self).update(vars(other))

    def move(self, order: int, sku: str, quantity: int, source: str, target: str) -> None:
        """The moved units take free units there, and come last in the plan of their lines."""
        lines = [number for number, one in enumerate(self.orders[order]) if one == sku]
        here = [u for line in lines for u in self._to_cancel(order, line) if u.warehouse == source]
        if len(here) < quantity:
            raise No("INVALID_STATE")
        if quantity > max(self.available((sku, target)), 0):
            raise No("INSUFFICIENT_STOCK")
        positions = {line: self._next_position(order, line) for line in lines}
        for unit in here[:quantity]:
            if self.rules[sku].mode == ON_ORDER:
                self.on_hand[sku, source] += 1
                self.on_hand[sku, target] -= 1
            unit.warehouse, unit.state, unit.position = target, "ON_HAND", positions[unit.line]
        self.fill((sku, source), (sku, target))

    def ready(self, order: int, warehouse: str) -> list[Unit]:
        """The units of an order that can be shipped from a warehouse."""
        return [u for u in self.units if (u.order, u.warehouse, u.state) == (order, warehouse, "ON_HAND")]

    def ship(self, units: Sequence[Unit], *, anyway: bool = False) -> None:
        """Refused if a warehouse does not have the units, unless they are to be shipped anyway."""
        leaving = Counter((u.sku, u.warehouse) for u in units if self.rules[u.sku].mode == ON_SHIPMENT)
        if not anyway and any(self.on_hand[at] < quantity for at, quantity in leaving.items()):
            raise No("INSUFFICIENT_STOCK")
        for unit in units:
            unit.state = "SHIPPED"
        self.on_hand.subtract(leaving)

    def hold(self, id: int, rows: Rows) -> None:
        self.holds[id] = Hold([at for parts in self._plan(rows, only_free=True) for at, _ in parts])

    def release(self, id: int) -> None:
        hold = self._opened(id)
        hold.state = "RELEASED"
        self.fill(*hold.parts)

    def _opened(self, id: int) -> Hold:
        hold = self.holds[id]
        if hold.state != "ACTIVE":
            raise No("HOLD_EXPIRED" if hold.state in ("EXPIRED", "SWEPT") else "INVALID_STATE")
        return hold

    def expire(self) -> None:
        """Let all holds expire, without a sweep: waiting units keep waiting."""
        for hold in self.holds.values():
            if hold.state == "ACTIVE":
                hold.state = "EXPIRED"

    def sweep(self) -> None:
        for hold in self.holds.values():
            if hold.state == "EXPIRED":
                hold.state = "SWEPT"
                self.fill(*hold.parts)

    # ── stock

    def adjust(self, at: Place, delta: int) -> None:
        if delta < 0 and self.on_hand[at] + delta < 0:
            raise No("INSUFFICIENT_STOCK")
        self.on_hand[at] += delta
        self.fill(at)

    def announce(self, id: int, at: Place, quantity: int, expected_at: datetime | None) -> None:
        self.announcements[id] = Announcement(id, *at, quantity, expected_at)
        self.fill(at)

    def update_quantity(self, id: int, quantity: int) -> None:
        found = self._not_withdrawn(id)
        if quantity < found.received:
            raise No("INVALID_INPUT")
        changed = quantity != found.quantity
        found.quantity = quantity
        if changed:
            self.fill((found.sku, found.warehouse))

    def update_date(self, id: int, expected_at: datetime | None) -> None:
        self._not_withdrawn(id).expected_at = expected_at

    def withdraw(self, id: int) -> None:
        found = self._open_announcement(id)
        found.withdrawn = True
        self.fill((found.sku, found.warehouse))

    def receive(self, at: Place, quantity: int, announcement: int | None = None) -> None:
        """Fills the named announcement, else the oldest."""
        if announcement is not None:
            filled = [self._open_announcement(announcement)]
        else:
            filled = [one for one in self.announcements.values() if (one.sku, one.warehouse) == at]
        left = quantity
        for one in filled:
            brought = min(one.remaining, left)
            one.received += brought
            left -= brought
        self.on_hand[at] += quantity
        self.fill(at)

    def _not_withdrawn(self, id: int) -> Announcement:
        if self.announcements[id].withdrawn:
            raise No("INVALID_STATE")
        return self.announcements[id]

    def _open_announcement(self, id: int) -> Announcement:
        if not self._not_withdrawn(id).remaining:
            raise No("INVALID_STATE")
        return self.announcements[id]

    def fill(self, *levels: Place) -> None:
        """Fill backorders until no more units wait than are missing, in planning order."""
        for at in levels:
            queue = self.waiting(at)
            for unit in queue[: len(queue) - self.lacking(at)] if len(queue) > self.lacking(at) else ():
                unit.state = "ON_HAND"


def latest(dates: Sequence[datetime | None]) -> datetime | None:
    """The latest date of units that wait together; None if nothing waits or a date is missing."""
    known = [date for date in dates if date is not None]
    return max(known) if known and len(known) == len(dates) else None
