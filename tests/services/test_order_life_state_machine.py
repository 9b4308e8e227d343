"""Random lives of orders, each step beside a model in plain Python that knows every single unit.

Each change of a row that an answer from memory may show has an entry that drops it.

GQLSTOCK_TEST_RUNS lives of 50 steps are led, 200 unless it says otherwise; life n is the same every time. The first is life
0, unless GQLSTOCK_TEST_FIRST_RUN says otherwise.
"""

import copy
import os
import random
from collections import Counter
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest

from gqlstock.rules import shipments as shipment_rules
from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.refusals import Refused
from gqlstock.rules.scopes import SYSTEM
from gqlstock.rules.settings import BackorderMode, InsufficientStockAction, InventoryDecrement
from gqlstock.services import adjust_stock, count_stock, expire_holds, receive, transfer_stock, verification
from gqlstock.services.adjust_stock import AdjustStockRequest, StockAdjustment
from gqlstock.services.count_stock import CountStockRequest, StockCount
from gqlstock.services.receive import AnnounceStockRequest, ReceivedLine, ReceiveStockRequest
from gqlstock.services.stock_edits import StockLine
from gqlstock.services.transfer_stock import TransferStockRequest
from gqlstock.store.db import connection, sql
from support import order_life as life
from support import row_changes
from support import shop_builders as make
from support.kept_rows import uncovered
from support.row_changes import RowChanges

pytestmark = pytest.mark.long

RUNS = int(os.environ.get("GQLSTOCK_TEST_RUNS", "200"))
FIRST = int(os.environ.get("GQLSTOCK_TEST_FIRST_RUN", "0"))
STEPS = 50
SKUS = ("MUG", "CUP", "JUG")
PLACES = ("BERLIN", "HAMBURG")
ON_ORDER, ON_SHIPMENT, NEVER = (
    InventoryDecrement.ON_ORDER,
    InventoryDecrement.ON_SHIPMENT,
    InventoryDecrement.NEVER,
)
OPEN = ("ON_HAND", "BACKORDERED")
Level = tuple[str, str]
"""A SKU and a warehouse."""


class No(Exception):
    """The code of what the model refuses."""


@dataclass
class Rules:
    """What is set for an item."""

    mode: InventoryDecrement
    backorders: bool
    threshold: int
    parks_orders: bool


@dataclass
class Unit:
    """One piece of a line."""

    order: int
    line: int
    sku: str
    mode: InventoryDecrement
    place: str
    position: int
    """That of its source among those of the line, in the order in which they were planned."""
    state: str
    shipment: int | None = None
    left: int = 0
    """When it left, as the number of the step."""


@dataclass
class Line:
    id: int
    sku: str
    mode: InventoryDecrement
    quantity: int
    canceled: int = 0
    planned: list[int] = field(default_factory=list)
    """When the units of each position were planned, as the number of the step."""

    @property
    def open(self) -> int:
        return self.quantity - self.canceled


@dataclass
class Order:
    id: int
    lines: list[Line]
    parked: bool = False

    @property
    def open(self) -> int:
        return sum(line.open for line in self.lines)


@dataclass
class Hold:
    id: int
    parts: list[tuple[str, str, int]]
    state: str = "ACTIVE"
    expired: bool = False


