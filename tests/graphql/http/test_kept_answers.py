"""Answers that are sent again: with ETags, for callers who may still have them, and never when the database is away."""

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from gqlstock.app import create_app
from gqlstock.config import Config
from gqlstock.rules.limits import PublicRate, Rate
from gqlstock.services import tokens
from gqlstock.stock import cache
from gqlstock.stock.cache import ANSWER, Cache
from gqlstock.store.db import clock
from gqlstock.store.db.connection import DatabaseUrl
from support import interleaving
from support import shop_builders as make
from support.interleaving import VALIDATION
from support.settable_clock import SetClock

QUERY = '{ product(sku: "MUG") { name availability { salableQuantity } } }'
STOCK = 'query Stock { inventoryLevel(sku: "MUG", warehouse: "BERLIN") { onHand } }'
JSON, RESPONSE = "application/json", "application/graphql-response+json"

NewApp = Callable[..., httpx.AsyncClient]


@pytest.fixture
async def new_app(db: None, database_url: DatabaseUrl) -> AsyncIterator[NewApp]:
    """Makes applications, given what of their configuration is not the usual."""
    clients: list[httpx.AsyncClient] = []

    def made(host: str = "127.0.0.1", **given: Any) -> httpx.AsyncClient:
        app = create_app(replace(Config.from_env({}), database=database_url, **given))
        transport = httpx.ASGITransport(app, client=(host, 123))
        clients.append(httpx.AsyncClient(transport=transport, base_url="http://gqlstock"))
        return clients[-1]

    yield made
    for client in clients:
        await client.aclose()


@pytest.fixture
async def http(new_app: NewApp) -> httpx.AsyncClient:
    """A shop with 5 mugs."""
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=5)
    await make.setting(display_stock_quantity=True)
    return new_app()


