"""Made-up histories in virtual time: the clients of ``scripts/chaos``, with the stock model in place of the servers.

Each history is legal by construction. While the database is away, calls wait, and clients give up after some seconds. What
they gave up may still be applied. There are no batches and no crashes.
"""

import asyncio
import random
import selectors
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from chaos.load import CHANCES, NoAnswer, RetryingRecorder, RetryingShopper
from support import stock_load
from support.facts import Facts
from support.history import (
    CREATING,
    TAGGED,
    Call,
    Group,
    counted,
    order_of_movements,
    renumbered,
    stored_shipment,
)
from support.stock_clients import Recorder, Shelf
from support.stock_evidence import Evidence, Kept, LedgerRow
from support.stock_model import Model
from support.stock_records import Level, Order, Place, Refused

_CLIENT_PATIENCE = 6.0
_WRITE_SECONDS = 0.01
Stamp = Callable[[float, float], float]
"""The timestamp that the database stores, given when the call began to wait and when it was carried out."""
STAMPS: Mapping[str, Stamp] = {
    "right": lambda waiting, carried_out: carried_out,
    "from before the outage": lambda waiting, carried_out: waiting,
    "an hour ahead": lambda waiting, carried_out: carried_out + 3600,
}


class _VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose sleeps take no time."""

    def __init__(self) -> None:
        selector = selectors.SelectSelector()
        super().__init__(selector)
        self._now = time.monotonic()
        poll = selector.select

        def select(timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
            self._now += timeout or 0
            return poll(0)

        selector.select = select  # type: ignore[method-assign]

    def time(self) -> float:
        return self._now


def _now() -> float:
    return asyncio.get_running_loop().time()


@dataclass
class History:
    """``applied``: the calls that took effect, in order."""

    calls: list[Call]
    groups: dict[str, Group]
    evidence: dict[str, Evidence]
    applied: list[Call]


class Servers:
    """The servers and their database. ``away``: from when to when the database is away."""

    def __init__(
        self, groups: Mapping[str, Group], chance: random.Random, stamp: Stamp, away: tuple[float, float]
    ) -> None:
        self._chance = chance
        self._stamp = stamp
        self._away = away
        self._writing = [asyncio.Lock() for _ in range(stock_load.PROCESSES)]
        self._ids = 0
        self._made_by_key: dict[str, int | None] = {}
        self._offset = time.time() - time.monotonic()
        self.applied: list[Call] = []
        self.evidence: dict[str, Evidence] = {}
        self._models: dict[str, Model] = {}
        for name, group in groups.items():
            self._models[name] = Model(dict(group.rules), group.warehouses, Facts())
            self.evidence[name] = Evidence()
            for place, on_hand in group.initial_stock.items():
                self._models[name].facts.put(("level", *place), Level(on_hand, moved=1))
                initial = LedgerRow("COUNT", on_hand, on_hand, None, None, datetime.now(UTC))
                self.evidence[name].ledger[place].append(initial)

    async def handle(self, call: Call, process: int) -> tuple[Any, int | None, Any]:
        """Carry out a call. Returns its refusals, the id of its new object, and what it shows."""
        await self._travel()
        waiting = _now()
        await self._until_back()
        async with self._writing[process]:
            await asyncio.sleep(self._chance.expovariate(1 / _WRITE_SECONDS))
            await self._until_back()
            answer = self._answer(call, waiting)
        # The answer to a COMMIT just before the outage arrives after it.
        await self._until_back(early=0.15)
        await self._travel()
        return answer

    async def _travel(self) -> None:
        await asyncio.sleep(self._chance.uniform(0.001, 0.004))

    async def _until_back(self, early: float = 0.0) -> None:
        gone, back = self._away
        if gone - early <= _now() < back:
            await asyncio.sleep(back - _now() + self._chance.uniform(0.01, 0.3))

    def _answer(self, call: Call, waiting: float) -> tuple[Any, int | None, Any]:
        model, given = self._models[call.group], dict(call.given)
        if call.key in self._made_by_key:
            return (), self._made_by_key[call.key], None
        made = None
        if call.name in CREATING:
            self._ids += 1
            made = given["id"] = self._ids
        if call.name == "count":
            given = {"rows": [(*row[:4], 0) for row in given["rows"]]}
        model.movements.clear()
        mark = model.facts.mark()
        try:
            seen = getattr(model, call.name)(**given)
        except Refused as refused:
            model.facts.undo(mark)
            return refused.reasons, None, None
        if model.facts.mark() != mark:
            self.applied.append(call)
        self._store(call, made, datetime.fromtimestamp(self._stamp(waiting, _now()) + self._offset, UTC))
        return (), made, seen

    def _store(self, call: Call, made: int | None, at: datetime) -> None:
        model, evidence = self._models[call.group], self.evidence[call.group]
        stored = Call(call.group, call.name, call.given, call.tag, made=made)
        order, cause = order_of_movements(model.facts, stored), call.tag if call.name in TAGGED else None
        for one in model.movements:
            row = LedgerRow(one.kind, one.quantity, one.on_hand_after, order, cause, at)
            evidence.ledger[one.sku, one.warehouse].append(row)
            if cause is not None:
                evidence.times.setdefault(("tag", cause), at)
        if call.name in ("place", "announce"):
            evidence.tagged[call.tag] = made or 0
            evidence.times["tag", call.tag] = at
        if call.name in ("hold", "pack", "ship", "unpack", "withdraw"):
            evidence.times[call.name, made or call.given["id"]] = at
        if call.key is not None:
            self._made_by_key[call.key] = made
            named = None if call.name == "announce" else made
            evidence.kept[call.key] = Kept(named, at, len(self._made_by_key))

    def lines(self, call: Call) -> list[tuple[str, str]]:
        """The ids and SKUs of the lines of the call's order."""
        order: Order = self._models[call.group].facts.get(("order", call.made or call.given.get("id")))
        return [(str(number), line.sku) for number, line in enumerate(order.lines)]

    def finish(self) -> None:
        """Complete the evidence with the final state."""
        for name, model in self._models.items():
            evidence = self.evidence[name]
            for place in evidence.ledger:
                level = model.level(*place)
                evidence.levels[place] = level[:6] if level.in_use else None
            for (kind, *rest), value in model.facts.items():
                if kind == "order":
                    _store_order(evidence, rest[0], value)
                if kind == "hold":
                    units: Counter[Place] = Counter()
                    for sku, warehouse, quantity in value.parts:
                        units[sku, warehouse] += quantity
                    evidence.holds[rest[0]] = value.state, units
                if kind == "announcement":
                    evidence.announcements[rest[0]] = value
                if kind == "shipment":
                    evidence.shipments[rest[0]] = stored_shipment(model.facts, rest[0], value)


