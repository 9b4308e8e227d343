"""Any object by its id: the right one, nothing for what stands for nothing, and only for whom its own root field is."""

import base64

import pytest

from support import shop_builders as make
from support.graphql_client import codes


def made_up(text):
    return base64.urlsafe_b64encode(text.encode()).decode()


async def one_of_each(client):
    """The id of an object of every type that has one, by the type's name."""
    await make.shop()
    await make.category("all")
    await make.product("MUG", category="all")
    await make.product("SHIRT", options={"Size": ["S"]})
    await make.setting(product="MUG", notify_below=10)
    await make.stock("MUG", on_hand=5)
    await make.order("MUG", 1)
    found = await client.admin(
        """{
          product(sku: "MUG") { id } combination(sku: "SHIRT-S") { id } category(slug: "all") { id }
          organization(code: "default") { id } website(code: "shop") { id } warehouse(code: "BERLIN") { id }
          inventoryLevel(sku: "MUG", warehouse: "BERLIN") { id }
          stockMovements { nodes { id } } lowInventoryAlerts { nodes { id } }
          orders { nodes { id lines { id allocations { id } } } }
        }"""
    )
    order = found["orders"]["nodes"][0]
    return {
        "Product": found["product"]["id"],
        "Combination": found["combination"]["id"],
        "Category": found["category"]["id"],
        "Organization": found["organization"]["id"],
        "Website": found["website"]["id"],
        "Warehouse": found["warehouse"]["id"],
        "InventoryLevel": found["inventoryLevel"]["id"],
        "StockMovement": found["stockMovements"]["nodes"][0]["id"],
        "LowInventoryAlert": found["lowInventoryAlerts"]["nodes"][0]["id"],
        "Order": order["id"],
        "OrderLine": order["lines"][0]["id"],
        "Allocation": order["lines"][0]["allocations"][0]["id"],
    }


PUBLIC = {"Product", "Combination", "Category"}
ORDERS = {"Order", "OrderLine", "Allocation"}
NODES = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"


async def test_every_object_is_found_by_its_id(client):
    ids = await one_of_each(client)

    found = await client.admin(NODES, ids=list(ids.values()))

    assert found["nodes"] == [{"__typename": name, "id": node_id} for name, node_id in ids.items()]
    assert len(set(ids.values())) == len(ids)


async def test_objects_stand_in_the_order_asked_and_as_often(client):
    ids = await one_of_each(client)
    asked = [ids["Order"], ids["Product"], "nonsense", ids["Order"]]

    found = await client.admin(NODES, ids=asked)

    assert [node and node["__typename"] for node in found["nodes"]] == ["Order", "Product", None, "Order"]


@pytest.mark.parametrize("caller", ["", "catalog:read", "orders:read", "inventory:read", "orders:write"])
async def test_an_id_asks_for_the_scope_of_its_own_root_field_and_leaves_the_others(client, caller):
    ids = await one_of_each(client)

    answer = await (
        client.scoped(caller, NODES, ids=list(ids.values()))
        if caller
        else client.ask(NODES, {"ids": list(ids.values())})
    )

    allowed = PUBLIC | (ORDERS if caller == "orders:read" else set())
    allowed |= ids.keys() - PUBLIC - ORDERS if caller == "inventory:read" else set()
    assert [node and node["__typename"] for node in answer["data"]["nodes"]] == [
        name if name in allowed else None for name in ids
    ]
    code = "FORBIDDEN" if caller else "UNAUTHENTICATED"
    assert sorted(codes(answer)) == [(code, ["nodes", n]) for n, name in enumerate(ids) if name not in allowed]


async def test_one_object_that_is_not_allowed_leaves_the_rest(client):
    ids = await one_of_each(client)

    answer = await client.ask("query($id: ID!) { node(id: $id) { id } viewer { authenticated } }", {"id": ids["Order"]})

    assert codes(answer) == [("UNAUTHENTICATED", ["node"])]
    assert answer["data"] == {"node": None, "viewer": {"authenticated": False}}


@pytest.mark.parametrize(
    "told",
    [
        "",
        "nonsense",
        "ümlaut",
        "====",
        "x" * 100_000,
        made_up("Product:999999"),
        made_up("Product:-1"),
        made_up("Product:1x"),
        made_up("Product:१"),
        made_up("Product:99999999999999999999"),
        made_up("Product:"),
        made_up(":1"),
        made_up("Query:1"),
        made_up("ApiToken:1"),
        made_up("Combination:1"),
    ],
)
async def test_an_id_that_stands_for_nothing_is_null(client, told):
    await make.product("MUG")

    found = await client.admin("query($id: ID!) { node(id: $id) { id } nodes(ids: [$id]) { id } }", id=told)

    assert found == {"node": None, "nodes": [None]}


async def test_at_most_250_ids_are_asked_for(client):
    await make.product("MUG")
    mug = (await client.admin('{ product(sku: "MUG") { id } }'))["product"]["id"]

    most = await client.admin(NODES, ids=[mug] * 250)
    over = await client.scoped("admin", NODES, ids=[mug] * 251)

    assert len(most["nodes"]) == 250
    assert codes(over) == [("BAD_USER_INPUT", ["nodes"])]
