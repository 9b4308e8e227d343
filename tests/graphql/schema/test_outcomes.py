"""What was written is known from the answer, whatever of the answer fails or may not be seen."""

from typing import Any

import httpx
import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, get_named_type, is_leaf_type, is_required_argument

from gqlstock.app import create_app
from gqlstock.config import Config
from gqlstock.rules import ids
from gqlstock.rules.limits import Limits
from gqlstock.rules.settings import SettingScope
from gqlstock.services import settings
from gqlstock.services.settings import PlaceSettings, SettingTarget
from gqlstock.store.db import sql
from gqlstock.store.db.connection import DatabaseUrl
from gqlstock.store.db.outages import Unavailable
from support import shop_builders as make
from support.graphql_client import ERRORS, Client, codes
from support.needed_scopes import NEEDED, SCHEMA

DEEP = 5


def everything(kind: Any, above: tuple[str, ...] = ()) -> str:
    """A selection of all fields of a type, and of all below them."""
    if isinstance(kind, GraphQLInterfaceType) and kind.name != "UserError":
        return "__typename " + " ".join(f"... on {one.name} {{ {everything(one, above)} }}" for one in possible(kind))
    fields = ["__typename"]
    for name, field in kind.fields.items():
        below = get_named_type(field.type)
        if any(is_required_argument(argument) for argument in field.args.values()):
            continue
        paged = "(first: 2)" if "first" in field.args else ""
        if is_leaf_type(below):
            fields.append(name)
        elif len(above) < DEEP and below.name not in above:
            fields.append(f"{name}{paged} {{ {everything(below, (*above, kind.name))} }}")
    return " ".join(fields)


def possible(kind: GraphQLInterfaceType) -> list[GraphQLObjectType]:
    return sorted(SCHEMA.get_possible_types(kind), key=lambda one: one.name)


async def opening(client: Client) -> dict[str, Any]:
    """A shop with some of everything, and what mutations need to know of it."""
    await make.warehouse("BERLIN")
    await make.warehouse("LYON")
    await make.website("shop", warehouses=["BERLIN", "LYON"])
    await make.category("kitchen")
    await make.category("empty")
    for sku in ("MUG", "OLD"):
        await make.product(sku, category="kitchen")
    await make.product("SHIRT", options={"Size": ["S", "M"]}, combinations=False)
    await make.product("SOCKS", options={"Size": ["S", "M"]})
    await make.product("SOLD")
    await make.stock("MUG", on_hand=50)
    await make.stock("MUG", "LYON", 5)
    await make.stock("OLD", on_hand=0)
    await make.stock("SOLD", on_hand=0)
    await make.setting(product="MUG", notify_below=50)
    line = [{"sku": "MUG", "quantity": 2}]
    found: dict[str, Any] = {"line": line}
    for name in ("placed", "packed", "ready", "shipped", "canceled"):
        order = await client.done("placeOrder", "order { number }", lines=line, customerEmail="ada@shop.example")
        found[name] = order["order"]["number"]
        if name in ("ready", "shipped", "canceled"):
            made = await client.done("createShipment", "shipment { number }", order=found[name], warehouse="BERLIN")
            found[f"{name} shipment"] = made["shipment"]["number"]
    await client.done("shipShipment", number=found["shipped shipment"])
    found["hold"] = (await client.done("holdStock", "hold { id }", lines=line))["hold"]["id"]
    await make.setting(product="SOLD", insufficient_stock="HOLD_ORDER")
    parked = await client.done("placeOrder", "order { number }", lines=[{"sku": "SOLD", "quantity": 1}])
    found["parked"] = parked["order"]["number"]
    await make.stock("SOLD", on_hand=9)
    announced = """inventoryLevels { announcements { nodes { id } } }"""
    coming = await client.done("announceStock", announced, warehouse="BERLIN", lines=line)
    found["announcement"] = coming["inventoryLevels"][0]["announcements"]["nodes"][0]["id"]
    moved = {"from": "BERLIN", "to": "LYON", "lines": line}
    for name in ("received", "called off"):
        sent = await client.done("shipTransfer", "transfer { number }", **moved)
        found[f"{name} transfer"] = sent["transfer"]["number"]
    alerts = await client.admin("{ lowInventoryAlerts { nodes { id } } }")
    found["alert"] = alerts["lowInventoryAlerts"]["nodes"][0]["id"]
    return found


