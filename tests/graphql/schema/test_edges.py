"""Whatever way leads to an object, it asks for the scope of the root field that gives it; each exception has its reason.

The ways are walked as each caller may go them: the public, which may place orders here, and a token of each scope alone.
"""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from graphql import GraphQLObjectType, GraphQLUnionType, get_named_type, is_composite_type

from gqlstock.app import create_app
from gqlstock.config import Config
from gqlstock.graphql.schema.root import build
from gqlstock.rules.scopes import Scope
from gqlstock.store.db.connection import DatabaseUrl
from support import shop_builders as make
from support.graphql_client import Client, codes
from support.needed_scopes import NEEDED, NODES, PUBLIC, SCHEMA, SUBSCRIPTIONS
from support.subscriptions import open_shop

SHOPPER = "access token"
"""Stands for the public with the access token of an order."""
BY_ACCESS_TOKEN = "orderByToken orderChangesByToken"
CALLERS = [None, SHOPPER, *(scope.value for scope in Scope if scope is not Scope.ADMIN)]
PUBLIC_ORDERS = "placeOrder holdStock releaseStockHold"
ROOTS = {"Query": SCHEMA.query_type, "Mutation": SCHEMA.mutation_type, "Subscription": SCHEMA.subscription_type}

BY_TOKEN = "Query.orderByToken Subscription.orderChangesByToken OrderChange.order"
ANSWERS = """OrderPayload.order ShipmentPayload.shipment StockHoldPayload.hold BackInStockPayload.subscription
  StockPayload.inventoryLevels StockPayload.movements LowInventoryAlertPayload.alert OrganizationPayload.organization
  WebsitePayload.website WarehousePayload.warehouse SettingsPayload.settings InventoryTransferPayload.transfer"""
WITHIN_AN_ORDER = """Order.lines Order.shipments OrderLine.order OrderLine.allocations Allocation.line Allocation.shipment
  Shipment.order ShipmentItem.line"""
NAMES_OF_PLACES = """Order.website StockHold.website BackInStockSubscription.website Website.organization
  Allocation.warehouse Shipment.warehouse InventoryLevel.warehouse LowInventoryAlert.warehouse
  InventoryTransfer.from InventoryTransfer.to"""
NETWORK = "WebsiteWarehouse.warehouse Warehouse.websites Organization.websites"
BELOW_AN_ANNOUNCEMENT = "Allocation.announcement StockAnnouncement.level StockAnnouncement.transfer"
EXCEPTIONS = {
    **dict.fromkeys(ANSWERS.split(), "the answer to what the caller has just done"),
    **dict.fromkeys(BY_TOKEN.split(), "the order whose access token the caller has"),
    **dict.fromkeys(
        WITHIN_AN_ORDER.split(),
        "a part of the order, or of the shipment, that the caller has changed or has the access token of",
    ),
    **dict.fromkeys(NAMES_OF_PLACES.split(), "which place it is of: never null, and nothing of its stock is behind it"),
    **dict.fromkeys(NETWORK.split(), "to who sets it, with settings:write"),
    "WebhookEndpoint.warehouses": "the caller has chosen them, and nothing of their stock is behind them",
    **dict.fromkeys(BELOW_AN_ANNOUNCEMENT.split(), "null without inventory:read, and so is what is below it"),
    "StockMovement.level": "a part of the answer: the movement that the caller has written is of a level it changed",
}


def rights() -> dict[str, str]:
    """The scope of each type that a root field gives, and of each that has an id."""
    found = {kind: scope for scope, kinds in NODES.items() for kind in kinds.split() if scope is not None}
    for name, field in {**SCHEMA.query_type.fields, **SCHEMA.subscription_type.fields}.items():
        scope = NEEDED.get(name) or SUBSCRIPTIONS.get(name)
        kind = get_named_type(field.type).name.removesuffix("Connection")
        if scope is not None:
            assert found.setdefault(kind, scope) == scope, f"{kind} is given with {found[kind]} and with {scope}"
    return found


RIGHTS = rights()
DECLARED = {
    (name, build().config.name_converter.get_graphql_name(field)): field.metadata
    for name in SCHEMA.type_map
    if name in build().schema_converter.type_map
    for field in getattr(build().schema_converter.type_map[name].definition, "fields", ())
}


def may_begin(caller: str | None, root: str, name: str) -> bool:
    if caller == SHOPPER or name in BY_ACCESS_TOKEN.split():
        return caller == SHOPPER and name in BY_ACCESS_TOKEN.split()
    if root == "Subscription":
        return SUBSCRIPTIONS[name] in (None, caller)
    if caller is None and name in PUBLIC_ORDERS.split():
        return True
    return name in PUBLIC.split() if name not in NEEDED else NEEDED[name] == caller