@dataclass
class Model:
    """What there should be."""

    on_hand: dict[Level, int]
    rules: dict[str, Rules]
    units: list[Unit] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    shipments: dict[int, str] = field(default_factory=dict)
    to_come: list[list[Any]] = field(default_factory=list)
    """Announcements: id, SKU, warehouse, how many are still to come."""
    step: int = 0

    def figures(self, sku: str, place: str, *, stored: bool = False) -> tuple[int, int, int, int, int]:
        """On hand, reserved, planned, backordered, held; ``stored``: with holds that nobody noticed to be over."""
        here = [u for u in self.units if (u.sku, u.place) == (sku, place) and u.state in OPEN and u.mode is not NEVER]
        later = [u for u in here if u.mode is ON_SHIPMENT]
        return (
            self.on_hand[sku, place],
            sum(u.shipment is None for u in later),
            sum(u.shipment is not None for u in later),
            sum(u.state == "BACKORDERED" for u in here),
            sum(
                quantity
                for hold in self.holds
                if hold.state == "ACTIVE" and (stored or not hold.expired)
                for part_sku, part_place, quantity in hold.parts
                if (part_sku, part_place) == (sku, place)
            ),
        )

    def available(self, sku: str, place: str) -> int:
        on_hand, reserved, planned, _, held = self.figures(sku, place)
        return on_hand - reserved - planned - held

    def to_ship(self, sku: str, place: str) -> int:
        """What can leave a level: those that wait under ON_ORDER are off its on hand already."""
        here = [u for u in self.units if (u.sku, u.place, u.state) == (sku, place, "BACKORDERED")]
        return self.on_hand[sku, place] + sum(u.mode is ON_ORDER for u in here)

    def fill(self, *levels: Level) -> None:
        """Units that were planned first get what these levels have."""
        planned = {
            (line.id, position): step
            for order in self.orders
            for line in order.lines
            for position, step in enumerate(line.planned)
        }
        for sku, place in dict.fromkeys(levels):
            backordered = self.figures(sku, place)[3]
            count = max(backordered - max(-self.available(sku, place), 0), 0)
            here = [u for u in self.units if (u.sku, u.place) == (sku, place) and u.state == "BACKORDERED"]
            for unit in sorted(here, key=lambda u: (planned[u.line, u.position], u.line, u.position))[:count]:
                unit.state = "ON_HAND"

    def plan(
        self, lines: list[tuple[str, int]], hold: Hold | None = None, *, only_free: bool = False
    ) -> tuple[list[list[tuple[str, int, str]]], list[str]]:
        """For each line its parts (warehouse, quantity, state), and the items that there is not enough of."""
        parts: list[list[tuple[str, int, str]]] = [[] for _ in lines]
        short = []
        for sku in dict.fromkeys(sku for sku, _ in lines):
            first = [place for part_sku, place, _ in hold.parts if part_sku == sku] if hold else []
            places = sorted(PLACES, key=lambda p: first.index(p) if p in first else len(first))
            rules = self.rules[sku]
            kept = 0 if rules.backorders else max(rules.threshold, 0)
            free = {}
            for place in reversed(places):
                there = max(self.available(sku, place), 0)
                free[place] = max(there - kept, 0)
                kept -= there - free[place]
            room: int | None = 0
            if rules.backorders and not only_free:
                waiting = sum(self.figures(sku, place)[3] for place in PLACES)
                room = None if rules.threshold >= 0 else max(-rules.threshold - waiting, 0)
            wanted = sum(quantity for line_sku, quantity in lines if line_sku == sku)
            if room is not None and wanted > sum(free.values()) + room:
                short.append(sku)
                continue
            for number, (line_sku, left) in enumerate(lines):
                if line_sku != sku:
                    continue
                for place in places:
                    taken = min(free[place], left)
                    free[place] -= taken
                    left -= taken
                    if taken:
                        parts[number].append((place, taken, "ON_HAND"))
                if left:
                    parts[number].append((places[0], left, "BACKORDERED"))
        return parts, short

    def take(self, order: Order, plan: list[tuple[Line, list[tuple[str, int, str]]]], freed: list[Level]) -> None:
        """Plan units of lines, after those that the lines have."""
        touched = list(freed)
        for line, parts in plan:
            if line.mode is NEVER:
                sums = Counter[str]()
                for place, quantity, _ in parts:
                    sums[place] += quantity
                parts = [(place, quantity, "ON_HAND") for place, quantity in sums.items()]
            for place, quantity, state in parts:
                position = len(line.planned)
                line.planned.append(self.step)
                self.units += [
                    Unit(order.id, line.id, line.sku, line.mode, place, position, state) for _ in range(quantity)
                ]
                if line.mode is ON_ORDER:
                    self.on_hand[line.sku, place] -= quantity
                if line.mode is not NEVER:
                    touched.append((line.sku, place))
        self.fill(*touched)

    def of(self, order: Order, *states: str) -> list[Unit]:
        return [u for u in self.units if u.order == order.id and u.state in states]

    def status(self, order: Order) -> str:
        gone = len(self.of(order, "SHIPPED", "RETURNED"))
        if order.open == 0:
            return "CANCELED"
        if order.parked:
            return "BACKORDERED"
        return "SHIPPED" if gone == order.open else "PARTIALLY_SHIPPED" if gone else "PLACED"

    def shipment_state(self, shipment: int) -> str:
        inside = {u.state for u in self.units if u.shipment == shipment}
        if self.shipments[shipment] == "SHIPPED":
            return "SHIPPED"
        return "PENDING" if "BACKORDERED" in inside else "READY" if inside else "CANCELED"

    def to_cancel(self, order: Order, line: Line) -> list[Unit]:
        """The units of a line that may be canceled, in the order in which they are."""
        still = [u for u in self.of(order, *OPEN) if u.line == line.id]
        return sorted(still, key=lambda u: (u.state != "BACKORDERED", u.shipment is not None, -u.position))

    def cancel(self, order: Order, units: list[Unit], *, restock: bool = True) -> list[Level]:
        """Units that are on hand are written off where they do not come back. Gives the levels that change."""
        lines = {line.id: line for line in order.lines}
        for unit in units:
            back = restock or unit.state == "BACKORDERED"
            if unit.mode is not NEVER:
                self.on_hand[unit.sku, unit.place] += back - (unit.mode is ON_SHIPMENT)
            unit.state, unit.shipment = "CANCELED", None
            lines[unit.line].canceled += 1
        return self.touched([u for u in units if u.mode is not NEVER])

    def move(self, order: Order, units: list[Unit], place: str) -> list[Level]:
        """Units that go to another warehouse are the last ones of their lines that were planned. Gives the levels that
        change."""
        lines = {line.id: line for line in order.lines}
        levels = self.touched(units)
        for line_id in dict.fromkeys(u.line for u in units):
            lines[line_id].planned.append(self.step)
        for unit in units:
            if unit.mode is ON_ORDER:
                self.on_hand[unit.sku, unit.place] += 1
                self.on_hand[unit.sku, place] -= 1
            unit.place, unit.state, unit.shipment = place, "ON_HAND", None
            unit.position = len(lines[unit.line].planned) - 1
        return [*levels, *self.touched(units)]

    def touched(self, units: list[Unit]) -> list[Level]:
        return [(u.sku, u.place) for u in units]