async def get(http: httpx.AsyncClient, query: str = QUERY, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await http.get("/graphql", params={"query": query}, headers=named)


async def post(http: httpx.AsyncClient, query: str = QUERY, token: str | None = None, **given: Any) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return await http.post("/graphql", json={"query": query, **given}, headers=headers)


def hits(kept: Cache) -> int:
    return kept.counts[ANSWER].hits


def error_codes(answer: httpx.Response) -> list[str]:
    return [error["extensions"]["code"] for error in answer.json()["errors"]]


# ── ETags


async def test_an_answer_to_get_has_an_etag_and_must_be_asked_for_again(http: httpx.AsyncClient) -> None:
    first, second = await get(http), await get(http)

    assert re.fullmatch(r'"[0-9a-f]{32}"', first.headers["etag"])
    assert first.headers["cache-control"] == "no-cache"
    assert first.headers["vary"] == "authorization, accept"
    assert second.content == first.content
    assert {**second.headers, "x-request-id": ""} == {**first.headers, "x-request-id": ""}


async def test_an_answer_to_a_token_is_private(http: httpx.AsyncClient) -> None:
    token = await make.token("catalog:read")

    for _ in range(2):
        answer = await get(http, authorization=f"Bearer {token}")
        assert answer.headers["cache-control"] == "private, no-cache"
        assert answer.headers["vary"] == "authorization, accept"


@pytest.mark.parametrize("condition", ["{}", "W/{}", '"other", {}', '"other",W/{} ', "*"])
async def test_an_etag_that_matches_is_answered_without_a_body(http: httpx.AsyncClient, condition: str) -> None:
    first = await get(http)

    again = await get(http, if_none_match=condition.format(first.headers["etag"]))

    assert (again.status_code, again.content) == (304, b"")
    for name in ("etag", "cache-control", "vary"):
        assert again.headers[name] == first.headers[name]


@pytest.mark.parametrize("condition", ['"other"', "W/other", "", '""'])
async def test_another_etag_is_answered_in_full(http: httpx.AsyncClient, condition: str) -> None:
    first = await get(http)

    again = await get(http, if_none_match=condition)

    assert (again.status_code, again.content) == (200, first.content)


async def test_after_an_order_the_etag_is_another(http: httpx.AsyncClient) -> None:
    first = await get(http)
    tag = first.headers["etag"]
    await make.order("MUG", 2)

    changed = await get(http, if_none_match=tag)
    back = await get(http, if_none_match=changed.headers["etag"])

    assert (changed.status_code, back.status_code) == (200, 304)
    assert changed.headers["etag"] != tag
    assert changed.json()["data"]["product"]["availability"] == {"salableQuantity": 3}


async def test_an_answer_that_was_not_kept_is_compared_too(http: httpx.AsyncClient, kept: Cache) -> None:
    tag = (await get(http)).headers["etag"]
    await make.setting(website="shop", only_x_left_threshold=1)

    assert (await get(http, if_none_match=tag)).status_code == 304
    assert hits(kept) == 0


async def test_each_media_type_has_its_own_answer(http: httpx.AsyncClient) -> None:
    answers = [await get(http, accept=accept) for accept in (JSON, RESPONSE, JSON)]

    assert [answer.headers["content-type"] for answer in answers] == [
        f"{accept}; charset=utf-8" for accept in (JSON, RESPONSE, JSON)
    ]


async def test_an_answer_to_post_has_no_etag(http: httpx.AsyncClient) -> None:
    for _ in range(2):
        answer = await post(http)
        assert not {"etag", "cache-control", "vary"} & answer.headers.keys()
    tag = (await get(http)).headers["etag"]
    conditional = await http.post("/graphql", json={"query": QUERY}, headers={"if-none-match": tag})

    assert conditional.status_code == 200


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("{ product { name } }", 200),
        ('{ inventoryLevel(sku: "MUG", warehouse: "BERLIN") { onHand } viewer { name } }', 200),
        ("{ nothing }", 400),
        ('mutation { deleteProduct(input: { sku: "MUG" }) { deletedId } }', 405),
        ("", 400),
    ],
    ids=["wrong input", "one field refused", "invalid", "mutation", "no query"],
)
async def test_an_answer_with_errors_has_no_etag_and_is_stored_by_no_cache(
    http: httpx.AsyncClient, kept: Cache, query: str, status: int
) -> None:
    for _ in range(2):
        answer = await get(http, query, accept=RESPONSE, if_none_match="*")
        assert answer.status_code == status
        assert "etag" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"
    assert hits(kept) == 0


async def test_a_refused_token_is_stored_by_no_cache(http: httpx.AsyncClient) -> None:
    answer = await get(http, authorization="Bearer wrong", if_none_match="*")

    assert (answer.status_code, answer.headers["cache-control"]) == (401, "no-store")


# ── what is the same request


async def test_the_same_bytes_are_the_same_request(http: httpx.AsyncClient, kept: Cache) -> None:
    body = json.dumps({"query": QUERY})
    headers = {"content-type": JSON}

    for content in (body, body, f" {body}"):
        await http.post("/graphql", content=content, headers=headers)

    assert hits(kept) == 1


async def test_variables_and_operations_are_part_of_the_request(http: httpx.AsyncClient) -> None:
    await make.product("CUP")
    query = "query A($sku: String) { product(sku: $sku) { sku } } query B($sku: String) { product(sku: $sku) { name } }"

    def answers() -> list[dict[str, Any]]:
        return [{"variables": {"sku": sku}, "operationName": name} for name in "AB" for sku in ("MUG", "CUP")]

    first = [(await post(http, query, **given)).json()["data"]["product"] for given in answers()]
    second = [(await post(http, query, **given)).json()["data"]["product"] for given in answers()]

    assert first == second == [{"sku": "MUG"}, {"sku": "CUP"}, {"name": "Mug"}, {"name": "Cup"}]


