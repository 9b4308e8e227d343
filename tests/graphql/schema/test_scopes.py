"""Who may ask for what: every root field and every field with a scope, asked by the public, by others, by the right ones.

Each is asked with tokens of ours and with those of the shop's identity provider.
"""

import os
from dataclasses import replace

import httpx
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)

from gqlstock.app import create_app
from gqlstock.config import Config
from gqlstock.graphql.schema.root import build
from gqlstock.rules import ids
from gqlstock.rules.scopes import Scope
from support import identity_provider
from support import shop_builders as make
from support.graphql_client import Client, codes
from support.needed_scopes import NEEDED, NODES, PUBLIC, SCHEMA, SUBSCRIPTIONS
from support.subscriptions import open_shop

BELOW = {
    "inventory:read": {
        "InventoryItem": "inventoryLevel inventoryTotals inventoryLevels inventorySettings settingOrigins",
        "Product": "inventoryLevel inventoryTotals inventoryLevels inventorySettings settingOrigins shippingOrigin",
        "Combination": "inventoryLevel inventoryTotals inventoryLevels inventorySettings settingOrigins",
        "Warehouse": "inventoryLevels",
        "InventoryLevel": "inventorySettings settingOrigins onHandAt movements announcements",
        "Order": "movements",
    },
    "orders:read": {"InventoryLevel": "allocations", "StockMovement": "order"},
}
"""Fields below the roots that need a scope of their own, by scope and type."""

QUERIES = [(False, name) for name in SCHEMA.query_type.fields]
MUTATIONS = [(True, name) for name in SCHEMA.mutation_type.fields]


class Guest(Client):
    """A client whose tokens are of the identity provider."""

    def __init__(self, http, there):
        super().__init__(http)
        self.there = there

    async def token(self, *scopes):
        return self.there.token(scope=" ".join(scopes), preferred_username=f"test {' '.join(scopes)}")


@pytest.fixture(params=["our token", "JWT"])
async def client(request, db, database_url):
    async with identity_provider.providing() as there:
        app = create_app(replace(Config.from_env(os.environ), database=database_url, jwt_issuer=there.issuer))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gqlstock") as http:
            yield Client(http) if request.param == "our token" else Guest(http, there)


def literal(kind):
    """Some value of a type, as a query writes it."""
    if isinstance(kind, GraphQLNonNull):
        return literal(kind.of_type)
    if isinstance(kind, GraphQLList):
        return f"[{literal(kind.of_type)}]"
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        wanted = {name: field for name, field in kind.fields.items() if is_required_input_field(field)}
        if kind.is_one_of:
            wanted = dict([next(iter(kind.fields.items()))])
        return f"{{ {' '.join(f'{name}: {literal(field.type)}' for name, field in wanted.items())} }}"
    named = {"Boolean": "true", "Int": "1", "Float": "1", "Quantity": "1", "DateTime": '"2026-01-01T00:00:00Z"'}
    return named.get(kind.name, '"x"')


def asked(name, field):
    """A field with what it must be given, and as little as can be of what it answers."""
    given = ", ".join(f"{arg}: {literal(one.type)}" for arg, one in field.args.items() if is_required_argument(one))
    below = "" if is_leaf_type(get_named_type(field.type)) else " { __typename }"
    return f"{name}{f'({given})' if given else ''}{below}"


def root(mutation, name):
    kind = SCHEMA.mutation_type if mutation else SCHEMA.query_type
    return f"{'mutation' if mutation else 'query'} {{ {asked(name, kind.fields[name])} }}"


def denied(answer):
    return [code for code, _ in codes(answer) if code in ("UNAUTHENTICATED", "FORBIDDEN")]


def others(scope):
    """Every scope but the one, and the one for all."""
    return " ".join(one for one in Scope if one not in (scope, "admin"))


@pytest.mark.parametrize(("mutation", "name"), QUERIES + MUTATIONS)
async def test_a_root_field_is_for_those_with_its_scope(client, mutation, name):
    query = root(mutation, name)
    scope = NEEDED.get(name)

    public = await client.ask(query)
    wrong = await client.scoped(others(scope), query)
    right = await client.scoped(scope or "orders:read", query)
    admin = await client.scoped("admin", query)

    if scope is None:
        assert name in PUBLIC.split()
        assert denied(public) == denied(wrong) == []
    else:
        assert codes(public) == [("UNAUTHENTICATED", [name])]
        assert codes(wrong) == [("FORBIDDEN", [name])]
        assert (public["data"] or {name: None}) == (wrong["data"] or {name: None}) == {name: None}
        assert scope in public["errors"][0]["message"]
    assert denied(right) == denied(admin) == []
    assert "INTERNAL" not in [code for code, _ in codes(right) + codes(admin)]


