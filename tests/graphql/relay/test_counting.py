"""Work that is long: counted once, without keeping rows, in turns with other requests, and given up in time."""

import asyncio
import gc
import time
import tracemalloc
from collections.abc import Iterator

import httpx
import pytest

from gqlstock.app import create_app
from gqlstock.config import Config
from gqlstock.graphql.relay import paging
from gqlstock.graphql.relay.paging import Page
from gqlstock.rules.limits import Limits
from gqlstock.rules.paging import OLDEST_FIRST
from gqlstock.stock import cache, reading
from gqlstock.stock.cache import Cache
from gqlstock.stock.lists import QueryRowsBelow
from gqlstock.store import catalog
from gqlstock.store.db import connection
from gqlstock.store.db.connection import DatabaseUrl
from support import importing
from support import shop_builders as make
from support.graphql_client import Client
from support.statement_counter import Statements


@pytest.fixture(autouse=True)
def kept() -> Iterator[Cache]:
    """Nothing is kept: each question costs all of its statements."""
    with cache.everywhere(Cache()):
        yield cache.current()


async def stocked(count: int) -> None:
    """A shop with that many products, all in one category, one of each."""
    await make.shop()
    await importing.shopify(export(count))


def export(count: int) -> Iterator[str]:
    """The lines of Shopify's product export."""
    yield (
        "Handle,Title,Type,Option1 Name,Option1 Value,Variant SKU,"
        "Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy\n"
    )
    for number in range(count):
        yield f"item-{number},Item {number},singles,Title,Default Title,ITEM-{number:05},shopify,1,deny\n"


async def test_the_public_is_told_how_many_there_are_at_a_fair_price(client: Client) -> None:
    await stocked(12)
    hundred = " ".join(f"c{n}: products(first: 0) {{ totalCount }}" for n in range(100))

    answer = await client.ask(f"{{ {hundred} }}")
    data = await client.public(
        """{ products { totalCount } inventoryItems { totalCount } category(slug: "singles") { products { totalCount } }
             some: products(filter: { search: "ITEM-0000" }) { totalCount }
             none: products(filter: { inStock: false }) { totalCount } }"""
    )

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["QUERY_TOO_COMPLEX"]
    assert {key: (value or {}).get("totalCount") for key, value in data.items()} == {
        "products": 12,
        "inventoryItems": 12,
        "category": None,
        "some": 10,
        "none": 0,
    }
    assert data["category"] == {"products": {"totalCount": 12}}


@pytest.mark.parametrize(
    ("field", "scopes"),
    [
        ("products(first: 0)", ""),
        ("inventoryItems(first: 0)", ""),
        ("products(first: 0, filter: { inStock: true })", "catalog:read"),
        ("products(first: 0)", "catalog:read"),
        ("inventoryLevels(first: 0)", "inventory:read"),
        ("stockMovements(first: 0)", "inventory:read"),
    ],
)
async def test_aliases_of_one_count_share_it(client: Client, statements: Statements, field: str, scopes: str) -> None:
    await stocked(3)

    def query(size: int, what: str) -> str:
        return "{ " + " ".join(f"c{n}: {field} {{ {what} }}" for n in range(size)) + " }"

    async def sent(size: int, what: str) -> int:
        with statements.counted() as told:
            answer = await client.scoped(scopes, query(size, what)) if scopes else await client.ask(query(size, what))
        assert "errors" not in answer, answer
        return len(told)

    await sent(1, "totalCount")
    counting = [await sent(size, "totalCount") - await sent(size, "__typename") for size in (1, 8)]

    assert counting[0] == counting[1] > 0


async def test_aliases_of_different_counts_do_not_share_them(client: Client) -> None:
    await stocked(12)
    await make.website("second", warehouses=[])

    data = await client.admin(
        """{ all: products { totalCount } few: products(filter: { search: "ITEM-0001" }) { totalCount }
             fewer: products(filter: { search: "ITEM-00011" }) { totalCount }
             here: products(filter: { inStock: true }) { totalCount }
             there: products(filter: { inStock: true }, website: "second") { totalCount }
             out: products(filter: { inStock: false }, website: "second") { totalCount } }"""
    )

    assert {key: value["totalCount"] for key, value in data.items()} == {
        "all": 12,
        "few": 2,
        "fewer": 1,
        "here": 12,
        "there": 0,
        "out": 12,
    }


async def test_a_count_keeps_no_rows(client: Client) -> None:
    """Three times as many take little more memory: only a part of them is there at any time."""
    await stocked(3_000)
    few = '{ products(first: 0, filter: { search: "ITEM-01" }) { totalCount } }'
    everything = "{ products(first: 0) { totalCount } }"
    for query in (few, everything):
        await client.public(query)

    taken = []
    for query, count in ((few, 1_000), (everything, 3_000)):
        tracemalloc.start()
        try:
            assert (await client.public(query))["products"]["totalCount"] == count
            taken.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()

    assert taken[1] < 1.5 * taken[0]


LONG = {
    "a count": "{ products(first: 0) { totalCount } }",
    "a list that passes over everything": "{ products(first: 1, filter: { inStock: false }) { nodes { sku } } }",
    "a count below categories": """{ categories { nodes { products(first: 0, filter: { inStock: true }) {
        totalCount } } } }""",
}


@pytest.mark.parametrize("kind", LONG)
async def test_others_have_their_turn_while_one_field_has_much_to_do(client: Client, kind: str) -> None:
    await stocked(3_000)
    await client.public(LONG[kind])

    long = asyncio.create_task(client.public(LONG[kind]))
    turns = []
    # The server keeps the collector from its modules and its schema; here they would be walked through in some turn.
    gc.collect()
    gc.disable()
    try:
        while not long.done():
            # What this thread works: how long it takes says nothing on a machine that others use.
            began = time.thread_time()
            await asyncio.sleep(0)
            turns.append(time.thread_time() - began)
    finally:
        gc.enable()

    assert (await long).keys() <= {"products", "categories"}
    assert max(turns) < sum(turns) / 3


async def test_the_deadline_ends_what_only_takes_processor_time(
    client: Client, db: None, database_url: DatabaseUrl
) -> None:
    await stocked(3_000)
    app = create_app(Config(database=database_url, limits=Limits(query_seconds=0.01)))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.example", timeout=None) as http:
        answers = [(await http.post("/graphql", json={"query": query})).json() for query in LONG.values()]

    codes = [error["extensions"]["code"] for answer in answers for error in answer["errors"]]
    assert codes == ["TIMEOUT"] * 3


async def test_the_same_rows_grouped_differently_are_counted_apart(database_url: DatabaseUrl) -> None:
    async with connection.opened(database_url, everywhere=True):
        kitchen = await make.category("kitchen")
        cups = await make.category("cups", parent="kitchen")
        await make.product("MUG", category="cups")
        await make.product("SHIRT", category="kitchen")

        async def counted(groups: dict[int, list[int]]) -> list[int]:
            page, parents = Page(0, False, None, None), list(groups)
            rows = QueryRowsBelow(catalog.live_products(), "category_id", parents, groups=groups)
            found = await paging.connections(page, OLDEST_FIRST, rows, parents, str)
            return [await connection.count() for connection in found]

        async with reading.opened():
            assert await counted({kitchen: [kitchen, cups]}) == [2]
            assert await counted({kitchen: [kitchen, cups], cups: [cups]}) == [2, 1]