async def test_a_mutation_is_executed_each_time(http: httpx.AsyncClient, kept: Cache) -> None:
    token = await make.token("inventory:write", "inventory:read")
    change = """mutation { adjustStock(input: { changes: [{ sku: "MUG", warehouse: "BERLIN", delta: 1 }] }) {
        inventoryLevels { onHand } userErrors { message } } }"""

    answers = [(await post(http, change, token)).json()["data"]["adjustStock"] for _ in range(3)]

    assert [answer["inventoryLevels"] for answer in answers] == [[{"onHand": number}] for number in (6, 7, 8)]
    assert hits(kept) == 0


async def test_a_query_beside_a_mutation_is_kept_by_its_own_name(http: httpx.AsyncClient, kept: Cache) -> None:
    token = await make.token("admin")
    both = """query Look { inventoryLevel(sku: "MUG", warehouse: "BERLIN") { onHand } }
        mutation Add { adjustStock(input: { changes: [{ sku: "MUG", warehouse: "BERLIN", delta: 1 }] }) {
            inventoryLevels { onHand } userErrors { message } } }"""

    for expected in (5, 6, 7):
        looked = [(await post(http, both, token, operationName="Look")).json()["data"] for _ in range(2)]
        assert looked == [{"inventoryLevel": {"onHand": expected}}] * 2
        await post(http, both, token, operationName="Add")
    assert hits(kept) == 3


# ── who may have them


async def test_a_revoked_token_is_refused_at_once(http: httpx.AsyncClient, kept: Cache) -> None:
    token = await make.token("inventory:read", name="till")
    for _ in range(2):
        assert (await post(http, STOCK, token)).json()["data"] == {"inventoryLevel": {"onHand": 5}}
    assert hits(kept) == 1

    await tokens.revoke("till")

    answer = await post(http, STOCK, token)
    assert (answer.status_code, error_codes(answer)) == (401, ["UNAUTHENTICATED"])


async def test_an_expired_token_is_refused_from_its_moment_on(http: httpx.AsyncClient) -> None:
    token = await make.token("inventory:read", expires="1d")
    time = SetClock()
    with clock.replaced(time):
        for ahead in (timedelta(0), timedelta(hours=23)):
            time.ahead = ahead
            assert (await post(http, STOCK, token)).status_code == 200
        time.ahead = timedelta(days=1)
        answer = await post(http, STOCK, token)

    assert (answer.status_code, error_codes(answer)) == (401, ["UNAUTHENTICATED"])


async def test_a_token_of_the_same_name_has_the_new_scopes(http: httpx.AsyncClient) -> None:
    old = await make.token("inventory:read", name="till")
    await post(http, STOCK, old)
    await tokens.revoke("till")
    new = await make.token("catalog:read", name="till")

    answer = await post(http, STOCK, new)

    assert error_codes(answer) == ["FORBIDDEN"]
    assert (await post(http, STOCK, old)).status_code == 401


async def test_the_public_is_counted_for_answers_from_memory(new_app: NewApp, http: httpx.AsyncClient) -> None:
    few = new_app("203.0.113.1", public_rate=PublicRate(requests=Rate(3, 3_600)))

    answers = [await post(few) for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]


@pytest.mark.parametrize("first", ["public", "token"])
async def test_the_public_gets_no_answer_that_is_not_persisted(
    new_app: NewApp, http: httpx.AsyncClient, first: str
) -> None:
    shop = new_app(persisted={"page": QUERY})
    token = await make.token("catalog:read")
    other = '{ product(sku: "MUG") { sku } }'
    callers = [None, token] if first == "public" else [token, None]

    statuses = {caller: [(await post(shop, other, caller)).status_code for _ in range(2)] for caller in callers}
    known = [await post(shop, query, None, **given) for query, given in ((QUERY, {}), (None, {"documentId": "page"}))]

    assert statuses == {None: [403, 403], token: [200, 200]}
    assert [answer.status_code for answer in known] == [200, 200]


