"""Callers with a token of the shop's identity provider, over HTTP, server-sent events and websockets."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from gqlstock.adapters.identity_provider import IdentityProvider
from gqlstock.app import create_app
from gqlstock.config import Config
from gqlstock.services import identities, tokens
from gqlstock.store.db.connection import DatabaseUrl
from gqlstock.store.inventory import StockMovement
from support import identity_provider, server_processes
from support import shop_builders as make
from support.graphql_client import Client, codes
from support.identity_provider import Provider
from support.server_processes import Server
from support.subscriptions import connected, pushed, streamed, subscribe

WHO = "{ viewer { name authenticated scopes warehouses } }"
COUNT = """mutation ($key: String, $to: String!) {
  setStock(input: { idempotencyKey: $key, counts: [{ sku: "MUG", warehouse: $to, onHand: 3 }] }) {
    movements { id actor quantity } userErrors { code }
  }
}"""
CHANGES = "subscription { inventoryChanges { level { warehouse { code } onHand } } }"


@pytest.fixture
async def there() -> AsyncIterator[Provider]:
    async with identity_provider.providing() as made:
        yield made


@pytest.fixture
async def client(db: None, database_url: DatabaseUrl, there: Provider) -> AsyncIterator[Client]:
    app = create_app(replace(Config.from_env(os.environ), database=database_url, jwt_issuer=there.issuer))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gqlstock") as http:
        yield Client(http)


@pytest.fixture
async def two(db: None) -> None:
    """MUG in BERLIN and in HAMBURG."""
    await make.warehouse("BERLIN")
    await make.warehouse("HAMBURG")
    await make.website("shop", warehouses=["BERLIN", "HAMBURG"])
    await make.product("MUG")
    await make.stock("MUG", "BERLIN", 5)
    await make.stock("MUG", "HAMBURG", 7)


@pytest.fixture
async def serving(two: None, there: Provider, database_env: dict[str, str], tmp_path: Path) -> AsyncIterator[Server]:
    async with server_processes.running(database_env | there.env, tmp_path) as started:
        yield started


async def status(client: Client, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return (await client.http.post("/graphql", json={"query": WHO}, headers=headers)).status_code


async def test_a_caller_is_who_the_claims_say(client: Client, there: Provider) -> None:
    token = there.token(scope="openid inventory:read orders:write", preferred_username="ada")

    found = await client.ask(WHO, token=token)

    assert found["data"]["viewer"] == {
        "name": "ada",
        "authenticated": True,
        "scopes": ["inventory:read", "orders:write"],
        "warehouses": None,
    }


async def test_a_caller_without_a_scope_that_is_known_may_what_nobody_forbids(client: Client, there: Provider) -> None:
    answer = await client.ask("{ viewer { scopes } warehouses { totalCount } }", token=there.token(scope="openid"))

    assert answer["data"] == {"viewer": {"scopes": []}, "warehouses": None}
    assert codes(answer) == [("FORBIDDEN", ["warehouses"])]


async def test_a_token_that_the_provider_does_not_vouch_for_is_refused(client: Client, there: Provider) -> None:
    good = there.token()

    assert await status(client, good) == 200
    assert await status(client, there.token(lasts=-60)) == 401
    assert await status(client, there.token(iss="https://evil.example")) == 401
    assert await status(client, f"{good[:-4]}AAAA") == 401
    assert await status(client, there.token(sub="x" * 251)) == 401
    assert await status(client, "a.b.c") == 401


async def test_while_the_provider_is_away_there_is_a_refusal_and_no_failure(client: Client, there: Provider) -> None:
    there.told = 500

    assert await status(client, there.token()) == 401
    assert await status(client, await make.token()) == 200


async def test_without_a_provider_its_tokens_are_of_nobody(
    db: None, database_url: DatabaseUrl, there: Provider
) -> None:
    app = create_app(replace(Config.from_env(os.environ), database=database_url))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gqlstock") as http:
        assert await status(Client(http), there.token()) == 401
    assert there.asked == 0


@pytest.mark.usefixtures("two")
async def test_idempotency_keys_belong_to_the_subject(client: Client, there: Provider) -> None:
    writes = {"scope": "inventory:write"}
    ada, later = (there.token(sub="u-1", preferred_username=name, **writes) for name in ("ada", "ada.lovelace"))
    bob = there.token(sub="u-2", preferred_username="ada", **writes)
    given = {"key": "k", "to": "BERLIN"}

    first = await client.ask(COUNT, given, token=ada)
    again = await client.ask(COUNT, given, token=later)
    another = await client.ask(COUNT, given, token=bob)

    assert [(one["actor"], one["quantity"]) for one in first["data"]["setStock"]["movements"]] == [("ada", -2)]
    assert again == first
    assert another["data"]["setStock"] == {"movements": [], "userErrors": []}
    assert await StockMovement.filter(actor="ada.lovelace").count() == 0


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("claim", [["BERLIN"], "BERLIN", ["BERLIN", "PARIS"]])
async def test_a_claim_of_warehouses_limits_a_caller_to_them(client: Client, there: Provider, claim: object) -> None:
    token = there.token(scope="inventory:read inventory:write", warehouses=claim)

    seen = await client.ask(
        "{ viewer { warehouses } inventoryLevels { nodes { warehouse { code } onHand } } }", token=token
    )
    moved = await client.ask(COUNT, {"to": "HAMBURG"}, token=token)

    assert seen["data"] == {
        "viewer": {"warehouses": ["BERLIN"]},
        "inventoryLevels": {"nodes": [{"warehouse": {"code": "BERLIN"}, "onHand": 5}]},
    }
    assert moved["data"]["setStock"] == {"movements": [], "userErrors": [{"code": "NOT_FOUND"}]}


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("claim", [[], None, "", ["PARIS"], {"all": True}])
async def test_a_claim_that_names_no_warehouse_there_is_lets_none_be_seen(
    client: Client, there: Provider, claim: object
) -> None:
    token = there.token(scope="admin", warehouses=claim)

    seen = await client.ask("{ viewer { warehouses } inventoryLevels { totalCount } }", token=token)

    assert seen["data"] == {"viewer": {"warehouses": []}, "inventoryLevels": {"totalCount": 0}}


@pytest.mark.usefixtures("two")
async def test_both_kinds_of_token_are_found_together(there: Provider, db: None) -> None:
    trusted = IdentityProvider(there.issuer)
    ours, theirs = await tokens.create("till", ["admin"]), there.token(sub="u-1", warehouses="BERLIN")

    found = await identities.callers([ours, theirs, "gqls_nobody", "a.b.c"], trusted.claims)

    assert {token: caller.name for token, caller in found.items()} == {ours: "till", theirs: "u-1"}
    await trusted.aclose()


async def test_connections_end_with_their_token_and_no_others(serving: Server, there: Provider) -> None:
    # Half a minute after its end a token is not taken any more.
    ending = there.token(sub="ending", lasts=-24)
    staying = there.token(sub="staying", warehouses=["HAMBURG"])
    async with (
        connected(serving, ending) as socket,
        connected(serving, staying) as other,
        server_processes.client(ending) as http,
        streamed(http, serving, CHANGES) as events,
    ):
        await subscribe(socket, CHANGES)
        await subscribe(other, CHANGES)
        await make.stock("MUG", "BERLIN", 1)
        assert await pushed(socket) == {"level": {"warehouse": {"code": "BERLIN"}, "onHand": 1}}

        async with asyncio.timeout(15):
            told = [event async for event in events if event[0]]
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
        await make.stock("MUG", "HAMBURG", 2)

        assert await pushed(other) == {"level": {"warehouse": {"code": "HAMBURG"}, "onHand": 2}}

    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4403, "The token was revoked or has expired.")
    assert [event for event, _ in told] == ["next", "next", "complete"]
    assert told[0][1]["data"] == {"inventoryChanges": {"level": {"warehouse": {"code": "BERLIN"}, "onHand": 1}}}
    assert told[1][1]["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}


async def test_a_websocket_is_not_opened_with_a_token_that_is_not_vouched_for(serving: Server, there: Provider) -> None:
    for token in (there.token(lasts=-60), "a.b.c"):
        with pytest.raises(ConnectionClosed) as closed:
            async with connected(serving, token):
                pass
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4403
    assert "Traceback" not in serving.log.read_text()
