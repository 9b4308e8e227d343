"""Whatever nonsense is put where: it is told as an error with a code or a path, writes nothing, and is never a bug."""

import base64
import copy
import json
from datetime import UTC, datetime

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    is_leaf_type,
)

from gqlstock.graphql.schema.root import text
from gqlstock.store.db import sql
from support import shop_builders as make
from support.graphql_client import ERRORS, codes, row_counts

SCHEMA = build_schema(text())

# What the right thing is where a name says it; anything else is "x".
KNOWN = {
    "sku": "MUG",
    "skus": "MUG",
    "product": "SHIRT",
    "combination": "SHIRT-S",
    "warehouse": "BERLIN",
    "warehouses": "BERLIN",
    "from": "BERLIN",
    "to": "PARIS",
    "shippingOrigin": "BERLIN",
    "website": "shop",
    "organization": "default",
    "category": "garden",
    "parent": "garden",
    "order": "100001",
    "number": "100001",
    "email": "kim@example.com",
    "customerEmail": "kim@example.com",
    "url": "https://hooks.example/stock",
    "first": 5,
    "priority": 1,
    "latitude": 52.5,
    "longitude": 13.4,
    "minutes": 15,
    "days": 30,
    "coverDays": 30,
    "partial": False,
    "close": False,
}
LEFT_OUT = {"renamedFrom", "idempotencyKey", "expectedOnHand", "countedAt", "after", "last", "before"}
"""What would not go with the rest; each is tried all the same."""

LONG = "x" * 100_000
OVER = [character * (limit + 1) for limit in (100, 200, 254, 255, 400, 500, 1_000, 2_000) for character in "x💧"]
"""One character more than each limit that a column has."""
BAD = {
    "String": ["", " ", *OVER, LONG, "\x00", "a\x00b", "\ud800", "'; DROP TABLE item; --", "%", "\\", 5, True, None, [], {}],
    "ID": ["", *OVER, LONG, "\x00", "\ud800", -1, 2**70, None, []],
    "Quantity": [
        0, -1, float("nan"), float("inf"), 1e30, -1e30, "1e30", "0.00001", 0.12345, 99_999_999_999.9999, 10**12, "abc", "",
        "NaN", LONG, True, None, [], "१",
    ],
    "Int": [0, -1, 2**31 - 1, 2**31, -(2**31), 1e30, 1.5, "5", None, float("nan")],
    "Float": [float("nan"), float("inf"), 1e308, -1e30, "1", None],
    "Boolean": [0, "true", None],
    "DateTime": [
        "", "yesterday", "2026-01-01", "2026-01-01T00:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00",
        "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", LONG, 5, None,
    ],
}  # fmt: skip
A_LIST = [[], None, "x", [None]]
AN_OBJECT = [{}, None, "x", [], {"unknown": 1}]
MOST_ROWS = 1_001


def good(name, kind, depth=0):
    """Something that could be right for an input of this name and type."""
    if isinstance(kind, GraphQLNonNull):
        return good(name, kind.of_type, depth)
    if isinstance(kind, GraphQLList):
        return [good(name, kind.of_type, depth)]
    if isinstance(kind, GraphQLInputObjectType):
        fields = {key: one for key, one in kind.fields.items() if key not in LEFT_OUT}
        if kind.is_one_of:
            fields = {"product": kind.fields["product"]}
        return {key: good(key, one.type, depth + 1) for key, one in fields.items()}
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if name in KNOWN:
        return KNOWN[name]
    moment = datetime.now(UTC).isoformat()
    return {"Quantity": 1, "Int": 1, "Float": 1.0, "Boolean": True, "DateTime": moment, "JSON": {}}.get(kind.name, "x")


