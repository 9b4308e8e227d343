"""Paging by key: every list, both ways, in every order, whatever values are equal; and many parents' pages at once."""

import base64
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.order_request import RequestedLine
from gqlstock.rules.scopes import SYSTEM
from gqlstock.services import count_stock, hold_stock, receive, release_hold
from gqlstock.services.count_stock import CountStockRequest, StockCount
from gqlstock.services.hold_stock import HoldRequest
from gqlstock.services.receive import AnnounceStockRequest
from gqlstock.services.stock_edits import StockLine
from support import shop_builders as make
from support.graphql_client import codes

PAGE = "edges { cursor node { id } } nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount"


async def a_stocked_shop():
    """Eleven items of few names and few quantities, each with a level, and eight orders."""
    await make.shop()
    for number in range(7):
        await make.product(f"P{(number * 3) % 7}", name=("Mug", "Cup", "Ünder")[number % 3])
    await make.product("SHIRT", name="Shirt", options={"Size": ["S", "M", "L"]})
    skus = [f"P{number}" for number in range(7)] + ["SHIRT-S", "SHIRT-M", "SHIRT-L"]
    counts = tuple(StockCount(sku, "BERLIN", Decimal(("2", "2.5", "20")[n % 3])) for n, sku in enumerate(skus))
    await make.setting(quantity_uses_decimals=True)
    await count_stock.count(SYSTEM, CountStockRequest(counts))
    for number in range(8):
        await make.order(f"P{number % 7}", 1)
    # Three moments and none, in no order.
    for number in range(9):
        date = None if number % 4 == 1 else datetime(2036, 1, 1 + (number * 2) % 3, tzinfo=UTC)
        line = (StockLine(f"P{number % 3}", Decimal(number + 1)),)
        await receive.announce(SYSTEM, AnnounceStockRequest("BERLIN", line, date))
    for number in range(7):
        asked = HoldRequest((RequestedLine("P5", Decimal("0.25")),), minutes=number + 1)
        held = (await hold_stock.hold(SYSTEM, asked)).ids["hold"][0]
        await release_hold.release(SYSTEM, GivenId(held, "told"))


def query(field, **given):
    """A query for one page; arguments that are enums stay without quotes."""
    arguments = ", ".join(
        f"{name}: {value if name == 'sort' else json.dumps(value)}"
        for name, value in given.items()
        if value is not None
    )
    return f"{{ {field}{f'({arguments})' if arguments else ''} {{ {PAGE} }} }}"


async def page(client, field, **given):
    return (await client.admin(query(field, **given)))[field]


LISTS = [
    *(("products", sort) for sort in ("NAME", "SKU", "NEWEST", "UPDATED")),
    *(("inventoryItems", sort) for sort in ("NAME", "SKU", "AVAILABLE", "UPDATED")),
    *(("inventoryLevels", sort) for sort in ("NAME", "SKU", "AVAILABLE", "ON_HAND", "UPDATED")),
    *(("orders", sort) for sort in ("PLACED", "UPDATED", "NUMBER")),
    ("stockMovements", None),
    *(("stockAnnouncements", sort) for sort in ("EXPECTED", "CREATED")),
    ("stockHolds", None),
]


@pytest.mark.parametrize(("field", "sort"), LISTS)
async def test_pages_forwards_and_backwards_are_the_list_in_its_order(client, field, sort):
    await a_stocked_shop()
    for given in ({}, {"reverse": True}) if sort else ({},):
        whole = await page(client, field, sort=sort, first=250, **given)
        ids = [node["id"] for node in whole["nodes"]]

        forwards, after = [], None
        while True:
            part = await page(client, field, sort=sort, first=3, after=after, **given)
            forwards += [edge["node"]["id"] for edge in part["edges"]]
            assert part["pageInfo"]["hasPreviousPage"] is (after is not None)
            assert part["totalCount"] == len(ids)
            if not part["pageInfo"]["hasNextPage"]:
                break
            after = part["pageInfo"]["endCursor"]
        backwards, before = [], None
        while True:
            part = await page(client, field, sort=sort, last=3, before=before, **given)
            backwards = [node["id"] for node in part["nodes"]] + backwards
            assert part["pageInfo"]["hasNextPage"] is (before is not None)
            if not part["pageInfo"]["hasPreviousPage"]:
                break
            before = part["pageInfo"]["startCursor"]

        assert len(set(ids)) == len(ids) > 6
        assert forwards == ids
        assert backwards == ids
        if given:
            assert ids == [node["id"] for node in (await page(client, field, sort=sort, first=250))["nodes"]][::-1]


