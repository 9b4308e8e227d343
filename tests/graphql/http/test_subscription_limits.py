"""How many subscriptions may last at once: per address and in all, and that each leaves its room however it ends."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection

from gqlstock.adapters.rates import InProcess
from gqlstock.graphql.errors import TooManySubscriptions
from gqlstock.graphql.http.admission import Admission
from gqlstock.graphql.http.callers import Callers
from gqlstock.rules.limits import Limits, PublicRate
from gqlstock.rules.scopes import ANONYMOUS, Caller
from gqlstock.services import list_orders, order_tokens
from support import server_processes
from support import shop_builders as make
from support.server_processes import Server
from support.subscriptions import connected, received, send, streamed

QUERY = {"query": "{ viewer { authenticated } }"}
SHELF = 'subscription { availabilityChanges(skus: ["MUG"]) { sku } }'
TWO = Limits(subscriptions_of_address=2, subscriptions=3)


async def nobody(_: object) -> dict[str, Caller]:
    return {}


def admission_of_two() -> Admission:
    return Admission(Callers(nobody), InProcess(), PublicRate(), TWO)


def outcome(admission: Admission, stack: contextlib.ExitStack, caller: Caller, host: str) -> str:
    try:
        stack.enter_context(admission.subscribed(caller, host))
    except TooManySubscriptions as error:
        return error.message
    return "counted"


PER_ADDRESS = "Your address has 2 open subscriptions without a token, the maximum. End one or try again later."
IN_ALL = "This server has 3 open subscriptions without a token, the maximum. End one or try again later."


def test_subscriptions_are_bounded_per_address_and_in_all_and_leave_room_when_they_end() -> None:
    admission = admission_of_two()
    with contextlib.ExitStack() as lasting:
        told = [outcome(admission, lasting, ANONYMOUS, host) for host in ["203.0.113.1"] * 3 + ["203.0.113.2"] * 2]
        # Who has a token is counted apart, and more widely.
        clerk = Caller("clerk", "clerk")
        with_token = [outcome(admission, lasting, clerk, "203.0.113.1") for _ in range(21)]

    assert told == ["counted", "counted", PER_ADDRESS, "counted", IN_ALL]
    assert with_token[:20] == ["counted"] * 20
    assert with_token[20].startswith("Your address has 20 open subscriptions with a token")
    with contextlib.ExitStack() as lasting:
        assert outcome(admission, lasting, ANONYMOUS, "203.0.113.1") == "counted"


def test_subscriptions_from_this_machine_are_counted_in_all_alone() -> None:
    admission = admission_of_two()
    with contextlib.ExitStack() as lasting:
        told = [outcome(admission, lasting, ANONYMOUS, "127.0.0.1") for _ in range(4)]

    assert told == ["counted"] * 3 + [IN_ALL]


@pytest.fixture
async def narrow(db: None, database_env: dict[str, str], tmp_path: Path) -> AsyncIterator[Server]:
    """A server that takes two subscriptions of an address, and three in all."""
    await make.shop()
    await make.product("MUG")
    own = {"GQLSTOCK_MAX_SUBSCRIPTIONS_PER_ADDRESS": "2", "GQLSTOCK_MAX_SUBSCRIPTIONS": "3"}
    async with server_processes.running({**database_env, **own}, tmp_path) as started:
        yield started


async def subscribed(socket: ClientConnection, id: str, query: str = SHELF) -> str:
    """What a subscription is answered first: what it shows, or the code of an error."""
    await send(socket, id=id, type="subscribe", payload={"query": query})
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
    async with server_processes.client() as http:
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


async def test_those_who_follow_their_order_are_counted_with_the_others_and_wrong_tokens_take_no_room(
    narrow: Server,
) -> None:
    await make.stock("MUG")
    (order,) = (await list_orders.by_id([await make.order("MUG")])).values()
    (token,) = await order_tokens.tokens([order])

    def follow(given: str) -> str:
        return f'subscription {{ orderChangesByToken(token: "{given}") {{ cursor }} }}'

    async with socket_of(narrow, "203.0.113.1") as socket:
        for n in range(5):
            assert (await subscribed(socket, f"wrong {n}", follow("x"))).startswith("BAD_USER_INPUT: The token is not")
        for id in ("1", "2"):
            await send(socket, id=id, type="subscribe", payload={"query": follow(token)})
        await asyncio.sleep(2)

        assert await subscribed(socket, "3", follow(token)) == FULL
        assert await subscribed(socket, "4") == FULL


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


async def test_a_stream_leaves_its_room_when_its_connection_is_cut(narrow: Server) -> None:
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
    """The answer to a new subscription from an address, after the server has noticed that earlier ones ended."""
    async with asyncio.timeout(10), socket_of(to, "203.0.113.1") as socket:
        while (told := await subscribed(socket, "9")) == FULL:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return told
