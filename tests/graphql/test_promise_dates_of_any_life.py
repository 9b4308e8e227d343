"""Whatever is announced, slipped, received, ordered, edited, moved and canceled: dates are those of a model in plain Python.

GQLSTOCK_TEST_LIVES lives are led, 25 unless it says otherwise.
"""

import asyncio
import itertools
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gqlstock.graphql.relay import nodes
from gqlstock.rules import orders as order_rules
from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.refusals import Refused
from gqlstock.rules.scopes import SYSTEM
from gqlstock.rules.settings import BackorderMode, InventoryDecrement
from gqlstock.services import adjust_stock, expire_holds, receive, update_announcement, verification
from gqlstock.services.adjust_stock import AdjustStockRequest, StockAdjustment
from gqlstock.services.receive import AnnounceStockRequest, ReceivedLine, ReceiveStockRequest
from gqlstock.services.stock_edits import StockLine
from gqlstock.store.db import clock, connection, sql
from support import order_life as life
from support import shop_builders as make
from support.date_model import DateModel, No, Rules
from support.graphql_client import Client
from support.settable_clock import SetClock
from support.stock_records import ON_ORDER, ON_SHIPMENT, Place, Rows

pytestmark = pytest.mark.long

LIVES = int(os.environ.get("GQLSTOCK_TEST_LIVES", "25"))
WAREHOUSES = ("BERLIN", "HAMBURG")
DAY = timedelta(days=1)

SEEN = """{ expectedAt incoming { at quantity } salableQuantity }"""
DATES = """{ expectedAt promisedAt lines { expectedAt promisedAt allocations {
    warehouse { code } state quantity expectedAt announcement { id } } } }"""

# ── steps: what is done, with numbers that say to which of what there is

few, dates = st.integers(1, 4), st.integers(-2, 9)
places = st.tuples(st.sampled_from([0, 0, 1]), st.sampled_from([0, 0, 1]))
which = st.integers(0, 9)
rows = st.lists(st.tuples(st.sampled_from([0, 0, 1]), few), min_size=1, max_size=3)
some_dates = st.one_of(dates, dates, dates, st.none())
announcing = st.tuples(st.just("announce"), places, st.integers(1, 6), some_dates)
placing = st.tuples(st.just("place"), rows)
STEPS = st.one_of(
    announcing,
    announcing,
    placing,
    placing,
    placing,
    st.tuples(st.just("place_held"), rows, which),
    st.tuples(st.just("cancel"), which, st.integers(0, 2), few, st.booleans()),
    st.tuples(st.just("ship"), which, st.integers(0, 1), st.booleans()),
    st.tuples(st.just("edit"), which, st.dictionaries(st.integers(0, 3), st.integers(0, 6), max_size=3), st.just([])),
    st.tuples(st.just("edit"), which, st.dictionaries(st.integers(0, 3), st.integers(0, 6), max_size=2), rows),
    st.tuples(st.just("move"), which, st.integers(0, 2), few, st.integers(0, 1)),
    st.tuples(st.just("hold"), rows),
    st.tuples(st.just("release"), which),
    st.tuples(st.just("adjust"), places, st.sampled_from([-3, -2, -1, 1, 2, 5])),
    st.tuples(st.just("receive"), places, few),
    st.tuples(st.just("receive_named"), which, few),
    st.tuples(st.just("slip"), which, some_dates),
    st.tuples(st.just("slip"), which, some_dates),
    st.tuples(st.just("resize"), which, st.integers(1, 8)),
    st.tuples(st.just("withdraw"), which),
    st.tuples(st.just("wait"), st.integers(1, 4)),
    st.tuples(st.just("sweep")),
)
LIFE = st.builds(
    lambda begun, steps: [*begun, *steps],
    st.lists(st.tuples(st.just("announce"), places, st.integers(2, 6), st.integers(1, 9)), min_size=2, max_size=3),
    st.lists(STEPS, min_size=10, max_size=22),
)
COUNTS = st.lists(st.sampled_from([0, 0, 0, 0, 1, 3]), min_size=4, max_size=4)
RULES = st.builds(
    Rules,
    mode=st.sampled_from([ON_ORDER, ON_SHIPMENT]),
    backorders=st.sampled_from([WAREHOUSES, WAREHOUSES, WAREHOUSES, WAREHOUSES[:1], WAREHOUSES[1:], ()]).map(frozenset),
    from_incoming=st.sampled_from([True, True, False]),
    threshold=st.sampled_from([0, 0, -5]),
    buffer_days=st.sampled_from([0, 0, 3]),
)

