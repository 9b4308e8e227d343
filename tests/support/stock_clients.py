"""Concurrent clients that change a few items, and record their requests and answers.

Some calls are aborted before their answer. Those with a key are retried on another process. Some are sent twice at once.
"""

import asyncio
import contextlib
import itertools
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from gqlstock.graphql.relay import nodes
from gqlstock.rules import orders as order_rules
from gqlstock.rules import shipments as shipment_rules
from gqlstock.store import commands
from gqlstock.store.catalog import Item
from gqlstock.store.db import clock, sql, transactions
from gqlstock.store.holds import StockHold
from support.forked_servers import Fork
from support.history import Call, Group
from support.plain_http import PlainClient
from support.server_processes import Server

_ERRORS = "userErrors { code ... on InsufficientStockError { salable } ... on StaleQuantityError { actual } }"
_LOOK = """query ($sku: String!, $warehouse: String!) { inventoryLevel(sku: $sku, warehouse: $warehouse) {
    onHand reserved planned backordered held incoming } }"""
_LOOK_ORDER = """query ($number: String!) { order(number: $number) {
    status lines { sku quantity canceled backordered shipped returned } } }"""
# For each call of the model: the mutation, and the selected fields of its payload.
_MUTATIONS = {
    "adjust": ("adjustStock", ""),
    "count": ("setStock", ""),
    "transfer": ("transferStock", ""),
    "announce": ("announceStock", ""),
    "receive": ("receiveStock", ""),
    "withdraw": ("withdrawStockAnnouncement", ""),
    "update": ("updateStockAnnouncement", ""),
    "delete_level": ("deleteInventoryLevel", ""),
    "hold": ("holdStock", "hold { id }"),
    "release": ("releaseStockHold", ""),
    "place": ("placeOrder", "order { number status lines { id sku } }"),
    "retry": ("retryOrder", ""),
    "edit": ("editOrder", "order { lines { id sku } }"),
    "move": ("moveAllocations", ""),
    "cancel": ("cancelOrder", ""),
    "take_back": ("returnItems", ""),
    "pack": ("createShipment", "shipment { number }"),
    "ship": ("shipShipment", ""),
    "unpack": ("cancelShipment", ""),
}
RETRYABLE = ("place", "adjust", "transfer", "receive", "edit", "move")
_ABORTABLE = (*RETRYABLE, "cancel", "ship", "release", "unpack")
_CHANCE_OF_ABORT = 0.04
_CHANCE_OF_DUPLICATE = 0.1
_FAR_AHEAD = datetime(2090, 12, 1, tzinfo=UTC)


@dataclass
class Known:
    """An order as known to the clients."""

    id: int
    lines: list[tuple[str, str]]
    """The id and SKU of each line. Lines may be added, but not changed."""
    partly_packed: bool = False
    partly_canceled: bool = False
    """Whether units were canceled, removed by an edit, or moved."""


@dataclass
class Shelf:
    """A group of items, and what clients know about their stock."""

    name: str
    group: Group
    orders: list[Known] = field(default_factory=list)
    shipments: list[int] = field(default_factory=list)
    holds: list[int] = field(default_factory=list)
    announcements: list[tuple[int, str, str]] = field(default_factory=list)
    on_hand: dict[tuple[str, str], int] = field(default_factory=dict)
    """The onHand values that clients last saw."""
    counting: bool = False
    counted_until: datetime | None = None
    """When the latest backdated count was answered."""

    @property
    def skus(self) -> list[str]:
        return list(self.group.rules)

    @property
    def waits(self) -> bool:
        """Whether units of an item may be backordered."""
        return any(rules.backorders for rules in self.group.rules.values())

    @property
    def has_preorders(self) -> bool:
        """Whether backorders of an item are limited to announced stock with a date."""
        return any(rules.from_incoming for rules in self.group.rules.values())


class ErrorAnswer(Exception):
    """The server answered with errors."""