def may_go(caller: str | None, parent: str, name: str) -> bool:
    declared = DECLARED.get((parent, name), {})
    seen_with = declared.get("seen_with")
    seen = seen_with is None or caller in seen_with or (caller == SHOPPER and declared.get("seen_for") is not None)
    return declared.get("scope") in (None, caller) and seen


def kinds_of(kind: Any, caller: str | None) -> list[GraphQLObjectType]:
    """The objects that a type may be; by an id those alone whose scope the caller has."""
    if isinstance(kind, GraphQLObjectType):
        return [kind]
    if isinstance(kind, GraphQLUnionType) or kind.name != "Node":
        return list(SCHEMA.get_possible_types(kind))
    return [one for one in SCHEMA.get_possible_types(kind) if RIGHTS.get(one.name) in (None, caller)]


def of_connection(name: str) -> str:
    return name.removesuffix("Connection").removesuffix("Edge")


def entered(caller: str | None) -> Iterator[tuple[str, str]]:
    """Each edge that leads the caller to an object whose root field they could not ask for, and that object's type."""
    seen: set[str] = set()
    waiting = [
        (root, field, name)
        for root, kind in ROOTS.items()
        for name, field in kind.fields.items()
        if may_begin(caller, root, name)
    ]
    while waiting:
        parent, field, name = waiting.pop()
        target = get_named_type(field.type)
        if not is_composite_type(target):
            continue
        for kind in kinds_of(target, caller):
            held = of_connection(kind.name)
            inside = of_connection(parent) == held and parent != held
            if RIGHTS.get(held) not in (None, caller) and not inside:
                yield f"{parent}.{name}", held
            if kind.name not in seen:
                seen.add(kind.name)
                waiting += [
                    (kind.name, one, below) for below, one in kind.fields.items() if may_go(caller, kind.name, below)
                ]


def test_every_edge_asks_for_the_scope_of_what_it_leads_to_or_is_an_exception_with_a_reason() -> None:
    found = {edge for caller in CALLERS for edge, _ in entered(caller)}

    assert sorted(found - EXCEPTIONS.keys()) == []
    assert sorted(EXCEPTIONS.keys() - found) == []


def test_a_token_without_orders_read_and_write_reaches_nothing_of_an_order() -> None:
    for caller in CALLERS:
        if caller not in (None, SHOPPER) and not caller.startswith("orders:"):
            assert {kind for _, kind in entered(caller)} & {"Order", "OrderLine", "Allocation", "Shipment"} == set()


def test_the_public_reaches_no_warehouse_and_nothing_that_lies_in_one() -> None:
    assert {kind for _, kind in entered(None)} == {
        "Order",
        "OrderLine",
        "StockHold",
        "BackInStockSubscription",
        "Website",
        "Organization",
    }


def test_an_access_token_leads_to_its_order_alone_and_to_the_names_of_places() -> None:
    assert {kind for _, kind in entered(SHOPPER)} == {
        "Order",
        "OrderChange",
        "OrderLine",
        "Shipment",
        "Warehouse",
        "Website",
        "Organization",
    }


@pytest.fixture
async def shop(db: None) -> None:
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG")


@pytest.fixture
async def open_to_all(db: None, database_url: DatabaseUrl) -> Any:
    """A server where the public may order."""
    app = create_app(Config(database=database_url, public_orders=True))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gqlstock") as http:
        yield Client(http)