def _store_order(evidence: Evidence, id: int, order: Order) -> None:
    evidence.orders[id] = order.status, [(line.sku, line.quantity, line.canceled) for line in order.lines]
    evidence.promised[id] = [line.promised for line in order.lines]
    evidence.plans[id] = [counted(line.pieces, 2) for line in order.lines]
    evidence.pieces[id] = [counted(renumbered(line.pieces), 4) for line in order.lines]


@dataclass
class _ToServers(Recorder):
    """Sends calls to the simulated servers."""

    simulated: Any = field(default=None)

    async def _send(self, call: Call, asked: dict[str, Any], at: int) -> Call:
        self.calls.append(call)
        call.start = _now()
        carrying_out = asyncio.ensure_future(self.simulated.handle(call, at % len(self.servers)))
        try:
            # A call goes on when its client gives up.
            async with asyncio.timeout(_CLIENT_PATIENCE):
                call.refusals, made, seen = await asyncio.shield(carrying_out)
        except TimeoutError:
            raise NoAnswer(call) from None
        call.end = _now()
        if not call.refusals:
            call.made = made if call.name != "announce" else None
            call.seen = seen
            if call.name in ("place", "edit"):
                call.lines = self.simulated.lines(call)
        return call


@dataclass
class _Recorder(RetryingRecorder, _ToServers):
    @property
    def over(self) -> bool:
        return _now() > self.until

    async def look(self, shelf: Shelf, sku: str, warehouse: str) -> tuple[int, ...] | None:
        call = Call(shelf.name, "look", {"sku": sku, "warehouse": warehouse}, self._tag())
        found: tuple[int, ...] | None = (await _ToServers._send(self, call, {}, self.chance.randrange(2))).seen
        return found

    async def look_order(self, shelf: Shelf, order: int) -> None:
        call = Call(shelf.name, "look_order", {"id": order}, self._tag())
        await _ToServers._send(self, call, {}, self.chance.randrange(2))

    async def announced(self, tag: str) -> int | None:
        return next((one.tagged[tag] for one in self.simulated.evidence.values() if tag in one.tagged), None)


def simulate(
    seed: int, stamp: Stamp, *, seconds: float = 16, away: tuple[float, float] = (3, 12), clients: int = 24
) -> History:
    """Run clients for some virtual seconds. ``away``: from when to when the database is away."""
    loop = _VirtualLoop()
    try:
        return loop.run_until_complete(_simulate(seed, stamp, seconds, away, clients))
    finally:
        loop.close()


async def _simulate(seed: int, stamp: Stamp, seconds: float, away: tuple[float, float], clients: int) -> History:
    began, chance = _now(), random.Random(seed)
    groups = {
        name: Group(
            rules,
            stock_load.WAREHOUSES,
            {(sku, at): units for sku in rules for at, units in zip(stock_load.WAREHOUSES, (8, 4), strict=True)},
        )
        for name, rules in stock_load.GROUPS.items()
    }
    servers = Servers(groups, random.Random(seed), stamp, (began + away[0], began + away[1]))
    processes: Any = range(stock_load.PROCESSES)
    http: Any = None
    record = _Recorder(http, processes, chance, until=began + seconds, label="call", simulated=servers)
    shelves = [Shelf(name, group) for name, group in groups.items()]
    await asyncio.gather(*(RetryingShopper(record, shelves, CHANCES, 12).work() for _ in range(clients)))
    # Abandoned calls are carried out, too.
    await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True)  # type: ignore[arg-type]
    servers.finish()
    return History(record.calls, groups, servers.evidence, servers.applied)
