"""Requests hold a connection for reads only while they read, whatever they wait for."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from gqlstock.store.db import connection
from support import interleaving
from support import shop_builders as make
from support.graphql_client import Client
from support.interleaving import BEGIN

STOCK = json.dumps({"query": '{ inventoryLevel(sku: "MUG", warehouse: "BERLIN") { onHand } }'}).encode()
MORE_THAN_CONNECTIONS = 12


def in_use() -> int:
    client = connection.reader()
    if connection.is_postgres():
        pool = client._pool
        return int(pool.get_size() - pool.get_idle_size()) if pool is not None else 0
    return int(client._reads.in_use)


@pytest.fixture
async def token(client: Client) -> str:
    """A shop with 5 mugs, and a token that was used before, as was the document, but not for it."""
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=5)
    found = await make.token("inventory:read")
    await post(client, found, b'{"query": "{ viewer { name } }"}')
    await post(client, await make.token("inventory:read", name="first"), STOCK)
    await post(client, found, b'{"query": "{ viewer { scopes } }"}')
    return found


async def post(client: Client, token: str, content: bytes | AsyncIterator[bytes]) -> httpx.Response:
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    return await client.http.post("/graphql", content=content, headers=headers)


async def test_requests_that_wait_for_the_same_query_leave_it_a_connection(client: Client, token: str) -> None:
    """Their token is no longer in memory, the token of the first one still was. The level has to be read again."""
    following: list[asyncio.Task[httpx.Response]] = []

    async def follow() -> None:
        await make.token("catalog:read", name="another")
        following.extend(asyncio.create_task(post(client, token, STOCK)) for _ in range(MORE_THAN_CONNECTIONS))
        await asyncio.sleep(0.5)

    await make.stock("MUG", on_hand=5)
    with interleaving.before(BEGIN, follow):
        async with asyncio.timeout(10):
            first = await post(client, token, STOCK)
            others = await asyncio.gather(*following)

    answers = {answer.text for answer in (first, *others)}
    assert answers == {'{"data":{"inventoryLevel":{"onHand":5}}}'}


async def test_a_body_that_comes_slowly_holds_no_connection(client: Client, token: str) -> None:
    await make.token("catalog:read", name="another")
    arrived: list[int] = []

    async def slowly() -> AsyncIterator[bytes]:
        yield STOCK[:20]
        await asyncio.sleep(0.1)
        arrived.append(in_use())
        yield STOCK[20:]

    answer = await post(client, token, slowly())

    assert answer.json() == {"data": {"inventoryLevel": {"onHand": 5}}}
    assert arrived == [0]
