"""How many SQL statements a page costs: few, and as many for fifty rows as for five."""

from pathlib import Path

import pytest

import make

PAGES = Path(__file__).parent / "pages"


async def rows(start, end):
    """Products of every kind, in a category of their own, with stock, orders and shipments that are not shipped."""
    for number in range(start, end):
        sku = f"P{number:02}"
        options = {"Size": ["S", "M"], "Color": ["Red"]} if number % 2 else {}
        await make.product(sku, name=sku, category="tools", options=options)
        item = f"{sku}-S-RED" if options else sku
        for warehouse in ("BER", "PARIS"):
            await make.stock(item, warehouse, 3)
        await make.order(item, 5)


async def a_shop_with_settings_everywhere():
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
    await rows(0, 5)
    await make.setting(product="P00", only_x_left_threshold=5)
    await make.setting(combination="P01-S-RED", only_x_left_threshold=6)
    await make.setting(level=("P00", "BER"), notify_below=1)


EVERYTHING = """{
  products(first: 50, filter: { tracking: TRACK_WITHOUT_OPTIONS }) {
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
    token = await client.token(caller) if caller else None
    with statements.counted() as sent:
        answer = await client.ask(query, variables, token=token)
    assert "errors" not in answer
    return answer["data"], sent


async def test_fifty_products_with_availability_levels_and_settings_cost_at_most_eight_statements(client, statements):
    await a_shop_with_settings_everywhere()
    for number in range(50):
        await make.product(f"X{number}", category="tools")
        await make.stock(f"X{number}", "BER", 3)

    data, sent = await asked(client, statements, EVERYTHING, {}, caller="admin")

    assert len(data["products"]["nodes"]) == 50
    assert len(sent) <= 8, "\n".join(sent)


def skus(end):
    return [f"P{number:02}" if number % 2 == 0 else f"P{number:02}-S-RED" for number in range(end)]


def counts(end):
    return [{"sku": sku, "warehouse": "BER", "onHand": 40} for sku in skus(end)]


def lines(end):
    return [{"sku": sku, "quantity": 1} for sku in skus(end)]


PAGE_QUERIES = [
    (
        "product-listing",
        "",
        lambda n: {"category": "garden", "website": "shop", "first": n},
        "category.products.nodes",
        50,
    ),
    (
        "adjust-grid",
        "inventory:read orders:read",
        lambda n: {"filter": {"warehouse": "BER"}},
        "inventoryItems.nodes",
        50,
    ),
    ("cart-page", "", lambda n: {"input": {"lines": lines(n)}}, "checkOrder.lines", 50),
    ("pick-list", "orders:read", lambda n: {"warehouse": "BER"}, "orders.nodes", 50),
    ("erp-orders", "orders:read", lambda n: {"since": "2020-01-01T00:00:00Z"}, "orders.nodes", 50),
    ("erp-push", "inventory:write", lambda n: {"input": {"counts": counts(n)}}, "setStock.inventoryLevels", 50),
    (
        "erp-receive",
        "inventory:write",
        lambda n: {"input": {"warehouse": "BER", "lines": lines(n)}},
        "receiveStock.inventoryLevels",
        50,
    ),
]


@pytest.mark.parametrize(
    ("page", "caller", "variables", "path", "most"), PAGE_QUERIES, ids=[p[0] for p in PAGE_QUERIES]
)
async def test_a_page_costs_as_many_statements_for_fifty_rows_as_for_five(
    client, statements, page, caller, variables, path, most
):
    query = (PAGES / f"{page}.graphql").read_text()
    await a_shop_with_settings_everywhere()

    few, sent_for_five = await asked(client, statements, query, variables(5), caller=caller)
    await rows(5, 50)
    many, sent_for_fifty = await asked(client, statements, query, variables(50), caller=caller)

    for data, number in ((few, 5), (many, most)):
        for part in path.split("."):
            data = data[part]
        assert len(data) == number
    assert len(sent_for_fifty) == len(sent_for_five), "\n".join(sent_for_fifty)


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
