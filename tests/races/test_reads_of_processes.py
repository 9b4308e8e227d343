"""Reads beside writes, by one process and by two: never older than what was acknowledged, and always of one instant.

GQLSTOCK_TEST_READS reads are made in each of the two tests, 2,000 unless it says otherwise.
"""

import asyncio
import contextlib
import json
import os
import random
import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from conftest import NewDatabase
from support import shop_builders as make
from support.forked_servers import Fork, forked
from support.plain_http import PlainClient
from support.planted_bugs import OF_READS
from support.server_processes import Server
from support.subscriptions import connected, received, send

READS = int(os.environ.get("GQLSTOCK_TEST_READS", "2000"))
SKUS = tuple(f"MUG-{number}" for number in range(4))
READERS, WRITERS = 12, 4
TOTAL = 40


@dataclass
class Shop:
    """The processes of a shop, as the office and as the public see it."""

    servers: Sequence[Fork]
    office: PlainClient
    public: PlainClient
    token: str
    chance: random.Random = field(default_factory=lambda: random.Random(0))
    reads: int = 0

    async def ask(self, query: str, *, public: bool = False, **variables: Any) -> dict[str, Any]:
        """The data of an answer by any of the processes."""
        client = self.public if public else self.office
        answer = await client.post(self.chance.choice(self.servers).port, query, variables)
        assert "errors" not in answer, answer
        data: dict[str, Any] = answer["data"]
        return data

    async def change(self, mutation: str, fields: str = "__typename", **given: Any) -> dict[str, Any]:
        kind = f"{mutation[0].upper()}{mutation[1:]}Input"
        query = (
            f"mutation ($input: {kind}!) {{ {mutation}(input: $input) {{ {fields} userErrors {{ code message }} }} }}"
        )
        payload: dict[str, Any] = (await self.ask(query, input=given))[mutation]
        return payload

    async def hits(self) -> float:
        """How many answers came from memory."""
        async with httpx.AsyncClient(verify=False) as http:
            pages = [(await http.get(f"http://127.0.0.1:{one.port}/metrics")).text for one in self.servers]
        found = [re.search(r'^gqlstock_cache_hits_total\{kind="answer"\} (\S+)$', page, re.MULTILINE) for page in pages]
        return sum(float(one[1]) for one in found if one)

    async def read_while(self, read: Callable[[], Awaitable[None]], write: Callable[[], Awaitable[None]]) -> None:
        """Read so many times, while others write."""

        async def keep_writing() -> None:
            while True:
                await write()

        async def keep_reading() -> None:
            while self.reads < READS:
                self.reads += 1
                await read()

        async with asyncio.TaskGroup() as writing:
            writers = [writing.create_task(keep_writing()) for _ in range(WRITERS)]
            async with asyncio.TaskGroup() as reading:
                for _ in range(READERS):
                    reading.create_task(keep_reading())
            for writer in writers:
                writer.cancel()


@contextlib.asynccontextmanager
async def served(
    new_database: NewDatabase,
    prepare: Callable[[], Awaitable[None]],
    processes: int,
    megabytes: int,
    bug: str | None = None,
) -> AsyncIterator[Shop]:
    async with new_database() as env, contextlib.AsyncExitStack() as stack:
        await prepare()
        token = await make.token("admin")
        starting = [forked({**env, "GQLSTOCK_CACHE_MB": str(megabytes)}, bug) for _ in range(processes)]
        servers = await asyncio.gather(*(stack.enter_async_context(one) for one in starting))
        office, public = PlainClient(token), PlainClient()
        stack.push_async_callback(office.close)
        stack.push_async_callback(public.close)
        yield Shop(servers, office, public, token)


# ── never older than what was acknowledged


async def numbered_shop() -> None:
    """Everything that is written down has a number, which only grows."""
    await make.warehouse("BERLIN", name="0")
    await make.website("shop", name="0", warehouses=["BERLIN"])
    await make.category("mugs", name="0")
    for sku in SKUS:
        await make.product(sku, name="0", category="mugs")
        await make.stock(sku, on_hand=0)
        await make.setting(product=sku, low_inventory_threshold=0, display_stock_quantity=True)