class Life:
    """One life: each step is done, and said to the model."""

    def __init__(self, model: Model, chance: random.Random) -> None:
        self.model = model
        self.chance = chance

    async def expect(self, code: str | None, step: Any) -> Any:
        """Do a step that is to be refused with that code, or not at all."""
        done, told = None, None
        try:
            done = await step
        except Refused as error:
            told = error.refusals[0].code.value
        assert told == code
        return done

    def level(self) -> Level:
        return self.chance.choice(SKUS), self.chance.choice(PLACES)

    def lines(self) -> list[tuple[str, int]]:
        return [(self.chance.choice(SKUS), self.chance.randint(1, 4)) for _ in range(self.chance.randint(1, 3))]

    def order(self, *statuses: str) -> Order | None:
        """A late order, mostly one of these statuses."""
        fitting = [one for one in self.model.orders if self.model.status(one) in statuses]
        return self.mostly(fitting, self.model.orders)

    def mostly(self, fitting: list[Any], every: list[Any]) -> Any:
        chosen = fitting if fitting and self.chance.random() < 0.8 else every
        return self.chance.choice(chosen[-6:]) if chosen else None

    async def change_settings(self) -> None:
        sku = self.chance.choice(SKUS)
        await set_rules(sku, rules := any_rules(self.chance))
        self.model.rules[sku] = rules

    async def adjust(self) -> None:
        sku, place = self.level()
        delta = self.chance.choice([-4, -2, -1, 1, 2, 5])
        code = "INSUFFICIENT_STOCK" if delta < 0 and self.model.on_hand[sku, place] + delta < 0 else None
        await self.expect(
            code, adjust_stock.adjust(SYSTEM, AdjustStockRequest((StockAdjustment(sku, place, Decimal(delta)),)))
        )
        if code is None:
            self.model.on_hand[sku, place] += delta
            self.model.fill((sku, place))

    async def count(self) -> None:
        sku, place = self.level()
        counted = self.chance.randint(0, 8)
        await count_stock.count(SYSTEM, CountStockRequest((StockCount(sku, place, Decimal(counted)),)))
        self.model.on_hand[sku, place] = counted
        self.model.fill((sku, place))

    async def transfer(self) -> None:
        sku, place = self.level()
        target = PLACES[1 - PLACES.index(place)]
        quantity = self.chance.randint(1, 4)
        code = "INSUFFICIENT_STOCK" if quantity > max(self.model.available(sku, place), 0) else None
        moved = TransferStockRequest(place, target, (StockLine(sku, Decimal(quantity)),))
        await self.expect(code, transfer_stock.transfer(SYSTEM, moved))
        if code is None:
            self.model.on_hand[sku, place] -= quantity
            self.model.on_hand[sku, target] += quantity
            self.model.fill((sku, place), (sku, target))

    async def announce(self) -> None:
        sku, place = self.level()
        quantity = self.chance.randint(1, 6)
        await receive.announce(SYSTEM, AnnounceStockRequest(place, (StockLine(sku, Decimal(quantity)),)))
        (row,) = await sql.query("SELECT MAX(id) AS id FROM stock_announcement")
        self.model.to_come.append([row["id"], sku, place, quantity])
        self.model.fill((sku, place))

    async def receive(self) -> None:
        sku, place = self.level()
        quantity = left = self.chance.randint(1, 6)
        await receive.receive(SYSTEM, ReceiveStockRequest(place, (ReceivedLine(sku, Decimal(quantity)),)))
        for one in self.model.to_come:
            if one[1:3] == [sku, place]:
                filled = min(one[3], left)
                one[3] -= filled
                left -= filled
        self.model.on_hand[sku, place] += quantity
        self.model.fill((sku, place))

    async def withdraw(self) -> None:
        if not self.model.to_come:
            return
        one = self.chance.choice(self.model.to_come)
        code = None if one[3] else "INVALID_STATE"
        await self.expect(code, receive.withdraw(SYSTEM, GivenId(one[0], "told")))
        if code is None:
            one[3] = 0
            self.model.fill((one[1], one[2]))

    def end_of(self, hold: Hold | None, state: str) -> list[Level]:
        """End a hold as the model has it, or say why it cannot be."""
        if hold is None:
            return []
        if hold.state == "EXPIRED" or (hold.state == "ACTIVE" and hold.expired):
            raise No("HOLD_EXPIRED")
        if hold.state != "ACTIVE":
            raise No("INVALID_STATE")
        hold.state = state
        return [(sku, place) for sku, place, _ in hold.parts]

    def any_hold(self) -> Hold | None:
        return self.mostly([one for one in self.model.holds if one.state == "ACTIVE"], self.model.holds)

    async def place(self) -> None:
        await self.place_with(None)

    async def place_held(self) -> None:
        await self.place_with(self.any_hold())

    async def place_with(self, hold: Hold | None) -> None:
        lines = self.lines()
        if hold is not None and self.chance.random() < 0.5:
            lines = [(sku, quantity) for sku, _, quantity in hold.parts] or lines
        before = hold.state if hold else ""
        code = None
        freed: list[Level] = []
        plan: list[list[tuple[str, int, str]]] = []
        short: list[str] = []
        try:
            freed = self.end_of(hold, "ORDERED")
            plan, short = self.model.plan(lines, hold)
            if short and not all(self.model.rules[sku].parks_orders for sku in short):
                raise No("INSUFFICIENT_STOCK")
        except No as no:
            code = str(no)
            if hold is not None:
                hold.state = before
        held = hold.id if hold is not None else None
        order_id = await self.expect(code, life.place(*lines, held=held))
        if code is not None:
            return
        ids = await life.lines(order_id)
        made = [
            Line(line_id, sku, self.model.rules[sku].mode, quantity)
            for line_id, (sku, quantity) in zip(ids, lines, strict=True)
        ]
        order = Order(order_id, made, parked=bool(short))
        self.model.orders.append(order)
        if short:
            self.model.fill(*freed)
        else:
            self.model.take(order, list(zip(made, plan, strict=True)), freed)

    async def retry(self) -> None:
        order = self.order("BACKORDERED")
        if order is None:
            return
        code, plan = None, []
        if self.model.status(order) != "BACKORDERED":
            code = "INVALID_STATE"
        else:
            wanted = [line for line in order.lines if line.open]
            parts, short = self.model.plan([(line.sku, line.open) for line in wanted])
            code = "INSUFFICIENT_STOCK" if short else None
            plan = list(zip(wanted, parts, strict=True))
        await self.expect(code, life.retry(order.id))
        if code is None:
            order.parked = False
            self.model.take(order, plan, [])

    async def hold(self) -> None:
        lines = self.lines()
        replaced = self.any_hold() if self.chance.random() < 0.3 else None
        before = replaced.state if replaced else ""
        code, freed, parts = None, [], []
        try:
            freed = self.end_of(replaced, "RELEASED")
            plan, short = self.model.plan(lines, only_free=True)
            if short:
                raise No("INSUFFICIENT_STOCK")
            parts = [(sku, place, q) for (sku, _), found in zip(lines, plan, strict=True) for place, q, _ in found]
        except No as no:
            code = str(no)
            if replaced is not None:
                replaced.state = before
        hold_id = await self.expect(code, life.hold(*lines, replaces=replaced.id if replaced else None))
        if code is None:
            self.model.holds.append(Hold(hold_id, parts))
            self.model.fill(*freed, *((sku, place) for sku, place, _ in parts))

    async def release(self) -> None:
        hold = self.any_hold()
        if hold is None:
            return
        code, freed = None, []
        try:
            freed = self.end_of(hold, "RELEASED")
        except No as no:
            code = str(no)
        await self.expect(code, life.release(hold.id))
        self.model.fill(*freed)

    async def expire(self) -> None:
        hold = self.any_hold()
        if hold is not None:
            await life.expire(hold.id)
            hold.expired = True

    async def sweep(self) -> None:
        over = [hold for hold in self.model.holds if hold.state == "ACTIVE" and hold.expired]
        assert await expire_holds.run() == len(over)
        for hold in over:
            hold.state = "EXPIRED"
            self.model.fill(*((sku, place) for sku, place, _ in hold.parts))

    def some_units(self, order: Order, pick: Any) -> tuple[list[tuple[str, int]], list[Unit]]:
        """A row of the order for some units, and those that ``pick`` takes for it; it may ask for too many."""
        line = self.mostly([one for one in order.lines if pick(one)], order.lines)
        quantity = self.chance.choice([1, 1, 2, 4])
        picked: list[Unit] = []
        for one in order.lines:
            if one.sku == line.sku:
                picked += pick(one)[: quantity - len(picked)]
        return [(line.sku, quantity)], picked

    async def pack(self) -> None:
        order = self.order("PLACED", "PARTIALLY_SHIPPED")
        if order is None:
            return
        free = [u.place for u in self.model.of(order, *OPEN) if u.shipment is None]
        place = self.mostly(free, list(PLACES))

        def pick(line: Line) -> list[Unit]:
            free = [u for u in self.model.of(order, *OPEN) if (u.line, u.place, u.shipment) == (line.id, place, None)]
            return sorted(free, key=lambda u: (u.state == "BACKORDERED", u.position))

        rows, units = self.some_units(order, pick)
        if self.chance.random() < 0.5:
            rows, units = [], [u for line in order.lines for u in pick(line)]
        wanted = rows[0][1] if rows else max(len(units), 1)
        code = "INVALID_STATE" if order.parked or len(units) < wanted else None
        number = await self.expect(code, life.pack(order.id, place, *rows))
        if code is None:
            shipment = shipment_rules.id_of(number)
            assert shipment is not None
            self.model.shipments[shipment] = "OPEN"
            for unit in units:
                unit.shipment = shipment
            self.model.fill(*self.model.touched([u for u in units if u.mode is ON_SHIPMENT]))

    def any_shipment(self) -> int | None:
        every = list(self.model.shipments)
        return self.mostly([one for one in every if self.model.shipment_state(one) == "READY"], every)

    async def ship(self) -> None:
        shipment = self.any_shipment()
        if shipment is None:
            return
        units = [u for u in self.model.units if u.shipment == shipment]
        leaving = Counter((u.sku, u.place) for u in units if u.mode is ON_SHIPMENT)
        are_missing = any(self.model.to_ship(*level) < quantity for level, quantity in leaving.items())
        anyway = self.chance.random() < 0.4
        code = None
        if self.model.shipment_state(shipment) != "READY":
            code = "INVALID_STATE"
        elif are_missing and not anyway:
            code = "INSUFFICIENT_STOCK"
        await self.expect(code, life.ship(shipment_rules.number(shipment), allow_negative=anyway))
        if code is None:
            self.model.shipments[shipment] = "SHIPPED"
            for unit in units:
                unit.state, unit.left = "SHIPPED", self.model.step
            for level, quantity in leaving.items():
                self.model.on_hand[level] -= quantity
            self.model.fill(*leaving)

    async def unpack(self) -> None:
        shipment = self.any_shipment()
        if shipment is None:
            return
        code = None if self.model.shipment_state(shipment) in ("PENDING", "READY") else "INVALID_STATE"
        await self.expect(code, life.unpack(shipment_rules.number(shipment)))
        if code is None:
            units = [u for u in self.model.units if u.shipment == shipment]
            for unit in units:
                unit.shipment = None
            self.model.fill(*self.model.touched([u for u in units if u.mode is ON_SHIPMENT]))

    async def cancel(self) -> None:
        order = self.order("PLACED", "PARTIALLY_SHIPPED", "BACKORDERED")
        if order is None:
            return

        def pick(line: Line) -> list[Unit]:
            return self.model.to_cancel(order, line)

        rows, units = self.some_units(order, pick)
        if self.chance.random() < 0.3:
            rows, units = [], [u for line in order.lines for u in pick(line)]
        wanted = rows[0][1] if rows else 0
        restock = self.chance.random() < 0.7
        there = len(units)
        if order.parked:
            there = sum(line.open for line in order.lines if not rows or line.sku == rows[0][0])
        over = self.model.status(order) in ("SHIPPED", "CANCELED") or there < wanted
        code = "INVALID_STATE" if over else None
        await self.expect(code, life.cancel(order.id, *rows, restock=restock))
        if code is not None:
            return
        if order.parked:
            left = wanted or order.open
            for line in order.lines:
                if not rows or line.sku == rows[0][0]:
                    taken = min(line.open, left)
                    line.canceled += taken
                    left -= taken
            return
        self.model.fill(*self.model.cancel(order, units, restock=restock))

    async def edit(self) -> None:
        """Some lines are raised or lowered and some are added, all at once."""
        order = self.order("PLACED", "PARTIALLY_SHIPPED")
        if order is None:
            return
        changed = self.chance.sample(order.lines, min(self.chance.choice([0, 1, 1, 2, 3]), len(order.lines)))
        to_be = {line.id: self.chance.choice([0, 1, 2, 4, line.open, line.open + 1]) for line in changed}
        added = self.lines()[: self.chance.choice([0, 1, 2])] if changed else self.lines()
        lines = [line for line in order.lines if line.id in to_be]
        lowered = [u for line in lines for u in self.model.to_cancel(order, line)[: max(line.open - to_be[line.id], 0)]]
        raised = [(line, to_be[line.id] - line.open) for line in lines if to_be[line.id] > line.open]
        wanted = [*((line.sku, more) for line, more in raised), *added]
        code = None
        missing = sum(max(line.open - to_be[line.id], 0) for line in lines) - len(lowered)
        if self.model.status(order) not in ("PLACED", "PARTIALLY_SHIPPED") or missing:
            code = "INVALID_STATE"
        else:
            trial, its_order, its_units = copy.deepcopy((self.model, order, lowered))
            trial.fill(*trial.cancel(its_order, its_units))
            plan, short = trial.plan(wanted)
            code = "INSUFFICIENT_STOCK" if short else None
        rows = [(line.sku, to_be[line.id], *self.line_id(order, line)) for line in changed]
        await self.expect(code, life.edit(order.id, add=added, change=rows))
        if code is not None:
            return
        ids = (await life.lines(order.id))[len(order.lines) :]
        made = [
            Line(line_id, sku, self.model.rules[sku].mode, quantity)
            for line_id, (sku, quantity) in zip(ids, added, strict=True)
        ]
        order.lines += made
        freed = self.model.cancel(order, lowered)
        for line, more in raised:
            line.quantity += more
        planned = zip([*(line for line, _ in raised), *made], plan, strict=True)
        self.model.take(order, list(planned), freed)

    def line_id(self, order: Order, line: Line) -> tuple[int, ...]:
        """What a row says besides the SKU: it must where that is not enough."""
        alike = [one for one in order.lines if one.sku == line.sku]
        return (line.id,) if len(alike) > 1 or self.chance.random() < 0.5 else ()

    async def move(self) -> None:
        """One row or two, the second after the first: what that gave back is free, and what it moved may be moved on."""
        order = self.order("PLACED", "PARTIALLY_SHIPPED")
        if order is None:
            return
        trial, its_order = copy.deepcopy((self.model, order))
        code, rows, touched = None, [], []
        for _ in range(self.chance.choice([1, 1, 1, 2])):
            source = self.mostly([u.place for u in trial.of(its_order, *OPEN)], list(PLACES))
            target = PLACES[1 - PLACES.index(source)]
            (row,), units = self.some_units(
                its_order, lambda line, at=source: [u for u in trial.to_cancel(its_order, line) if u.place == at]
            )
            rows.append((*row, source, target))
            refused = None
            if len(units) < row[1]:
                refused = "INVALID_STATE"
            elif row[1] > max(trial.available(row[0], target), 0):
                refused = "INSUFFICIENT_STOCK"
            else:
                touched += trial.move(its_order, units, target)
            code = code or refused
        await self.expect(code, life.move(order.id, *rows))
        if code is None:
            trial.fill(*touched)
            self.model = trial

    async def take_back(self) -> None:
        order = self.order("SHIPPED", "PARTIALLY_SHIPPED")
        if order is None:
            return

        def pick(line: Line) -> list[Unit]:
            away = [u for u in self.model.of(order, "SHIPPED") if u.line == line.id]
            return sorted(away, key=lambda u: (u.left, u.position))

        rows, units = self.some_units(order, pick)
        restock = self.chance.choice([None, True, False])
        code = "INVALID_STATE" if len(units) < rows[0][1] else None
        await self.expect(code, life.take_back(order.id, *rows, restock=restock))
        if code is None:
            for unit in units:
                unit.state = "RETURNED"
            back = [u for u in units if u.mode is not NEVER and restock is not False]
            for unit in back:
                self.model.on_hand[unit.sku, unit.place] += 1
            self.model.fill(*self.model.touched(back))