async def test_an_answer_from_memory_is_an_operation_in_the_log(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    token = await make.token("inventory:read", name="till")
    caplog.set_level(logging.INFO)

    for _ in range(2):
        await post(http, STOCK, token)

    first, second = (record.fields for record in caplog.records if record.getMessage() == "POST /graphql 200")
    told = {"operation": "Stock", "kind": "query", "caller": "till"}
    assert {name: first[name] for name in told} == {name: second[name] for name in told} == told


async def test_an_answer_from_memory_is_counted_as_an_operation(http: httpx.AsyncClient, kept: Cache) -> None:
    token = await make.token("inventory:read")
    for _ in range(3):
        await post(http, STOCK, token)

    text = (await http.get("/metrics")).text

    assert hits(kept) == 2
    assert 'gqlstock_operations_total{operation="Stock",type="query"} 3.0' in text


# ── when the database does not answer


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("accept", [JSON, RESPONSE])
@pytest.mark.parametrize("caller", ["public", "token"])
@pytest.mark.parametrize("is_kept", [True, False])
async def test_nothing_is_answered_from_memory_when_the_database_is_away(
    http: httpx.AsyncClient, kept: Cache, method: str, accept: str, caller: str, is_kept: bool
) -> None:
    headers = {"accept": accept}
    if caller == "token":
        headers["authorization"] = f"Bearer {await make.token('inventory:read')}"
    given: dict[str, Any] = {"params": {"query": QUERY}} if method == "GET" else {"json": {"query": QUERY}}
    if is_kept:
        assert (await http.request(method, "/graphql", headers=headers, **given)).status_code == 200
        before = hits(kept)

    async def fail() -> None:
        raise ConnectionError("the database is away")

    with interleaving.before(VALIDATION, fail):
        answer = await http.request(method, "/graphql", headers=headers, **given)
    back = await http.request(method, "/graphql", headers=headers, **given)

    assert (answer.status_code, error_codes(answer)) == (503, ["INTERNAL"])
    assert answer.headers["content-type"] == f"{accept}; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert "The database is unavailable. Try again later." in answer.json()["errors"][0]["message"]
    assert "the database is away" not in answer.text
    assert back.status_code == 200
    if is_kept:
        assert hits(kept) == before + 1


DATED = {
    "explanation": '{ answer: explainAvailability(sku: "MUG") { availability { availabilityDate } } }',
    "selection": '{ product(sku: "MUG") { answer: selection(options: []) { availability { availabilityDate } } } }',
}


@pytest.mark.parametrize("name", DATED)
async def test_an_answer_ends_when_the_date_of_its_item_has_passed(
    http: httpx.AsyncClient, kept: Cache, name: str
) -> None:
    date = clock.now() + timedelta(hours=1)
    await make.setting(product="MUG", availability_date=date)
    token = await make.token("inventory:read")

    async def shown() -> str | None:
        found = (await post(http, DATED[name], token)).json()["data"]
        answer = found.get("product", found)["answer"]
        return answer["availability"]["availabilityDate"]  # type: ignore[no-any-return]

    assert [await shown() is None for _ in range(2)] == [False, False]
    assert hits(kept) == 1
    with clock.replaced(SetClock(timedelta(hours=2))):
        assert await shown() is None


async def test_a_kept_answer_is_validated_after_the_request_came(http: httpx.AsyncClient, kept: Cache) -> None:
    """Of one that was sent before nobody knows whether it has seen what was acknowledged meanwhile."""
    await post(http)
    late: list[asyncio.Task[httpx.Response]] = []

    async def order_and_ask() -> None:
        # In another process: this one's validation is being sent.
        with cache.replaced(Cache()):
            await make.order("MUG", 2)
        late.append(asyncio.create_task(post(http)))
        await asyncio.sleep(0.01)

    sent = kept.sent
    with interleaving.before(VALIDATION, order_and_ask):
        await post(http)

    assert (await late[0]).json()["data"]["product"]["availability"] == {"salableQuantity": 3}
    assert kept.sent >= sent + 2