_SETTINGS = Rules(ON_SHIPMENT, frozenset(WAREHOUSES), from_incoming=True), Rules()
_COMING = [("announce", (0, 0), 2, 2), ("announce", (0, 0), 4, 9)]
# What was sold and is not there any more comes before what waits.
UNITS_WERE_LOST = (
    _SETTINGS,
    [0, 0, 0, 3],
    [("place", [(0, 3)]), *_COMING, ("adjust", (0, 0), -2), ("place", [(0, 1), (0, 2)])],
)
# A hold that has ended leaves more units waiting than are missing: what comes is for new orders all the same.
_HELD = [*_COMING, ("hold", [(0, 3)]), ("place", [(0, 3)])]
HOLD_ENDS_UNNOTICED = _SETTINGS, [0, 0, 0, 3], [*_HELD, ("wait", 1), ("place", [(0, 1)]), ("sweep",)]
DATE_PASSES = _SETTINGS, [0, 0, 0, 0], [*_COMING, ("place", [(0, 3)]), ("wait", 3)]
# What left without being there comes before what waits as well.
LEFT_WITHOUT_UNITS = (
    _SETTINGS,
    [0, 0, 0, 3],
    [("place", [(0, 3)]), ("adjust", (0, 0), -3), ("ship", 0, 0, True), *_COMING, ("place", [(0, 1), (0, 2)])],
)
# Who raises an order queues again, behind those who came meanwhile; what the other gives up moves it up.
ORDER_IS_RAISED = (
    _SETTINGS,
    [0, 0, 0, 0],
    [*_COMING, ("place", [(0, 1)]), ("place", [(0, 1)]), ("edit", 1, {0: 4}, []), ("edit", 0, {0: 0}, [])],
)
# In one edit a line has what another gives up.
LINES_CHANGE_PLACES = (
    _SETTINGS,
    [2, 0, 0, 1],
    [*_COMING, ("place", [(0, 3), (0, 2)]), ("edit", 0, {0: 1, 1: 4}, [(1, 1), (0, 1)])],
)
UNITS_ARE_MOVED = (
    _SETTINGS,
    [0, 0, 0, 0],
    [*_COMING, ("place", [(0, 3)]), ("place", [(0, 2)]), ("adjust", (0, 1), 2), ("move", 1, 0, 2, 0)],
)
HOLD_IS_ORDERED = _SETTINGS, [0, 0, 0, 3], [*_HELD, ("place_held", [(0, 1), (0, 2)], 0)]


