import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.scopes import SYSTEM
from gqlstock.services import alerts
from gqlstock.store.alerts import LowInventoryAlert
from support import server_processes, subscriptions
from support import shop_builders as make
from support.server_processes import Server
from support.subscriptions import connected, received, send

ALERTS = """subscription ($filter: LowInventoryAlertFilter, $after: String) {
  lowInventoryAlerts(filter: $filter, after: $after) {
    cursor changedAt
    alert { sku quantityLeft threshold state acknowledgedBy warehouse { code } item { name } }
  }
}"""


@pytest.fixture
async def shop(db: None) -> None:
    """MUG and CUP, 10 each in BERLIN, watched below 5; 10 of MUG in HAMBURG watched by itself."""
    await make.warehouse("BERLIN")
    await make.warehouse("HAMBURG")
    await make.website("shop", warehouses=["BERLIN", "HAMBURG"])
    for sku in ("MUG", "CUP"):
        await make.product(sku)
        await make.stock(sku, "BERLIN", 10)
    await make.setting(notify_below=5)


@pytest.fixture
async def serving(shop: None, database_env: dict[str, str], tmp_path: Path) -> AsyncIterator[Server]:
    async with server_processes.running(database_env, tmp_path) as started:
        yield started


async def subscribe(socket: ClientConnection, id: str = "1", query: str = ALERTS, **variables: Any) -> None:
    await subscriptions.subscribe(socket, query, id, **variables)


async def next_alert(socket: ClientConnection, id: str = "1") -> dict[str, Any]:
    message = await received(socket)
    assert (message["type"], message["id"]) == ("next", id), message
    change: dict[str, Any] = message["payload"]["data"]["lowInventoryAlerts"]
    return change


async def next_alerts(socket: ClientConnection, count: int) -> list[tuple[str, int, str]]:
    changes = [await next_alert(socket) for _ in range(count)]
    return [(c["alert"]["sku"], c["alert"]["quantityLeft"], c["alert"]["state"]) for c in changes]


async def test_an_alert_arrives_with_all_that_is_asked_of_it(serving: Server) -> None:
    async with connected(serving, await make.token("inventory:read")) as socket:
        await subscribe(socket)
        await make.stock("MUG", "BERLIN", 3)

        change = await next_alert(socket)

    assert change["alert"] == {
        "sku": "MUG",
        "quantityLeft": 3,
        "threshold": 5,
        "state": "RAISED",
        "acknowledgedBy": None,
        "warehouse": None,
        "item": {"name": "Mug"},
    }
    assert change["changedAt"].endswith("Z")


async def test_raising_taking_on_and_resolving_are_one_push_each(serving: Server) -> None:
    async with connected(serving, await make.token("inventory:read")) as socket:
        await subscribe(socket)
        await make.stock("MUG", "BERLIN", 3)
        await alerts.acknowledge(SYSTEM, GivenId((await LowInventoryAlert.get()).id, ""))
        await make.stock("MUG", "BERLIN", 8)

        changes = [await next_alert(socket) for _ in range(3)]

    assert [(c["alert"]["state"], c["alert"]["acknowledgedBy"]) for c in changes] == [
        ("RAISED", None),
        ("RAISED", "gqlstock"),
        ("RESOLVED", "gqlstock"),
    ]
    assert len({c["cursor"] for c in changes}) == 3


async def test_a_client_that_reconnects_with_its_last_cursor_gets_the_rest(serving: Server) -> None:
    token = await make.token("inventory:read")
    async with connected(serving, token) as socket:
        await subscribe(socket)
        await make.stock("MUG", "BERLIN", 3)
        last = (await next_alert(socket))["cursor"]
    await make.stock("MUG", "BERLIN", 9)
    await make.stock("CUP", "BERLIN", 1)

    async with connected(serving, token) as socket:
        await subscribe(socket, after=last)
        missed = await next_alerts(socket, 2)
        await make.stock("CUP", "BERLIN", 7)
        new = await next_alerts(socket, 1)

    assert missed == [("MUG", 3, "RESOLVED"), ("CUP", 1, "RAISED")]
    assert new == [("CUP", 1, "RESOLVED")]


async def test_a_restart_of_the_server_loses_no_alert(shop: None, database_env: dict[str, str], tmp_path: Path) -> None:
    token = await make.token("inventory:read")
    async with server_processes.running(database_env, tmp_path) as first, connected(first, token) as socket:
        await subscribe(socket)
        await make.stock("MUG", "BERLIN", 3)
        last = (await next_alert(socket))["cursor"]
    await make.stock("CUP", "BERLIN", 1)

    async with server_processes.running(database_env, tmp_path) as second, connected(second, token) as socket:
        await subscribe(socket, after=last)

        assert await next_alerts(socket, 1) == [("CUP", 1, "RAISED")]