@pytest.mark.parametrize(
    ("field", "sort", "value", "expected"),
    [
        ("products", "SKU", "sku", ["P0", "P1", "P2", "P3", "P4", "P5", "P6", "SHIRT"]),
        ("products", "NEWEST", "sku", ["SHIRT", "P4", "P1", "P5", "P2", "P6", "P3", "P0"]),
        ("products", "UPDATED", "sku", ["P0", "P3", "P6", "P2", "P5", "P1", "P4", "SHIRT"]),
        ("products", "NAME", "name", ["Cup", "Cup", "Mug", "Mug", "Mug", "Shirt", "Ünder", "Ünder"]),
        (
            "inventoryItems",
            "AVAILABLE",
            "inventoryTotals { available }",
            [0, 1, 1, 1.5, 1.5, 2, 2.5, 19, 19, 20, 24.5],
        ),
        ("inventoryLevels", "AVAILABLE", "available", [0, 1, 1, 1.5, 1.5, 2, 2.5, 19, 19, 20]),
        ("stockAnnouncements", "EXPECTED", "quantity", [1, 4, 7, 3, 9, 5, 8, 2, 6]),
        ("stockAnnouncements", "CREATED", "quantity", [1, 2, 3, 4, 5, 6, 7, 8, 9]),
    ],
)
async def test_lists_are_in_the_order_that_they_are_sorted_by(client, field, sort, value, expected):
    await a_stocked_shop()

    found = (await client.admin(f"{{ {field}(sort: {sort}) {{ nodes {{ ... on Node {{ id }} value: {value} }} }} }}"))[
        field
    ]

    values = [
        node["value"]["available"] if isinstance(node["value"], dict) else node["value"] for node in found["nodes"]
    ]
    assert values == expected


async def test_a_page_between_two_cursors_is_what_lies_between(client):
    await a_stocked_shop()
    whole = await page(client, "products", sort="SKU")
    cursors = [edge["cursor"] for edge in whole["edges"]]
    skus = [node["id"] for node in whole["nodes"]]

    between = await page(client, "products", sort="SKU", after=cursors[1], before=cursors[5])
    front = await page(client, "products", sort="SKU", after=cursors[1], before=cursors[5], first=2)
    back = await page(client, "products", sort="SKU", after=cursors[1], before=cursors[5], last=2)

    assert [node["id"] for node in between["nodes"]] == skus[2:5]
    assert [node["id"] for node in front["nodes"]] == skus[2:4]
    assert [node["id"] for node in back["nodes"]] == skus[3:5]


async def test_a_page_of_nothing_still_says_what_there_is(client):
    await a_stocked_shop()

    for field in ("products", "orders", "inventoryLevels", "warehouses"):
        for size in ({"first": 0}, {"last": 0}):
            found = await page(client, field, **size)

            assert (found["edges"], found["nodes"]) == ([], [])
            assert found["totalCount"] > 0
            assert found["pageInfo"] == {
                "hasNextPage": "first" in size,
                "hasPreviousPage": "last" in size,
                "startCursor": None,
                "endCursor": None,
            }


async def test_fifty_come_when_no_number_is_given(client):
    await make.shop()
    for number in range(51):
        await make.category(f"c{number:02}")

    found = await client.public("{ categories { nodes { slug } pageInfo { hasNextPage } totalCount } }")

    assert [node["slug"] for node in found["categories"]["nodes"]] == [f"c{number:02}" for number in range(50)]
    assert (found["categories"]["pageInfo"], found["categories"]["totalCount"]) == ({"hasNextPage": True}, 51)


