"""What clients do to one transfer at the same moment, and what a killed server leaves of transfers."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from gqlstock.services import verification
from gqlstock.store.db import sql
from support import crowd as crowds
from support import server_processes, transfers
from support import shop_builders as make
from support.crowd import Crowd

ROUNDS = 6
PLACES = ("BERLIN", "HAMBURG", "PARIS")
STATE = "transfer { number state }"


async def stocked(units: int) -> None:
    for code in PLACES:
        await make.warehouse(code)
    await make.website("shop", warehouses=list(PLACES))
    for sku in ("MUG", "CUP"):
        await make.product(sku)
        await make.stock(sku, "BERLIN", units)


@pytest.fixture
async def crowd(db: None, database_env: dict[str, str], tmp_path: Path) -> AsyncIterator[Crowd]:
    await stocked(100)
    async with crowds.clients_and_servers(database_env, tmp_path) as (http, servers):
        yield Crowd(http, servers)
    assert await transfers.units() == 200
    assert [str(one) for one in await verification.verify()] == []


def ends(found: list[Any]) -> Counter[str]:
    return Counter(one if isinstance(one, str) else "done" for one in found)


async def test_receipts_of_one_transfer_at_once_never_bring_more_than_is_on_the_way(crowd: Crowd) -> None:
    for _ in range(ROUNDS):
        number = await transfers.ship(("MUG", 5), ("CUP", 1))
        lines = [{"sku": "MUG", "quantity": 2}]

        found = await asyncio.gather(
            *(crowd.do("receiveTransfer", STATE, number=number, lines=lines) for _ in range(6))
        )

        assert ends(found) == {"done": 2, "INVALID_INPUT": 4}
        assert await transfers.counts(number) == [("MUG", 5, 4, 0, 0), ("CUP", 1, 0, 0, 0)]


async def test_a_transfer_is_received_as_a_whole_once(crowd: Crowd) -> None:
    for _ in range(ROUNDS):
        number = await transfers.ship(("MUG", 5))

        found = await asyncio.gather(*(crowd.do("receiveTransfer", STATE, number=number) for _ in range(6)))

        assert ends(found) == {"done": 1, "INVALID_STATE": 5}


async def test_the_same_receipt_under_a_key_at_once_is_taken_in_once(crowd: Crowd) -> None:
    for _ in range(ROUNDS):
        number = await transfers.ship(("MUG", 5))
        given = {"number": number, "lines": [{"sku": "MUG", "quantity": 2}], "idempotencyKey": number}

        found = await asyncio.gather(*(crowd.do("receiveTransfer", STATE, **given) for _ in range(6)))

        assert ends(found) == {"done": 6}
        assert await transfers.counts(number) == [("MUG", 5, 2, 0, 0)]


async def test_a_unit_is_received_or_comes_back_and_never_both(crowd: Crowd) -> None:
    for _ in range(ROUNDS):
        numbers = [await transfers.ship(("MUG", 3), ("CUP", 2)) for _ in range(4)]
        part = [{"sku": "MUG", "quantity": 1}]

        await asyncio.gather(
            *(crowd.do("cancelTransfer", STATE, number=number) for number in numbers),
            *(crowd.do("receiveTransfer", STATE, number=number, lines=part) for number in numbers),
            *(crowd.do("receiveTransfer", STATE, number=number, lines=[], close=True) for number in numbers),
        )

        for number in numbers:
            for _, quantity, received, returned, lost in await transfers.counts(number):
                assert received + returned + lost == quantity
                assert not (returned and lost)
        # What was lost is found again, so that there are enough for the next round.
        await make.stock("MUG", "BERLIN", 100 - await elsewhere("MUG"))
        await make.stock("CUP", "BERLIN", 100 - await elsewhere("CUP"))


async def elsewhere(sku: str) -> int:
    """How many units of an item are not in BERLIN: elsewhere on hand, on the way, or lost."""
    there = await sql.query(
        """SELECT COALESCE(SUM(l.on_hand), 0) AS units FROM inventory_level l JOIN item i ON i.id = l.item_id
           JOIN warehouse w ON w.id = l.warehouse_id WHERE i.sku = ? AND w.code <> 'BERLIN'""",
        sku,
    )
    away = await sql.query(
        "SELECT COALESCE(SUM(quantity - received - returned), 0) AS units FROM inventory_transfer_line WHERE sku = ?",
        sku,
    )
    return int(there[0]["units"] + away[0]["units"]) // 10_000


@dataclass
class Driver:
    """Ships, receives and cancels at random until its server is gone. Keeps the calls that had no answer."""

    chance: random.Random
    name: str
    numbers: list[str] = field(default_factory=list)
    shipped: list[str] = field(default_factory=list)
    unanswered: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    done: int = 0

    def _next(self) -> tuple[str, dict[str, Any]]:
        given: dict[str, Any]
        key = f"{self.name}-{self.chance.getrandbits(60)}"
        if not self.numbers or self.chance.random() < 0.3:
            source, target = self.chance.sample(PLACES, 2)
            lines = [{"sku": sku, "quantity": self.chance.randint(1, 6)} for sku in ("MUG", "CUP")]
            given = {"from": source, "to": target, "lines": lines, "reference": key, "idempotencyKey": key}
            return "shipTransfer", given
        number = self.chance.choice(self.numbers)
        if self.chance.random() < 0.2:
            return "cancelTransfer", {"number": number}
        given = {"number": number, "idempotencyKey": key}
        if self.chance.random() < 0.8:
            given["lines"] = [{"sku": self.chance.choice(("MUG", "CUP")), "quantity": self.chance.randint(1, 3)}]
        return "receiveTransfer", {**given, "close": self.chance.random() < 0.1}

    async def drive(self, crowd: Crowd) -> None:
        while True:
            mutation, given = self.unanswered.pop() if self.unanswered else self._next()
            try:
                found = await crowd.do(mutation, STATE, **given)
            except httpx.TransportError:
                self.unanswered.append((mutation, given))
                return
            if isinstance(found, dict):
                self.done += 1
                if mutation == "shipTransfer":
                    self.numbers.append(found["transfer"]["number"])
                    self.shipped.append(given["reference"])


async def test_no_unit_is_lost_or_made_when_the_server_is_killed_between_transfers(
    db: None, database_env: dict[str, str], tmp_path: Path
) -> None:
    await stocked(500)
    token = await make.token("inventory:write")
    drivers = [Driver(random.Random(number), f"driver {number}") for number in range(4)]

    for number in range(ROUNDS):
        server = server_processes.start(database_env, tmp_path)
        try:
            await server_processes.ready(server)
            async with server_processes.client(token) as http:
                driving = asyncio.gather(*(one.drive(Crowd(http, [server])) for one in drivers))
                await asyncio.sleep(random.Random(number).uniform(0.3, 1.2))
                await asyncio.to_thread(server_processes.kill, server)
                await driving
        finally:
            server_processes.stop(server)
        assert await transfers.units() == 1_000
        assert [str(one) for one in await verification.verify()] == []

    rows = await sql.query("SELECT reference FROM inventory_transfer")
    stored = [row["reference"] for row in rows]
    unanswered = {given["reference"] for one in drivers for _, given in one.unanswered if "reference" in given}
    confirmed = {reference for one in drivers for reference in one.shipped}
    assert len(stored) == len(set(stored))
    assert confirmed <= set(stored) <= confirmed | unanswered
    assert sum(one.done for one in drivers) > 20