class Life:
    """One life: each step is done, and said to the model."""

    def __init__(self, model: DateModel, client: Client, time: SetClock) -> None:
        self.model = model
        self.client = client
        self.time = time
        self.skus = list(model.rules)
        self.promised: dict[int, tuple[datetime | None, list[datetime | None]]] = {}
        """What orders were told when they were placed or edited."""

    async def both(self, step: Awaitable[Any], model: Callable[[Any], None]) -> Any:
        """What a step made, after the model did it as well; or None where both refused it, with the same code."""
        made, told, code = None, None, None
        try:
            made = await step
        except Refused as error:
            told = error.refusals[0].code.value
        try:
            model(made)
        except No as no:
            code = str(no)
        assert told == code
        return made

    def level(self, place: tuple[int, int]) -> Place:
        return self.skus[place[0]], WAREHOUSES[place[1]]

    def date(self, days: int | None) -> datetime | None:
        """So many days and a half from now."""
        return None if days is None else self.model.now + days * DAY + DAY / 2

    def rows(self, given: list[tuple[int, int]]) -> list[tuple[str, int]]:
        return [(self.skus[number], quantity) for number, quantity in given]

    # ── orders and holds

    async def place(self, given: list[tuple[int, int]], hold: int | None = None) -> None:
        rows = self.rows(given)
        checked = await life.check(*rows, held=hold)
        order = await self.both(life.place(*rows, held=hold), lambda id: self.model.place(id, rows, hold))
        assert checked.orderable == (order is not None)
        if order is None:
            return
        self.note_promise(order)
        assert (checked.expected_at, [line.expected_at for line in checked.lines]) == self.promised[order]
        for number, (sku, _) in enumerate(rows):
            if self.model.rules[sku].from_incoming:
                assert all(date for _, _, date, _ in self.model.waiting_parts(order, number))

    def note_promise(self, order: int) -> None:
        numbers = range(len(self.model.orders[order]))
        self.promised[order] = self.model.order_date(order), [self.model.line_date(order, line) for line in numbers]

    async def place_held(self, given: list[tuple[int, int]], which: int) -> None:
        if (hold := nth(which, self.model.holds)) is not None:
            await self.place(given, hold)

    async def cancel(self, which: int, line: int, quantity: int, restock: bool) -> None:
        if (order := nth(which, self.model.orders)) is not None:
            sku = nth(line, self.model.orders[order])
            step = life.cancel(order, (sku, quantity), restock=restock)
            await self.both(step, lambda _: self.model.cancel(order, sku, quantity, restock=restock))

    async def edit(self, which: int, change: dict[int, int], add: list[tuple[int, int]]) -> None:
        """New quantities of lines, and new lines."""
        order = nth(which, self.model.orders)
        if order is None or not (change or add):
            return
        skus, ids, rows = self.model.orders[order], await life.lines(order), self.rows(add)
        to_be = {number % len(skus): quantity for number, quantity in change.items()}
        changed = [(skus[number], quantity, ids[number]) for number, quantity in to_be.items()]
        step = edited(order, rows, changed)
        if await self.both(step, lambda _: self.model.edit(order, to_be, rows)) is not None:
            self.note_promise(order)

    async def move(self, which: int, line: int, quantity: int, place: int) -> None:
        if (order := nth(which, self.model.orders)) is not None:
            sku, source, target = nth(line, self.model.orders[order]), WAREHOUSES[place], WAREHOUSES[1 - place]
            step = life.move(order, (sku, quantity, source, target))
            await self.both(step, lambda _: self.model.move(order, sku, quantity, source, target))

    async def ship(self, which: int, place: int, anyway: bool) -> None:
        """What of an order is on hand in a warehouse."""
        order, warehouse = nth(which, self.model.orders), WAREHOUSES[place]
        units = [] if order is None else self.model.ready(order, warehouse)
        if not units:
            return
        lines = await life.lines(order)
        wanted = Counter((unit.sku, unit.line) for unit in units)
        rows = [(sku, quantity, lines[line]) for (sku, line), quantity in wanted.items()]
        number = await life.pack(order, warehouse, *rows)
        before = len(self.model.ready(order, warehouse))
        step = life.ship(number, allow_negative=anyway)
        await self.both(step, lambda _: self.model.ship(units, anyway=anyway))
        if len(self.model.ready(order, warehouse)) == before:
            await life.unpack(number)

    async def hold(self, given: list[tuple[int, int]]) -> None:
        rows = self.rows(given)
        await self.both(life.hold(*rows), lambda id: self.model.hold(id, rows))

    async def release(self, which: int) -> None:
        if (hold := nth(which, self.model.holds)) is not None:
            await self.both(life.release(hold), lambda _: self.model.release(hold))

    async def wait(self, days: int) -> None:
        """Longer than any hold lasts."""
        self.time.ahead += days * DAY
        self.model.now += days * DAY
        self.model.expire()

    async def sweep(self) -> None:
        await expire_holds.run()
        self.model.sweep()

    # ── stock

    async def adjust(self, place: tuple[int, int], delta: int) -> None:
        at = self.level(place)
        changed = AdjustStockRequest((StockAdjustment(*at, Decimal(delta)),))
        await self.both(adjust_stock.adjust(SYSTEM, changed), lambda _: self.model.adjust(at, delta))

    async def announce(self, place: tuple[int, int], quantity: int, days: int | None) -> None:
        (sku, warehouse), date = self.level(place), self.date(days)
        await receive.announce(SYSTEM, AnnounceStockRequest(warehouse, (StockLine(sku, Decimal(quantity)),), date))
        (row,) = await sql.query("SELECT MAX(id) AS id FROM stock_announcement")
        self.model.announce(row["id"], (sku, warehouse), quantity, date)

    async def slip(self, which: int, days: int | None) -> None:
        if (one := nth(which, self.model.announcements)) is not None:
            date = self.date(days)
            await self.both(update(one, expected_at=date), lambda _: self.model.update_date(one, date))

    async def resize(self, which: int, quantity: int) -> None:
        if (one := nth(which, self.model.announcements)) is not None:
            changed = update(one, quantity=Decimal(quantity))
            await self.both(changed, lambda _: self.model.update_quantity(one, quantity))

    async def withdraw(self, which: int) -> None:
        if (one := nth(which, self.model.announcements)) is not None:
            await self.both(receive.withdraw(SYSTEM, GivenId(one, "told")), lambda _: self.model.withdraw(one))

    async def receive(self, place: tuple[int, int], quantity: int) -> None:
        at = self.level(place)
        await self.both(arrive(*at, quantity), lambda _: self.model.receive(at, quantity))

    async def receive_named(self, which: int, quantity: int) -> None:
        if (one := nth(which, self.model.announcements)) is not None:
            found = self.model.announcements[one]
            at = found.sku, found.warehouse
            await self.both(arrive(*at, quantity, one), lambda _: self.model.receive(at, quantity, one))

    # ── what is shown

    async def compare(self) -> None:
        """Every date and quantity that a website and its orders show is as the model has it."""
        asked = [f'o{id}: order(number: "{order_rules.number(id)}") {DATES}' for id in self.promised]
        query = f"query ($skus: [String!]!) {{ availabilities(skus: $skus) {SEEN} {' '.join(asked)} }}"
        data = await self.client.admin(query, skus=self.skus)
        assert data["availabilities"] == [self.shown(sku) for sku in self.skus]
        dated = Counter[Place]()
        for order, promised in self.promised.items():
            seen = data[f"o{order}"]
            parts = [[part(one) for one in line["allocations"] if waits(one)] for line in seen["lines"]]
            numbers = range(len(parts))
            assert parts == [self.model.waiting_parts(order, number) for number in numbers]
            assert [moment(line["expectedAt"]) for line in seen["lines"]] == [
                self.model.line_date(order, number) for number in numbers
            ]
            assert moment(seen["expectedAt"]) == self.model.order_date(order)
            told = moment(seen["promisedAt"]), [moment(line["promisedAt"]) for line in seen["lines"]]
            assert told == promised
            for sku, line in zip(self.model.orders[order], parts, strict=True):
                for warehouse, quantity, date, _ in line:
                    dated[sku, warehouse] += quantity if date else 0
        for at, quantity in dated.items():
            assert quantity <= len(self.model.supply(at))

    def shown(self, sku: str) -> dict[str, Any]:
        found = self.model.shown(sku)
        incoming = [{"at": text(at), "quantity": quantity} for at, quantity in found.incoming]
        return {"expectedAt": text(found.expected_at), "incoming": incoming, "salableQuantity": found.salable}