def places(kind, at=()):
    """Every place in an input, with what could be wrong there."""
    named = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    if isinstance(named, GraphQLList):
        yield at, A_LIST
        yield from places(named.of_type, (*at, 0))
    elif isinstance(named, GraphQLInputObjectType):
        yield at, AN_OBJECT
        for name, field in named.fields.items():
            if not named.is_one_of or name == "product":
                yield from places(field.type, (*at, name))
    elif isinstance(named, GraphQLEnumType):
        yield at, ["NONSENSE", 1, None]
    else:
        yield at, BAD.get(named.name, [])


def put(value, at, bad):
    """A value with something else in one place."""
    out = copy.deepcopy(value)
    inner = out
    for part in at[:-1]:
        inner = inner[part]
    inner[at[-1]] = bad
    return out


def get(value, at):
    """What is in one place of a value; None where the place is left out."""
    for part in at:
        value = value[part] if isinstance(value, list) else value.get(part)
    return value


async def post(client, query, variables):
    """The answer to a request as JSON writes it, NaN and all; nothing but 200 and 400 may come."""
    token = await client.token("admin")
    answer = await client.http.post(
        "/graphql",
        content=json.dumps({"query": query, "variables": variables}),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    assert answer.status_code in (200, 400), answer.status_code
    return answer.json()


async def a_shop():
    await make.shop()
    await make.warehouse("PARIS")
    await make.category("garden")
    await make.product("MUG", category="garden")
    await make.product("SHIRT", options={"Size": ["S"]})
    await make.stock("MUG", on_hand=20)
    await make.order("MUG", 1)


def wrong(answer, before, after):
    """What is wrong with an answer to nonsense; nothing where it was taken for sense."""
    told = codes(answer)
    refused = [error for data in (answer.get("data") or {}).values() for error in (data or {}).get("userErrors", ())]
    if "INTERNAL" in [code for code, _ in told]:
        return answer["errors"][0]["message"]
    if any(not error["message"] or error["code"] is None for error in refused):
        return "an error says nothing"
    if (told or refused) and before != after:
        return "it was refused and something was written"
    return None


@pytest.mark.parametrize("mutation", sorted(SCHEMA.mutation_type.fields))
async def test_a_mutation_takes_or_refuses_anything(client, mutation):
    await a_shop()
    kind = SCHEMA.mutation_type.fields[mutation].args["input"].type
    query = f"mutation($input: {kind}) {{ {mutation}(input: $input) {{ {ERRORS} }} }}"
    right = good("input", kind)

    faults = []
    for at, candidates in places(kind, ("input",)):
        many = [(get({"input": right}, at) or [])[:1] * MOST_ROWS] if candidates is A_LIST else []
        for bad in [*candidates, *many]:
            variables = put({"input": right}, at, bad)
            before = await row_counts()
            answer = await post(client, query, variables)
            fault = wrong(answer, before, await row_counts())
            if fault:
                faults.append((at, repr(variables)[:300], fault))

    assert faults == []


@pytest.mark.parametrize("field", sorted(SCHEMA.query_type.fields))
async def test_a_query_takes_or_refuses_anything(client, field):
    await a_shop()
    told = SCHEMA.query_type.fields[field]
    declared = ", ".join(f"${name}: {arg.type}" for name, arg in told.args.items())
    given = ", ".join(f"{name}: ${name}" for name in told.args)
    below = "" if is_leaf_type(get_named_type(told.type)) else " { __typename }"
    if "totalCount" in getattr(get_named_type(told.type), "fields", {}):
        below = " { totalCount nodes { __typename } }"
    query = f"query{f'({declared})' if declared else ''} {{ {field}{f'({given})' if given else ''}{below} }}"
    right = {name: good(name, arg.type) for name, arg in told.args.items() if name not in LEFT_OUT}

    faults = []
    for name, arg in told.args.items():
        for at, candidates in places(arg.type, (name,)):
            for bad in candidates:
                answer = await post(client, query, put(right, at, bad))
                if "INTERNAL" in [code for code, _ in codes(answer)]:
                    faults.append((at, repr(bad)[:60], answer["errors"][0]["message"]))

    assert faults == []


def lists_of_values():
    """Each list of enum values in a filter of a query: the query, the list, and one of the values."""
    for name, field in SCHEMA.query_type.fields.items():
        if "filter" in field.args:
            for key, given in field.args["filter"].type.fields.items():
                if isinstance(given.type, GraphQLList) and isinstance(get_named_type(given.type), GraphQLEnumType):
                    yield name, key, next(iter(get_named_type(given.type).values))


@pytest.mark.parametrize(("field", "key", "value"), list(lists_of_values()))
async def test_a_filter_takes_a_value_more_often_than_a_statement_has_parameters(client, field, key, value):
    kind = SCHEMA.query_type.fields[field].args["filter"].type
    query = f"query($filter: {kind}) {{ {field}(filter: $filter) {{ totalCount }} }}"

    answer = await post(client, query, {"filter": {key: [value] * 40_000}})

    assert answer == {"data": {field: {"totalCount": 0}}}


LINE = {"sku": "MUG", "quantity": 1}
ROW = {"sku": "MUG", "warehouse": "BERLIN"}


@pytest.mark.parametrize(
    ("mutation", "given", "errors"),
    [
        ("placeOrder", {"lines": [{**LINE, "sku": "NONE"}]}, [("NOT_FOUND", ["lines", "0", "sku"])]),
        ("placeOrder", {"lines": [{**LINE, "quantity": 0}]}, [("INVALID_INPUT", ["lines", "0", "quantity"])]),
        ("placeOrder", {"lines": [{**LINE, "quantity": -1}]}, [("INVALID_INPUT", ["lines", "0", "quantity"])]),
        ("placeOrder", {"lines": []}, [("INVALID_INPUT", ["lines"])]),
        ("placeOrder", {"lines": [LINE] * 501}, [("TOO_MANY", ["lines"])]),
        ("placeOrder", {"website": "none", "lines": [LINE]}, [("NOT_FOUND", ["website"])]),
        ("placeOrder", {"lines": [LINE], "customerEmail": LONG}, [("INVALID_INPUT", ["customerEmail"])]),
        ("placeOrder", {"lines": [LINE], "reference": LONG}, [("INVALID_INPUT", ["reference"])]),
        ("adjustStock", {"changes": [{**ROW, "sku": "NONE", "delta": 1}]}, [("NOT_FOUND", ["changes", "0", "sku"])]),
        ("adjustStock", {"changes": [{**ROW, "delta": 0}]}, [("INVALID_INPUT", ["changes", "0", "delta"])]),
        ("adjustStock", {"changes": [{**ROW, "delta": 0.5}]}, [("INVALID_INPUT", ["changes", "0", "delta"])]),
        ("adjustStock", {"changes": []}, [("INVALID_INPUT", ["changes"])]),
        ("adjustStock", {"changes": [{**ROW, "delta": 1}], "reason": LONG}, [("INVALID_INPUT", ["reason"])]),
        ("setStock", {"counts": [{**ROW, "onHand": -1}]}, [("INVALID_INPUT", ["counts", "0", "onHand"])]),
        (
            "setStock",
            {"counts": [{**ROW, "warehouse": "MARS", "onHand": 1}]},
            [("NOT_FOUND", ["counts", "0", "warehouse"])],
        ),
        ("setStock", {"counts": [{**ROW, "onHand": 1}] * 1_001}, [("TOO_MANY", ["counts"])]),
        ("transferStock", {"from": "BERLIN", "to": "PARIS", "lines": []}, [("INVALID_INPUT", ["lines"])]),
        (
            "transferStock",
            {"from": "BERLIN", "to": "PARIS", "lines": [{**LINE, "quantity": -1}]},
            [("INVALID_INPUT", ["lines", "0", "quantity"])],
        ),
    ],
)
async def test_what_is_wrong_with_an_input_is_told_with_its_place(client, mutation, given, errors):
    await a_shop()

    assert await client.refused(mutation, **given) == errors


COUNT = f'setStock(input: {{ counts: [{{ sku: "MUG", warehouse: "BERLIN", onHand: %s }}] }}) {{ {ERRORS} }}'


@pytest.mark.parametrize("quantity", ["NaN", "1e30", "0.00001", "Infinity", "100000000000"])
async def test_what_is_no_quantity_is_refused_before_anything_runs(client, quantity):
    await a_shop()
    before = await row_counts()

    answers = [
        await post(client, f"mutation {{ {COUNT % json.dumps(quantity)} }}", {}),
        await post(client, f"mutation($q: Quantity!) {{ {COUNT % '$q'} }}", {"q": quantity}),
    ]

    for answer in answers:
        assert [code for code, _ in codes(answer)] == ["BAD_USER_INPUT"]
    assert await row_counts() == before


@pytest.mark.parametrize(
    "query",
    [
        "",
        "{",
        "{ nothing }",
        "{ viewer }",
        "{ viewer { name(x: 1) } }",
        "{ product(sku: 5) { sku } }",
        "query($sku: String!) { product(sku: $sku) { sku } }",
        '{ product(sku: "\\u0000") { sku } }',
        "subscription { nothing }",
        "mutation { createProduct(input: {}) { userErrors { code } } }",
    ],
)
async def test_what_is_no_query_of_this_schema_has_a_code(client, query):
    answer = await post(client, query, {})

    assert {error["extensions"]["code"] for error in answer["errors"]} == {"BAD_USER_INPUT"}


ARGUMENTS = [
    (type_.name, field, name, arg.type)
    for type_ in SCHEMA.type_map.values()
    if isinstance(type_, GraphQLObjectType) and "Node" in [one.name for one in type_.interfaces]
    for field, told in type_.fields.items()
    for name, arg in told.args.items()
    if name not in ("after", "before")
    and any(candidates and isinstance(candidates[0], str) for _, candidates in places(arg.type))
]


@pytest.mark.parametrize(("type_", "field", "name", "kind"), ARGUMENTS)
async def test_a_field_of_an_object_takes_or_refuses_any_text(client, type_, field, name, kind):
    await a_shop()
    args = SCHEMA.type_map[type_].fields[field].args
    below = "" if is_leaf_type(get_named_type(SCHEMA.type_map[type_].fields[field].type)) else " { __typename }"
    if "totalCount" in getattr(get_named_type(SCHEMA.type_map[type_].fields[field].type), "fields", {}):
        below = " { totalCount nodes { __typename } }"
    declared = ", ".join(f"${one}: {arg.type}" for one, arg in args.items())
    given = ", ".join(f"{one}: ${one}" for one in args)
    query = f"query($id: ID!, {declared}) {{ node(id: $id) {{ ... on {type_} {{ {field}({given}){below} }} }} }}"
    right = {one: good(one, arg.type) for one, arg in args.items() if one not in LEFT_OUT}
    right["id"] = base64.b64encode(f"{type_}:{await row_id(type_)}".encode()).decode()
    assert (await post(client, query, right))["data"]["node"]

    faults = []
    for at, candidates in places(kind, (name,)):
        for bad in candidates:
            answer = await post(client, query, put(right, at, bad))
            if "INTERNAL" in [code for code, _ in codes(answer)]:
                faults.append((at, repr(bad)[:60], answer["errors"][0]["message"]))

    assert faults == []


async def row_id(type_):
    """The id of an existing object of that type."""
    table, condition = {
        "Category": ("category", "TRUE"),
        "Product": ("item", "sku = 'SHIRT'"),
        "Combination": ("item", "product_id IS NOT NULL"),
        "InventoryLevel": ("inventory_level", "TRUE"),
        "Order": ("customer_order", "TRUE"),
        "Warehouse": ("warehouse", "TRUE"),
    }[type_]
    (row,) = await sql.query(f"SELECT MIN(id) AS id FROM {table} WHERE {condition}")
    return row["id"]
