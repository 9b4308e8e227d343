"""Transfers on the way as clients see them."""

import json
from typing import Any

import pytest

from gqlstock.delivery import payloads
from gqlstock.rules.events import Topic, is_date_change
from gqlstock.rules.feed import START
from gqlstock.rules.ids import global_id
from gqlstock.rules.settings import BackorderMode
from gqlstock.rules.webhooks import WebhookTopic
from gqlstock.services import verification
from gqlstock.store import outbox
from gqlstock.store.db import sql
from support import shop_builders as make
from support.graphql_client import Client
from support.settled_news import settled

LINES = "lines { sku quantity received returned lost item { sku } }"
TRANSFER = f"transfer {{ number state from {{ code }} to {{ code }} expectedAt reference closedAt {LINES} }}"
NUMBERS = "{ inventoryTransfers(%s) { nodes { number } totalCount } }"


@pytest.fixture(autouse=True)
async def shop(client: Client) -> Any:
    """10 of MUG and of CUP in BERLIN."""
    for code in ("BERLIN", "HAMBURG", "PARIS"):
        await make.warehouse(code)
    await make.website("shop", warehouses=["BERLIN", "HAMBURG"])
    for sku in ("MUG", "CUP"):
        await make.product(sku)
        await make.stock(sku, "BERLIN", 10)
    yield
    assert await verification.verify() == []


def rows(**units: float) -> list[dict[str, Any]]:
    return [{"sku": sku, "quantity": quantity} for sku, quantity in units.items()]


async def shipped(client: Client, source: str = "BERLIN", to: str = "HAMBURG", **more: Any) -> dict[str, Any]:
    given = {"from": source, "to": to, "lines": rows(MUG=5), **more}
    return (await client.done("shipTransfer", TRANSFER, **given))["transfer"]


async def numbers(client: Client, arguments: str) -> list[str]:
    found = (await client.admin(NUMBERS % arguments))["inventoryTransfers"]
    assert found["totalCount"] == len(found["nodes"])
    return [node["number"] for node in found["nodes"]]


async def test_a_transfer_is_shipped_received_in_part_and_closed(client: Client) -> None:
    made = await shipped(client, expectedAt="2030-01-01T00:00:00Z", reference="TR-1", reason="rebalance")

    line = {"sku": "MUG", "quantity": 5, "received": 0, "returned": 0, "lost": 0, "item": {"sku": "MUG"}}
    assert made == {
        "number": "T100001",
        "state": "IN_TRANSIT",
        "from": {"code": "BERLIN"},
        "to": {"code": "HAMBURG"},
        "expectedAt": "2030-01-01T00:00:00Z",
        "reference": "TR-1",
        "closedAt": None,
        "lines": [line],
    }
    part = await client.done("receiveTransfer", TRANSFER, number="T100001", lines=rows(MUG=2))
    assert part["transfer"]["lines"] == [line | {"received": 2}]
    closed = await client.done("receiveTransfer", TRANSFER, number="T100001", lines=[], close=True)
    assert closed["transfer"]["lines"] == [line | {"received": 2, "lost": 3}]
    assert (closed["transfer"]["state"], closed["transfer"]["closedAt"]) != ("IN_TRANSIT", None)
    assert closed["transfer"]["expectedAt"] == "2030-01-01T00:00:00Z"
    asked = f'{{ inventoryTransfer(number: "T100001") {{ state {LINES} }} }}'
    assert (await client.admin(asked))["inventoryTransfer"]["lines"] == closed["transfer"]["lines"]


async def test_left_out_lines_are_all_that_is_on_the_way_and_null_as_well(client: Client) -> None:
    first, second = await shipped(client, lines=rows(MUG=2, CUP=1)), await shipped(client)

    one = await client.done("receiveTransfer", TRANSFER, number=first["number"])
    two = await client.done("receiveTransfer", TRANSFER, number=second["number"], lines=None)

    assert [line["received"] for line in one["transfer"]["lines"] + two["transfer"]["lines"]] == [2, 1, 5]


async def test_a_canceled_transfer_comes_back(client: Client) -> None:
    number = (await shipped(client))["number"]

    canceled = await client.done("cancelTransfer", TRANSFER, number=number, reason="flooded road")

    assert (canceled["transfer"]["state"], canceled["transfer"]["lines"][0]["returned"]) == ("CANCELED", 5)
    found = await client.admin("{ stockMovements(filter: { kinds: [TRANSFER_IN] }) { nodes { quantity reason } } }")
    assert found["stockMovements"]["nodes"] == [{"quantity": 5, "reason": "flooded road"}]