class Numbers:
    """Writes numbers to many places, and reads them by many queries."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.acknowledged: dict[tuple[str, str], float] = defaultdict(float)
        self._locks: dict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)
        self.seen = Counter[str]()

    async def write(self) -> None:
        what, sku = self.shop.chance.choice(list(_WRITES)), self.shop.chance.choice(SKUS)
        place = (what, sku if what in _OF_ITEMS else "")
        async with self._locks[place]:
            number = self.acknowledged[place] + 1
            mutation, given = _WRITES[what](sku, int(number))
            assert (await self.shop.change(mutation, **given))["userErrors"] == []
            self.acknowledged[place] = number

    async def read(self) -> None:
        what, sku = self.shop.chance.choice(list(_READS)), self.shop.chance.choice(SKUS)
        query, public, find = _READS[what]
        place = (what.partition(" ")[0], sku if what.partition(" ")[0] in _OF_ITEMS else "")
        least = self.acknowledged[place]
        found = float(find(await self.shop.ask(query, public=public, sku=sku), sku))
        assert found >= least, f"{what} of {sku} is {found:g}, although {least:g} was acknowledged"
        self.seen[what] += 1


_OF_ITEMS = {"stock", "name", "threshold"}
_WRITES: dict[str, Callable[[str, int], tuple[str, dict[str, Any]]]] = {
    "stock": lambda sku, n: ("adjustStock", {"changes": [{"sku": sku, "warehouse": "BERLIN", "delta": 1}]}),
    "name": lambda sku, n: ("updateProduct", {"sku": sku, "name": str(n)}),
    "threshold": lambda sku, n: (
        "setInventorySettings",
        {"scope": {"product": sku}, "settings": {"lowInventoryThreshold": n}},
    ),
    "limit": lambda sku, n: (
        "setInventorySettings",
        {"scope": {"website": "shop"}, "settings": {"maximumOrderQuantity": n}},
    ),
    "warehouse": lambda sku, n: ("updateWarehouse", {"code": "BERLIN", "name": str(n)}),
    "website": lambda sku, n: ("updateWebsite", {"code": "shop", "name": str(n)}),
    "category": lambda sku, n: ("updateCategory", {"slug": "mugs", "name": str(n)}),
}
_LISTED = "filter: { skus: [$sku] }, first: 1"
_READS: dict[str, tuple[str, bool, Callable[[dict[str, Any], str], Any]]] = {
    "stock level": (
        'query ($sku: String!) { inventoryLevel(sku: $sku, warehouse: "BERLIN") { onHand } }',
        False,
        lambda data, sku: data["inventoryLevel"]["onHand"],
    ),
    "stock shown": (
        "query ($sku: String!) { product(sku: $sku) { availability { salableQuantity } } }",
        True,
        lambda data, sku: data["product"]["availability"]["salableQuantity"],
    ),
    "stock listed": (
        f"query ($sku: String!) {{ inventoryLevels({_LISTED}) {{ nodes {{ available }} }} }}",
        False,
        lambda data, sku: data["inventoryLevels"]["nodes"][0]["available"],
    ),
    "stock moved": (
        f"query ($sku: String!) {{ stockMovements({_LISTED}) {{ nodes {{ onHandAfter }} }} }}",
        False,
        lambda data, sku: next((one["onHandAfter"] for one in data["stockMovements"]["nodes"]), 0),
    ),
    "stock of all": (
        f"{{ availabilities(skus: {json.dumps(SKUS)}) {{ sku salableQuantity }} }}",
        True,
        lambda data, sku: next(one["salableQuantity"] for one in data["availabilities"] if one["sku"] == sku),
    ),
    "name shown": (
        "query ($sku: String!) { product(sku: $sku) { name } }",
        True,
        lambda data, sku: data["product"]["name"],
    ),
    "name listed": (
        "{ products(sort: SKU, first: 10) { nodes { sku name } } }",
        True,
        lambda data, sku: next(one["name"] for one in data["products"]["nodes"] if one["sku"] == sku),
    ),
    "threshold": (
        "query ($sku: String!) { product(sku: $sku) { inventorySettings { lowInventoryThreshold } } }",
        False,
        lambda data, sku: data["product"]["inventorySettings"]["lowInventoryThreshold"],
    ),
    "limit": (
        "query ($sku: String!) { product(sku: $sku) { availability { quantityRules { maximum } } } }",
        True,
        lambda data, sku: data["product"]["availability"]["quantityRules"]["maximum"] or 0,
    ),
    "warehouse": (
        'query ($sku: String!) { inventoryLevel(sku: $sku, warehouse: "BERLIN") { warehouse { name } } }',
        False,
        lambda data, sku: data["inventoryLevel"]["warehouse"]["name"],
    ),
    "website": ('{ website(code: "shop") { name } }', False, lambda data, sku: data["website"]["name"]),
    "category": ('{ category(slug: "mugs") { name } }', True, lambda data, sku: data["category"]["name"]),
}


@pytest.mark.parametrize("megabytes", [64, 1])
async def test_no_read_is_older_than_what_was_acknowledged_before_it(new_database: NewDatabase, megabytes: int) -> None:
    async with served(new_database, numbered_shop, 2, megabytes) as shop:
        numbers = Numbers(shop)
        await shop.read_while(numbers.read, numbers.write)
        hits = await shop.hits()

    assert all(numbers.seen[what] > READS / 50 for what in _READS), numbers.seen
    assert hits > READS / 50


async def test_reads_that_are_validated_only_once_are_found_out(new_database: NewDatabase) -> None:
    async with served(new_database, numbered_shop, 2, 64, "validated_once") as shop:
        numbers = Numbers(shop)
        with pytest.raises(ExceptionGroup, match="unhandled errors") as error:
            await shop.read_while(numbers.read, numbers.write)

    assert error.group_contains(AssertionError, match="was acknowledged", depth=2)


# ── one instant


async def shared_shop() -> None:
    """40 mugs in two warehouses of a website."""
    for place in ("BERLIN", "PARIS"):
        await make.warehouse(place)
    await make.website("shop", warehouses=["BERLIN", "PARIS"])
    await make.product("MUG")
    await make.setting(display_stock_quantity=True)
    for place in ("BERLIN", "PARIS"):
        await make.stock("MUG", place, TOTAL // 2)


LEVEL = "onHand available movements(first: 1) { nodes { onHandAfter } }"
EVERYTHING = f"""{{
  berlin: inventoryLevel(sku: "MUG", warehouse: "BERLIN") {{ {LEVEL} }}
  paris: inventoryLevel(sku: "MUG", warehouse: "PARIS") {{ {LEVEL} }}
  product(sku: "MUG") {{ availability {{ salableQuantity }} inventoryTotals {{ onHand available }} }}
  inventoryLevels(filter: {{ skus: ["MUG"] }}) {{ nodes {{ onHand }} }}
  explainAvailability(sku: "MUG") {{ availability {{ salableQuantity }} terms {{ quantity }} }}
  again: inventoryLevel(sku: "MUG", warehouse: "BERLIN") {{ onHand }}
}}"""


def compare(data: dict[str, Any]) -> None:
    """Whatever is asked in one query, the sum is the same, and each level has what its newest movement says."""
    levels = [data["berlin"], data["paris"]]
    for level in levels:
        assert level["onHand"] == level["movements"]["nodes"][0]["onHandAfter"], data
    explained = data["explainAvailability"]
    sums = [
        sum(level["onHand"] for level in levels),
        sum(level["available"] for level in levels),
        sum(level["onHand"] for level in data["inventoryLevels"]["nodes"]),
        data["product"]["availability"]["salableQuantity"],
        data["product"]["inventoryTotals"]["onHand"],
        data["product"]["inventoryTotals"]["available"],
        explained["availability"]["salableQuantity"],
        sum(term["quantity"] for term in explained["terms"]),
    ]
    assert sums == [TOTAL] * len(sums), data
    assert data["again"]["onHand"] == data["berlin"]["onHand"], data


async def transfer(shop: Shop) -> None:
    """The levels of its answer are as the transfer has left them."""
    source, target = shop.chance.sample(["BERLIN", "PARIS"], 2)
    lines = [{"sku": "MUG", "quantity": shop.chance.randint(1, 3)}]
    payload = await shop.change(
        "transferStock", "inventoryLevels { onHand }", **{"from": source, "to": target}, lines=lines
    )
    assert payload["userErrors"] or sum(level["onHand"] for level in payload["inventoryLevels"]) == TOTAL, payload


@contextlib.asynccontextmanager
async def sockets(shop: Shop) -> AsyncIterator[list[Any]]:
    """A websocket to each process."""
    async with contextlib.AsyncExitStack() as stack:
        to = [Server(one.port, None, None) for one in shop.servers]  # type: ignore[arg-type]
        yield [await stack.enter_async_context(connected(one, shop.token)) for one in to]


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("megabytes", [64, 0])
async def test_transfers_never_change_a_sum_that_one_query_asks_for(
    new_database: NewDatabase, processes: int, megabytes: int
) -> None:
    async with served(new_database, shared_shop, processes, megabytes) as shop, sockets(shop) as connections:
        free = list(connections)

        async def read() -> None:
            if not free:
                compare(await shop.ask(EVERYTHING))
                return
            socket = free.pop()
            await send(socket, id=str(shop.reads), type="subscribe", payload={"query": EVERYTHING})
            answer = await received(socket)
            assert (await received(socket))["type"] == "complete"
            free.append(socket)
            compare(answer["payload"]["data"])

        shop.reads = READS * 3 // 4
        await shop.read_while(read, lambda: transfer(shop))


async def test_reads_that_are_not_of_one_instant_are_found_out(new_database: NewDatabase) -> None:
    async with served(new_database, shared_shop, 1, 64, "read_piece_by_piece") as shop:

        async def read() -> None:
            compare(await shop.ask(EVERYTHING))

        with pytest.raises(ExceptionGroup, match="unhandled errors"):
            await shop.read_while(read, lambda: transfer(shop))


def test_every_bug_of_reads_is_planted_here() -> None:
    assert OF_READS.keys() == {"validated_once", "read_piece_by_piece"}
