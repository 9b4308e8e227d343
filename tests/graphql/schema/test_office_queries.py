"""What the back office lists: orders and the ledger, by everything that they can be looked for by."""

import asyncio
from datetime import datetime, timedelta

import pytest

from support import shop_builders as make

ORDERS = """query($filter: OrderFilter) {
  orders(filter: $filter, sort: NUMBER, reverse: true) { nodes { number } totalCount }
}"""
MOVEMENTS = """query($filter: StockMovementFilter) {
  stockMovements(filter: $filter) { nodes { level { item { sku } warehouse { code } } quantity } totalCount }
}"""


async def three_orders(client):
    """100001 of a mug in Berlin; 100002 of a mug and a cup by e-mail; 100003 on another website from Paris."""
    await make.shop()
    await make.warehouse("PARIS")
    await make.website("fr", warehouses=["PARIS"])
    for sku, name in (("MUG", "100% mug"), ("CUP", "Cup_1")):
        await make.product(sku, name=name)
        await make.stock(sku, "BERLIN", 10)
        await make.stock(sku, "PARIS", 10)
    mug, cup = {"sku": "MUG", "quantity": 1}, {"sku": "CUP", "quantity": 2}
    await client.done("placeOrder", lines=[mug], reference=r"ERP\1")
    await client.done("placeOrder", lines=[mug, cup], customerEmail="Kim@Example.com")
    await client.done("placeOrder", lines=[cup], website="fr", reference="50%")


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (None, [1, 2, 3]),
        ({}, [1, 2, 3]),
        ({"search": "100002"}, [2]),
        ({"search": " 100003 "}, [3]),
        ({"search": "erp\\"}, [1]),
        ({"search": "%"}, [1, 2, 3]),
        ({"search": "50%"}, [3]),
        ({"search": "0% m"}, [1, 2]),
        ({"search": "p_1"}, [2, 3]),
        ({"search": "p-1"}, []),
        ({"search": "KIM@"}, [2]),
        ({"search": "cup"}, [2, 3]),
        ({"search": ""}, [1, 2, 3]),
        ({"statuses": ["PLACED"]}, [1, 2, 3]),
        ({"statuses": ["SHIPPED", "CANCELED"]}, []),
        ({"statuses": []}, []),
        ({"warehouse": "PARIS"}, [3]),
        ({"warehouse": "MARS"}, []),
        ({"website": "shop"}, [1, 2]),
        ({"reference": "50%"}, [3]),
        ({"reference": "5"}, []),
        ({"customerEmail": "kim@example.COM"}, [2]),
        ({"customerEmail": "kim@example%"}, []),
        ({"sku": "CUP"}, [2, 3]),
        ({"sku": "CUP", "website": "shop"}, [2]),
        ({"placedSince": "2000-01-01T00:00:00Z", "placedUntil": "2999-01-01T00:00:00Z"}, [1, 2, 3]),
        ({"placedUntil": "2000-01-01T00:00:00Z"}, []),
        ({"updatedSince": "2999-01-01T00:00:00Z"}, []),
    ],
)
async def test_orders_are_found(client, chosen, expected):
    await three_orders(client)

    found = (await client.scoped("orders:read", ORDERS, filter=chosen))["data"]["orders"]

    assert [node["number"] for node in found["nodes"]] == [str(100_000 + number) for number in expected]
    assert found["totalCount"] == len(expected)


async def test_a_span_of_time_begins_at_its_start_and_ends_before_its_end(client):
    await three_orders(client)
    placed = (await client.admin('{ order(number: "100002") { placedAt } }'))["order"]["placedAt"]
    written = (await client.admin("{ stockMovements(last: 1) { nodes { createdAt } } }"))["stockMovements"]["nodes"]
    later = (datetime.fromisoformat(placed) + timedelta(microseconds=1)).isoformat()

    found = await client.admin(ORDERS, filter={"placedSince": placed, "placedUntil": later})
    first = await client.admin(MOVEMENTS, filter={"until": written[0]["createdAt"]})

    assert found["orders"]["nodes"] == [{"number": "100002"}]
    assert first["stockMovements"]["totalCount"] == 0


async def test_movements_of_a_span_of_time_are_paged_newest_first(client):
    await three_orders(client)
    query = """query($after: String, $filter: StockMovementFilter) {
      stockMovements(first: 2, after: $after, filter: $filter) { nodes { id } pageInfo { endCursor hasNextPage } }
    }"""
    everything = (await client.admin("{ stockMovements { nodes { id } } }"))["stockMovements"]["nodes"]

    seen, after, more = [], None, True
    while more:
        since = {"since": "2000-01-01T00:00:00Z", "until": "2999-01-01T00:00:00Z"}
        page = (await client.admin(query, after=after, filter=since))["stockMovements"]
        seen += page["nodes"]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]

    assert seen == everything
    assert len(seen) > 4


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({"skus": ["CUP"], "kinds": ["SALE"]}, ["CUP@PARIS -2", "CUP@BERLIN -2"]),
        ({"warehouses": ["PARIS"]}, ["CUP@PARIS -2", "CUP@PARIS 10", "MUG@PARIS 10"]),
        ({"order": "100002"}, ["CUP@BERLIN -2", "MUG@BERLIN -1"]),
        ({"order": "nonsense"}, []),
        ({"reference": "NONE"}, []),
        ({"skus": []}, []),
        ({"kinds": []}, []),
        ({"since": "2999-01-01T00:00:00Z"}, []),
    ],
)
async def test_movements_are_found_newest_first(client, chosen, expected):
    await three_orders(client)

    found = (await client.scoped("inventory:read", MOVEMENTS, filter=chosen))["data"]["stockMovements"]

    told = [f"{n['level']['item']['sku']}@{n['level']['warehouse']['code']} {n['quantity']}" for n in found["nodes"]]
    assert told == expected
    assert found["totalCount"] == len(expected)


async def test_what_is_set_at_one_place_at_once_is_all_kept(client):
    await make.product("MUG")
    given = {
        "upcoming": True,
        "returnable": False,
        "notifyBelow": 3,
        "backorders": "ALLOW",
        "availabilityRange": "soon",
    }

    await asyncio.gather(
        *(
            client.done("setInventorySettings", scope={"product": "MUG"}, settings={name: v})
            for name, v in given.items()
        )
    )

    found = await client.admin('{ inventorySettings(scope: { product: "MUG" }) { own } }')
    assert found["inventorySettings"]["own"] == given