def nth(number: int, known: Any) -> Any:
    """One of those that there are, the latest for 0; None where there is none."""
    there = list(known)[::-1]
    return there[number % len(there)] if there else None


def text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def moment(seen: str | None) -> datetime | None:
    return None if seen is None else datetime.fromisoformat(seen)


def waits(allocation: dict[str, Any]) -> bool:
    return allocation["state"] == "BACKORDERED"


def part(allocation: dict[str, Any]) -> tuple[str, int, datetime | None, int | None]:
    brings = allocation["announcement"]
    id = nodes.row_id("StockAnnouncement", brings["id"]) if brings else None
    return allocation["warehouse"]["code"], allocation["quantity"], moment(allocation["expectedAt"]), id


async def edited(order: int, add: Rows, change: Sequence[life.Row]) -> int:
    await life.edit(order, add=add, change=change)
    return order


async def update(id: int, **given: Any) -> None:
    await update_announcement.update(SYSTEM, GivenId(id, "told"), given)


async def arrive(sku: str, warehouse: str, quantity: int, announcement: int | None = None) -> None:
    named = "told" if announcement is not None else None
    line = ReceivedLine(sku, Decimal(quantity), announcement, named)
    await receive.receive(SYSTEM, ReceiveStockRequest(warehouse, (line,)))