def test_every_subscription_and_every_type_with_an_id_is_tested():
    assert set(SUBSCRIPTIONS) == set(SCHEMA.subscription_type.fields)
    kinds = {kind.name for kind in SCHEMA.get_possible_types(SCHEMA.type_map["Node"])}
    assert sorted(name for names in NODES.values() for name in names.split()) == sorted(kinds)


@pytest.mark.parametrize("name", SUBSCRIPTIONS)
async def test_a_subscription_is_for_those_with_its_scope(db, name):
    scope = SUBSCRIPTIONS[name]
    await make.shop()
    query = f"subscription {{ {asked(name, SCHEMA.subscription_type.fields[name])} }}"

    async with (
        open_shop() as shop,
        shop.subscribed(query) as public,
        shop.subscribed(query, *(Scope(one) for one in others(scope).split())) as wrong,
        shop.subscribed(query, Scope(scope or "orders:read")) as right,
        shop.subscribed(query, Scope.ADMIN) as admin,
    ):
        if name == "orderChangesByToken":
            # It is for those who have an order's access token, and nobody here has one.
            assert {await one.error() for one in (public, wrong, right, admin)} == {"BAD_USER_INPUT"}
            return
        if scope is None:
            assert await public.nothing()
            assert await wrong.nothing()
        else:
            assert (await public.error(), await wrong.error()) == ("UNAUTHENTICATED", "FORBIDDEN")
        assert await right.nothing()
        assert await admin.nothing()


@pytest.mark.parametrize(("scope", "kind"), [(scope, kind) for scope, kinds in NODES.items() for kind in kinds.split()])
async def test_an_id_is_for_those_with_the_scope_of_its_type(client, scope, kind):
    query = f'{{ node(id: "{ids.global_id(kind, 999)}") {{ id }} }}'

    public = await client.ask(query)
    wrong = await client.scoped(others(scope), query)
    right = await client.scoped(scope or "orders:read", query)

    assert codes(public) == ([] if scope is None else [("UNAUTHENTICATED", ["node"])])
    assert codes(wrong) == ([] if scope is None else [("FORBIDDEN", ["node"])])
    assert codes(right) == []
    assert public["data"] == wrong["data"] == right["data"] == {"node": None}


def test_what_the_code_says_of_scopes_is_what_is_tested():
    declared = {
        (kind.name, build().config.name_converter.get_graphql_name(field)): field.metadata["scope"]
        for kind in (
            build().schema_converter.type_map[name].definition
            for name in SCHEMA.type_map
            if name in build().schema_converter.type_map
        )
        for field in getattr(kind, "fields", ())
        if field.metadata.get("scope") is not None
    }

    own_check = {"placeOrder", "holdStock", "releaseStockHold"}
    roots = {name: scope for (kind, name), scope in declared.items() if kind in ("Query", "Mutation")}
    there = {name for _, name in QUERIES + MUTATIONS}
    assert roots == {name: scope for name, scope in NEEDED.items() if name in there - own_check}
    below = {key: scope for key, scope in declared.items() if key[0] not in ("Query", "Mutation", "Subscription")}
    assert below == {
        (kind, name): scope
        for scope, kinds in BELOW.items()
        for kind, names in kinds.items()
        for name in names.split()
        if name in SCHEMA.type_map[kind].fields
    }


PATHS = [
    ("Product", "catalog:read", 'query { product(sku: "MUG") { %s } }', ["product"]),
    ("Combination", "catalog:read", 'query { combination(sku: "SHIRT-S") { %s } }', ["combination"]),
    ("InventoryItem", "catalog:read", 'query { inventoryItem(sku: "MUG") { %s } }', ["inventoryItem"]),
    (
        "Warehouse",
        "orders:read",
        "query { orders { nodes { lines { allocations { warehouse { %s } } } } } }",
        ["orders", "nodes", 0, "lines", 0, "allocations", 0, "warehouse"],
    ),
    (
        "InventoryLevel",
        "inventory:write",
        """mutation { setStock(input: { counts: [{ sku: "MUG", warehouse: "BERLIN", onHand: 3 }] }) {
             inventoryLevels { %s }
           } }""",
        ["setStock", "inventoryLevels", 0],
    ),
    ("Order", "orders:read", "query { orders { nodes { %s } } }", ["orders", "nodes", 0]),
    (
        "StockMovement",
        "inventory:read",
        "query { stockMovements(first: 1) { nodes { %s } } }",
        ["stockMovements", "nodes", 0],
    ),
]


