"""Who is let in, and how often: the public by address, wrong tokens by address, good tokens always."""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

import make
import server
from gqlstock.adapters.rates import InProcess, InRedis
from gqlstock.app import create_app
from gqlstock.config import Config
from gqlstock.graphql.admission import Admission
from gqlstock.graphql.callers import Callers
from gqlstock.graphql.errors import TooManySubscriptions
from gqlstock.graphql.requests import Refusal
from gqlstock.rules.limits import Limits, PublicRate, Rate
from gqlstock.rules.scopes import ANONYMOUS, Caller
from gqlstock.store.database import DatabaseUrl
from live import connected, received, send, streamed
from server import Server

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
    except Refusal as refusal:
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

    with pytest.raises(Refusal) as refused:
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
    return f"test-{server.free_port()}"


async def test_without_redis_each_process_counts_for_itself(caplog: pytest.LogCaptureFixture) -> None:
    counter = InRedis(f"redis://127.0.0.1:{server.free_port()}")

    told = [await counter.hit("public", "203.0.113.1", Rate(3, 3_600)) is None for _ in range(5)]
    await counter.aclose()

    assert told == [True, True, True, False, False]
    assert caplog.text.count("Redis does not count requests") == 1


@pytest.fixture
async def serving(db: None, database_env: dict[str, str], tmp_path: Any) -> AsyncIterator[Server]:
    await make.shop()
    environment = {**database_env, "GQLSTOCK_REDIS_URL": "", "GQLSTOCK_PUBLIC_RATE": "5/hour"}
    async with server.running(environment, tmp_path) as started:
        yield started


async def test_the_address_behind_a_proxy_is_counted_over_every_transport(serving: Server) -> None:
    async def asked(address: str, token: str | None = None) -> httpx.Response:
        async with server.client(token) as http:
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
        server.running({**database_env, "GQLSTOCK_PERSISTED_ONLY": str(path)}, tmp_path) as serving,
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


SHELF = 'subscription { availabilityChanges(skus: ["MUG"]) { sku } }'
TWO = Limits(subscriptions_of_address=2, subscriptions=3)


def outcome(admission: Admission, stack: contextlib.ExitStack, caller: Caller, host: str) -> str:
    try:
        stack.enter_context(admission.subscribed(caller, host))
    except TooManySubscriptions as error:
        return error.message
    return "counted"


PER_ADDRESS = "Your address has 2 subscriptions open without a token, which is the most: end one or try again later."
IN_ALL = "This server has 3 subscriptions open without a token, which is the most: end one or try again later."


def test_subscriptions_are_bounded_per_address_and_in_all_and_leave_room_when_they_end() -> None:
    admission = Admission(Callers(identify), InProcess(), FEW, TWO)
    with contextlib.ExitStack() as lasting:
        told = [outcome(admission, lasting, ANONYMOUS, host) for host in ["203.0.113.1"] * 3 + ["203.0.113.2"] * 2]
        # Who has a token is counted apart, and more widely.
        clerk = Caller("clerk", "clerk")
        with_token = [outcome(admission, lasting, clerk, "203.0.113.1") for _ in range(21)]

    assert told == ["counted", "counted", PER_ADDRESS, "counted", IN_ALL]
    assert with_token[:20] == ["counted"] * 20
    assert with_token[20].startswith("Your address has 20 subscriptions open with a token")
    with contextlib.ExitStack() as lasting:
        assert outcome(admission, lasting, ANONYMOUS, "203.0.113.1") == "counted"


def test_subscriptions_from_this_machine_are_counted_in_all_alone() -> None:
    admission = Admission(Callers(identify), InProcess(), FEW, TWO)
    with contextlib.ExitStack() as lasting:
        told = [outcome(admission, lasting, ANONYMOUS, "127.0.0.1") for _ in range(4)]

    assert told == ["counted"] * 3 + [IN_ALL]


@pytest.fixture
async def narrow(db: None, database_env: dict[str, str], tmp_path: Path) -> AsyncIterator[Server]:
    """A server that takes two subscriptions of an address, and three in all."""
    await make.shop()
    await make.product("MUG")
    own = {"GQLSTOCK_MAX_SUBSCRIPTIONS_PER_ADDRESS": "2", "GQLSTOCK_MAX_SUBSCRIPTIONS": "3"}
    async with server.running({**database_env, **own}, tmp_path) as started:
        yield started