ROOTS = [
    "products",
    "inventoryItems",
    "warehouses",
    "websites",
    "organizations",
    "inventoryLevels",
    "stockMovements",
    "orders",
    "lowInventoryAlerts",
    "lowStockReport",
]


@pytest.mark.parametrize("field", ROOTS)
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("first: 1, last: 1", "BAD_USER_INPUT"),
        ("first: 0, last: 0", "BAD_USER_INPUT"),
        ("first: 251", "BAD_USER_INPUT"),
        ("last: 251", "BAD_USER_INPUT"),
        ("first: -1", "BAD_USER_INPUT"),
        ("last: -1", "BAD_USER_INPUT"),
        ('after: ""', "INVALID_CURSOR"),
        ('before: "nonsense"', "INVALID_CURSOR"),
        ('after: "ümlaut"', "INVALID_CURSOR"),
    ],
)
async def test_a_page_that_cannot_be_asked_for_is_that_fields_error_alone(client, field, arguments, code):
    answer = await client.scoped("admin", f"{{ {field}({arguments}) {{ totalCount }} viewer {{ name }} }}")

    assert codes(answer) == [(code, [field])]
    assert answer["data"] == {field: None, "viewer": {"name": "test admin"}}


async def test_250_is_the_most(client):
    await make.shop()

    found = await page(client, "warehouses", first=250)

    assert len(found["nodes"]) == 1


def forged(*told):
    return base64.urlsafe_b64encode(json.dumps(told).encode()).decode()


async def test_a_cursor_of_another_list_or_another_order_is_refused(client):
    await a_stocked_shop()
    of_products = (await page(client, "products", sort="NAME", first=1))["pageInfo"]["endCursor"]
    of_warehouses = (await page(client, "warehouses", first=1))["pageInfo"]["endCursor"]
    others = [
        ("products", {"sort": "SKU", "after": of_products}),
        ("products", {"sort": "NAME", "reverse": True, "after": of_products}),
        ("products", {"sort": "NEWEST", "after": of_warehouses}),
        ("inventoryLevels", {"sort": "NAME", "before": of_products}),
        ("websites", {"after": of_warehouses}),
        ("orders", {"sort": "NUMBER", "after": of_warehouses}),
    ]

    for field, given in others:
        answer = await client.scoped("admin", query(field, **given))
        assert codes(answer) == [("INVALID_CURSOR", [field])]
    report = await client.scoped("admin", f'{{ lowStockReport(after: "{of_warehouses}") {{ totalCount }} }}')
    assert codes(report) == [("INVALID_CURSOR", ["lowStockReport"])]