def given(name: str, there: dict[str, Any]) -> dict[str, Any]:
    """An input that is done."""
    line = there["line"]
    inputs: dict[str, dict[str, Any]] = {
        "createProduct": {"sku": "CUP", "name": "Cup", "category": "kitchen"},
        "updateProduct": {"sku": "MUG", "name": "Large mug"},
        "deleteProduct": {"sku": "OLD"},
        "upsertProducts": {"products": [{"sku": "CUP", "name": "Cup"}, {"sku": "MUG", "barcode": "5"}]},
        "createCombination": {"product": "SHIRT", "options": [{"name": "Size", "value": "S"}]},
        "generateCombinations": {"product": "SHIRT"},
        "updateCombination": {"sku": "SOCKS-S", "barcode": "5"},
        "deleteCombination": {"sku": "SOCKS-M"},
        "createCategory": {"slug": "new", "name": "New", "parent": "kitchen"},
        "updateCategory": {"slug": "kitchen", "name": "Kitchens"},
        "deleteCategory": {"slug": "empty"},
        "createOrganization": {"code": "acme", "name": "Acme", "warehouses": [{"warehouse": "BERLIN"}]},
        "updateOrganization": {"code": "default", "warehouses": [{"warehouse": "BERLIN"}]},
        "createWebsite": {"code": "b2b", "name": "B2B", "warehouses": [{"warehouse": "BERLIN"}]},
        "updateWebsite": {"code": "shop", "name": "The shop"},
        "createWarehouse": {"code": "PARIS", "name": "Paris", "address": {"city": "Paris"}},
        "updateWarehouse": {"code": "LYON", "name": "Lyons"},
        "setInventorySettings": {"scope": {"product": "MUG"}, "settings": {"upcoming": True}},
        "adjustStock": {"changes": [{"sku": "MUG", "warehouse": "BERLIN", "delta": 1}]},
        "setStock": {"counts": [{"sku": "MUG", "warehouse": "BERLIN", "onHand": 60}]},
        "transferStock": {"from": "BERLIN", "to": "LYON", "lines": line},
        "shipTransfer": {"from": "BERLIN", "to": "LYON", "lines": line},
        "receiveTransfer": {"number": there["received transfer"]},
        "cancelTransfer": {"number": there["called off transfer"]},
        "announceStock": {"warehouse": "BERLIN", "lines": line},
        "receiveStock": {"warehouse": "BERLIN", "lines": line},
        "setInventoryStatus": {"sku": "MUG", "status": "DISCONTINUED"},
        "withdrawStockAnnouncement": {"id": there["announcement"]},
        "updateStockAnnouncement": {"id": there["announcement"], "quantity": 5, "expectedAt": "2035-01-01T00:00:00Z"},
        "deleteInventoryLevel": {"sku": "OLD", "warehouse": "BERLIN"},
        "acknowledgeLowInventoryAlert": {"id": there["alert"]},
        "placeOrder": {"lines": line, "customerEmail": "ada@shop.example"},
        "cancelOrder": {"number": there["placed"]},
        "moveAllocations": {
            "number": there["placed"],
            "lines": [{"sku": "MUG", "quantity": 1, "from": "BERLIN", "to": "LYON"}],
        },
        "editOrder": {
            "number": there["placed"],
            "add": [{"sku": "SOLD", "quantity": 1}],
            "change": [{"sku": "MUG", "quantity": 3}],
        },
        "retryOrder": {"number": there["parked"]},
        "createShipment": {"order": there["packed"], "warehouse": "BERLIN"},
        "shipShipment": {"number": there["ready shipment"]},
        "cancelShipment": {"number": there["canceled shipment"]},
        "returnItems": {"order": there["shipped"], "lines": line},
        "holdStock": {"lines": line},
        "releaseStockHold": {"id": there["hold"]},
        "subscribeToBackInStock": {"sku": "OLD", "email": "ada@shop.example"},
    }
    return inputs[name]


# Webhooks are read with the scope that writes them; a token to unsubscribe is in a letter alone, and leads to the same.
TRIED = [
    name
    for name in SCHEMA.mutation_type.fields
    if NEEDED.get(name) != "webhooks:write" and name != "unsubscribeFromBackInStock"
]


@pytest.mark.parametrize("name", TRIED)
async def test_what_a_mutation_wrote_is_in_its_answer_though_its_token_may_read_nothing(
    client: Client, name: str
) -> None:
    there = await opening(client)
    payload = get_named_type(SCHEMA.mutation_type.fields[name].type)
    kind = f"{name[0].upper()}{name[1:]}Input"
    query = f"mutation($input: {kind}!) {{ {name}(input: $input) {{ {everything(payload)} }} }}"

    answer = await client.scoped(NEEDED.get(name, "catalog:write"), query, input=given(name, there))

    found = answer["data"][name]
    assert found["userErrors"] == []
    assert {code for code, _ in codes(answer)} <= {"FORBIDDEN"}
    assert [part for part, value in found.items() if value is None] == []


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("placeOrder", 'lines: [{ sku: "MUG", quantity: 1 }]'),
        ("holdStock", 'lines: [{ sku: "MUG", quantity: 1 }]'),
        ("subscribeToBackInStock", 'sku: "OLD", email: "ada@shop.example"'),
    ],
)
async def test_what_the_public_wrote_is_in_its_answer_though_it_may_read_nothing(
    client: Client, db: None, database_url: DatabaseUrl, name: str, asked: str
) -> None:
    await opening(client)
    payload = get_named_type(SCHEMA.mutation_type.fields[name].type)
    # As much as a document of the public may have in it.
    query = f"mutation {{ {name}(input: {{ {asked} }}) {{ {everything(payload, ('',) * (DEEP - 3))} }} }}"
    app = create_app(
        Config(database=database_url, public_orders=True, limits=Limits(complexity=1_000_000, fields=9_000))
    )

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gqlstock") as http:
        answer = await Client(http).ask(query)

    found = answer["data"][name]
    assert found["userErrors"] == []
    assert {code for code, _ in codes(answer)} <= {"UNAUTHENTICATED"}
    assert [part for part, value in found.items() if value is None] == []


