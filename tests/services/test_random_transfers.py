"""Random lives of transfers beside a model in plain Python: no unit on hand, on the way or lost is made or vanishes."""

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

import pytest

from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.refusals import Refused
from gqlstock.rules.scopes import SYSTEM
from gqlstock.services import receive, transfer_stock, update_announcement, verification
from gqlstock.services.receive import ReceivedLine, ReceiveStockRequest
from gqlstock.services.transfer_stock import TransferStockRequest
from gqlstock.store.db import clock, sql
from support import shop_builders as make
from support import transfers

STEPS = 40
PLACES = ("BERLIN", "HAMBURG", "PARIS")
SKUS = ("MUG", "CUP")
START = 20

_REFUSED = object()

Shelf = tuple[str, str]
"""An item in a warehouse."""


@dataclass
class Sent:
    """A transfer: what is on the way, arrived, came back and is lost, by SKU."""

    source: str
    target: str
    away: Counter[str]
    received: Counter[str] = field(default_factory=Counter)
    returned: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)

    @property
    def is_open(self) -> bool:
        return self.away.total() > 0


class Model:
    """What must be there. A step that it refuses changes nothing."""

    def __init__(self) -> None:
        self.on_hand: Counter[Shelf] = Counter({(sku, "BERLIN"): START for sku in SKUS})
        self.sent: dict[str, Sent] = {}
        self.units = START * len(SKUS)

    def can_send(self, source: str, lines: Counter[str]) -> bool:
        return all(self.on_hand[sku, source] >= units for sku, units in lines.items())

    def take(self, source: str, lines: Counter[str]) -> None:
        for sku, units in lines.items():
            self.on_hand[sku, source] -= units

    def put(self, target: str, lines: Counter[str]) -> None:
        for sku, units in lines.items():
            self.on_hand[sku, target] += units

    def receive(self, sent: Sent, lines: Counter[str], *, close: bool) -> None:
        sent.away -= lines
        sent.received += lines
        self.put(sent.target, lines)
        if close:
            sent.lost, sent.away = sent.away, Counter()

    def cancel(self, sent: Sent) -> None:
        self.put(sent.source, sent.away)
        sent.returned, sent.away = sent.away, Counter()


class Life:
    """Does each step to the model and to the shop, which must refuse the same ones."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.model = Model()

    async def step(self) -> None:
        await self.chance.choice(
            (self.ship, self.ship, self.receive, self.receive, self.cancel, self.move, self.arrive, self.date)
        )()

    def _lines(self, most: int = 6) -> Counter[str]:
        skus = self.chance.sample(SKUS, self.chance.randint(1, len(SKUS)))
        return Counter({sku: self.chance.randint(1, most) for sku in skus})

    def _any(self) -> str | None:
        return self.chance.choice(list(self.model.sent)) if self.model.sent else None

    async def _done(self, work, *, allowed: bool) -> object:  # type: ignore[no-untyped-def]
        try:
            found = await work
        except Refused:
            found = _REFUSED
        assert (found is not _REFUSED) == allowed
        return found

    async def ship(self) -> None:
        # Most of the stock is in the first place.
        source, target = self.chance.choice((PLACES[:2], PLACES[::2], self.chance.sample(PLACES, 2)))
        lines = self._lines(4)
        allowed = self.model.can_send(source, lines)
        at = self.chance.choice((None, clock.now() + timedelta(days=self.chance.randint(1, 9))))
        work = transfers.ship(*lines.items(), source=source, target=target, expected_at=at)
        number = await self._done(work, allowed=allowed)
        if allowed:
            self.model.take(source, lines)
            self.model.sent[str(number)] = Sent(source, target, lines)

    async def receive(self) -> None:
        number = self._any()
        if number is None:
            return
        sent, close = self.model.sent[number], self.chance.random() < 0.2
        whole, lines = self.chance.random() < 0.2, self._lines(4)
        if close and self.chance.random() < 0.3:
            lines = Counter()
        if whole:
            lines = sent.away.copy()
        allowed = sent.is_open and all(sent.away[sku] >= units for sku, units in lines.items())
        rows = [] if whole else list(lines.items())
        await self._done(transfers.receive(number, *rows, everything=whole, close=close), allowed=allowed)
        if allowed:
            self.model.receive(sent, lines, close=close)

    async def cancel(self) -> None:
        number = self._any()
        if number is not None and self.chance.random() < 0.5:
            sent = self.model.sent[number]
            allowed = sent.is_open
            await self._done(transfers.cancel(number), allowed=allowed)
            if allowed:
                self.model.cancel(sent)

    async def move(self) -> None:
        source, target = self.chance.sample(PLACES, 2)
        lines = self._lines(3)
        request = TransferStockRequest(source, target, transfers.rows(*lines.items()))
        allowed = self.model.can_send(source, lines)
        await self._done(transfer_stock.transfer(SYSTEM, request), allowed=allowed)
        if allowed:
            self.model.take(source, lines)
            self.model.put(target, lines)

    async def arrive(self) -> None:
        """Stock that no transfer brings: it fills none."""
        place, lines = self.chance.choice(PLACES), self._lines(1)
        rows = tuple(ReceivedLine(sku, Decimal(units)) for sku, units in lines.items())
        await receive.receive(SYSTEM, ReceiveStockRequest(place, rows))
        self.model.put(place, lines)
        self.model.units += lines.total()

    async def date(self) -> None:
        rows = await sql.query("SELECT id, withdrawn_at FROM stock_announcement ORDER BY id")
        if rows:
            row = self.chance.choice(rows)
            given = {"expected_at": clock.now() + timedelta(days=self.chance.randint(1, 9))}
            work = update_announcement.update(SYSTEM, GivenId(row["id"], "told"), given)
            await self._done(work, allowed=row["withdrawn_at"] is None)

    async def check(self) -> None:
        assert await transfers.units() == self.model.units
        levels = await sql.query(
            """SELECT i.sku, w.code, l.on_hand, l.incoming FROM inventory_level l JOIN item i ON i.id = l.item_id
               JOIN warehouse w ON w.id = l.warehouse_id"""
        )
        coming: Counter[Shelf] = Counter()
        for sent in self.model.sent.values():
            coming.update({(sku, sent.target): units for sku, units in sent.away.items()})
        assert +Counter({(row["sku"], row["code"]): row["on_hand"] // 10_000 for row in levels}) == +self.model.on_hand
        assert +Counter({(row["sku"], row["code"]): row["incoming"] // 10_000 for row in levels}) == +coming
        for number, sent in self.model.sent.items():
            for sku, quantity, *counts in await transfers.counts(number):
                expected = [sent.received[sku], sent.returned[sku], sent.lost[sku]]
                assert counts == expected
                assert quantity == sum(expected) + sent.away[sku]


@pytest.mark.parametrize("seed", range(6))
async def test_transfers_neither_make_nor_lose_a_unit(db: None, seed: int) -> None:
    for code in PLACES:
        await make.warehouse(code)
    await make.website("shop", warehouses=list(PLACES))
    for sku in SKUS:
        await make.product(sku)
        await make.stock(sku, "BERLIN", START)
    life = Life(seed)

    for _ in range(STEPS):
        await life.step()
        assert await transfers.units() == life.model.units

    assert len(life.model.sent) > 2
    await life.check()
    assert [str(one) for one in await verification.verify()] == []