@pytest.mark.parametrize(
    ("field", "sort", "told"),
    [
        ("products", "NAME", ("item", "name", 0, 1, 5)),
        ("products", "NAME", ("item", "name", 0, 1, None)),
        ("products", "NAME", ("item", "name", 0, 1, "\ud800")),
        ("products", "NAME", ("item", "name", 0, 1, "\x00")),
        ("products", "NAME", ("item", "name", 0, "1", "x")),
        ("products", "NAME", ("item", "name", 0, True, "x")),
        ("products", "NAME", ("item", "name", 0, 2**63, "x")),
        ("products", "NAME", ("item", "name", 0, 1)),
        ("products", "NAME", {"item": 1}),
        ("products", "NEWEST", ("item", "id", 1, 1, "x")),
        ("products", "NEWEST", ("item", "id", 1, 1, 10**30)),
        ("products", "UPDATED", ("item", "updated_at", 0, 1, "yesterday")),
        ("products", "UPDATED", ("item", "updated_at", 0, 1, "2026-01-01T00:00:00")),
        ("products", "UPDATED", ("item", "updated_at", 0, 1, "0001-01-01T00:00:00+14:00")),
        ("inventoryItems", "AVAILABLE", ("item", "total_available", 0, 1, "x")),
        ("inventoryItems", "AVAILABLE", ("item", "total_available", 0, 1, 1.5)),
        ("inventoryLevels", "AVAILABLE", ("inventory_level", "available", 0, 1, "1e-20")),
        ("inventoryLevels", "AVAILABLE", ("inventory_level", "available", 0, 1, "NaN")),
        ("inventoryLevels", "AVAILABLE", ("inventory_level", "available", 0, 1, [])),
        ("inventoryLevels", "SKU", ("inventory_level", "item__sku", 0, 1, 5)),
        ("stockAnnouncements", "EXPECTED", ("stock_announcement", "expected_at", 0, 1, 5)),
        ("stockAnnouncements", "EXPECTED", ("stock_announcement", "expected_at", 0, None, None)),
        ("stockAnnouncements", "CREATED", ("stock_announcement", "id", 0, 1, None)),
        ("products", "UPDATED", ("item", "updated_at", 0, 1, None)),
    ],
)
async def test_a_cursor_that_nobody_gave_is_refused_and_never_a_bug(client, field, sort, told):
    await a_stocked_shop()
    cursor = forged(*told) if isinstance(told, tuple) else base64.urlsafe_b64encode(json.dumps(told).encode()).decode()

    answer = await client.scoped("admin", query(field, sort=sort, after=cursor))

    assert codes(answer) == [("INVALID_CURSOR", [field])]


async def test_a_row_that_comes_or_goes_elsewhere_shifts_no_page(client):
    await make.shop()
    for sku in "BDF":
        await make.product(sku)
    first = await page(client, "products", sort="SKU", first=2)

    await client.done("deleteProduct", sku="D")
    await make.product("A")
    await make.product("E")
    second = await page(client, "products", sort="SKU", first=2, after=first["pageInfo"]["endCursor"])

    skus = await client.admin(
        "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Product { sku } } }", ids=[n["id"] for n in second["nodes"]]
    )
    assert [node["sku"] for node in skus["nodes"]] == ["E", "F"]


NESTED = """query($first: Int, $after: String, $last: Int, $before: String) {
  products(sort: SKU) { nodes { sku
    combinations(first: $first, after: $after, last: $last, before: $before) {
      nodes { sku } pageInfo { hasNextPage hasPreviousPage endCursor startCursor } totalCount
    }
  } }
}"""


async def two_shirts():
    for sku in ("COAT", "SHIRT"):
        await make.product(sku, options={"Size": ["S", "M", "L"]})


async def test_every_parent_has_its_own_page(client):
    await make.shop()
    await two_shirts()
    await make.product("MUG")

    front = (await client.admin(NESTED, first=2))["products"]["nodes"]
    back = (await client.admin(NESTED, last=1))["products"]["nodes"]
    rest = (await client.admin(NESTED, first=2, after=front[0]["combinations"]["pageInfo"]["endCursor"]))["products"]

    assert [[c["sku"] for c in one["combinations"]["nodes"]] for one in front] == [
        ["COAT-S", "COAT-M"],
        [],
        ["SHIRT-S", "SHIRT-M"],
    ]
    assert [one["combinations"]["pageInfo"]["hasNextPage"] for one in front] == [True, False, True]
    assert [one["combinations"]["totalCount"] for one in front] == [3, 0, 3]
    assert [[c["sku"] for c in one["combinations"]["nodes"]] for one in back] == [["COAT-L"], [], ["SHIRT-L"]]
    assert [one["combinations"]["pageInfo"]["hasPreviousPage"] for one in back] == [True, False, True]
    assert [[c["sku"] for c in one["combinations"]["nodes"]] for one in rest["nodes"]] == [
        ["COAT-L"],
        [],
        ["SHIRT-S", "SHIRT-M"],
    ]


