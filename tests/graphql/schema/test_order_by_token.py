"""An order by its access token: who is given the token, and what a shopper who has it sees and does not see."""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from graphql import GraphQLObjectType, get_named_type, is_leaf_type, is_required_argument

from gqlstock.app import create_app
from gqlstock.config import Config
from gqlstock.rules.catalog import Image, InventoryTracking
from gqlstock.rules.settings import BackorderMode
from gqlstock.services import order_tokens
from gqlstock.stock.cache import ANSWER, Cache
from gqlstock.store.db import sql
from gqlstock.store.db.connection import DatabaseUrl
from support import shop_builders as make
from support.graphql_client import Client, codes
from support.needed_scopes import SCHEMA

SOON, LATE = "2099-12-03T00:00:00Z", "2099-12-24T00:00:00Z"
MY_ORDER = """query MyOrder($token: String!) {
  orderByToken(token: $token) {
    number status expectedAt promisedAt
    lines { sku name quantity backordered shipped expectedAt promisedAt }
    shipments { number state trackingNumber carrier expectedAt shippedAt }
  }
}"""


@pytest.fixture
async def open_to_all(db: None, database_url: DatabaseUrl) -> Any:
    """A client of a server where the public may order."""
    app = create_app(Config(database=database_url, public_orders=True))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gqlstock") as http:
        yield Client(http)


@pytest.fixture(autouse=True)
async def shop(db: None) -> None:
    await make.shop()
    await make.warehouse("PARIS")
    await make.website("outlet", warehouses=["PARIS"])
    await make.category("cups")
    await make.product("MUG", category="cups")
    await make.product("SHIRT", options={"Size": ["S", "M"]})
    await make.stock("MUG", on_hand=100)
    await make.stock("SHIRT-S", on_hand=100)


def mugs(quantity: int) -> list[dict[str, Any]]:
    return [{"sku": "MUG", "quantity": quantity}]


async def place(client: Client, quantity: int = 2, fields: str = "number", **given: Any) -> Any:
    """An order with its access token, placed by a shop's server."""
    lines = given.pop("lines", mugs(quantity))
    placed = await client.done("placeOrder", f"order {{ accessToken {fields} }}", lines=lines, **given)
    return placed["order"]


async def read(client: Client, token: str, fields: str = "number") -> Any:
    return (await client.public(f"query($t: String!) {{ orderByToken(token: $t) {{ {fields} }} }}", t=token))[
        "orderByToken"
    ]


# ── who is given the token


async def test_whoever_places_an_order_is_given_its_token_and_each_time_the_same(open_to_all: Client) -> None:
    mutation = """mutation($input: PlaceOrderInput!) { placeOrder(input: $input) {
      order { number accessToken lines { order { accessToken } } } userErrors { code } } }"""
    given = {"input": {"lines": mugs(1), "idempotencyKey": "once"}}

    first = (await open_to_all.public(mutation, **given))["placeOrder"]["order"]
    again = (await open_to_all.public(mutation, **given))["placeOrder"]["order"]

    assert len(first["accessToken"]) == 64
    assert first["lines"] == [{"order": {"accessToken": first["accessToken"]}}]
    assert again == first
    assert await read(open_to_all, first["accessToken"]) == {"number": first["number"]}


async def test_who_reads_orders_is_given_their_tokens(client: Client) -> None:
    placed = [await place(client) for _ in range(3)]

    found = await client.scoped("orders:read", "{ orders { nodes { number accessToken } } }")
    one = await client.scoped("orders:read", f'{{ order(number: "{placed[0]["number"]}") {{ accessToken }} }}')

    assert found["data"]["orders"]["nodes"] == [
        {"number": order["number"], "accessToken": order["accessToken"]} for order in reversed(placed)
    ]
    assert one["data"]["order"] == {"accessToken": placed[0]["accessToken"]}


async def test_who_may_only_write_orders_is_given_the_token_of_the_order_that_they_place(client: Client) -> None:
    placed = await client.change("placeOrder", "order { number accessToken }", caller="orders:write", lines=mugs(1))
    number = placed["order"]["number"]
    canceled = await client.change("cancelOrder", "order { accessToken }", caller="orders:write", number=number)

    assert await read(client, placed["order"]["accessToken"]) == {"number": number}
    assert canceled["order"] == {"accessToken": None}


async def test_the_shopper_is_not_given_the_token_again(client: Client) -> None:
    order = await place(client)
    fields = "accessToken lines { order { accessToken } }"

    assert await read(client, order["accessToken"], fields) == {
        "accessToken": None,
        "lines": [{"order": {"accessToken": None}}],
    }