CHANCES = {
    Life.place: 10,
    Life.place_held: 4,
    Life.pack: 7,
    Life.ship: 6,
    Life.cancel: 5,
    Life.edit: 6,
    Life.move: 5,
    Life.take_back: 4,
    Life.adjust: 3,
    Life.receive: 3,
    Life.hold: 5,
    Life.release: 2,
    Life.expire: 2,
    Life.sweep: 1,
    Life.unpack: 2,
    Life.retry: 2,
    Life.count: 2,
    Life.transfer: 2,
    Life.announce: 1,
    Life.withdraw: 1,
    Life.change_settings: 2,
}

LEVELS = """SELECT i.sku, w.code, l.on_hand, l.reserved, l.planned, l.backordered, l.held, l.incoming
    FROM inventory_level l JOIN item i ON i.id = l.item_id JOIN warehouse w ON w.id = l.warehouse_id"""
LINES = "SELECT id, quantity / 10000 AS quantity, canceled / 10000 AS canceled FROM order_line"
UNITS = """SELECT a.line_id, a.position, a.state, a.shipment_id, w.code, CAST(SUM(a.quantity) AS BIGINT) AS quantity
    FROM allocation a JOIN warehouse w ON w.id = a.warehouse_id
    GROUP BY a.line_id, a.position, a.state, a.shipment_id, w.code"""