@pytest.mark.parametrize("sort", ["SKU", "NAME", "AVAILABLE", "ON_HAND", "UPDATED"])
@pytest.mark.parametrize("reverse", [False, True])
async def test_levels_below_warehouses_are_paged_in_every_order(client, sort, reverse):
    await make.shop()
    await make.warehouse("PARIS")
    for number, sku in enumerate(("A", "B", "C", "D")):
        await make.product(sku, name=f"Name {number % 2}")
        await make.stock(sku, "BERLIN", number % 3)
        await make.stock(sku, "PARIS", (number + 1) % 3)
    levels = """query($first: Int, $after: String) { warehouses { nodes { code
      inventoryLevels(sort: %s, reverse: %s, first: $first, after: $after) {
        edges { cursor node { item { sku name } onHand } } pageInfo { hasNextPage }
      } } } }""" % (sort, str(reverse).lower())  # noqa: UP031

    whole = (await client.admin(levels))["warehouses"]["nodes"]
    first = (await client.admin(levels, first=1))["warehouses"]["nodes"]
    after = [
        (await client.admin(levels, after=one["inventoryLevels"]["edges"][0]["cursor"]))["warehouses"]["nodes"][number]
        for number, one in enumerate(first)
    ]

    for number, one in enumerate(whole):
        nodes = [edge["node"] for edge in one["inventoryLevels"]["edges"]]
        assert len(nodes) == 4
        key = {"SKU": lambda n: n["item"]["sku"], "NAME": lambda n: n["item"]["name"]}.get(sort, lambda n: n["onHand"])
        if sort != "UPDATED":
            assert [key(node) for node in nodes] == sorted([key(node) for node in nodes], reverse=reverse)
        assert [edge["node"] for edge in first[number]["inventoryLevels"]["edges"]] == nodes[:1]
        assert [edge["node"] for edge in after[number]["inventoryLevels"]["edges"]] == nodes[1:]


async def test_a_nested_page_that_cannot_be_asked_for_leaves_the_rest(client):
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG")

    answer = await client.scoped(
        "admin",
        """{ products { nodes { sku inventoryLevels(first: 251) { totalCount } } }
             inventoryLevels { nodes { onHand movements(after: "x") { totalCount } } } }""",
    )

    assert sorted(codes(answer)) == [
        ("BAD_USER_INPUT", ["products", "nodes", 0, "inventoryLevels"]),
        ("INVALID_CURSOR", ["inventoryLevels", "nodes", 0, "movements"]),
    ]
    assert answer["data"] == {
        "products": {"nodes": [{"sku": "MUG", "inventoryLevels": None}]},
        "inventoryLevels": {"nodes": [{"onHand": 5, "movements": None}]},
    }


VISIBLE = """query($after: String) {
  products(first: 5, after: $after) { nodes { sku } pageInfo { hasNextPage endCursor } totalCount }
}"""


async def test_the_public_pages_through_what_it_sees_however_much_it_does_not(client):
    await make.shop()
    for number in range(120):
        await make.product(f"P{number:03}", name=f"P{number:03}", published=number % 10 == 0)
    pages = []
    after = None

    while after is None or pages[-1]["pageInfo"]["hasNextPage"]:
        pages.append((await client.public(VISIBLE, after=after))["products"])
        after = pages[-1]["pageInfo"]["endCursor"]
    back = await client.public("{ products(last: 2) { nodes { sku } pageInfo { hasPreviousPage } } }")

    seen = [node["sku"] for found in pages for node in found["nodes"]]
    assert seen == [f"P{number:03}" for number in range(0, 120, 10)]
    assert [found["totalCount"] for found in pages] == [12, 12, 12]
    assert back["products"] == {"nodes": [{"sku": "P100"}, {"sku": "P110"}], "pageInfo": {"hasPreviousPage": True}}


BELOW = """query($first: Int, $after: String, $last: Int, $filter: ProductFilter) {
  categories { nodes { slug
    products(sort: SKU, first: $first, after: $after, last: $last, filter: $filter) {
      edges { cursor node { sku } } pageInfo { hasNextPage hasPreviousPage } totalCount
    }
  } }
}"""