async def test_filters_let_through_only_what_they_name(serving: Server) -> None:
    await make.stock("MUG", "HAMBURG", 10)
    await make.setting(level=("MUG", "HAMBURG"), notify_below=5)
    async with connected(serving, await make.token("inventory:read")) as socket:
        await subscribe(socket, "sku", filter={"skus": ["CUP"]})
        await subscribe(socket, "state", filter={"state": "RESOLVED"})
        await subscribe(socket, "warehouse", filter={"warehouses": ["HAMBURG"]})
        await subscribe(socket, "acknowledged", filter={"acknowledged": True})

        await make.stock("CUP", "BERLIN", 4)
        await make.stock("MUG", "HAMBURG", 4)
        (alert,) = await LowInventoryAlert.filter(sku="CUP")
        await alerts.acknowledge(SYSTEM, GivenId(alert.id, ""))
        await make.stock("CUP", "BERLIN", 6)
        messages = [await received(socket) for _ in range(6 + 1)]

    heard: dict[str, list[tuple[str, str]]] = {}
    for message in messages:
        alert = message["payload"]["data"]["lowInventoryAlerts"]["alert"]
        heard.setdefault(message["id"], []).append((alert["sku"], alert["state"]))
    assert heard == {
        "sku": [("CUP", "RAISED"), ("CUP", "RAISED"), ("CUP", "RESOLVED")],
        "state": [("CUP", "RESOLVED")],
        "warehouse": [("MUG", "RAISED")],
        "acknowledged": [("CUP", "RAISED"), ("CUP", "RESOLVED")],
    }


async def test_the_end_of_one_subscription_leaves_the_others(serving: Server) -> None:
    async with connected(serving, await make.token("inventory:read")) as socket:
        await subscribe(socket, "1")
        await subscribe(socket, "2")
        await send(socket, id="1", type="complete")
        await asyncio.sleep(0.1)
        await make.stock("MUG", "BERLIN", 3)

        assert (await next_alert(socket, "2"))["alert"]["sku"] == "MUG"


async def test_whoever_has_no_good_token_is_not_let_in(serving: Server) -> None:
    codes = [
        await code_of_closing(serving, payload)
        for payload in (
            {"Authorization": "Bearer gqls_nobody"},
            {"Authorization": "Basic abc"},
            {"Authorization": 7},
            [],
            "x",
        )
    ]

    assert codes == [4403, 4403, 4403, 4400, 4400]
    assert "Traceback" not in serving.log.read_text()


async def code_of_closing(serving: Server, payload: object) -> int:
    async with connect(serving.websocket_url, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
        await send(socket, type="connection_init", payload=payload)
        with pytest.raises(ConnectionClosed) as closed:
            await received(socket)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


async def test_without_the_scope_or_with_a_bad_cursor_there_is_an_error_with_its_code(serving: Server) -> None:
    async with connected(serving) as socket:
        assert await code_of_error(socket) == "UNAUTHENTICATED"
    async with connected(serving, await make.token("orders:read", name="orders")) as socket:
        assert await code_of_error(socket) == "FORBIDDEN"
    async with connected(serving, await make.token("inventory:read", name="inventory")) as socket:
        assert await code_of_error(socket, after="nonsense") == "INVALID_CURSOR"


async def code_of_error(socket: ClientConnection, **variables: Any) -> str:
    await subscribe(socket, **variables)
    message = await received(socket)
    (error,) = message["payload"] if message["type"] == "error" else message["payload"]["errors"]
    code: str = error["extensions"]["code"]
    return code


async def test_news_of_one_process_reaches_the_subscribers_of_another(
    shop: None, database_env: dict[str, str], tmp_path: Path
) -> None:
    """The order is placed at one server, the dashboard hangs on the other; on SQLite they find out by looking."""
    token = await make.token()
    place = 'mutation { placeOrder(input: { lines: [{ sku: "MUG", quantity: 8 }] }) { userErrors { message } } }'
    async with (
        server_processes.running(database_env, tmp_path) as here,
        server_processes.running(database_env, tmp_path) as there,
        connected(there, token) as socket,
        server_processes.client(token) as http,
    ):
        await subscribe(socket)
        await server_processes.ask(http, here, place)

        assert await next_alerts(socket, 1) == [("MUG", 2, "RAISED")]