async def compare(model: Model) -> None:
    """Every figure, unit and status is as the model has it."""
    for row in await sql.query(LEVELS):
        sku, place = row["sku"], row["code"]
        coming = sum(one[3] for one in model.to_come if one[1:3] == [sku, place])
        stored = [row[name] / 10_000 for name in ("on_hand", "reserved", "planned", "backordered", "held", "incoming")]
        assert stored == [*model.figures(sku, place, stored=True), coming], (sku, place)
    statuses = {row["id"]: row["status"] for row in await sql.query("SELECT id, status FROM customer_order")}
    assert statuses == {order.id: model.status(order) for order in model.orders}
    lines = {row["id"]: (row["quantity"], row["canceled"]) for row in await sql.query(LINES)}
    assert lines == {line.id: (line.quantity, line.canceled) for order in model.orders for line in order.lines}
    states = {row["id"]: row["state"] for row in await sql.query("SELECT id, state FROM shipment")}
    await compare_units(model)
    assert states == {shipment: model.shipment_state(shipment) for shipment in model.shipments}


async def compare_units(model: Model) -> None:
    """Pieces of one source of a line are alike: which of them is in which shipment the model learns."""
    there: list[Unit] = []
    by_line = {line.id: (order.id, line) for order in model.orders for line in order.lines}
    left = {u.shipment: u.left for u in model.units if u.state in ("SHIPPED", "RETURNED")}
    rows = await sql.query(UNITS)
    positions = same_order(
        {(row["line_id"], row["position"]) for row in rows}, {(unit.line, unit.position) for unit in model.units}
    )
    for row in rows:
        order_id, line = by_line[row["line_id"]]
        one = Unit(
            order_id,
            line.id,
            line.sku,
            line.mode,
            row["code"],
            positions[row["line_id"], row["position"]],
            row["state"],
            row["shipment_id"],
            left.get(row["shipment_id"], 0),
        )
        there += [replace(one) for _ in range(row["quantity"] // 10_000)]
    for seen in (
        lambda u: (u.line, u.position, u.place, u.state),
        lambda u: (u.line, u.position, u.place, u.state in OPEN, u.shipment is not None),
    ):
        assert Counter(map(seen, there)) == Counter(map(seen, model.units))
    model.units = there


def same_order(stored: set[tuple[int, int]], expected: set[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """The model's number of each stored position of a line: what counts is their order."""
    assert Counter(line for line, _ in stored) == Counter(line for line, _ in expected)
    return {at: number for at, (_, number) in zip(sorted(stored), sorted(expected), strict=True)}


def any_rules(chance: random.Random) -> Rules:
    mode = chance.choice([ON_ORDER, ON_ORDER, ON_SHIPMENT, ON_SHIPMENT, NEVER])
    return Rules(mode, chance.random() < 0.6, chance.choice([0, 0, 1, 3, -3, -8]), chance.random() < 0.4)


async def set_rules(sku: str, rules: Rules) -> None:
    await make.setting(
        product=sku,
        decrement_inventory=rules.mode,
        backorders=BackorderMode.ALLOW if rules.backorders else BackorderMode.NO_BACKORDERS,
        out_of_stock_threshold=rules.threshold,
        insufficient_stock=InsufficientStockAction.HOLD_ORDER if rules.parks_orders else InsufficientStockAction.REJECT,
    )


FORGOTTEN = ("allocation", "shipment", "order_line", "customer_order", "held_units", "stock_hold_line", "stock_hold")
FORGOTTEN += ("stock_announcement", "stock_movement", "outbox")


async def begin(chance: random.Random) -> Model:
    """Forget the life before, and lay in some stock."""
    for table in FORGOTTEN:
        await sql.execute(f"DELETE FROM {table}")
    zeros = "on_hand = 0, reserved = 0, planned = 0, held = 0, backordered = 0, incoming = 0, available = 0"
    await sql.execute(f"UPDATE inventory_level SET {zeros}, counted_at = NULL")
    on_hand = {(sku, place): chance.randint(0, 6) for sku in SKUS for place in PLACES}
    counts = tuple(StockCount(sku, place, Decimal(units)) for (sku, place), units in on_hand.items())
    await count_stock.count(SYSTEM, CountStockRequest(counts))
    rules = {sku: any_rules(chance) for sku in SKUS}
    for sku, found in rules.items():
        await set_rules(sku, found)
    return Model(on_hand, rules)


async def lead(run: int, changes: RowChanges) -> None:
    chance = random.Random(run)
    one = Life(await begin(chance), chance)
    await changes.take()
    done: list[str] = []
    steps, weights = list(CHANCES), list(CHANCES.values())
    try:
        for number in range(1, STEPS + 1):
            one.model.step = number
            (step,) = chance.choices(steps, weights)
            done.append(step.__name__)
            await step(one)
            await compare(one.model)
            changed = await changes.take()
            # A hold's time is written by hand.
            assert step is Life.expire or await uncovered(changed) == []
            if number % 10 == 0:
                assert await verification.verify() == []
    except Exception as error:
        error.add_note(f"in life {run}, after {len(done)} steps: {', '.join(done)}")
        raise


async def test_every_life_of_an_order_adds_up(db: None) -> None:
    await life.shop()
    await make.product("JUG")
    if not connection.is_postgres():
        # Nothing here is to outlive a power cut.
        await sql.execute("PRAGMA synchronous = OFF")

    async with row_changes.recorded() as changes:
        for run in range(FIRST, FIRST + RUNS):
            await lead(run, changes)