@dataclass
class Recorder:
    """Sends and records calls until a deadline or a maximum number of calls. ``label``: the prefix of their tags."""

    http: PlainClient
    servers: Sequence[Fork | Server]
    chance: random.Random
    until: float
    most: int | None = None
    label: str = "call"
    calls: list[Call] = field(default_factory=list)
    _numbers: Any = field(default_factory=itertools.count)

    @property
    def over(self) -> bool:
        return time.monotonic() > self.until or (self.most is not None and len(self.calls) >= self.most)

    def _tag(self) -> str:
        return f"{self.label}-{next(self._numbers)}"

    def _takes_key(self, name: str) -> bool:
        return name in RETRYABLE and self.chance.random() < 0.5

    async def do(
        self, shelf: Shelf, name: str, given: dict[str, Any], asked: dict[str, Any], tagged: str | None = None
    ) -> Call:
        """Run a mutation. Returns the answered call, or the last unanswered one. ``tagged``: the input field that is set to
        the call's tag."""
        tag = self._tag()
        key = tag if self._takes_key(name) else None
        asked = asked | ({tagged: tag} if tagged else {}) | ({"idempotencyKey": key} if key else {})

        def make() -> Call:
            return Call(shelf.name, name, given, tag, key)

        at = self.chance.randrange(len(self.servers))
        if key is not None and self.chance.random() < _CHANCE_OF_DUPLICATE:
            calls = await asyncio.gather(*(self._send(make(), asked, number) for number in range(len(self.servers))))
            return calls[0]
        if name in _ABORTABLE and (key or name not in RETRYABLE) and self.chance.random() < _CHANCE_OF_ABORT:
            aborted = make()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._send(aborted, asked, at), self.chance.uniform(0.001, 0.02))
            if key is None or not aborted.optional:
                return aborted
        return await self._send(make(), asked, at + 1)

    async def _send(self, call: Call, asked: dict[str, Any], at: int) -> Call:
        mutation, fields = _MUTATIONS[call.name]
        kind = f"{mutation[0].upper()}{mutation[1:]}Input"
        query = f"mutation ($input: {kind}!) {{ {mutation}(input: $input) {{ {fields} {_ERRORS} }} }}"
        payload = (await self._post(call, at, query, {"input": asked}))[mutation]
        errors = payload.pop("userErrors")
        call.refusals = tuple((one["code"], _quantity(call.name, one)) for one in errors)
        if not errors:
            _record_result(call, payload)
        return call

    async def _post(self, call: Call, at: int, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        port = self.servers[at % len(self.servers)].port
        self.calls.append(call)
        call.start = time.monotonic()
        answer = await self.http.post(port, query, variables)
        if "errors" in answer:
            raise ErrorAnswer(answer)
        call.end = time.monotonic()
        data: dict[str, Any] = answer["data"]
        return data

    async def announced(self, tag: str) -> int | None:
        """The id of the announcement that a call has created, or None."""
        found = await sql.query("SELECT id FROM stock_announcement WHERE reference = ?", tag)
        return found[0]["id"] if found else None

    async def look(self, shelf: Shelf, sku: str, warehouse: str) -> tuple[int, ...] | None:
        call = Call(shelf.name, "look", {"sku": sku, "warehouse": warehouse}, self._tag())
        data = await self._post(call, self.chance.randrange(len(self.servers)), _LOOK, call.given)
        found = data["inventoryLevel"]
        call.refusals, call.seen = (), tuple(found.values()) if found else None
        return call.seen

    async def look_order(self, shelf: Shelf, order: int) -> None:
        call = Call(shelf.name, "look_order", {"id": order}, self._tag())
        variables = {"number": order_rules.number(order)}
        data = await self._post(call, self.chance.randrange(len(self.servers)), _LOOK_ORDER, variables)
        call.refusals, found = (), data["order"]
        if found is not None:
            call.seen = found["status"], tuple(tuple(line.values()) for line in found["lines"])

    async def expire(self, shelf: Shelf, hold: int) -> None:
        """Expire a hold. The lock on its items serializes this with other transactions."""
        call = Call(shelf.name, "expire", {"id": hold}, self._tag())
        self.calls.append(call)
        call.start = time.monotonic()

        async def work() -> None:
            await commands.lock_items(await Item.filter(sku__in=shelf.skus).values_list("id", flat=True), waiting=True)
            past = clock.now() - timedelta(seconds=1)
            await StockHold.filter(id=hold, state="ACTIVE").update(expires_at=past, seal=None)

        await transactions.run(work)
        call.end, call.refusals = time.monotonic(), ()


def _quantity(name: str, error: dict[str, Any]) -> int | None:
    """The available quantity that a refusal reports. None for shipments, which may report any of several short items."""
    found: int | None = error.get("salable", error.get("actual"))
    return None if name == "ship" else found


def _record_result(call: Call, payload: dict[str, Any]) -> None:
    if call.name in ("place", "edit"):
        call.lines = [(line["id"], line["sku"]) for line in payload["order"]["lines"]]
    if call.name == "place":
        call.made = order_rules.id_of(payload["order"]["number"])
        # The answer to a repeated key shows the current state, which may have changed since.
        call.seen = payload["order"]["status"] if call.key is None else None
    elif call.name == "hold":
        call.made = nodes.row_id("StockHold", payload["hold"]["id"])
    elif call.name == "pack":
        call.made = shipment_rules.id_of(payload["shipment"]["number"])


def lines(rows: Sequence[tuple[str, int]]) -> list[dict[str, Any]]:
    return [{"sku": sku, "quantity": quantity} for sku, quantity in rows]


class Client:
    """A client that runs random steps on random shelves. ``remembered``: how many of the latest orders, shipments and other
    objects it uses. All clients share them."""

    def __init__(
        self,
        record: Recorder,
        shelves: Sequence[Shelf],
        chances: Mapping[str, Mapping[str, int]],
        remembered: int,
    ) -> None:
        self._record = record
        self._remembered = remembered
        self._chance = record.chance
        self._shelves = shelves
        self._chances = chances

    async def work(self) -> None:
        while not self._record.over:
            await self.step()

    async def step(self) -> None:
        shelf = self._chance.choice(self._shelves)
        chances = self._chances[shelf.name]
        (step,) = self._chance.choices(list(chances), list(chances.values()))
        await getattr(self, step)(shelf)

    # ── choices

    def _random_rows(self, shelf: Shelf, most: int = 3) -> list[tuple[str, int]]:
        skus = self._chance.sample(shelf.skus, self._chance.randint(1, len(shelf.skus)))
        if self._chance.random() < 0.1:
            skus.append(skus[0])
        return [(sku, self._chance.randint(1, most)) for sku in skus]

    def _random_place(self, shelf: Shelf) -> tuple[str, str]:
        return self._chance.choice(shelf.skus), self._chance.choice(list(shelf.group.warehouses))

    def _random_lines(self, order: Known) -> list[tuple[str, int]]:
        return [(self._chance.choice(order.lines)[1], self._chance.randint(1, 2))]

    def _random_date(self, shelf: Shelf) -> datetime | None:
        """A date after the end of the run, or None."""
        if not shelf.has_preorders or self._chance.random() < 0.15:
            return None
        return _FAR_AHEAD + timedelta(days=self._chance.randrange(6))

    def _recent(self, known: list[Any]) -> Any:
        return self._chance.choice(known[-self._remembered :]) if known else None

    # ── stock

    async def look(self, shelf: Shelf) -> None:
        sku, warehouse = self._random_place(shelf)
        found = await self._record.look(shelf, sku, warehouse)
        shelf.on_hand[sku, warehouse] = found[0] if found else 0

    async def adjust(self, shelf: Shelf) -> None:
        places = {self._random_place(shelf) for _ in range(self._chance.randint(1, 2))}
        rows = [(*place, self._chance.choice([-4, -2, -1, 1, 2, 3])) for place in sorted(places)]
        changes = [{"sku": sku, "warehouse": warehouse, "delta": delta} for sku, warehouse, delta in rows]
        await self._record.do(shelf, "adjust", {"rows": rows}, {"changes": changes}, tagged="reason")

    async def count(self, shelf: Shelf) -> None:
        """Count. Half of the counts expect the onHand value that clients last saw, or one more."""
        sku, warehouse = self._random_place(shelf)
        expected = shelf.on_hand.get((sku, warehouse)) if self._chance.random() < 0.5 else None
        expected = None if expected is None else expected + self._chance.choice([0, 0, 1])
        await self._count(shelf, (sku, warehouse, self._chance.randint(0, 6), expected, None))

    async def count_late(self, shelf: Shelf) -> None:
        """Count as of an earlier moment, but not before the end of the previous such count. Only one runs at a time."""
        if shelf.counting:
            return
        shelf.counting = True
        since, now = shelf.counted_until or datetime.now(UTC), datetime.now(UTC)
        sku, warehouse = self._random_place(shelf)
        moment = since + (now - since) * self._chance.random()
        await self._count(shelf, (sku, warehouse, self._chance.randint(0, 5), None, moment))
        shelf.counted_until, shelf.counting = datetime.now(UTC), False

    async def _count(self, shelf: Shelf, row: tuple[str, str, int, int | None, datetime | None]) -> None:
        sku, warehouse, counted, expected, moment = row
        count = {"sku": sku, "warehouse": warehouse, "onHand": counted, "expectedOnHand": expected}
        count["countedAt"] = moment.isoformat() if moment else None
        call = await self._record.do(shelf, "count", {"rows": [row]}, {"counts": [count]}, tagged="reason")
        if call.refusals == () and moment is None:
            shelf.on_hand[sku, warehouse] = counted

    async def transfer(self, shelf: Shelf) -> None:
        source, target = self._chance.sample(list(shelf.group.warehouses), 2)
        rows = [(sku, quantity) for sku, quantity in dict(self._random_rows(shelf)).items()]
        asked = {"from": source, "to": target, "lines": lines(rows)}
        await self._record.do(
            shelf, "transfer", {"source": source, "target": target, "rows": rows}, asked, tagged="reason"
        )

    async def announce(self, shelf: Shelf) -> None:
        (sku, warehouse), quantity = self._random_place(shelf), self._chance.randint(1, 4)
        at = self._random_date(shelf)
        given = {"sku": sku, "warehouse": warehouse, "quantity": quantity, "at": at}
        asked = {"warehouse": warehouse, "lines": lines([(sku, quantity)]), "expectedAt": at and at.isoformat()}
        call = await self._record.do(shelf, "announce", given, asked, tagged="reference")
        call.made = await self._record.announced(call.tag)
        if call.made is not None:
            shelf.announcements.append((call.made, sku, warehouse))

    async def receive(self, shelf: Shelf) -> None:
        (sku, warehouse), quantity = self._random_place(shelf), self._chance.randint(1, 4)
        known = self._recent(shelf.announcements) if self._chance.random() < 0.3 else None
        announcement = None
        if known:
            announcement, sku, warehouse = known
        line = {"sku": sku, "quantity": quantity}
        if announcement:
            line["announcement"] = nodes.global_id("StockAnnouncement", announcement)
        given = {
            "sku": sku,
            "warehouse": warehouse,
            "quantity": quantity,
            "announcement": announcement,
        }
        await self._record.do(shelf, "receive", given, {"warehouse": warehouse, "lines": [line]}, tagged="reason")

    async def withdraw(self, shelf: Shelf) -> None:
        if known := self._recent(shelf.announcements):
            asked = {"id": nodes.global_id("StockAnnouncement", known[0])}
            await self._record.do(shelf, "withdraw", {"id": known[0]}, asked)

    async def update(self, shelf: Shelf) -> None:
        """Change the quantity or date of an announcement."""
        if known := self._recent(shelf.announcements):
            given: dict[str, Any] = {"id": known[0]}
            asked: dict[str, Any] = {"id": nodes.global_id("StockAnnouncement", known[0])}
            if self._chance.random() < 0.4:
                given["quantity"] = asked["quantity"] = self._chance.randint(1, 5)
            else:
                given["at"] = at = self._random_date(shelf)
                asked["expectedAt"] = at and at.isoformat()
            await self._record.do(shelf, "update", given, asked)

    async def delete_level(self, shelf: Shelf) -> None:
        """Delete a level in the second warehouse. Items keep one level, because items without levels behave differently."""
        sku, warehouse = self._chance.choice(shelf.skus), shelf.group.warehouses[1]
        asked = {"sku": sku, "warehouse": warehouse}
        await self._record.do(shelf, "delete_level", asked, asked)
