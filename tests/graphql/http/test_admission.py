"""Who is let in, and how often: the public by address, wrong tokens by address, good tokens always."""

import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from gqlstock.adapters.rates import InProcess, InRedis
from gqlstock.app import create_app
from gqlstock.config import Config
from gqlstock.graphql.http.admission import Admission
from gqlstock.graphql.http.callers import Callers
from gqlstock.graphql.http.requests import RequestError
from gqlstock.rules.limits import PublicRate, Rate
from gqlstock.rules.scopes import Caller
from gqlstock.store.db.connection import DatabaseUrl
from support import server_processes
from support import shop_builders as make
from support.server_processes import Server
from support.subscriptions import received, send

REDIS = os.environ.get("GQLSTOCK_TEST_REDIS_URL")
QUERY = {"query": "{ viewer { authenticated } }"}
FEW = PublicRate(requests=Rate(3, 3_600), wrong_tokens=Rate(2, 3_600))


async def identify(tokens: Any) -> dict[str, Caller]:
    return {token: Caller(token, token, authenticated=True) for token in tokens if token.startswith("good")}


@pytest.fixture
def admission() -> Admission:
    return Admission(Callers(identify), InProcess(), FEW)


async def status(come: Callable[[], Awaitable[object]]) -> int:
    try:
        await come()
    except RequestError as refusal:
        return refusal.status
    return 200


async def test_the_public_is_counted_by_address(admission: Admission) -> None:
    told = [await status(lambda: admission.admit(None, "203.0.113.1")) for _ in range(5)]
    other = await status(lambda: admission.admit(None, "203.0.113.2"))

    assert told == [200, 200, 200, 429, 429]
    assert other == 200


async def test_who_comes_too_often_is_told_for_how_long(admission: Admission) -> None:
    for _ in range(3):
        await admission.admit(None, "203.0.113.1")

    with pytest.raises(RequestError) as refused:
        await admission.admit(None, "203.0.113.1")

    assert refused.value.error["extensions"] == {"code": "TOO_MANY_REQUESTS"}
    assert refused.value.headers is not None
    assert 1 <= int(refused.value.headers["retry-after"]) <= 2 * 3_600


async def test_the_addresses_of_one_ipv6_customer_are_one(admission: Admission) -> None:
    told = [await status(lambda n=n: admission.admit(None, f"2001:db8:1:2:{n}::1")) for n in range(4)]  # type: ignore[misc]
    mapped = [await status(lambda: admission.admit(None, "::ffff:203.0.113.9")) for _ in range(3)]
    plain = await status(lambda: admission.admit(None, "203.0.113.9"))

    assert told == [200, 200, 200, 429]
    assert (mapped, plain) == ([200] * 3, 429)


async def test_this_machine_is_counted_only_if_that_is_asked_for() -> None:
    kindly = Admission(Callers(identify), InProcess(), FEW)
    strictly = Admission(Callers(identify), InProcess(), PublicRate(Rate(3, 3_600), Rate(2, 3_600), this_machine=True))

    for host, wanted in (("127.0.0.1", 429), ("::1", 429), (None, 200)):
        assert [await status(lambda host=host: kindly.admit(None, host)) for _ in range(4)][-1] == 200  # type: ignore[misc]
        assert [await status(lambda host=host: strictly.admit(None, host)) for _ in range(4)][-1] == wanted  # type: ignore[misc]


async def test_good_tokens_are_not_counted_and_wrong_ones_are_no_longer_looked_up() -> None:
    asked: list[str] = []

    async def counted(tokens: Any) -> dict[str, Caller]:
        asked.extend(tokens)
        return await identify(tokens)

    admission = Admission(Callers(counted), InProcess(), FEW)
    shop = [await status(lambda: admission.admit("Bearer good", "203.0.113.1")) for _ in range(20)]
    guesses = [await status(lambda n=n: admission.admit(f"Bearer {n}", "203.0.113.1")) for n in range(6)]  # type: ignore[misc]
    looked_up = [token for token in asked if token != "good"]

    assert shop == [200] * 20
    assert guesses == [401, 401, 429, 429, 429, 429]
    assert looked_up == ["0", "1", "2"]
    assert await status(lambda: admission.admit("Bearer good", "203.0.113.1")) == 200
    assert await status(lambda: admission.admit("Bearer good too", "203.0.113.1")) == 429
    assert await status(lambda: admission.admit("Bearer good too", "203.0.113.2")) == 200


@pytest.mark.skipif(REDIS is None, reason="needs GQLSTOCK_TEST_REDIS_URL")
async def test_processes_count_together_in_redis() -> None:
    assert REDIS is not None
    here, there = InRedis(REDIS), InRedis(REDIS)
    kind, rate = make_kind(), Rate(3, 3_600)

    told = [await (here if n % 2 else there).hit(kind, "203.0.113.1", rate) is None for n in range(5)]
    await here.aclose()
    await there.aclose()

    assert told == [True, True, True, False, False]


def make_kind() -> str:
    return f"test-{uuid.uuid4()}"


async def test_without_redis_each_process_counts_for_itself(caplog: pytest.LogCaptureFixture) -> None:
    counter = InRedis(f"redis://127.0.0.1:{server_processes.free_port()}")

    told = [await counter.hit("public", "203.0.113.1", Rate(3, 3_600)) is None for _ in range(5)]
    await counter.aclose()

    assert told == [True, True, True, False, False]
    assert caplog.text.count("Redis does not answer") == 1


