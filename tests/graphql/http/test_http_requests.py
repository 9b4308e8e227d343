"""What is taken over HTTP and how it is answered: methods, media types, bodies; and nothing for other sites' pages."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from gqlstock.app import create_app
from gqlstock.config import Config
from gqlstock.graphql.http import media_types
from gqlstock.rules.limits import Limits
from gqlstock.store.db.connection import DatabaseUrl
from support import shop_builders as make
from support.graphql_client import Client

QUERY = "{ viewer { authenticated } }"
JSON = {"content-type": "application/json"}
RESPONSE = "application/graphql-response+json"


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("application/json", "application/json"),
        ("application/graphql-response+json", RESPONSE),
        ("application/graphql-response+json, application/json", RESPONSE),
        ("application/json, application/graphql-response+json", "application/json"),
        ("application/json;q=0.5, application/graphql-response+json", RESPONSE),
        ("application/graphql-response+json;charset=utf-8, application/json;charset=utf-8", RESPONSE),
        ("text/html, application/json;q=0.9", "application/json"),
        ("application/json;q=0, */*", RESPONSE),
        ("application/json;q=0", None),
        ("text/html", None),
        ("text/csv, image/png", None),
    ],
)
def test_the_answer_is_in_the_type_that_is_liked_best(accept: str | None, answered: str | None) -> None:
    assert media_types.answer(accept) == answered


async def post(client: Client, content: bytes | str, **headers: str) -> httpx.Response:
    return await client.http.post("/graphql", content=content, headers={**JSON, **headers})


def code(answer: httpx.Response) -> str:
    (error,) = answer.json()["errors"]
    told: str = error["extensions"]["code"]
    assert error["message"]
    return told


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"1",
        b'"x"',
        b"null",
        b"true",
        b"\xff\xfe",
        b'{"query": "\xff"}',
        b"[" * 2_000 + b"]" * 2_000,
        b'{"query": "{ viewer { authenticated } }", "variables": ' + b'{"a":' * 2_000 + b"1" + b"}" * 2_000 + b"}",
        b"[]",
        b'[{"query": "{ viewer { authenticated } }"}]',
        b"{}",
        b'{"query": null}',
        b'{"query": ""}',
        b'{"query": 5}',
        b'{"query": "{ viewer { authenticated } }", "variables": []}',
        b'{"query": "{ viewer { authenticated } }", "extensions": "x"}',
        b'{"query": "{ viewer { authenticated } }", "operationName": 1}',
        b'{"query": "{ viewer { authenticated } }", "documentId": 1}',
    ],
)
@pytest.mark.parametrize("accept", ["application/json", RESPONSE])
async def test_a_body_that_is_no_request_is_a_400(client: Client, body: bytes, accept: str) -> None:
    answer = await post(client, body, accept=accept)

    assert (answer.status_code, code(answer)) == (400, "BAD_USER_INPUT")
    assert answer.headers["content-type"] == f"{accept}; charset=utf-8"
    assert "data" not in answer.json()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"query": "{"}, 400),
        ({"query": "{ nothing }"}, 400),
        ({"query": "query($sku: String!) { product(sku: $sku) { sku } }"}, 400),
        ({"query": "query A { viewer { authenticated } }", "operationName": "B"}, 400),
        ({"query": "query A { viewer { authenticated } } query B { viewer { authenticated } }"}, 400),
        ({"query": "fragment F on Viewer { authenticated }"}, 400),
    ],
)
async def test_what_is_wrong_before_anything_runs_has_no_data_and_a_status_by_the_media_type(
    client: Client, body: dict[str, Any], status: int
) -> None:
    strict = await post(client, json.dumps(body), accept=RESPONSE)
    lenient = await post(client, json.dumps(body), accept="application/json")

    assert (strict.status_code, lenient.status_code) == (status, 200)
    assert strict.json() == lenient.json()
    assert (code(strict), "data" in strict.json()) == ("BAD_USER_INPUT", False)


async def test_a_field_that_fails_is_a_200_with_the_rest_of_the_data(client: Client) -> None:
    answer = await post(client, json.dumps({"query": "{ product { sku } viewer { authenticated } }"}), accept=RESPONSE)

    assert answer.status_code == 200
    assert answer.json()["data"] == {"product": None, "viewer": {"authenticated": False}}
    assert code(answer) == "BAD_USER_INPUT"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
async def test_other_methods_are_told_which_there_are(client: Client, method: str) -> None:
    answer = await client.http.request(method, "/graphql")

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


async def test_a_mutation_by_get_is_told_to_use_post_and_does_nothing(client: Client) -> None:
    mutation = 'mutation { createCategory(input: { slug: "x", name: "X" }) { userErrors { code } } }'
    headers = {"authorization": f"Bearer {await client.token('admin')}"}

    answer = await client.http.get("/graphql", params={"query": mutation}, headers=headers)

    assert (answer.status_code, answer.headers["allow"], code(answer)) == (405, "POST", "BAD_USER_INPUT")
    assert (await client.public('{ category(slug: "x") { slug } }')) == {"category": None}


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
        "text/plain; application/json",
        "application/json; charset=utf-16",
        "application/jsonp",
    ],
)
async def test_what_a_page_of_another_site_may_send_without_asking_is_a_415(client: Client, content_type: str) -> None:
    body = json.dumps({"query": QUERY})

    answer = await client.http.post("/graphql", content=body, headers={"content-type": content_type})

    assert (answer.status_code, code(answer)) == (415, "BAD_USER_INPUT")


async def test_who_takes_no_json_gets_a_406(client: Client) -> None:
    answer = await post(client, json.dumps({"query": QUERY}), accept="image/png")

    assert (answer.status_code, code(answer)) == (406, "BAD_USER_INPUT")


async def test_a_get_has_its_variables_in_the_query_string(client: Client) -> None:
    query = "query A($yes: Boolean!) { viewer { authenticated @include(if: $yes) } } query B { __typename }"
    asked = {"query": query, "variables": '{"yes": true}', "operationName": "A", "extensions": ""}

    answer = await client.http.get("/graphql", params=asked)
    wrong = await client.http.get("/graphql", params={"query": QUERY, "variables": "{"})

    assert answer.json() == {"data": {"viewer": {"authenticated": False}}}
    assert (wrong.status_code, code(wrong)) == (400, "BAD_USER_INPUT")


async def test_a_browser_gets_a_page_and_a_program_does_not(client: Client) -> None:
    browser = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}

    page = await client.http.get("/graphql", headers=browser)
    asked = await client.http.get("/graphql", headers=browser, params={"query": QUERY})
    program = await client.http.get("/graphql")

    assert "GraphiQL" in page.text
    assert asked.json() == {"data": {"viewer": {"authenticated": False}}}
    assert (program.status_code, code(program)) == (400, "BAD_USER_INPUT")


async def test_a_token_of_nobody_is_a_401_with_a_challenge(client: Client) -> None:
    answer = await post(client, json.dumps({"query": QUERY}), authorization="Bearer gqls_nobody")

    assert (answer.status_code, code(answer)) == (401, "UNAUTHENTICATED")
    assert answer.headers["www-authenticate"] == "Bearer"


async def serving(database_url: DatabaseUrl, **options: Any) -> httpx.AsyncClient:
    app = create_app(replace(Config(database=database_url), **options))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop.example")


@pytest.fixture
async def small(db: None, database_url: DatabaseUrl) -> AsyncIterator[httpx.AsyncClient]:
    async with await serving(database_url, limits=Limits(body_bytes=1_000, body_seconds=0.2)) as http:
        yield http


async def test_a_body_that_is_too_long_is_a_413_whether_it_says_so_or_not(small: httpx.AsyncClient) -> None:
    long = json.dumps({"query": QUERY, "extensions": {"a": "x" * 1_000}}).encode()

    async def in_pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(long), 100):
            yield long[start : start + 100]

    told = await small.post("/graphql", content=long, headers=JSON)
    untold = await small.post("/graphql", content=in_pieces(), headers=JSON)

    for answer in (told, untold):
        assert (answer.status_code, code(answer)) == (413, "BAD_USER_INPUT")
        assert answer.headers["connection"] == "close"


async def test_with_a_token_a_body_may_be_ten_times_as_long(small: httpx.AsyncClient) -> None:
    headers = {**JSON, "authorization": f"Bearer {await make.token('catalog:read')}"}

    async def status(length: int) -> int:
        body = json.dumps({"query": QUERY, "extensions": {"a": ""}}).encode()
        body = body.replace(b'""', b'"' + b"x" * (length - len(body)) + b'"')
        assert len(body) == length
        return (await small.post("/graphql", content=body, headers=headers)).status_code

    assert [await status(length) for length in (1_001, 10_000, 10_001)] == [200, 200, 413]


async def test_a_body_that_does_not_arrive_is_a_408(small: httpx.AsyncClient) -> None:
    async def slowly() -> AsyncIterator[bytes]:
        yield b'{"query"'
        await asyncio.sleep(5)

    answer = await small.post("/graphql", content=slowly(), headers=JSON)

    assert (answer.status_code, code(answer)) == (408, "BAD_USER_INPUT")


PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}


async def test_only_pages_of_configured_origins_may_call(db: None, database_url: DatabaseUrl) -> None:
    async with await serving(database_url, cors_origins=("https://shop.example",)) as http:
        shop = await http.options("/graphql", headers={"origin": "https://shop.example", **PREFLIGHT})
        evil = await http.options("/graphql", headers={"origin": "https://evil.example", **PREFLIGHT})
        read = await http.get("/graphql", params={"query": QUERY}, headers={"origin": "https://evil.example"})

    assert (shop.status_code, shop.headers["access-control-allow-origin"]) == (200, "https://shop.example")
    assert shop.headers["access-control-max-age"] == "7200"
    assert evil.status_code == 400
    assert "access-control-allow-origin" not in {**evil.headers, **read.headers}


async def test_without_origins_no_page_of_another_site_may_call(client: Client) -> None:
    answer = await client.http.options("/graphql", headers={"origin": "https://evil.example", **PREFLIGHT})

    assert answer.status_code == 405
    assert "access-control-allow-origin" not in answer.headers


async def test_the_schema_can_be_kept_from_the_public(db: None, database_url: DatabaseUrl) -> None:
    asked = ["{ __schema { queryType { name } } }", '{ __type(name: "Query") { name } }']
    headers = {"authorization": f"Bearer {await make.token('admin')}"}
    async with await serving(database_url, limits=Limits(public_introspection=False)) as http:
        public = [(await http.post("/graphql", json={"query": query})).json() for query in asked]
        known = [(await http.post("/graphql", json={"query": query}, headers=headers)).json() for query in asked]
        name = (await http.post("/graphql", json={"query": "{ __typename }"})).json()
        page = await http.get("/graphql", headers={"accept": "text/html"})

    assert [answer["errors"][0]["extensions"]["code"] for answer in public] == ["BAD_USER_INPUT"] * 2
    assert known == [{"data": {"__schema": {"queryType": {"name": "Query"}}}}, {"data": {"__type": {"name": "Query"}}}]
    assert name == {"data": {"__typename": "Query"}}
    assert page.status_code == 406


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{ viever { authenticated } }", {}),
        ("{ viewer { authentikated } }", {}),
        ('{ product(skuu: "MUG") { sku } }', {}),
        ("{ viewer { ... on Viewr { authenticated } } }", {}),
        ("{ products(sort: NAMES) { totalCount } }", {}),
        ('{ products(filter: { serch: "x" }) { totalCount } }', {}),
        ("query($s: ProductSrt) { products(sort: $s) { totalCount } }", {"s": "NAME"}),
        ("query($s: ProductSort!) { products(sort: $s) { totalCount } }", {"s": "NAMES"}),
        ("query($f: ProductFilter) { products(filter: $f) { totalCount } }", {"f": {"serch": "x"}}),
        ("{ viewer { authenticated @inclde(if: true) } }", {}),
    ],
)
async def test_the_public_is_told_no_names_that_it_did_not_know(
    client: Client, query: str, variables: dict[str, Any]
) -> None:
    answer = await client.http.post("/graphql", json={"query": query, "variables": variables})

    assert code(answer) == "BAD_USER_INPUT"
    assert "Did you mean" not in answer.text