@pytest.mark.parametrize("caller", ["", "catalog:read"])
async def test_every_category_has_its_own_page_of_what_is_in_it_and_below_it(client, caller):
    await make.shop()
    await make.category("a-all")
    await make.category("b-tools", parent="a-all")
    await make.category("c-spades", parent="b-tools")
    await make.category("d-none")
    for sku, category in (("A", "a-all"), ("B", "b-tools"), ("C", "c-spades"), ("D", "b-tools"), ("E", "a-all")):
        await make.product(sku, category=category)
        await make.stock(sku, on_hand=1)
    await make.product("HIDDEN", category="c-spades", published=False)
    token = await client.token(caller) if caller else None

    async def asked(**given):
        nodes = (await client.ask(BELOW, given, token=token))["data"]["categories"]["nodes"]
        return {one["slug"]: one["products"] for one in nodes}

    def skus(found):
        return {slug: "".join(edge["node"]["sku"] for edge in one["edges"]) for slug, one in found.items()}

    front = await asked(first=2, filter={"published": True})
    back = await asked(last=1, filter={"inStock": True, "published": True})
    rest = await asked(after=front["a-all"]["edges"][1]["cursor"], filter={"published": True})

    assert skus(front) == {"a-all": "AB", "b-tools": "BC", "c-spades": "C", "d-none": ""}
    assert [one["totalCount"] for one in front.values()] == [5, 3, 1, 0]
    assert [one["pageInfo"]["hasNextPage"] for one in front.values()] == [True, True, False, False]
    assert skus(back) == {"a-all": "E", "b-tools": "D", "c-spades": "C", "d-none": ""}
    assert [one["totalCount"] for one in back.values()] == [5, 3, 1, 0]
    assert skus(rest) == {"a-all": "CDE", "b-tools": "CD", "c-spades": "C", "d-none": ""}
    everything = {slug: one["totalCount"] for slug, one in (await asked()).items()}
    assert everything == {
        "a-all": 5 + bool(caller),
        "b-tools": 3 + bool(caller),
        "c-spades": 1 + bool(caller),
        "d-none": 0,
    }


async def test_a_category_of_which_little_is_shown_is_looked_through_to_its_end(client):
    await make.shop()
    for slug in ("few", "many"):
        await make.category(slug)
        for number in range(80):
            shown = number % 40 == 39 if slug == "few" else True
            await make.product(f"{slug}-{number:02}", category=slug, published=shown)

    found = await client.public(BELOW, first=3)

    pages = {one["slug"]: one["products"] for one in found["categories"]["nodes"]}
    assert [edge["node"]["sku"] for edge in pages["few"]["edges"]] == ["few-39", "few-79"]
    assert [edge["node"]["sku"] for edge in pages["many"]["edges"]] == ["many-00", "many-01", "many-02"]
    assert [(one["pageInfo"]["hasNextPage"], one["totalCount"]) for one in pages.values()] == [(False, 2), (True, 80)]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [("DAYS_OF_COVER", "BDACE"), ("ORDERED", "BDECA"), ("SUGGESTED_REORDER", "BEDCA")],
)
async def test_a_demand_report_goes_on_from_what_was_ordered_to_what_was_not(client, sort, expected):
    await make.shop()
    for sku in "ABCDE":
        await make.product(sku)
        await make.stock(sku, on_hand=10)
    await make.order(lines={"B": 7, "D": 2})
    query = """query($sort: ItemDemandSort!, $first: Int, $after: String, $last: Int) {
      demandReport(sort: $sort, first: $first, after: $after, last: $last) {
        nodes { item { sku } } pageInfo { endCursor hasNextPage } totalCount
      }
    }"""

    seen, after, more = "", None, True
    while more:
        found = (await client.admin(query, sort=sort, first=2, after=after))["demandReport"]
        seen += "".join(node["item"]["sku"] for node in found["nodes"])
        after, more = found["pageInfo"]["endCursor"], found["pageInfo"]["hasNextPage"]
    from_behind = (await client.admin(query, sort=sort, last=2))["demandReport"]

    assert (seen, found["totalCount"]) == (expected, 5)
    assert "".join(node["item"]["sku"] for node in from_behind["nodes"]) == expected[-2:]