# ── what it reads


async def test_the_page_of_a_shoppers_order(client: Client) -> None:
    await make.setting(product="MUG", backorders=BackorderMode.ALLOW)
    await client.done("announceStock", warehouse="BERLIN", lines=mugs(50), expectedAt=SOON)
    order = await place(client, lines=[*mugs(105), {"sku": "SHIRT-S", "quantity": 1}])
    packed = await client.done(
        "createShipment",
        "shipment { number }",
        order=order["number"],
        warehouse="BERLIN",
        lines=[{"sku": "SHIRT-S", "quantity": 1}],
    )
    number = packed["shipment"]["number"]
    await client.done("shipShipment", number=number, carrier="DHL", trackingNumber="JD-1")
    waiting = await client.done("createShipment", "shipment { number }", order=order["number"], warehouse="BERLIN")

    data = await client.public(MY_ORDER, token=order["accessToken"])

    mine = data["orderByToken"]
    shipped_at = mine["shipments"][0].pop("shippedAt")
    assert shipped_at is not None
    assert mine == {
        "number": order["number"],
        "status": "PARTIALLY_SHIPPED",
        "expectedAt": SOON,
        "promisedAt": SOON,
        "lines": [
            {
                "sku": "MUG",
                "name": "Mug",
                "quantity": 105,
                "backordered": 105,
                "shipped": 0,
                "expectedAt": SOON,
                "promisedAt": SOON,
            },
            {
                "sku": "SHIRT-S",
                "name": "Shirt – S",
                "quantity": 1,
                "backordered": 0,
                "shipped": 1,
                "expectedAt": None,
                "promisedAt": None,
            },
        ],
        "shipments": [
            {"number": number, "state": "SHIPPED", "trackingNumber": "JD-1", "carrier": "DHL", "expectedAt": None},
            {
                "number": waiting["shipment"]["number"],
                "state": "PENDING",
                "trackingNumber": None,
                "carrier": None,
                "expectedAt": SOON,
                "shippedAt": None,
            },
        ],
    }


SHIPMENTS = (
    "shipments { expectedAt items { quantity backordered line { sku backordered order { shipments { state } } } } }"
)


@pytest.mark.parametrize(
    ("settings", "backordered", "date"),
    [
        ({"display_stock_quantity": True}, [(100, 0), (5, 3)], SOON),
        ({}, [(100, 100), (5, 5)], LATE),
        ({"display_availability": False}, [(100, 100), (5, 5)], None),
    ],
)
async def test_a_shipment_shows_the_shopper_no_more_of_hidden_stock_than_the_lines_do(
    client: Client, settings: dict[str, bool], backordered: list[tuple[int, int]], date: str | None
) -> None:
    await make.setting(product="MUG", backorders=BackorderMode.ALLOW, **settings)
    await make.stock("MUG", on_hand=102)
    await client.done("announceStock", warehouse="BERLIN", lines=mugs(3), expectedAt=SOON)
    await client.done("announceStock", warehouse="BERLIN", lines=mugs(9), expectedAt=LATE)
    order = await place(client, lines=[*mugs(100), *mugs(5), *mugs(4)], fields="number lines { id }")
    packed = [
        {"sku": "MUG", "quantity": 100},
        {"sku": "MUG", "quantity": 5, "line": order["lines"][1]["id"]},
    ]
    await client.done("createShipment", order=order["number"], warehouse="BERLIN", lines=packed)

    mine = await read(client, order["accessToken"], SHIPMENTS)
    asked = f'{{ order(number: "{order["number"]}") {{ {SHIPMENTS} }} }}'
    staff = (await client.scoped("orders:read", asked))["data"]["order"]

    (shown,), (real,) = mine["shipments"], staff["shipments"]
    assert [(item["quantity"], item["backordered"]) for item in shown["items"]] == backordered
    assert shown["expectedAt"] == date
    assert [(item["quantity"], item["backordered"]) for item in real["items"]] == [(100, 0), (5, 3)]
    assert real["expectedAt"] == SOON
    assert [item["line"]["order"] for item in shown["items"]] == [{"shipments": [{"state": "PENDING"}]}] * 2


