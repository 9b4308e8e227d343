"""Server-sent events: who gets them, what they look like; and the end of every lasting connection with its token."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from gqlstock.graphql.http import media_types
from gqlstock.graphql.http.callers import Callers
from gqlstock.rules.scopes import Caller
from gqlstock.services import clear_cache
from gqlstock.store.db import clock, sql, transactions
from gqlstock.store.tokens import ApiToken
from support import server_processes
from support import shop_builders as make
from support.server_processes import Server
from support.subscriptions import connected, pushed, streamed, subscribe

CHANGES = "subscription ($after: String) { inventoryChanges(after: $after) { cursor level { onHand } } }"
SHELF = 'subscription { availabilityChanges(skus: ["MUG"]) { sku orderable } }'


@pytest.fixture
async def serving(db: None, database_env: dict[str, str], tmp_path: Path) -> AsyncIterator[Server]:
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=10)
    async with server_processes.running(database_env, tmp_path) as started:
        yield started


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("text/event-stream", True),
        ("text/event-stream, multipart/mixed", True),
        ("text/event-stream, application/json", True),
        ("text/event-stream;q=0.9, application/json;q=0.5", True),
        ("application/json;q=0.5, TEXT/EVENT-STREAM", True),
        ("application/json, text/event-stream", False),
        ("text/event-stream;q=0.5, application/json", False),
        ("*/*, text/event-stream", False),
        ("text/event-stream;q=0", False),
        ("text/event-stream;q=much", False),
        ("application/json", False),
        ("", False),
        # urql asks for queries like this
        (
            "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, "
            "multipart/mixed",
            False,
        ),
    ],
)
def test_events_are_sent_to_who_prefers_them_to_json(accept: str, wanted: bool) -> None:
    assert (media_types.answer(accept) == media_types.EVENTS) is wanted


async def test_changes_come_as_events_and_go_on_from_a_cursor(serving: Server) -> None:
    async with server_processes.client(await make.token("inventory:read")) as http:
        async with streamed(http, serving, CHANGES) as events:
            await asyncio.sleep(0.3)
            await make.stock("MUG", on_hand=4)
            name, payload = await anext(events)
            change = payload["data"]["inventoryChanges"]
        await make.stock("MUG", on_hand=3)
        async with streamed(http, serving, CHANGES, after=change["cursor"]) as events:
            missed = await anext(events)

    assert (name, change["level"]) == ("next", {"onHand": 4})
    assert missed[1]["data"]["inventoryChanges"]["level"] == {"onHand": 3}


async def test_a_get_of_the_public_is_answered_with_events(serving: Server) -> None:
    async with (
        server_processes.client() as http,
        http.stream("GET", serving.url, params={"query": SHELF}, headers={"accept": "text/event-stream"}) as response,
    ):
        lines = response.aiter_lines()
        told = [await asyncio.wait_for(anext(lines), 10) for _ in range(2)]

    assert told == ["event: next", 'data: {"data":{"availabilityChanges":{"sku":"MUG","orderable":true}}}']
    assert response.headers["cache-control"] == "no-cache, no-transform"


async def test_a_query_is_one_event_and_the_end(serving: Server) -> None:
    async with server_processes.client() as http, streamed(http, serving, '{ product(sku: "MUG") { name } }') as events:
        told = [event async for event in events]

    assert told == [("next", {"data": {"product": {"name": "Mug"}}}), ("complete", None)]


async def test_a_query_that_prefers_json_is_answered_as_json(serving: Server) -> None:
    async with server_processes.client() as http:
        headers = {"accept": "application/json, text/event-stream"}
        answer = await http.post(serving.url, json={"query": "{ viewer { authenticated } }"}, headers=headers)

    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json() == {"data": {"viewer": {"authenticated": False}}}


async def test_a_subscription_that_wants_json_is_refused_in_plain_words(serving: Server) -> None:
    async with server_processes.client() as http:
        answer = await http.post(serving.url, json={"query": SHELF})

    assert answer.status_code == 400
    assert answer.json()["errors"] == [
        {
            "message": "A subscription cannot be sent this way: accept text/event-stream or use a websocket.",
            "extensions": {"code": "BAD_USER_INPUT"},
        }
    ]


async def test_a_bad_token_gets_no_stream(serving: Server) -> None:
    async with server_processes.client("gqls_nobody") as http:
        headers = {"accept": "text/event-stream"}
        answer = await http.post(serving.url, json={"query": SHELF}, headers=headers)

    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (401, "UNAUTHENTICATED")


async def end_token(name: str, column: str) -> None:
    """Revoke a token, or have it expire now."""
    await transactions.run(lambda: sql.execute(f"UPDATE api_token SET {column} = ? WHERE name = ?", clock.now(), name))
    # SQL tells no cache.
    await clear_cache.clear()
    assert await ApiToken.filter(name=name, **{f"{column}__isnull": False}).exists()


@pytest.mark.parametrize("column", ["revoked_at", "expires_at"])
async def test_connections_end_with_their_token_and_no_others(serving: Server, column: str) -> None:
    token = await make.token("inventory:read", name="till")
    other = await make.token("inventory:read", name="other")
    async with (
        connected(serving, token) as socket,
        connected(serving, other) as staying,
        connected(serving) as public,
        server_processes.client(token) as http,
        streamed(http, serving, CHANGES) as events,
    ):
        for one in (socket, staying):
            await subscribe(one, CHANGES)
        await subscribe(public, SHELF)
        await pushed(public)

        await end_token("till", column)
        async with asyncio.timeout(8):
            told = [event async for event in events if event[0]]
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
        await make.stock("MUG", on_hand=0)

        assert (await pushed(staying))["level"] == {"onHand": 0}
        assert await pushed(public) == {"sku": "MUG", "orderable": False}

    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4403, "The token was revoked or has expired.")
    assert told == [
        (
            "next",
            {
                "data": None,
                "errors": [
                    {
                        "message": "The token was revoked or has expired.",
                        "extensions": {"code": "UNAUTHENTICATED"},
                    }
                ],
            },
        ),
        ("complete", None),
    ]
    assert "Traceback" not in serving.log.read_text()


class Tokens:
    """Who stands behind which token, and how often that was asked."""

    def __init__(self, *good: str) -> None:
        self.good = set(good)
        self.asked: list[list[str]] = []
        self.fails = False

    async def __call__(self, tokens: Any) -> dict[str, Caller]:
        self.asked.append(sorted(tokens))
        if self.fails:
            raise ConnectionError
        return {token: Caller(token, token) for token in tokens if token in self.good}


async def test_all_tokens_in_use_are_asked_for_together_and_each_once() -> None:
    tokens = Tokens("a", "b")
    callers = Callers(tokens, seconds_between_checks=0.05)

    async with contextlib.AsyncExitStack() as stack:
        over = [await stack.enter_async_context(callers.lasting(f"Bearer {t}")) for t in ["a"] * 50 + ["b"] * 50]
        await asyncio.sleep(0.12)
        tokens.good = {"b"}
        await asyncio.sleep(0.1)

        assert [one.is_set() for one in over] == [True] * 50 + [False] * 50
    assert 3 <= len(tokens.asked) <= 5
    assert tokens.asked[0] == ["a", "b"]
    assert tokens.asked[-1] == ["b"]


async def test_nobody_is_sent_away_because_tokens_could_not_be_checked(caplog: pytest.LogCaptureFixture) -> None:
    tokens = Tokens("a")
    callers = Callers(tokens, seconds_between_checks=0.02)

    async with callers.lasting("Bearer a") as over:
        tokens.fails = True
        await asyncio.sleep(0.1)
        assert not over.is_set()

        tokens.fails, tokens.good = False, set()
        await asyncio.wait_for(over.wait(), 5)
    assert "token check failed" in caplog.text


async def test_nothing_is_asked_for_the_public_or_once_nobody_is_connected() -> None:
    tokens = Tokens("a")
    callers = Callers(tokens, seconds_between_checks=0.02)

    async with callers.lasting(None), callers.lasting("Bearer a"):
        await asyncio.sleep(0.05)
    asked = len(tokens.asked)
    await asyncio.sleep(0.1)

    assert len(tokens.asked) == asked
    assert all(one == ["a"] for one in tokens.asked)
