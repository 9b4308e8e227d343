"""What is kept stays within its bytes, however different requests are, and these are bytes of memory."""

import gc
import json
import random
import tracemalloc
from collections.abc import Callable

import pytest

from gqlstock.rules.cache_keys import EVERYTHING
from gqlstock.services import catalog
from gqlstock.stock import cache
from gqlstock.stock.cache import ANSWER, RECORD, Cache
from support import shop_builders as make
from support.graphql_client import Client

MEGABYTE = 1_000_000
PRODUCTS = 60
SKUS = [f"SKU-{number}" for number in range(PRODUCTS)]
PAGE = "sku name description availability { orderable salableQuantity onlyLeft } inventoryTotals { onHand available }"


@pytest.fixture
async def token(client: Client) -> str:
    """A shop with long descriptions."""
    await make.shop()
    for number, sku in enumerate(SKUS):
        await make.product(sku, description=f"{number} " * 500)
        await make.stock(sku, on_hand=number)
    return await client.token("admin")


async def post(client: Client, token: str, query: str, **variables: object) -> bytes:
    body = json.dumps({"query": query, "variables": variables}).encode()
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    return (await client.http.post("/graphql", content=body, headers=headers)).content


Different = Callable[[random.Random, int], tuple[str, dict[str, object]]]


def document(chance: random.Random, number: int) -> tuple[str, dict[str, object]]:
    return f'query Q{number} {{ a{number}: product(sku: "{chance.choice(SKUS)}") {{ {PAGE} }} }}', {}


def variables(chance: random.Random, number: int) -> tuple[str, dict[str, object]]:
    found = chance.sample(SKUS, 5)
    return f"query ($skus: [String!]) {{ products(filter: {{ skus: $skus }}) {{ nodes {{ {PAGE} }} }} }}", {
        "skus": found
    }


def unknown(chance: random.Random, number: int) -> tuple[str, dict[str, object]]:
    return "query ($sku: String) { product(sku: $sku) { sku } }", {"sku": f"UNKNOWN-{number}"}


@pytest.mark.parametrize("different", [document, variables, unknown])
async def test_a_cache_of_a_megabyte_stays_there_and_answers_right(
    client: Client, token: str, different: Different
) -> None:
    chance, kept, most = random.Random(0), Cache(MEGABYTE), 0
    with cache.everywhere(kept):
        for number in range(800):
            query, given = different(chance, number)
            answer = await post(client, token, query, **given)
            assert kept.bytes <= MEGABYTE
            most = max(most, kept.bytes)
            if number % 20 == 0:
                assert await post(client, token, query, **given) == answer
                with cache.replaced(Cache(0)):
                    assert await post(client, token, query, **given) == answer
                await make.stock(chance.choice(SKUS), on_hand=number)

    assert most > MEGABYTE * 0.9
    assert kept.counts[ANSWER].hits >= 40


async def test_an_answer_that_is_larger_is_not_kept_and_pushes_nothing_out(client: Client, token: str) -> None:
    await catalog.update_product("SKU-2", {"description": "x" * 40_000})
    small = f'{{ product(sku: "SKU-1") {{ {PAGE} }} }}'
    large = f'{{ product(sku: "SKU-2") {{ {" ".join(f"d{number}: description" for number in range(60))} }} }}'

    kept = Cache(MEGABYTE)
    with cache.everywhere(kept):
        await post(client, token, small)
        sizes = {len(await post(client, token, large)) for _ in range(2)}
        before = kept.counts[ANSWER].hits
        await post(client, token, small)

    assert min(sizes) > 2 * MEGABYTE
    assert before == 0
    assert kept.counts[ANSWER].hits == 1
    assert kept.bytes < MEGABYTE


def memory() -> int:
    """The bytes that are in use, of those taken since tracing began."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


async def test_bytes_that_are_counted_are_bytes_of_memory(client: Client, token: str) -> None:
    chance = random.Random(0)
    # What is made once for each document is there before.
    for number in range(20):
        query, given = variables(chance, number)
        await post(client, token, query, **given)
    kept = Cache(3 * MEGABYTE)
    tracemalloc.start()
    try:
        with cache.everywhere(kept):
            for number in range(500):
                query, given = variables(chance, number)
                await post(client, token, query, **given)
            counted, full = kept.bytes, memory()
            kept.drop({EVERYTHING})
            taken = full - memory()
    finally:
        tracemalloc.stop()

    assert counted > 2.7 * MEGABYTE
    assert kept.counts[RECORD].hits > 1_000
    assert 0.8 * counted < taken < 1.3 * counted
