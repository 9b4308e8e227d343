"""Requests that are meant to hurt, at a real server: each is refused in little time, and others are served meanwhile."""

import asyncio
import contextlib
import json
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gqlstock.graphql.context import Context, Deployment
from gqlstock.graphql.executor import BreadthFirstExecutor
from gqlstock.graphql.schema.root import build
from gqlstock.rules.limits import Limits
from gqlstock.rules.scopes import SYSTEM
from gqlstock.store.db import sql, transactions
from support import server_processes, subscriptions
from support import shop_builders as make
from support.server_processes import Server

QUERY = {"query": "{ viewer { authenticated } }"}
TIMES = 5
MOST_SECONDS = 0.1


def fragments(count: int, spreads: int) -> str:
    told = "".join(f"fragment f{i} on Query {{ {f'...f{i + 1} ' * spreads} }} " for i in range(count))
    return f"{{ ...f0 }} {told} fragment f{count} on Query {{ viewer {{ authenticated }} }}"


REFUSED: dict[str, tuple[Any, int, str]] = {
    "10,000 aliases": (
        {"query": "{" + "".join(f"a{i}: viewer {{ authenticated }} " for i in range(10_000)) + "}"},
        200,
        "QUERY_TOO_COMPLEX",
    ),
    "depth 500": ({"query": "{ a" * 500 + " }" * 500}, 200, "QUERY_TOO_COMPLEX"),
    "fragments that double 100 times": ({"query": fragments(100, 2)}, 200, "QUERY_TOO_COMPLEX"),
    "fragments 300 deep": ({"query": fragments(300, 1)}, 200, "QUERY_TOO_COMPLEX"),
    "one field 900 times": ({"query": "{" + "viewer { authenticated } " * 900 + "}"}, 200, "QUERY_TOO_COMPLEX"),
    "pages of pages": (
        {"query": "{ products(first: 250) { nodes { combinations(first: 250) { nodes { sku } } } } }"},
        200,
        "QUERY_TOO_COMPLEX",
    ),
    "the types of the types of the types": (
        {"query": "{ __schema { types " + "{ fields { type " * 6 + "{ name }" + " } }" * 6 + " } }"},
        200,
        "BAD_USER_INPUT",
    ),
    "a list of 10,000 requests": ([QUERY] * 10_000, 400, "BAD_USER_INPUT"),
    "variables 5,000 deep": (b'{"query": "{ a }", "variables": ' + b"[" * 5_000, 400, "BAD_USER_INPUT"),
    "a million bytes of nothing": (b" " * 1_000_000, 400, "BAD_USER_INPUT"),
    "a million bytes of text": ({"query": "x" * 1_000_000}, 200, "QUERY_TOO_COMPLEX"),
    "2 million bytes": ({"query": "x" * 2_000_000}, 413, "BAD_USER_INPUT"),
    "wrong tokens": ({**QUERY, "token": "gqls_" + "x" * 5_000}, 401, "UNAUTHENTICATED"),
}
SEARCHES = ["(a+)+$" * 20, "%a" * 60, "_" * 120, "a" * 127 + "%", "\\" * 127, "[a-z]*" * 20]


@pytest.fixture
async def serving(db: None, database_env: dict[str, str], tmp_path: Path) -> AsyncIterator[Server]:
    await make.shop()
    for number in range(30):
        await make.product(f"MUG-{number}", name="a" * 200)
    async with server_processes.running(database_env, tmp_path) as started, server_processes.client() as http:
        for _ in range(20):
            await http.post(started.url, json=QUERY)
        yield started


