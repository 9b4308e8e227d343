"""One SKU in whatever spelling, and the SKUs that an item had before, wherever a SKU is named."""

import pytest

from gqlstock.rules.orders import number
from gqlstock.services import back_in_stock, catalog
from support import shop_builders as make

SPELLINGS = ["CAFE\u0301", " CAFÉ ", "\ufeffCA\u200bFÉ"]


@pytest.fixture
async def shop(client):
    await make.shop()
    await make.product("CAFÉ")
    await make.stock("CAFÉ", on_hand=50)


@pytest.mark.parametrize("sku", SPELLINGS)
async def test_a_sku_is_looked_up_in_any_spelling(shop, client, sku):
    data = await client.admin(
        """query ($sku: String!, $skus: [String!]!, $level: InventoryLevelFilter) {
            product(sku: $sku) { sku }
            availabilities(skus: $skus) { sku }
            inventoryItems(filter: { skus: $skus }) { nodes { sku } }
            inventoryLevels(filter: $level) { totalCount }
            inventoryLevel(sku: $sku, warehouse: "BERLIN") { onHand }
            stockMovements(filter: { skus: $skus }) { totalCount }
            inventoryChanges(skus: $skus) { nodes { level { onHand } } }
            explainAvailability(sku: $sku) { terms { kind } }
            inventorySettings(scope: { product: $sku }) { owner }
        }""",
        sku=sku,
        skus=[sku],
        level={"skus": [sku], "product": sku},
    )

    assert data["product"] == {"sku": "CAFÉ"}
    assert data["availabilities"] == [{"sku": "CAFÉ"}]
    assert data["inventoryItems"]["nodes"] == [{"sku": "CAFÉ"}]
    assert (data["inventoryLevels"]["totalCount"], data["stockMovements"]["totalCount"]) == (1, 1)
    assert data["inventoryLevel"] == {"onHand": 50}
    assert data["inventoryChanges"]["nodes"]
    assert data["explainAvailability"]["terms"]
    assert data["inventorySettings"] == {"owner": "CAFÉ"}


@pytest.mark.parametrize("sku", SPELLINGS)
async def test_a_sku_is_written_to_in_any_spelling(shop, client, sku):
    assert await client.refused("createProduct", sku=sku, name="Twin") == [("ALREADY_EXISTS", ["sku"])]
    row = {"sku": sku, "warehouse": "\u200bBERLIN "}
    for mutation, given in (
        ("setStock", {"counts": [{**row, "onHand": 40}]}),
        ("adjustStock", {"changes": [{**row, "delta": 1}]}),
        ("receiveStock", {"warehouse": "BERLIN ", "lines": [{"sku": sku, "quantity": 1}]}),
        ("placeOrder", {"website": " shop", "lines": [{"sku": sku, "quantity": 2}]}),
        ("setInventorySettings", {"scope": {"level": row}, "settings": {"notifyBelow": 1}}),
        ("updateProduct", {"sku": sku, "name": "Coffee"}),
    ):
        await client.done(mutation, **given)

    data = await client.admin('{ inventoryLevel(sku: "CAFÉ", warehouse: "BERLIN") { onHand item { name } } }')
    assert data["inventoryLevel"] == {"onHand": 40, "item": {"name": "Coffee"}}


async def test_an_open_order_finds_its_line_by_the_sku_as_ordered_or_as_it_is_now(shop, client):
    order = number(await make.order("CAFÉ", 8))
    await catalog.update_product("CAFÉ", {"new_sku": "COFFEE"})

    for sku in ("CAFÉ", "COFFEE"):
        line = {"lines": [{"sku": sku, "quantity": 1}]}
        await client.done("cancelOrder", number=order, **line)
        await client.done("createShipment", order=order, warehouse="BERLIN", **line)
        shipped = await client.admin("{ shipments(filter: { states: [READY] }) { nodes { number } } }")
        await client.done("shipShipment", number=shipped["shipments"]["nodes"][0]["number"])
        await client.done("returnItems", order=order, **line)
        data = await client.admin("query ($sku: String!) { orders(filter: { sku: $sku }) { totalCount } }", sku=sku)
        assert data["orders"]["totalCount"] == 1
    assert await client.refused("cancelOrder", number=order, lines=[{"sku": "TEA", "quantity": 1}]) == [
        ("NOT_FOUND", ["lines", "0", "sku"])
    ]


async def test_the_sku_as_it_was_ordered_goes_before_the_one_of_now(shop, client):
    order_id = await make.order("CAFÉ", 3)
    await catalog.update_product("CAFÉ", {"new_sku": "COFFEE"})
    await make.product("CAFÉ")
    await make.stock("CAFÉ", on_hand=10)
    mixed = number(await make.order(lines={"COFFEE": 3, "CAFÉ": 4}))

    await client.done("cancelOrder", number=number(order_id), lines=[{"sku": "CAFÉ", "quantity": 3}])
    await client.done("cancelOrder", number=mixed, lines=[{"sku": "CAFÉ", "quantity": 4}])

    data = await client.admin("query ($n: String!) { order(number: $n) { lines { sku canceled } } }", n=mixed)
    assert data["order"]["lines"] == [{"sku": "COFFEE", "canceled": 0}, {"sku": "CAFÉ", "canceled": 4}]


async def test_who_waits_for_a_renamed_item_is_found_by_both_skus(shop, client):
    await make.stock("CAFÉ", on_hand=0)
    await back_in_stock.subscribe("CAFÉ", None, "anna@example.com")
    await catalog.update_product("CAFÉ", {"new_sku": "COFFEE"})

    for sku, found in (("CAFÉ", 1), ("COFFEE", 1), ("TEA", 0)):
        data = await client.admin(
            "query ($sku: String!) { backInStockSubscriptions(sku: $sku) { totalCount } }", sku=sku
        )
        assert data["backInStockSubscriptions"]["totalCount"] == found


async def test_alerts_of_a_renamed_item_are_found_by_both_skus(shop, client):
    await make.setting(product="CAFÉ", notify_below=60)
    await make.stock("CAFÉ", on_hand=40)
    await catalog.update_product("CAFÉ", {"new_sku": "COFFEE"})

    for sku, found in (("CAFÉ", 1), ("COFFEE", 1), ("TEA", 0)):
        data = await client.admin(
            "query ($skus: [String!]) { lowInventoryAlerts(filter: { skus: $skus }) { totalCount } }", skus=[sku]
        )
        assert data["lowInventoryAlerts"]["totalCount"] == found