async def test_movements_are_null_without_an_error_and_there_for_who_may_read_them(client: Client) -> None:
    order = await place(client)
    query = """query($t: String!) {
      orderByToken(token: $t) { movements { nodes { kind } } lines { order { movements { totalCount } } } }
    }"""

    public = await client.public(query, t=order["accessToken"])
    stock = await client.scoped("inventory:read", query, t=order["accessToken"])

    assert public["orderByToken"] == {"movements": None, "lines": [{"order": {"movements": None}}]}
    assert codes(stock) == []
    assert stock["data"]["orderByToken"] == {
        "movements": {"nodes": [{"kind": "SALE"}]},
        "lines": [{"order": {"movements": {"totalCount": 1}}}],
    }


async def test_movements_asked_for_by_number_beside_are_refused_as_ever(client: Client) -> None:
    order = await place(client)
    query = f"""{{ mine: orderByToken(token: "{order["accessToken"]}") {{ movements {{ totalCount }} }}
      any: order(number: "{order["number"]}") {{ number movements {{ totalCount }} }} }}"""

    answer = await client.scoped("orders:read", query)

    assert codes(answer) == [("FORBIDDEN", ["any", "movements"])]
    assert answer["data"] == {"mine": {"movements": None}, "any": {"number": order["number"], "movements": None}}


async def test_who_has_scopes_sees_what_they_let_them_see(client: Client) -> None:
    await make.setting(product="MUG", backorders=BackorderMode.ALLOW)
    order = await place(client, 103)
    query = """query($t: String!) { orderByToken(token: $t) { accessToken
      lines { backordered allocations { quantity state warehouse { code } } } } }"""

    async def seen(scopes: str) -> Any:
        answer = await client.scoped(scopes, query, t=order["accessToken"])
        assert codes(answer) == []
        return answer["data"]["orderByToken"]

    allocations = [
        {"quantity": 100, "state": "ON_HAND", "warehouse": {"code": "BERLIN"}},
        {"quantity": 3, "state": "BACKORDERED", "warehouse": {"code": "BERLIN"}},
    ]
    assert await seen("catalog:read") == {
        "accessToken": None,
        "lines": [{"backordered": 103, "allocations": []}],
    }
    assert await seen("inventory:read") == {"accessToken": None, "lines": [{"backordered": 3, "allocations": []}]}
    assert await seen("orders:write") == {
        "accessToken": None,
        "lines": [{"backordered": 3, "allocations": allocations}],
    }
    assert await seen("orders:read") == {
        "accessToken": order["accessToken"],
        "lines": [{"backordered": 3, "allocations": allocations}],
    }


async def test_an_item_that_is_not_published_any_more_is_not_shown(client: Client) -> None:
    order = await place(client)
    fields = "lines { sku name item { sku } }"
    assert await read(client, order["accessToken"], fields) == {
        "lines": [{"sku": "MUG", "name": "Mug", "item": {"sku": "MUG"}}]
    }

    await client.done("updateProduct", sku="MUG", published=False)

    assert await read(client, order["accessToken"], fields) == {"lines": [{"sku": "MUG", "name": "Mug", "item": None}]}
    query = f'{{ orderByToken(token: "{order["accessToken"]}") {{ {fields} }} }}'
    staff = await client.scoped("catalog:read", query)
    assert staff["data"]["orderByToken"]["lines"][0]["item"] == {"sku": "MUG"}


# ── every field that it leads to


LITERALS = {"Boolean": "true", "Int": "1", "DateTime": '"2026-01-01T00:00:00Z"'}
REACHED = """Order OrderLine Shipment ShipmentItem Warehouse Website Organization SelectedOption Address GeoPoint
  Product Combination Category Availability QuantityRules ProductOption ProductOptionValue ProductSelection OptionChoice
  OptionChoiceValue CombinationConnection CombinationEdge ProductConnection ProductEdge"""


def literal(name: str, kind: Any) -> str:
    if name == "options":
        return "[]"
    named = get_named_type(kind).name
    return LITERALS.get(named, '"BERLIN"')


def arguments(field: Any) -> str:
    given = [f"{name}: {literal(name, one.type)}" for name, one in field.args.items() if is_required_argument(one)]
    return f"({', '.join(given)})" if given else ""


def leaves(kind: GraphQLObjectType) -> str:
    return " ".join(
        name + arguments(field) for name, field in kind.fields.items() if is_leaf_type(get_named_type(field.type))
    )