async def test_an_announcement_names_its_transfer(client: Client) -> None:
    await shipped(client)
    await client.done("announceStock", warehouse="HAMBURG", lines=rows(MUG=1))

    asked = """{ inventoryLevel(sku: "MUG", warehouse: "HAMBURG") { incoming announcements(first: 5) {
        nodes { quantity transfer { number to { code } } } } } }"""
    level = (await client.admin(asked))["inventoryLevel"]

    assert level["incoming"] == 6
    assert level["announcements"]["nodes"] == [
        {"quantity": 5, "transfer": {"number": "T100001", "to": {"code": "HAMBURG"}}},
        {"quantity": 1, "transfer": None},
    ]


async def test_the_date_of_its_announcement_is_the_transfers(client: Client) -> None:
    await shipped(client, expectedAt="2030-01-01T00:00:00Z")
    asked = """{ inventoryLevel(sku: "MUG", warehouse: "HAMBURG") { announcements(first: 5) { nodes { id } } } }"""
    (announced,) = (await client.admin(asked))["inventoryLevel"]["announcements"]["nodes"]

    await client.done("updateStockAnnouncement", id=announced["id"], expectedAt="2030-02-01T00:00:00Z")
    refused = await client.refused("updateStockAnnouncement", id=announced["id"], quantity=6)

    found = await client.admin('{ inventoryTransfer(number: "T100001") { expectedAt } }')
    assert found["inventoryTransfer"]["expectedAt"] == "2030-02-01T00:00:00Z"
    assert refused == [("INVALID_STATE", ["quantity"])]
    assert await client.refused("withdrawStockAnnouncement", id=announced["id"]) == [("INVALID_STATE", ["id"])]
    line = {"sku": "MUG", "quantity": 1, "announcement": announced["id"]}
    assert await client.refused("receiveStock", warehouse="HAMBURG", lines=[line]) == [
        ("INVALID_STATE", ["lines", "0", "announcement"])
    ]


async def test_lists_are_newest_first_and_narrowed_down(client: Client) -> None:
    await shipped(client, reference="TR-1")
    await shipped(client, to="PARIS", lines=rows(CUP=5))
    await client.done("receiveTransfer", number="T100001")
    await client.done("receiveTransfer", number="T100002", lines=rows(CUP=4))
    await shipped(client, source="PARIS", lines=rows(CUP=1))
    await client.done("cancelTransfer", number="T100003")
    await client.done("updateProduct", sku="CUP", newSku="BEAKER")
    since = (await client.admin('{ inventoryTransfer(number: "T100002") { updatedAt } }'))["inventoryTransfer"]

    assert await numbers(client, "first: 10") == ["T100003", "T100002", "T100001"]
    for chosen, expected in {
        "states: [IN_TRANSIT]": ["T100002"],
        "states: [RECEIVED, CANCELED]": ["T100003", "T100001"],
        "states: []": [],
        'warehouse: "PARIS"': ["T100003", "T100002"],
        'warehouse: "BERLIN"': ["T100002", "T100001"],
        'warehouse: "NOWHERE"': [],
        'skus: ["CUP"]': ["T100003", "T100002"],
        'skus: ["BEAKER", "MUG"]': ["T100003", "T100002", "T100001"],
        'reference: "TR-1"': ["T100001"],
        f'updatedSince: "{since["updatedAt"]}"': ["T100003", "T100002"],
    }.items():
        assert await numbers(client, f"first: 10, filter: {{ {chosen} }}") == expected, chosen


@pytest.mark.parametrize("number", ["T1", "", "100001", "T100002"])
async def test_an_unknown_number_is_no_transfer(client: Client, number: str) -> None:
    await shipped(client)

    found = await client.admin(f'{{ inventoryTransfer(number: "{number}") {{ number }} }}')

    assert found == {"inventoryTransfer": None}


@pytest.mark.parametrize(
    ("mutation", "given", "told"),
    [
        ("shipTransfer", {"from": "BERLIN", "to": "HAMBURG", "lines": rows(MUG=6)}, ["lines", "0", "quantity"]),
        ("shipTransfer", {"from": "BERLIN", "to": "BERLIN", "lines": rows(MUG=1)}, ["to"]),
        ("receiveTransfer", {"number": "T100001", "lines": rows(MUG=6)}, ["lines", "0", "quantity"]),
        ("receiveTransfer", {"number": "T100001", "lines": rows(CUP=1)}, ["lines", "0", "sku"]),
        ("receiveTransfer", {"number": "T100001", "lines": []}, ["lines"]),
        ("receiveTransfer", {"number": "T100002"}, ["number"]),
        ("cancelTransfer", {"number": "T100002"}, ["number"]),
    ],
)
async def test_what_is_refused_writes_nothing(client: Client, mutation: str, given: Any, told: list[str]) -> None:
    await shipped(client)

    assert [path for _, path in await client.refused(mutation, **given)] == [told]


