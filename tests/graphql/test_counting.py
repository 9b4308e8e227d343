"""Work that is long: counted once, without keeping rows, in turns with other requests, and given up in time."""

import asyncio
import tracemalloc
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

import make
from asking import Client, Statements
from gqlstock.app import create_app
from gqlstock.config import Config
from gqlstock.rules.limits import Limits
from gqlstock.rules.scopes import SYSTEM
from gqlstock.services import imports
from gqlstock.store.database import DatabaseUrl

SMALL = "{ viewer { authenticated } }"


async def stocked(count: int) -> None:
    """A shop with that many products, all in one category, one of each."""
    await make.shop()
    await imports.shopify_products(SYSTEM, export(count), "BERLIN")


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
        ('category(slug: "singles") { products(first: 0)', ""),
        ("stockMovements(first: 0)", "inventory:read"),
    ],
)
async def test_aliases_of_one_count_share_it(client: Client, statements: Statements, field: str, scopes: str) -> None:
    await stocked(3)
    end = "}" if field.startswith("category") else ""

    def query(size: int, what: str) -> str:
        return "{ " + " ".join(f"c{n}: {field} {{ {what} }} {end}" for n in range(size)) + " }"

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
    "counts": "{ "
    + " ".join(f'c{n}: products(first: 0, filter: {{ search: "{n}" }}) {{ totalCount }} ' for n in range(10))
    + "}",
    "lists that pass over everything": "{ "
    + " ".join(f"c{n}: products(first: {n}, filter: {{ inStock: false }}) {{ nodes {{ sku }} }} " for n in range(1, 11))
    + "}",
    "orders of many lines": "query($input: CheckOrderInput!) { "
    + " ".join(f"c{n}: checkOrder(input: $input) {{ orderable }} " for n in range(10))
    + "}",
}


@pytest.mark.parametrize("kind", LONG)
async def test_others_are_answered_while_one_request_has_much_to_do(client: Client, kind: str) -> None:
    await stocked(1_000)
    lines = [{"sku": f"ITEM-{number:05}", "quantity": 1} for number in range(500)]
    given: dict[str, Any] = {"input": {"lines": lines}} if kind.startswith("orders") else {}
    await client.public(SMALL)

    long = asyncio.create_task(client.public(LONG[kind], **given))
    answered = 0
    while not long.done():
        await client.public(SMALL)
        answered += 1

    assert len(await long) == 10
    assert answered >= 10


async def test_the_deadline_ends_what_only_takes_processor_time(
    client: Client, db: None, database_url: DatabaseUrl
) -> None:
    await stocked(1_000)
    app = create_app(Config(database=database_url, limits=Limits(query_seconds=0.05)))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.example", timeout=None) as http:
        whole = asyncio.get_running_loop().time()
        await client.public(LONG["counts"])
        whole = asyncio.get_running_loop().time() - whole
        began = asyncio.get_running_loop().time()
        answer = (await http.post("/graphql", json={"query": LONG["counts"]})).json()
        taken = asyncio.get_running_loop().time() - began

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["TIMEOUT"]
    assert taken < max(whole / 2, 0.2)
