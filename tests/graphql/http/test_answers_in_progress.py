"""A query that many send at once is executed once, and none of them gets an answer that is older than its request."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from gqlstock.app import create_app
from gqlstock.config import Config
from gqlstock.services import catalog
from gqlstock.stock import present
from gqlstock.stock.cache import ANSWER, Cache
from gqlstock.store.db.connection import DatabaseUrl
from support import interleaving
from support import shop_builders as make
from support.graphql_client import Client
from support.statement_counter import Statements

NAME = 'query Mug { product(sku: "MUG") { name } }'
ADD = """mutation Add($input: AdjustStockInput!) { adjustStock(input: $input) {
    inventoryLevels { onHand } userErrors { message } } }"""


@pytest.fixture
async def client(db: None, database_url: DatabaseUrl) -> AsyncIterator[Client]:
    await make.shop()
    await make.product("MUG", name="Mug")
    await make.stock("MUG", on_hand=5)
    app = create_app(replace(Config.from_env(os.environ), database=database_url))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gqlstock") as http:
        found = Client(http)
        await found.public('query Warm { product(sku: "MUG") { sku } }')
        yield found


async def rename(name: str) -> None:
    await catalog.update_product("MUG", {"name": name})


async def name(client: Client) -> str:
    return str((await client.public(NAME))["product"]["name"])


async def test_a_query_that_many_send_at_once_is_executed_once(
    client: Client, kept: Cache, statements: Statements
) -> None:
    await name(client)
    with statements.counted() as alone:
        await rename("Cup")
        await name(client)
    hits = kept.counts[ANSWER].hits

    with statements.counted() as together:
        await rename("Pot")
        names = await asyncio.gather(*(name(client) for _ in range(20)))

    assert names == ["Pot"] * 20
    assert len(together) == len(alone)
    assert kept.counts[ANSWER].hits - hits == 19


async def test_who_asks_after_a_write_does_not_get_the_answer_that_was_being_computed_before(client: Client) -> None:
    await name(client)
    await rename("Cup")
    late: list[asyncio.Task[str]] = []

    async def write() -> None:
        await rename("Pot")
        late.extend(asyncio.create_task(name(client)) for _ in range(3))
        await asyncio.sleep(0)

    with interleaving.before(r"FROM item WHERE", write):
        await name(client)

    assert [await one for one in late] == ["Pot"] * 3


async def test_equal_mutations_at_once_are_all_carried_out(client: Client) -> None:
    mug = (await present.by_sku(["MUG"]))["MUG"].id
    change = {"changes": [{"sku": "MUG", "warehouse": "BERLIN", "delta": 1}]}

    answers = await asyncio.gather(*(client.admin(ADD, input=change) for _ in range(10)))

    assert all(not answer["adjustStock"]["userErrors"] for answer in answers)
    assert (await present.levels_of([mug]))[mug][0].on_hand == 15


async def test_a_query_that_fails_leaves_nobody_waiting(client: Client) -> None:
    await name(client)
    await rename("Cup")

    async def fail() -> None:
        raise RuntimeError("planned")

    with interleaving.before(r"FROM item WHERE", fail):
        answers = await asyncio.wait_for(
            asyncio.gather(*(client.ask(NAME) for _ in range(5)), return_exceptions=True), 10
        )

    names = [one["data"]["product"]["name"] for one in answers if isinstance(one, dict) and not one.get("errors")]
    assert names == ["Cup"] * 4