def seconds_of(process: Server) -> float:
    """Processor time that it has taken so far."""
    fields = Path(f"/proc/{process.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def post(http: httpx.AsyncClient, serving: Server, body: Any) -> httpx.Response:
    headers = {"content-type": "application/json"}
    if isinstance(body, dict) and "token" in body:
        headers["authorization"] = f"Bearer {body['token']}"
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await http.post(serving.url, content=content, headers=headers)


async def asked(serving: Server, body: Any) -> tuple[httpx.Response, float]:
    """The answer to one of several such requests, and the processor time for each."""
    async with server_processes.client() as http:
        before = seconds_of(serving)
        for _ in range(TIMES):
            answer = await post(http, serving, body)
        return answer, (seconds_of(serving) - before) / TIMES


async def test_what_is_meant_to_hurt_costs_next_to_nothing(serving: Server) -> None:
    answers = {kind: await asked(serving, body) for kind, (body, _, _) in REFUSED.items()}

    assert {
        kind: (answer.status_code, answer.json()["errors"][0]["extensions"]["code"])
        for kind, (answer, _) in answers.items()
    } == {kind: (status, code) for kind, (_, status, code) in REFUSED.items()}
    assert {kind: taken for kind, (_, taken) in answers.items() if taken >= MOST_SECONDS} == {}
    assert "Traceback" not in serving.log.read_text()


async def test_a_search_takes_signs_as_they_are(serving: Server) -> None:
    query = "query($text: String!) { products(filter: { search: $text }) { totalCount nodes { sku } } }"
    answers = [await asked(serving, {"query": query, "variables": {"text": text}}) for text in SEARCHES]

    for answer, taken in answers:
        assert answer.json() == {"data": {"products": {"totalCount": 0, "nodes": []}}}
        assert taken < MOST_SECONDS


async def test_a_body_of_20_megabytes_is_refused_before_it_was_sent(serving: Server) -> None:
    before = seconds_of(serving)
    reader, writer = await asyncio.open_connection("127.0.0.1", serving.port)
    writer.write(b"POST /graphql HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n")
    writer.write(b"Content-Length: 20000000\r\n\r\n" + b"x" * 10_000)
    async with asyncio.timeout(5):
        answer = await reader.read()
    writer.close()

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert seconds_of(serving) - before < MOST_SECONDS


async def test_others_are_served_while_all_of_it_comes_at_once(serving: Server) -> None:
    async with contextlib.AsyncExitStack() as stack:
        http = await stack.enter_async_context(server_processes.client())
        shopper = await stack.enter_async_context(server_processes.client())
        for _ in range(50):
            _, writer = await asyncio.open_connection("127.0.0.1", serving.port)
            stack.callback(writer.close)
            writer.write(b"POST /graphql HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n")
            writer.write(b'Content-Length: 100\r\n\r\n{"query"')
        hurting = [asyncio.create_task(post(http, serving, body)) for body, _, _ in REFUSED.values() for _ in range(3)]
        waited = []
        for _ in range(20):
            began = time.monotonic()
            answer = await shopper.post(serving.url, json=QUERY)
            waited.append(time.monotonic() - began)
            assert answer.json() == {"data": {"viewer": {"authenticated": False}}}
        refused = await asyncio.gather(*hurting)

    assert sorted(waited)[len(waited) // 2] < 1
    assert {answer.status_code for answer in refused} <= {200, 400, 401, 413}
    assert all("errors" in answer.json() for answer in refused)


class Slow(Context):
    """A request for which each piece of work takes half a second."""

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        async with super().turn():
            await asyncio.sleep(0.5)
            yield


async def test_a_query_that_takes_too_long_is_given_up(db: None) -> None:
    await make.shop()
    schema = build(BreadthFirstExecutor, Limits(query_seconds=0.1))
    async with subscriptions.open_shop() as shop:
        context = Slow(Deployment(shop.feed, shop.storefront))
        result = await schema.execute("{ products { totalCount } }", context_value=context)
        streamed = await schema.stream("{ products { totalCount } }", context_value=context)
        (last,) = [one async for one in streamed]  # type: ignore[union-attr]

    for told in (result, last):
        assert told.data is None
        assert [(error.message, error.extensions) for error in told.errors or ()] == [
            ("The query was canceled after 0.1 seconds.", {"code": "TIMEOUT"})
        ]


async def test_a_mutation_is_not_cut_in_half(db: None) -> None:
    await make.shop()
    held = asyncio.Event()

    async def hold() -> None:
        async def work() -> None:
            await sql.execute("UPDATE warehouse SET name = name")
            held.set()
            await asyncio.sleep(0.4)

        await transactions.run(work)

    holding = asyncio.create_task(hold())
    await held.wait()
    began = time.monotonic()
    async with subscriptions.open_shop() as shop:
        result = await build(BreadthFirstExecutor, Limits(query_seconds=0.1)).execute(
            'mutation { updateWarehouse(input: { code: "BERLIN", name: "B" }) { userErrors { code } } }',
            context_value=Context(Deployment(shop.feed, shop.storefront), caller=SYSTEM),
        )
    await holding

    assert time.monotonic() - began > 0.3
    assert (result.data, result.errors) == ({"updateWarehouse": {"userErrors": []}}, None)