@pytest.fixture
async def serving(db: None, database_env: dict[str, str], tmp_path: Any) -> AsyncIterator[Server]:
    await make.shop()
    environment = {**database_env, "GQLSTOCK_REDIS_URL": "", "GQLSTOCK_PUBLIC_RATE": "5/hour"}
    async with server_processes.running(environment, tmp_path) as started:
        yield started


async def test_the_address_behind_a_proxy_is_counted_over_every_transport(serving: Server) -> None:
    async def asked(address: str, token: str | None = None) -> httpx.Response:
        async with server_processes.client(token) as http:
            return await http.post(serving.url, json=QUERY, headers={"x-forwarded-for": address})

    async def operations(address: str, count: int) -> list[str]:
        protocol = [Subprotocol("graphql-transport-ws")]
        headers = {"x-forwarded-for": address}
        async with connect(serving.websocket_url, subprotocols=protocol, additional_headers=headers) as socket:
            await send(socket, type="connection_init")
            told = [(await received(socket))["type"]]
            for number in range(count):
                await send(socket, id=str(number), type="subscribe", payload=QUERY)
                told.append((await received(socket))["type"])
                if told[-1] == "next":
                    assert (await received(socket))["type"] == "complete"
        return told

    over_http = [(await asked("203.0.113.1")).status_code for _ in range(7)]
    refused = await asked("203.0.113.1")
    over_socket = await operations("203.0.113.2", 6)
    token = await make.token("admin")
    with_token = [(await asked("203.0.113.1", token)).status_code for _ in range(7)]

    assert over_http == [200] * 5 + [429] * 2
    assert refused.json()["errors"][0]["extensions"] == {"code": "TOO_MANY_REQUESTS"}
    assert int(refused.headers["retry-after"]) > 0
    assert over_socket == ["connection_ack"] + ["next"] * 4 + ["error"] * 2
    assert with_token == [200] * 7


PERSISTED = {"abc": "query Name { viewer { authenticated } }", "def": "subscription { inventoryChanges { cursor } }"}


async def persisted(database_url: DatabaseUrl, documents: dict[str, str] | None) -> httpx.AsyncClient:
    app = create_app(Config(database=database_url, persisted=documents))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gqlstock")


@pytest.mark.parametrize(
    "asked",
    [
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "abc"}}},
        {"documentId": "abc"},
        {"id": "abc"},
        {"doc_id": "abc"},
        {"query": PERSISTED["abc"]},
        {"query": PERSISTED["abc"], "extensions": {"persistedQuery": {"version": 1, "sha256Hash": "other"}}},
    ],
)
async def test_the_public_runs_what_is_persisted(db: None, database_url: DatabaseUrl, asked: dict[str, Any]) -> None:
    async with await persisted(database_url, PERSISTED) as http:
        answer = await http.post("/graphql", json=asked)

    assert (answer.status_code, answer.json()) == (200, {"data": {"viewer": {"authenticated": False}}})


@pytest.mark.parametrize(
    ("asked", "refused"),
    [
        ({"query": "{ viewer { authenticated } }"}, (403, "FORBIDDEN")),
        ({"documentId": "nobody's"}, (404, "PERSISTED_QUERY_NOT_FOUND")),
        ({"extensions": {"persistedQuery": {"sha256Hash": "x"}}}, (404, "PERSISTED_QUERY_NOT_FOUND")),
    ],
)
async def test_the_public_runs_nothing_else_and_a_token_anything(
    db: None, database_url: DatabaseUrl, asked: dict[str, Any], refused: tuple[int, str]
) -> None:
    async with await persisted(database_url, PERSISTED) as http:
        public = await http.post("/graphql", json=asked)
        headers = {"authorization": f"Bearer {await make.token('admin')}"}
        known = await http.post("/graphql", json={"query": "{ viewer { authenticated } }"}, headers=headers)

    assert (public.status_code, public.json()["errors"][0]["extensions"]["code"]) == refused
    assert known.json() == {"data": {"viewer": {"authenticated": True}}}


async def test_where_nothing_is_persisted_clients_are_told_to_send_the_text(
    db: None, database_url: DatabaseUrl
) -> None:
    async with await persisted(database_url, None) as http:
        answer = await http.post(
            "/graphql", json={"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "abc"}}}
        )

    assert answer.json()["errors"] == [
        {"message": "PersistedQueryNotSupported", "extensions": {"code": "PERSISTED_QUERY_NOT_SUPPORTED"}}
    ]


async def test_over_websockets_the_public_runs_what_is_persisted_alone(
    db: None, database_env: dict[str, str], tmp_path: Any
) -> None:
    path = tmp_path / "persisted.json"
    path.write_text('{"abc": "query Name { viewer { authenticated } }"}')
    async with (
        server_processes.running({**database_env, "GQLSTOCK_PERSISTED_ONLY": str(path)}, tmp_path) as serving,
        connect(serving.websocket_url, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket,
    ):
        await send(socket, type="connection_init")
        assert (await received(socket))["type"] == "connection_ack"
        await send(socket, id="1", type="subscribe", payload={"documentId": "abc"})
        told = [await received(socket), await received(socket)]
        await send(socket, id="2", type="subscribe", payload=QUERY)
        refused = await received(socket)

    assert told[0] == {"id": "1", "type": "next", "payload": {"data": {"viewer": {"authenticated": False}}}}
    assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", "FORBIDDEN")