async def test_an_error_says_that_the_mutation_around_it_is_committed_and_what_it_made(client: Client) -> None:
    await make.shop()
    query = """mutation { one: createProduct(input: { sku: "MUG", name: "Mug" }) {
      product { sku combinations(first: 999) { totalCount } } userErrors { code } } }"""

    answer = await client.scoped("admin", query)

    assert answer["data"] == {"one": {"product": None, "userErrors": []}}
    assert answer["errors"][0]["path"] == ["one", "product", "combinations"]
    assert answer["errors"][0]["extensions"] == {
        "code": "BAD_USER_INPUT",
        "committed": True,
        "id": ids.global_id("Product", 1),
    }
    assert (await client.admin('{ product(sku: "MUG") { id } }'))["product"]["id"] == ids.global_id("Product", 1)


async def test_an_order_that_was_placed_is_known_to_be_though_a_table_cannot_be_read(client: Client) -> None:
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG")
    query = """mutation { placeOrder(input: { lines: [{ sku: "MUG", quantity: 2 }] }) {
      order { id number shipments { number } } userErrors { code } } }"""

    await sql.execute("ALTER TABLE shipment RENAME TO shipment_away")
    answer = await client.scoped("orders:write", query)
    await sql.execute("ALTER TABLE shipment_away RENAME TO shipment")

    assert answer["data"] == {"placeOrder": {"order": None, "userErrors": []}}
    (error,) = answer["errors"]
    placed = ids.global_id("Order", 1)
    assert error["path"] == ["placeOrder", "order", "shipments"]
    assert error["extensions"] == {"code": "INTERNAL", "committed": True, "id": placed}
    found = await client.admin(f'{{ node(id: "{placed}") {{ ... on Order {{ number lines {{ quantity }} }} }} }}')
    assert found["node"] == {"number": "100001", "lines": [{"quantity": 2}]}


async def test_an_answer_that_cannot_be_read_after_the_commit_says_so(client: Client) -> None:
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG")
    query = """mutation { placeOrder(input: { lines: [{ sku: "MUG", quantity: 2 }] }) { order { number } } }"""
    await client.admin(query)
    made = """mutation { createShipment(input: { order: "100001", warehouse: "BERLIN" }) { shipment { number items {
      quantity } } } }"""

    refused = await client.scoped("orders:write", made.replace("100001", "7"))
    answer = await client.scoped(
        "orders:write", made.replace("quantity", 'line { item { availability(website: "x") { sku } } }')
    )

    assert "errors" not in refused
    assert refused["data"]["createShipment"]["shipment"] is None
    assert answer["data"]["createShipment"]["shipment"]["number"]
    assert answer["errors"][0]["extensions"] == {
        "code": "BAD_USER_INPUT",
        "committed": True,
        "id": ids.global_id("Shipment", 1),
    }


async def test_what_was_refused_is_not_said_to_be_committed(client: Client) -> None:
    await make.shop()
    query = f"""mutation {{
      one: adjustStock(input: {{ changes: [{{ sku: "MUG", warehouse: "BERLIN", delta: 1 }}] }}) {{ {ERRORS} }}
      two: createProduct(input: {{ sku: "MUG", name: "Mug" }}) {{ product {{ sku }} }}
    }}"""

    answer = await client.scoped("catalog:write", query)

    assert [(error["path"], error["extensions"]) for error in answer["errors"]] == [(["one"], {"code": "FORBIDDEN"})]


async def test_settings_that_cannot_be_read_after_the_commit_are_said_to_be_committed(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_: SettingTarget) -> PlaceSettings:
        raise Unavailable("the database is unavailable")

    query = """mutation { setInventorySettings(input: { scope: { system: true }, settings: { notifyBelow: 5 } }) {
      settings { own } } }"""
    with monkeypatch.context() as during:
        during.setattr(settings, "at", away)
        answer = await client.scoped("settings:write", query)

    assert answer["errors"][0]["extensions"] == {"code": "INTERNAL", "retryAfter": 2, "committed": True}
    assert (await settings.at(SettingTarget(SettingScope.SYSTEM))).own == {"notify_below": 5}