async def begin(number: int, rules: tuple[Rules, Rules], counts: list[int]) -> DateModel:
    """Two items of this life alone, with some stock."""
    skus = f"MUG-{number}", f"CUP-{number}"
    model = DateModel(WAREHOUSES, dict(zip(skus, rules, strict=True)), clock.now().replace(microsecond=0))
    for sku, found in model.rules.items():
        await make.product(sku)
        await make.setting(
            product=sku,
            decrement_inventory=InventoryDecrement(found.mode),
            backorders_from_incoming=found.from_incoming,
            out_of_stock_threshold=found.threshold,
            incoming_buffer_days=found.buffer_days,
        )
        for warehouse in WAREHOUSES:
            model.on_hand[sku, warehouse] = counts.pop()
            await make.stock(sku, warehouse, model.on_hand[sku, warehouse])
            takes = BackorderMode.ALLOW if warehouse in found.backorders else BackorderMode.NO_BACKORDERS
            await make.setting(level=(sku, warehouse), backorders=takes)
    return model


async def test_dates_are_those_of_a_model_in_any_life(client: Client) -> None:
    for warehouse in WAREHOUSES:
        await make.warehouse(warehouse)
    await make.website("shop", warehouses=WAREHOUSES)
    if not connection.is_postgres():
        # Nothing here is to outlive a power cut.
        await sql.execute("PRAGMA synchronous = OFF")
    time = SetClock()
    numbers = itertools.count()
    loop = asyncio.get_running_loop()

    async def lead(rules: tuple[Rules, Rules], counts: list[int], steps: list[tuple[Any, ...]]) -> None:
        one = Life(await begin(next(numbers), rules, counts), client, time)
        for name, *numbers_of_step in steps:
            await getattr(one, name)(*numbers_of_step)
            await one.compare()

    @example(*UNITS_WERE_LOST)
    @example(*HOLD_ENDS_UNNOTICED)
    @example(*DATE_PASSES)
    @example(*HOLD_IS_ORDERED)
    @example(*LEFT_WITHOUT_UNITS)
    @example(*ORDER_IS_RAISED)
    @example(*LINES_CHANGE_PLACES)
    @example(*UNITS_ARE_MOVED)
    @settings(max_examples=LIVES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.tuples(RULES, RULES), COUNTS, LIFE)
    def live(rules: tuple[Rules, Rules], counts: list[int], steps: list[tuple[Any, ...]]) -> None:
        asyncio.run_coroutine_threadsafe(lead(rules, list(counts), steps), loop).result()

    with clock.replaced(time):
        await asyncio.to_thread(live)

    assert await verification.verify() == []