async def test_a_token_for_some_warehouses_has_the_transfers_of_either_end(client: Client) -> None:
    await shipped(client)
    berlin, hamburg, paris = (client.within(code) for code in ("BERLIN", "HAMBURG", "PARIS"))

    given = {"from": "BERLIN", "to": "HAMBURG", "lines": rows(MUG=1)}
    assert await hamburg.refused("shipTransfer", caller="inventory:write", **given) == [("NOT_FOUND", ["from"])]
    assert await berlin.refused("receiveTransfer", caller="inventory:write", number="T100001") == [
        ("NOT_FOUND", ["number"])
    ]
    assert await hamburg.refused("cancelTransfer", caller="inventory:write", number="T100001") == [
        ("NOT_FOUND", ["number"])
    ]
    asked = '{ inventoryTransfer(number: "T100001") { id } inventoryTransfers(first: 5) { nodes { id } } }'
    for caller, count in ((berlin, 1), (hamburg, 1), (paris, 0)):
        found = (await caller.scoped("inventory:read", asked))["data"]
        assert len(found["inventoryTransfers"]["nodes"]) == count
        assert (found["inventoryTransfer"] is not None) == bool(count)
    own = (await client.admin(asked))["inventoryTransfer"]["id"]
    by_id = f'{{ node(id: "{own}") {{ ... on InventoryTransfer {{ number }} }} }}'
    assert (await hamburg.scoped("inventory:read", by_id))["data"]["node"] == {"number": "T100001"}
    assert (await paris.scoped("inventory:read", by_id))["data"]["node"] is None


async def test_each_change_of_a_transfer_is_one_webhook(client: Client) -> None:
    await shipped(client, expectedAt="2030-01-01T00:00:00Z")
    (row,) = await sql.query("SELECT id FROM stock_announcement")
    announced = global_id("StockAnnouncement", row["id"])
    await client.done("updateStockAnnouncement", id=announced, expectedAt="2030-02-01T00:00:00Z")
    await client.done("updateStockAnnouncement", id=announced, expectedAt="2030-02-01T00:00:00Z")
    await client.done("receiveTransfer", number="T100001", lines=rows(MUG=2))
    await client.done("receiveTransfer", number="T100001", lines=[], close=True)
    await shipped(client)
    await client.done("cancelTransfer", number="T100002")
    await settled()

    entries = await outbox.after(START, 1_000, [Topic.TRANSFER])

    assert [entry.subject for entry in entries] == [1, 1, 1, 1, 2, 2]
    told = await payloads.messages([(entry, WebhookTopic.TRANSFER_UPDATED) for entry in entries[:1]])
    assert (told[0].topic, told[0].about) == (WebhookTopic.TRANSFER_UPDATED, "transfer:1")
    body = json.loads(told[0].body)
    assert body["type"] == "transfer.updated"
    transfer = body["data"]["transfer"]
    assert transfer["createdAt"] < transfer["updatedAt"] == transfer["closedAt"]
    assert {name: transfer[name] for name in ("number", "state", "from", "to", "expectedAt", "reference", "lines")} == {
        "number": "T100001",
        "state": "RECEIVED",
        "from": "BERLIN",
        "to": "HAMBURG",
        "expectedAt": "2030-02-01T00:00:00Z",
        "reference": None,
        "lines": [{"sku": "MUG", "quantity": 5, "received": 2, "returned": 0, "lost": 3}],
    }


async def test_an_order_that_waits_is_promised_what_is_on_the_way_until_that_is_canceled(client: Client) -> None:
    await make.setting(product="MUG", backorders=BackorderMode.ALLOW)
    await make.website("north", warehouses=["HAMBURG"])
    await shipped(client, expectedAt="2030-01-01T00:00:00Z")
    placed = await client.done("placeOrder", "order { number expectedAt }", website="north", lines=rows(MUG=3))
    order = placed["order"]["number"]
    within = "expectedAt lines { allocations { announcement { transfer { number } } } }"
    asked = f'{{ order(number: "{order}") {{ {within} }} }}'

    before = (await client.admin(asked))["order"]
    await client.done("cancelTransfer", number="T100001")
    after = (await client.admin(asked))["order"]

    assert placed["order"]["expectedAt"] == before["expectedAt"] == "2030-01-01T00:00:00Z"
    assert before["lines"][0]["allocations"] == [{"announcement": {"transfer": {"number": "T100001"}}}]
    assert (after["expectedAt"], after["lines"][0]["allocations"]) == (None, [{"announcement": None}])
    news = await outbox.after(START, 1_000, [Topic.ORDER])
    assert [entry.data["expected_at"] for entry in news if is_date_change(entry.data)] == [None]