ORDER = "order { number customerEmail reference shipments { trackingNumber } }"
WAYS = {
    "stockMovements": f"{{ stockMovements {{ nodes {{ kind {ORDER} }} }} }}",
    "a level's movements": f"{{ inventoryLevels {{ nodes {{ movements {{ nodes {{ kind {ORDER} }} }} }} }} }}",
    "inventoryChanges": f"{{ inventoryChanges {{ nodes {{ movement {{ kind {ORDER} }} }} }} }}",
    "a level's allocations": f"{{ inventoryLevels {{ nodes {{ allocations {{ nodes {{ line {{ {ORDER} }} }} }} }} }} }}",
    "an id": f'{{ node(id: "U3RvY2tNb3ZlbWVudDoy") {{ ... on StockMovement {{ kind {ORDER} }} }} }}',
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("warehouses", [(), ("BERLIN",)])
async def test_who_reads_the_stock_alone_learns_of_no_customer(
    client: Client, shop: None, way: str, warehouses: tuple[str, ...]
) -> None:
    await client.done(
        "placeOrder", lines=[{"sku": "MUG", "quantity": 1}], customerEmail="ada@shop.example", reference="PO-77"
    )
    asking = client.within(*warehouses) if warehouses else client

    alone = await asking.scoped("inventory:read", WAYS[way])
    both = await asking.scoped("inventory:read orders:read", WAYS[way])

    assert {code for code, _ in codes(alone)} == {"FORBIDDEN"}
    assert "ada@" not in str(alone)
    assert "PO-77" not in str(alone)
    assert codes(both) == []
    assert "ada@shop.example" in str(both)


async def test_a_push_of_the_stock_says_nothing_of_the_customer(shop: None) -> None:
    query = f"subscription {{ inventoryChanges {{ movement {{ kind {ORDER} }} }} }}"

    async with (
        open_shop() as running,
        running.subscribed(query, Scope.INVENTORY_READ) as alone,
        running.subscribed(query, Scope.INVENTORY_READ, Scope.ORDERS_READ) as both,
    ):
        await make.order("MUG", 1, reference="PO-77")

        assert await alone.error() == "FORBIDDEN"
        assert (await both.next())["movement"]["order"]["reference"] == "PO-77"


async def test_who_writes_the_stock_alone_learns_of_no_customer(client: Client, shop: None) -> None:
    placed = await client.done("placeOrder", "order { number }", lines=[{"sku": "MUG", "quantity": 1}])
    query = f"""mutation {{ adjustStock(input: {{ changes: [{{ sku: "MUG", warehouse: "BERLIN", delta: 1 }}] }}) {{
      inventoryLevels {{ onHand movements {{ nodes {{ {ORDER} }} }} allocations {{ nodes {{ line {{ {ORDER} }} }} }} }}
      movements {{ kind {ORDER} }} userErrors {{ code }} }} }}"""

    answer = await client.scoped("inventory:write", query)

    assert {code for code, _ in codes(answer)} == {"FORBIDDEN"}
    assert placed["order"]["number"] not in str(answer)
    assert answer["data"]["adjustStock"]["movements"] == [{"kind": "ADJUSTMENT", "order": None}]
    assert [level["onHand"] for level in answer["data"]["adjustStock"]["inventoryLevels"]] == [5]


PLACES = """order { number website { code warehouses { priority } organization { code websites { code } warehouses {
  priority } } } shipments { number } lines { sku backordered allocations { quantity state warehouse { code name } } } }"""


async def test_an_order_of_the_public_shows_no_warehouse(open_to_all: Client, shop: None) -> None:
    placed = await open_to_all.public(
        f'mutation {{ placeOrder(input: {{ lines: [{{ sku: "MUG", quantity: 2 }}] }}) {{ {PLACES} }} }}'
    )

    assert placed["placeOrder"]["order"] == {
        "number": "100001",
        "website": {
            "code": "shop",
            "warehouses": [],
            "organization": {"code": "default", "websites": [], "warehouses": []},
        },
        "shipments": [],
        "lines": [{"sku": "MUG", "backordered": 0, "allocations": []}],
    }


async def test_a_shop_with_a_token_sees_where_its_order_comes_from(client: Client, shop: None) -> None:
    answer = await client.scoped(
        "orders:write", f'mutation {{ placeOrder(input: {{ lines: [{{ sku: "MUG", quantity: 2 }}] }}) {{ {PLACES} }} }}'
    )

    assert codes(answer) == []
    assert answer["data"]["placeOrder"]["order"]["lines"] == [
        {
            "sku": "MUG",
            "backordered": 0,
            "allocations": [{"quantity": 2, "state": "ON_HAND", "warehouse": {"code": "BERLIN", "name": "Berlin"}}],
        }
    ]
    assert answer["data"]["placeOrder"]["order"]["website"]["warehouses"] == []


@pytest.mark.parametrize("scope", ["settings:write", "inventory:read"])
async def test_who_sets_or_reads_the_network_sees_which_website_sells_from_where(
    client: Client, shop: None, scope: str
) -> None:
    query = {
        "settings:write": """mutation { answer: updateWarehouse(input: { code: "BERLIN" }) { warehouse {
          websites { code warehouses { warehouse { code } } organization { websites { code } } } } } }""",
        "inventory:read": """{ answer: node(id: "V2FyZWhvdXNlOjE=") { ... on Warehouse { websites {
          code warehouses { warehouse { code } } organization { websites { code } } } } } }""",
    }[scope]

    answer = await client.scoped(scope, query)

    found = answer["data"]["answer"]
    assert (found.get("warehouse") or found)["websites"] == [
        {
            "code": "shop",
            "warehouses": [{"warehouse": {"code": "BERLIN"}}],
            "organization": {"websites": [{"code": "shop"}]},
        }
    ]
