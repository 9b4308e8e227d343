"""No caller is sent what another may see: every document, by every caller, is answered as by a server that keeps nothing.

Some documents of each root field, every other one in reverse order; all in both orders with GQLSTOCK_TEST_READS over 2,000.
"""

import json
import os
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from itertools import chain

import httpx
import pytest

from gqlstock.app import create_app
from gqlstock.config import Config
from gqlstock.rules.scopes import Scope
from gqlstock.stock import cache
from gqlstock.stock.cache import ANSWER, Cache
from gqlstock.store.db.connection import DatabaseUrl
from support import shop_builders as make
from support.graphql_client import Client
from support.shop_history import ShopHistory, Time
from support.shop_questions import SCHEMA, all_questions

READS = int(os.environ.get("GQLSTOCK_TEST_READS", "2000"))
_PER_ROOT = 3 if READS <= 2_000 else 1_000


def _documents() -> dict[str, list[tuple[str, str]]]:
    """Documents with their variables, some of each root field."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for question in all_questions():
        root = question.query.partition("{")[2].split()[0].partition("(")[0]
        document = question.query, json.dumps(question.variables)
        if len(found[root]) < _PER_ROOT and document not in found[root]:
            found[root].append(document)
    return found


OF_ROOTS = _documents()
DOCUMENTS = list(chain.from_iterable(OF_ROOTS.values()))

Tokens = Mapping[str, str | None]


@pytest.fixture
async def http(db: None, database_url: DatabaseUrl) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(replace(Config.from_env(os.environ), database=database_url, public_orders=True))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gqlstock") as client:
        yield client


@pytest.fixture
async def tokens(http: httpx.AsyncClient) -> Tokens:
    """A shop that hides some quantities and some products; a token of each scope, of all, and for one warehouse."""
    client = Client(http)
    await ShopHistory(client, Time()).begin()
    await client.done("updateProduct", sku="CUP", published=False)
    await make.setting(product="MUG", display_stock_quantity=True)
    await make.setting(product="POSTER", display_availability=False)
    await make.setting(product="JAR", minimum_stock_quantity=90, low_stock_activity="UNPUBLISH")
    await make.order("MUG", 2)
    await make.order("SHIRT-S", 1)
    scopes = [scope.value for scope in Scope if scope.value.endswith(":read")]
    found: dict[str, str | None] = {scope: await client.token(scope) for scope in (*scopes, "admin")}
    found["all"] = await client.token(*scopes)
    found["another of all"] = await make.token(*scopes, name="another")
    found["berlin"] = await client.within("BERLIN").token(*scopes)
    found["paris"] = await client.within("PARIS").token(*scopes)
    return {"public": None, **found}


async def ask(http: httpx.AsyncClient, document: tuple[str, str], token: str | None) -> tuple[int, bytes]:
    query, variables = document
    headers = {"authorization": f"Bearer {token}"} if token else {}
    answer = await http.post(
        "/graphql", content=f'{{"query":{json.dumps(query)},"variables":{variables}}}',
        headers={"content-type": "application/json", **headers},
    )  # fmt: skip
    return answer.status_code, answer.content


def test_every_root_field_is_asked_for() -> None:
    assert SCHEMA.query_type is not None
    assert OF_ROOTS.keys() == SCHEMA.query_type.fields.keys()


async def test_each_caller_is_sent_what_it_would_be_sent_alone(http: httpx.AsyncClient, tokens: Tokens) -> None:
    hits = differing = 0
    orders = [list(tokens), list(reversed(tokens))]
    for number, document in enumerate(DOCUMENTS):
        with cache.replaced(Cache(0)):
            expected = {caller: await ask(http, document, token) for caller, token in tokens.items()}
        differing += len(set(expected.values())) > 1
        for callers in orders if READS > 2_000 else orders[number % 2 :][:1]:
            kept = Cache(8_000_000)
            with cache.everywhere(kept):
                for _ in range(2):
                    for caller in callers:
                        assert await ask(http, document, tokens[caller]) == expected[caller], (caller, document)
            hits += kept.counts[ANSWER].hits

    assert differing > len(DOCUMENTS) / 2
    assert hits > len(DOCUMENTS) * len(tokens) / 2