def ways() -> Iterator[tuple[str, list[str]]]:
    """Each type that an order leads to, with the fields on the shortest way to it."""
    order = SCHEMA.type_map["Order"]
    seen, waiting = {"Order"}, deque([(order, list[str]())])
    while waiting:
        kind, way = waiting.popleft()
        yield kind.name, way
        for name, field in kind.fields.items():
            target = get_named_type(field.type)
            if is_leaf_type(target):
                continue
            objects = [target] if isinstance(target, GraphQLObjectType) else SCHEMA.get_possible_types(target)
            for one in objects:
                if one.name not in seen:
                    seen.add(one.name)
                    step = f"{name}{arguments(field)} {{ %s }}"
                    narrowed = step if one is target else step % f"... on {one.name} {{ %s }}"
                    waiting.append((one, [*way, narrowed]))


WAYS = dict(ways())


def asked(name: str) -> str:
    """The selection of all leaves of a type, below an order."""
    kind = SCHEMA.type_map[name]
    assert isinstance(kind, GraphQLObjectType)
    selection = f"__typename {leaves(kind)}"
    for step in reversed(WAYS[name]):
        selection = step % f"__typename {selection}"
    return selection


def objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for one in value:
            yield from objects(one)
    elif isinstance(value, dict):
        yield value
        for one in value.values():
            yield from objects(one)


async def test_every_field_that_an_access_token_leads_to_shows_this_order_and_what_the_public_may_see(
    client: Client,
) -> None:
    await make.setting(product="MUG", backorders=BackorderMode.ALLOW, notify_below=1_000)
    await make.stock("MUG", "PARIS", 777_777)
    await client.done("announceStock", warehouse="BERLIN", lines=mugs(888_888), reference="PO-SECRET", expectedAt=SOON)
    await client.done(
        "updateWarehouse", code="BERLIN", address={"city": "Berlin"}, location={"latitude": 1, "longitude": 2}
    )
    options, images = {"Paper": ["Matte", "Glossy"]}, (Image("https://shop.example/poster.jpg"),)
    await make.product("POSTER", options=options, tracking=InventoryTracking.TRACK_WITHOUT_OPTIONS, images=images)
    await make.stock("POSTER")
    await place(client, 3, customerEmail="bob@else.example", reference="REF-SECRET")
    await place(client, 2, customerEmail="bob@else.example", reference="REF-SECRET", website="outlet")
    lines = [*mugs(200), {"sku": "SHIRT-S", "quantity": 1}, {"sku": "POSTER", "quantity": 1}]
    order = await place(client, lines=lines, customerEmail="ada@shop.example", reference="MINE-1")
    await client.done("createShipment", order=order["number"], warehouse="BERLIN")

    shown: dict[str, list[dict[str, Any]]] = {}
    for name in WAYS:
        query = f'{{ orderByToken(token: "{order["accessToken"]}") {{ {asked(name)} }} }}'
        answer = await client.ask(query)
        # What is not for the public is refused as below any other public parent, and takes nothing else away.
        assert {code for code, _ in codes(answer)} <= {"UNAUTHENTICATED"}, (name, answer["errors"])
        assert answer["data"]["orderByToken"] is not None, (name, answer["errors"])
        text = str(answer["data"])
        for secret in ("SECRET", "bob@", "777777", "888888", "PARIS", "outlet"):
            assert secret not in text, (name, secret)
        shown[name] = [one for one in objects(answer["data"]) if one.get("__typename") == name]

    assert sorted(name for name, found in shown.items() if found) == sorted(REACHED.split())
    assert {one["number"] for one in shown["Order"]} == {order["number"]}
    assert shown["Order"][0]["customerEmail"] == "ada@shop.example"
    assert shown["Order"][0]["reference"] == "MINE-1"
    assert {one["sku"] for one in shown["OrderLine"]} == {"MUG", "SHIRT-S", "POSTER"}
    assert {one["code"] for one in shown["Warehouse"]} == {"BERLIN"}
    assert {one["code"] for one in shown["Website"]} == {"shop"}


ITEM = """{ __typename sku name code images { url } barcode availability { id visible orderable unavailableReason
  salableQuantity onlyLeft message } ... on Product { description published category { slug products { nodes { sku } } } }
  ... on Combination { product { sku combinations { nodes { sku availability { orderable } } } } } }"""


@pytest.mark.parametrize("sku", ["MUG", "SHIRT-S"])
async def test_items_are_shown_to_the_shopper_as_to_the_public(client: Client, sku: str) -> None:
    order = await place(client, lines=[{"sku": sku, "quantity": 1}])
    await client.done("updateProduct", sku="MUG", description="A mug.")

    mine = await read(client, order["accessToken"], f"lines {{ item {ITEM} }}")
    public = await client.public(f'{{ inventoryItem(sku: "{sku}") {ITEM} }}')

    assert mine["lines"] == [{"item": public["inventoryItem"]}]