async def subscribed(socket: ClientConnection, id: str) -> str:
    """What a subscription is answered first: what it shows, or the code of an error."""
    await send(socket, id=id, type="subscribe", payload={"query": SHELF})
    message = await received(socket)
    payload = message["payload"]
    errors = payload if message["type"] == "error" else payload.get("errors")
    if not errors:
        return str(payload["data"]["availabilityChanges"]["sku"])
    if message["type"] == "next":
        assert await received(socket) == {"id": id, "type": "complete"}
    return f"{errors[0]['extensions']['code']}: {errors[0]['message']}"


@contextlib.asynccontextmanager
async def socket_of(to: Server, address: str, token: str | None = None) -> AsyncIterator[ClientConnection]:
    async with connected(to, token, additional_headers={"x-forwarded-for": address}) as socket:
        yield socket


@contextlib.asynccontextmanager
async def stream_of(to: Server, address: str) -> AsyncIterator[str]:
    """What a stream of server-sent events says first, for as long as it lasts."""
    async with server.client() as http:
        http.headers["x-forwarded-for"] = address
        async with streamed(http, to, SHELF) as events:
            _, payload = await anext(events)
            errors = payload.get("errors")
            if errors:
                assert await anext(events) == ("complete", None)
            yield f"{errors[0]['extensions']['code']}: {errors[0]['message']}" if errors else "MUG"


FULL = f"TOO_MANY_REQUESTS: {PER_ADDRESS}"
FULL_IN_ALL = f"TOO_MANY_REQUESTS: {IN_ALL}"


async def test_websockets_and_streams_of_an_address_are_counted_together(narrow: Server) -> None:
    here, there, elsewhere = "203.0.113.1", "203.0.113.2", "203.0.113.3"
    async with socket_of(narrow, here) as socket, stream_of(narrow, here) as stream:
        assert (stream, await subscribed(socket, "1"), await subscribed(socket, "2")) == ("MUG", "MUG", FULL)
        async with stream_of(narrow, here) as third:
            assert third == FULL
        async with stream_of(narrow, there) as other:
            assert other == "MUG"
            async with socket_of(narrow, elsewhere) as last, stream_of(narrow, elsewhere) as too_many:
                assert (await subscribed(last, "1"), too_many) == (FULL_IN_ALL, FULL_IN_ALL)
        async with socket_of(narrow, here, await make.token("catalog:read")) as clerk:
            assert [await subscribed(clerk, str(n)) for n in range(5)] == ["MUG"] * 5
        # A query is no subscription.
        await send(socket, id="3", type="subscribe", payload=QUERY)
        assert (await received(socket))["type"] == "next"


async def completed(socket: ClientConnection) -> None:
    await send(socket, id="1", type="complete")


async def closed(socket: ClientConnection) -> None:
    await socket.close()


async def cut(socket: ClientConnection) -> None:
    socket.transport.abort()


async def broken(socket: ClientConnection) -> None:
    await socket.send("no message of the protocol")


@pytest.mark.parametrize("end", [completed, closed, cut, broken])
async def test_a_subscription_over_a_websocket_leaves_its_room_however_it_ends(
    narrow: Server, end: Callable[[ClientConnection], Awaitable[None]]
) -> None:
    async with socket_of(narrow, "203.0.113.1") as socket:
        assert [await subscribed(socket, id) for id in ("1", "2", "3")] == ["MUG", "MUG", FULL]
        await end(socket)
        assert await has_room(narrow) == "MUG"


async def test_a_stream_leaves_its_room_when_its_client_is_gone(narrow: Server) -> None:
    address = "203.0.113.1"
    async with stream_of(narrow, address) as one, stream_of(narrow, address) as two:
        assert (one, two) == ("MUG", "MUG")
    async with stream_of(narrow, address) as again:
        assert again == "MUG" or await has_room(narrow) == "MUG"


async def test_a_stream_that_is_not_read_leaves_its_room_when_its_client_is_cut_off(narrow: Server) -> None:
    body = json.dumps({"query": SHELF}).encode()
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: gqlstock\r\nAccept: text/event-stream\r\nX-Forwarded-For: 203.0.113.1\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    cut_off = []
    for _ in range(2):
        reader, writer = await asyncio.open_connection("127.0.0.1", narrow.port)
        writer.write(head + body)
        await asyncio.wait_for(reader.readuntil(b"event: next"), 10)
        cut_off.append(writer)
    for writer in cut_off:
        writer.transport.abort()

    assert await has_room(narrow) == "MUG"


async def has_room(to: Server) -> str:
    """What a subscription of that address is answered, once the server has seen the end of others."""
    async with asyncio.timeout(10), socket_of(to, "203.0.113.1") as socket:
        while (told := await subscribed(socket, "9")) == FULL:
            await asyncio.sleep(0.05)
    return told
