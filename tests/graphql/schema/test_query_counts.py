"""How many SQL statements a page costs: few, and as many for fifty rows as for five."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from gqlstock.rules import orders
from gqlstock.rules.settings import BackorderMode
from gqlstock.stock import cache
from gqlstock.stock.cache import Cache
from gqlstock.store.db import clock
from support import shop_builders as make

PAGES = Path(__file__).parents[1] / "pages"


@pytest.fixture(autouse=True)
def kept() -> Iterator[Cache]:
    """Nothing is kept: each question costs all of its statements."""
    with cache.everywhere(Cache()):
        yield cache.current()


async def rows(client, start, end):
    """Products of every kind, in a category of their own, with stock, orders and shipments that have not left."""
    for number in range(start, end):
        sku = f"P{number:02}"
        options = {"Size": ["S", "M"], "Color": ["Red"]} if number % 2 else {}
        await make.product(sku, name=sku, category="tools", options=options)
        item = f"{sku}-S-RED" if options else sku
        for warehouse in ("BER", "PARIS"):
            await make.stock(item, warehouse, 3)
        order_id = await make.order(item, 5)
        await client.done("createShipment", order=orders.number(order_id), warehouse="BER")


async def a_shop_with_settings_everywhere(client):
    """Settings at six kinds of places, so that nothing is saved where nothing is set."""
    await make.warehouse("BER")
    await make.warehouse("PARIS")
    await make.organization("acme")
    await make.website("shop", organization="acme", warehouses=["BER", "PARIS"])
    await make.category("garden")
    await make.category("tools", parent="garden")
    await make.setting(only_x_left_threshold=1)
    await make.setting(organization="acme", only_x_left_threshold=2)
    await make.setting(website="shop", only_x_left_threshold=3)
    await make.setting(category="garden", only_x_left_threshold=4)
    await rows(client, 0, 5)
    await make.setting(product="P00", only_x_left_threshold=5)
    await make.setting(combination="P01-S-RED", only_x_left_threshold=6)
    await make.setting(level=("P00", "BER"), notify_below=1)


EVERYTHING = """{
  products(first: 50) {
    nodes {
      id sku name
      availability { orderable salableQuantity onlyLeft }
      inventoryLevels { nodes { onHand available } }
      inventorySettings { onlyXLeftThreshold backorders }
    }
  }
}"""


async def asked(client, statements, query, variables, *, caller):
    """The data and the statements that it cost."""
    token = await client.token(*caller.split()) if caller else None
    with statements.counted() as sent:
        answer = await client.ask(query, variables, token=token)
    assert "errors" not in answer
    return answer["data"], sent


async def test_fifty_products_with_availability_levels_and_settings_cost_at_most_ten_statements(client, statements):
    await a_shop_with_settings_everywhere(client)
    await rows(client, 5, 50)

    data, sent = await asked(client, statements, EVERYTHING, {}, caller="admin")

    assert len(data["products"]["nodes"]) == 50
    assert len(sent) <= 10, "\n".join(sent)


SHELF = """{
  products(first: 24) {
    nodes {
      id sku images { url }
      availability { orderable salableQuantity }
      combinations(first: 10) {
        nodes {
          sku code images { url }
          product { sku category { slug } }
          availability { orderable }
          inventoryLevels { nodes { onHand warehouse { code } } totalCount }
        }
        totalCount
      }
    }
  }
}"""


@pytest.mark.parametrize("caller", ["admin", "inventory:read"])
async def test_a_page_of_combinations_with_their_levels_reads_each_table_once(client, statements, caller):
    await a_shop_with_settings_everywhere(client)
    with cache.everywhere(Cache(64_000_000)):
        await asked(client, statements, SHELF, {}, caller=caller)
        for number, sku in enumerate(skus(5)):
            await make.stock(sku, "BER", 7)
            await client.done("updateProduct", sku=f"P{number:02}", name="Another name")
        data, sent = await asked(client, statements, SHELF, {}, caller=caller)

    # Products, and their combinations. Network, categories and settings above items are kept. Levels bring their
    # announcements along.
    tables = [re.search(r'FROM "?(?!stock_announcement)(\w+)"?', one)[1] for one in sent]
    assert sorted(tables) == ["inventory_level", "item", "item", "setting_override"]
    assert data["products"]["nodes"][1]["combinations"]["totalCount"] == 2


def skus(end):
    return [f"P{number:02}" if number % 2 == 0 else f"P{number:02}-S-RED" for number in range(end)]


def counts(end):
    return [{"sku": sku, "warehouse": "BER", "onHand": 40} for sku in skus(end)]


def lines(end):
    return [{"sku": sku, "quantity": 1} for sku in skus(end)]


GRID = "inventoryItems.nodes"
PAGE_QUERIES = {
    "product-listing": ("", lambda n: {"category": "garden", "website": "shop", "first": n}, "category.products.nodes"),
    "adjust-grid": ("inventory:read catalog:read orders:read", lambda n: {"filter": {"warehouse": "BER"}}, GRID),
    "cart-page": ("", lambda n: {"input": {"lines": lines(n)}}, "checkOrder.lines"),
    "pick-list": ("orders:read", lambda n: {"warehouse": "BER"}, "shipments.nodes"),
    "erp-orders": ("orders:read", lambda n: {"since": "2020-01-01T00:00:00Z"}, "orders.nodes"),
    "erp-delta": ("inventory:read", lambda n: {"after": None}, "inventoryChanges.nodes"),
    "erp-push": ("inventory:write", lambda n: {"input": {"counts": counts(n)}}, "setStock.inventoryLevels"),
    "erp-receive": (
        "inventory:write",
        lambda n: {"input": {"warehouse": "BER", "lines": lines(n)}},
        "receiveStock.inventoryLevels",
    ),
}


async def costs(client, statements, pages, number):
    """How many statements each page costs that shows so many rows."""
    out = {}
    for page in pages:
        caller, variables, path = PAGE_QUERIES[page]
        query = (PAGES / f"{page}.graphql").read_text()
        data, sent = await asked(client, statements, query, variables(number), caller=caller)
        for part in path.split("."):
            data = data[part]
        assert len(data) >= number if page == "erp-delta" else len(data) == number
        out[page] = len(sent)
    return out


async def test_pages_cost_as_many_statements_for_fifty_rows_as_for_five(client, statements):
    pages = [page for page in PAGE_QUERIES if page != "erp-receive"]
    await a_shop_with_settings_everywhere(client)

    for_five = await costs(client, statements, pages, 5)
    await rows(client, 5, 50)

    assert await costs(client, statements, pages, 50) == for_five


async def test_a_dashboard_costs_no_more_statements_for_twenty_alerts_than_for_five(client, statements):
    query = (PAGES / "dashboard.graphql").read_text()
    await make.shop()
    await make.setting(notify_below=5)
    sent = {}
    for start, end in ((0, 5), (5, 20)):
        for number in range(start, end):
            await make.product(f"D{number:02}")
            await make.stock(f"D{number:02}", on_hand=8)
            await make.order(f"D{number:02}", 4)
        data, sent[end] = await asked(
            client, statements, query, {"since": "2020-01-01T00:00:00Z"}, caller="inventory:read orders:read"
        )
        assert (data["open"]["totalCount"], data["today"]["totalCount"]) == (end, end)
        assert len(data["lowInventoryAlerts"]["nodes"]) == data["lowInventoryAlerts"]["totalCount"] == end
        assert data["inventoryChanges"]["pageInfo"]["endCursor"] is not None

    # Fewer: ten of twenty that were ordered fill the report's page, five do not.
    assert len(sent[20]) <= len(sent[5]), "\n".join(sent[20])


async def test_a_delivery_costs_as_many_statements_for_fifty_rows_as_for_five(client, statements):
    await make.shop()
    await make.warehouse("BER")
    for sku in skus(50):
        await make.product(sku)
        await make.stock(sku, "BER", 3)

    for_five = await costs(client, statements, ["erp-receive"], 5)

    assert await costs(client, statements, ["erp-receive"], 50) == for_five


async def test_a_product_page_costs_as_many_statements_for_fifty_combinations_as_for_five(client, statements):
    query = (PAGES / "product-page.graphql").read_text()
    await make.shop()
    sizes = [str(number) for number in range(50)]
    sent = {}
    for number in (5, 50):
        sku = f"SHIRT{number}"
        await make.product(sku, options={"Size": sizes[:number], "Color": ["Red"]})
        for size in sizes[:number]:
            await make.stock(f"{sku}-{size}-RED", on_hand=1)
        variables = {"slug": sku.lower(), "website": "shop", "chosen": [{"name": "Size", "value": "3"}]}
        data, sent[number] = await asked(client, statements, query, variables, caller="")
        assert len(data["product"]["selection"]["choices"][0]["values"]) == number
        assert data["product"]["selection"]["choices"][1]["values"] == [
            {"name": "Red", "selected": False, "exists": True, "orderable": True}
        ]

    assert len(sent[5]) == len(sent[50]), "\n".join(sent[50])


async def test_a_scan_finds_products_and_combinations(client):
    query = (PAGES / "scan.graphql").read_text()
    await make.shop()
    await make.product("SHIRT", options={"Size": ["S"]})

    found = [(await client.public(query, sku=sku))["inventoryItem"] for sku in ("SHIRT", "SHIRT-S", "NONE")]

    assert [one and (one["__typename"], one["sku"]) for one in found] == [
        ("Product", "SHIRT"),
        ("Combination", "SHIRT-S"),
        None,
    ]


@pytest.mark.parametrize("caller", ["", "catalog:read"])
async def test_the_products_of_many_categories_cost_as_many_statements_as_those_of_two(client, statements, caller):
    query = """{ categories(first: 20) { nodes {
      slug products(first: 1, filter: { inStock: true }) { nodes { sku availability { orderable } } totalCount }
    } } }"""
    await make.shop()
    sent = {}
    for start, end in ((0, 2), (2, 12)):
        for number in range(start, end):
            await make.category(f"c{number:02}")
            for sku in (f"A{number}", f"B{number}"):
                await make.product(sku, category=f"c{number:02}")
                await make.stock(sku)
        data, sent[end] = await asked(client, statements, query, {}, caller=caller)
        assert [(one["slug"], one["products"]["totalCount"]) for one in data["categories"]["nodes"]] == [
            (f"c{number:02}", 2) for number in range(end)
        ]

    assert len(sent[2]) == len(sent[12]), "\n".join(sent[12])


async def test_counts_of_new_levels_and_late_counts_cost_as_many_statements_for_fifty_as_for_five(client, statements):
    query = """mutation ($counts: [StockCountInput!]!) { setStock(input: { counts: $counts }) {
      inventoryLevels { onHand } userErrors { message }
    } }"""
    await make.shop()
    sent = {}
    for number in (5, 50):
        rows = [{"sku": f"N{number}-{one}", "warehouse": "BERLIN"} for one in range(number)]
        for row in rows:
            await make.product(row["sku"])
        sent[number] = []
        for on_hand in (1, 2):
            late = {"countedAt": clock.now().isoformat()} if on_hand == 2 else {}
            given = [row | late | {"onHand": on_hand} for row in rows]
            data, cost = await asked(client, statements, query, {"counts": given}, caller="inventory:write")
            assert data["setStock"]["userErrors"] == []
            assert [level["onHand"] for level in data["setStock"]["inventoryLevels"]] == [on_hand] * number
            sent[number].append(len(cost))

    assert sent[5] == sent[50]


ORDERS = """{{
  orders(first: 50) {{ nodes {{
    number {dates}
    lines {{ sku {dates} allocations {{ quantity state {allocation} }} }}
    shipments {{ number {shipment} items {{ quantity }} }}
  }} }}
  shipments(first: 50) {{ nodes {{ number {shipment} items {{ quantity }} }} }}
}}"""
WITHOUT_DATES = ORDERS.format(dates="", allocation="", shipment="")
WITH_DATES = ORDERS.format(
    dates="expectedAt promisedAt", allocation="expectedAt announcement { reference }", shipment="expectedAt"
)
SOON = "2099-12-03T00:00:00Z"


async def a_shop_with_orders(client, start, end, *, on_hand, announced):
    for number in range(start, end):
        sku = f"O{number:02}"
        await make.product(sku)
        await make.setting(product=sku, backorders=BackorderMode.ALLOW, incoming_buffer_days=1)
        await make.stock(sku, on_hand=on_hand)
        order_id = await make.order(sku, 3)
        await client.done("createShipment", order=orders.number(order_id), warehouse="BERLIN")
        if announced:
            lines = [{"sku": sku, "quantity": 5}]
            await client.done("announceStock", warehouse="BERLIN", lines=lines, expectedAt=SOON)


def tables_of(sent):
    return sorted(re.search(r'FROM "?(\w+)"?', one)[1] for one in sent)


@pytest.mark.parametrize("on_hand", [3, 9])
async def test_orders_in_which_nothing_waits_cost_no_statement_for_their_dates(client, statements, on_hand):
    await make.shop()
    await a_shop_with_orders(client, 0, 3, on_hand=on_hand, announced=True)

    _, without = await asked(client, statements, WITHOUT_DATES, {}, caller="admin")
    data, sent = await asked(client, statements, WITH_DATES, {}, caller="admin")

    assert [one["expectedAt"] for one in data["orders"]["nodes"]] == [None] * 3
    assert tables_of(sent) == tables_of(without)


async def test_orders_that_wait_for_what_is_not_announced_cost_a_look_at_their_levels(client, statements):
    await make.shop()
    await a_shop_with_orders(client, 0, 3, on_hand=1, announced=False)

    _, without = await asked(client, statements, WITHOUT_DATES, {}, caller="admin")
    data, sent = await asked(client, statements, WITH_DATES, {}, caller="admin")

    assert [one["expectedAt"] for one in data["orders"]["nodes"]] == [None] * 3
    assert tables_of(sent) == sorted([*tables_of(without), "inventory_level"])


async def test_the_dates_of_fifty_orders_and_their_shipments_are_worked_out_once(client, statements):
    await make.shop()
    costs = {}
    for start, end in ((0, 5), (5, 50)):
        await a_shop_with_orders(client, start, end, on_hand=1, announced=True)
        with cache.everywhere(Cache(64_000_000)):
            # What dates are made of besides orders, announcements and queues is kept.
            await client.admin("{ inventoryItems(first: 50) { nodes { inventorySettings { backorders } } } }")
            _, without = await asked(client, statements, WITHOUT_DATES, {}, caller="admin")
            await asked(client, statements, WITH_DATES, {}, caller="admin")
            data, sent = await asked(client, statements, WITH_DATES, {}, caller="admin")
        leaves = "2099-12-04T00:00:00Z"
        assert [one["expectedAt"] for one in data["orders"]["nodes"]] == [leaves] * end
        assert [one["lines"][0]["expectedAt"] for one in data["orders"]["nodes"]] == [leaves] * end
        assert [one["shipments"][0]["expectedAt"] for one in data["orders"]["nodes"]] == [leaves] * end
        assert [one["expectedAt"] for one in data["shipments"]["nodes"]] == [leaves] * end
        added = Counter(tables_of(sent)) - Counter(tables_of(without))
        # The announcements, the queues, and the websites of the lines.
        assert added == {"stock_announcement": 1, "allocation": 1, "order_line": 1}
        costs[end] = len(sent)

    assert costs[5] == costs[50]


async def test_dates_of_orders_are_never_kept(client, statements):
    await make.shop()
    await a_shop_with_orders(client, 0, 1, on_hand=1, announced=True)
    query = '{ order(number: "100001") { expectedAt promisedAt } }'
    with cache.everywhere(Cache(64_000_000)) as _:
        for _ in range(3):
            data, sent = await asked(client, statements, query, {}, caller="admin")
            assert data == {"order": {"expectedAt": "2099-12-04T00:00:00Z", "promisedAt": None}}
            assert sent