# ── wrong tokens


Wrong = Callable[[str], str]
WRONG: dict[str, Wrong] = {
    "empty": lambda _: "",
    "another text": lambda _: "let me in",
    "a number": lambda _: "100001",
    "an id": lambda _: "T3JkZXI6MQ==",
    "of letters that no token has": lambda token: f"{token[:-1]}é",
    "tampered with": lambda token: f"B{token[1:]}",
    "cut": lambda token: token[:-1],
    "longer": lambda token: f"{token}A",
    "very long": lambda token: token * 1_000,
}


@pytest.mark.parametrize("how", WRONG)
async def test_a_wrong_token_is_null_without_an_error_and_without_a_look_at_the_orders(
    client: Client, statements: Any, how: str
) -> None:
    order = await place(client)
    query = "query($t: String!) { orderByToken(token: $t) { number } }"
    await client.ask(query, {"t": order["accessToken"]})

    with statements.counted() as sent:
        answer = await client.public(query, t=WRONG[how](order["accessToken"]))

    assert answer == {"orderByToken": None}
    assert sent == []


async def test_a_token_with_nul_is_refused_as_any_text_with_it(client: Client) -> None:
    order = await place(client)
    query = "query($t: String!) { orderByToken(token: $t) { number } }"

    for token in (order["accessToken"], "x"):
        body = {"query": query, "variables": {"t": f"{token}\0"}}
        assert codes((await client.http.post("/graphql", json=body)).json()) == [("BAD_USER_INPUT", None)]


async def test_a_token_of_another_database_is_null(client: Client) -> None:
    order = await place(client)
    await order_tokens.renew()

    assert await read(client, order["accessToken"]) is None


# ── what it costs, and what is kept of it


async def test_an_order_by_its_token_costs_as_many_statements_as_by_its_number(client: Client, statements: Any) -> None:
    order = await place(client)
    token = await client.token("orders:read")
    fields = "number status lines { sku quantity backordered } shipments { number }"
    by_token = f'{{ orderByToken(token: "{order["accessToken"]}") {{ {fields} }} }}'
    by_number = f'{{ order(number: "{order["number"]}") {{ {fields} }} }}'

    async def cost(query: str) -> int:
        await client.ask(query, token=token)
        with statements.counted() as sent:
            await client.ask(query, token=token)
        return len(sent)

    assert await cost(by_token) == await cost(by_number)


async def test_tokens_of_many_orders_cost_no_statement_and_those_who_do_not_ask_pay_nothing(
    client: Client, statements: Any
) -> None:
    for _ in range(5):
        await place(client)
    token = await client.token("orders:read")

    async def cost(fields: str) -> int:
        query = f"{{ orders {{ nodes {{ {fields} }} }} }}"
        await client.ask(query, token=token)
        with statements.counted() as sent:
            await client.ask(query, token=token)
        return len(sent)

    assert await cost("number accessToken") == await cost("number") == 1


async def test_an_order_is_shown_as_it_is_now_and_nothing_of_it_is_kept(client: Client, kept: Cache) -> None:
    order = await place(client)
    assert await read(client, order["accessToken"], "status") == {"status": "PLACED"}
    await client.done("cancelOrder", number=order["number"])

    assert await read(client, order["accessToken"], "status") == {"status": "CANCELED"}
    assert await read(client, "wrong") is None
    assert await read(client, "wrong") is None
    assert kept.counts[ANSWER].hits == 0


async def test_an_answer_with_an_order_is_not_for_caches_that_several_share(client: Client) -> None:
    order = await place(client)
    query = f'{{ orderByToken(token: "{order["accessToken"]}") {{ number }} }}'

    answer = await client.http.get("/graphql", params={"query": query})

    assert answer.json() == {"data": {"orderByToken": {"number": order["number"]}}}
    assert answer.headers["cache-control"] == "private, no-cache"


async def test_every_token_can_be_made_invalid_at_once(client: Client) -> None:
    order = await place(client)
    assert await read(client, order["accessToken"]) == {"number": order["number"]}

    await order_tokens.renew()

    assert await read(client, order["accessToken"]) is None
    found = await client.scoped("orders:read", f'{{ order(number: "{order["number"]}") {{ accessToken }} }}')
    another = found["data"]["order"]["accessToken"]
    assert another != order["accessToken"]
    assert await read(client, another) == {"number": order["number"]}
    assert len(await sql.query("SELECT id FROM order_key")) == 1