@pytest.mark.parametrize(
    ("kind", "scope", "path", "at", "needed", "name"),
    [
        (*path, needed, name)
        for path in PATHS
        for needed, kinds in BELOW.items()
        for name in kinds.get(path[0], "").split()
        if name in SCHEMA.type_map[path[0]].fields
    ],
)
async def test_a_field_below_an_allowed_parent_still_needs_its_own_scope(client, kind, scope, path, at, needed, name):
    await make.shop()
    await make.product("MUG", shipping_origin="BERLIN")
    await make.product("SHIRT", options={"Size": ["S"]})
    await make.stock("MUG")
    await make.order("MUG", 1)
    field = asked(name, SCHEMA.type_map[kind].fields[name])
    query = path % f"__typename {field}"

    wrong = await client.scoped(scope, query)
    right = await client.scoped(f"{scope} {needed}", query)

    assert codes(wrong) == [("FORBIDDEN", [*at, name])]
    found = wrong["data"]
    for part in at:
        found = found[part]
    assert found[name] is None
    assert found["__typename"]
    assert codes(right) == []


async def test_the_public_is_told_that_a_token_is_wanted_below_a_public_parent(client):
    await make.shop()
    await make.product("MUG")

    answer = await client.ask(
        """{ product(sku: "MUG") { sku inventoryTotals { onHand } availability { orderable } shippingOrigin { code } } }"""
    )

    assert sorted(codes(answer)) == [
        ("UNAUTHENTICATED", ["product", "inventoryTotals"]),
        ("UNAUTHENTICATED", ["product", "shippingOrigin"]),
    ]
    assert answer["data"]["product"] == {
        "sku": "MUG",
        "inventoryTotals": None,
        "availability": {"orderable": False},
        "shippingOrigin": None,
    }


async def test_a_field_that_is_not_allowed_does_not_empty_the_rest(client):
    await make.shop()

    answer = await client.scoped(
        "inventory:read", "{ orders { totalCount } viewer { scopes } warehouses { totalCount } }"
    )

    assert codes(answer) == [("FORBIDDEN", ["orders"])]
    assert answer["data"] == {
        "orders": None,
        "viewer": {"scopes": ["inventory:read"]},
        "warehouses": {"totalCount": 1},
    }


@pytest.mark.parametrize(
    ("given", "allowed"),
    [
        ("filter: { availableBelow: 1 }", False),
        ('filter: { warehouse: "BERLIN" }', False),
        ("filter: { low: false }", False),
        ("filter: { outOfStock: true }", False),
        ("filter: { backordered: true }", False),
        ("filter: { incoming: false }", False),
        ("filter: { low: null, outOfStock: null, backordered: null, incoming: null }", True),
        ("sort: AVAILABLE", False),
        ("sort: SKU", True),
    ],
)
async def test_how_much_is_there_is_not_told_by_what_a_list_leaves_out(client, given, allowed):
    await make.shop()
    query = f"{{ inventoryItems({given}) {{ totalCount }} }}"

    answer = await client.ask(query)

    assert codes(answer) == ([] if allowed else [("UNAUTHENTICATED", ["inventoryItems"])])
    assert codes(await client.scoped("inventory:read", query)) == []


async def test_who_asks_is_told_who_they_are(client):
    token = await make.token("orders:read", "catalog:read", name="Till 3")

    found = await client.ask("{ viewer { name authenticated scopes } }", token=token)
    public = await client.public("{ viewer { name authenticated scopes } }")

    assert found["data"]["viewer"] == {
        "name": "Till 3",
        "authenticated": True,
        "scopes": ["catalog:read", "orders:read"],
    }
    assert public["viewer"] == {"name": None, "authenticated": False, "scopes": []}


@pytest.mark.parametrize("header", ["Bearer nobody", "Bearer ", "Basic dXNlcjpwYXNz", "nonsense"])
async def test_a_token_of_nobody_is_refused_before_anything_is_asked(client, header):
    answer = await client.http.post(
        "/graphql", json={"query": "{ viewer { name } }"}, headers={"Authorization": header}
    )

    assert answer.status_code == 401
    assert [error["extensions"]["code"] for error in answer.json()["errors"]] == ["UNAUTHENTICATED"]
