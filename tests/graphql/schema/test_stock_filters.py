"""Lists of items by alerts, lack, backorders and what is on its way, and of orders by what is to be shipped."""

from typing import Any

import pytest

from gqlstock.rules.catalog import InventoryTracking
from gqlstock.rules.settings import BackorderMode, InventoryDecrement
from gqlstock.services import reassess
from support import settable_clock
from support import shop_builders as make
from support.graphql_client import Client

ALL = ["CUP", "EBOOK", "MUG", "SHIRT", "SHIRT-M", "SHIRT-S"]


async def skus(client: Client, **chosen: Any) -> list[str]:
    found = await client.admin(
        """query ($filter: InventoryItemFilter!) {
          inventoryItems(filter: $filter, sort: SKU) { totalCount nodes { sku } } }""",
        filter=chosen,
    )
    named = [node["sku"] for node in found["inventoryItems"]["nodes"]]
    assert found["inventoryItems"]["totalCount"] == len(named)
    return named


async def both(client: Client, name: str) -> tuple[list[str], list[str]]:
    """What passes with true and with false."""
    return await skus(client, **{name: True}), await skus(client, **{name: False})


async def watch(**given: Any) -> None:
    """Set ``notify_below`` somewhere, and raise the alerts that follow."""
    await make.setting(**given)
    await reassess.run()


async def to_ship(client: Client, **chosen: Any) -> list[str]:
    found = await client.admin(
        "query ($filter: OrderFilter!) { orders(filter: $filter) { totalCount nodes { reference } } }", filter=chosen
    )
    named = [node["reference"] for node in found["orders"]["nodes"]]
    assert found["orders"]["totalCount"] == len(named)
    return named


@pytest.fixture
async def shop(client: Client) -> None:
    """MUG: 5 in BERLIN. CUP: no level. SHIRT-S: 3 in PARIS, SHIRT-M: none. EBOOK is not counted."""
    await make.warehouse("BERLIN")
    await make.warehouse("PARIS")
    await make.website("shop", warehouses=["BERLIN", "PARIS"])
    await make.product("MUG")
    await make.stock("MUG", "BERLIN", 5)
    await make.product("CUP")
    await make.product("SHIRT", options={"Size": ["S", "M"]})
    await make.stock("SHIRT-S", "PARIS", 3)
    await make.stock("SHIRT-M", "PARIS", 0)
    await make.product("EBOOK", tracking=InventoryTracking.DO_NOT_TRACK)


@pytest.mark.parametrize("name", ["low", "outOfStock", "backordered", "incoming"])
async def test_a_filter_of_null_lets_everything_through(client: Client, shop: None, name: str) -> None:
    assert await skus(client, **{name: None}) == ALL


async def test_low_are_items_with_an_open_alert_and_no_longer_when_it_is_resolved(client: Client, shop: None) -> None:
    await watch(product="MUG", notify_below=9)
    await watch(product="SHIRT", notify_below=2)
    await watch(level=("SHIRT-S", "PARIS"), notify_below=4)
    before = await both(client, "low")
    await make.stock("MUG", "PARIS", 4)
    await make.stock("SHIRT-M", "PARIS", 2)

    assert before == (["MUG", "SHIRT-M", "SHIRT-S"], ["CUP", "EBOOK", "SHIRT"])
    assert await both(client, "low") == (["SHIRT-S"], ["CUP", "EBOOK", "MUG", "SHIRT", "SHIRT-M"])


async def test_an_acknowledged_alert_is_still_open(client: Client, shop: None) -> None:
    await watch(product="MUG", notify_below=9)
    found = await client.admin("{ lowInventoryAlerts { nodes { id } } }")
    await client.done("acknowledgeLowInventoryAlert", id=found["lowInventoryAlerts"]["nodes"][0]["id"])

    assert await skus(client, low=True) == ["MUG"]


async def test_out_of_stock_are_counted_items_of_which_no_active_warehouse_has_any(client: Client, shop: None) -> None:
    first = await both(client, "outOfStock")
    await client.done("updateWarehouse", code="PARIS", active=False)

    assert first == (["CUP", "SHIRT-M"], ["EBOOK", "MUG", "SHIRT", "SHIRT-S"])
    assert await both(client, "outOfStock") == (["CUP", "SHIRT", "SHIRT-M", "SHIRT-S"], ["EBOOK", "MUG"])


async def test_one_warehouse_that_lacks_does_not_eat_the_stock_of_another(client: Client, shop: None) -> None:
    await make.setting(backorders=BackorderMode.ALLOW)
    await make.order("MUG", 20)
    await make.stock("MUG", "PARIS", 1)

    assert (await skus(client, availableBelow=-10), await skus(client, outOfStock=True)) == (
        ["MUG"],
        ["CUP", "SHIRT-M"],
    )


async def test_what_orders_and_holds_have_is_not_available(client: Client, shop: None) -> None:
    await make.setting(decrement_inventory=InventoryDecrement.ON_SHIPMENT)
    await make.order("MUG", 5)
    await client.done("holdStock", lines=[{"sku": "SHIRT-S", "quantity": 3}])

    assert await skus(client, outOfStock=True) == ["CUP", "MUG", "SHIRT", "SHIRT-M", "SHIRT-S"]


async def test_an_expired_hold_counts_nowhere_from_its_moment_on(client: Client, shop: None) -> None:
    await client.done("holdStock", lines=[{"sku": "MUG", "quantity": 5}], minutes=15)
    await client.done("holdStock", lines=[{"sku": "SHIRT-S", "quantity": 3}], minutes=15)
    before = [await skus(client, outOfStock=True) for _ in range(2)]

    with settable_clock.ahead():
        after = await both(client, "outOfStock")

    assert before == [["CUP", "MUG", "SHIRT", "SHIRT-M", "SHIRT-S"]] * 2
    assert after == (["CUP", "SHIRT-M"], ["EBOOK", "MUG", "SHIRT", "SHIRT-S"])


@pytest.mark.parametrize(
    ("values", "out"),
    [
        ([({"product": "CUP"}, False)], ["SHIRT-M"]),
        ([({"combination": "SHIRT-M"}, False)], ["CUP"]),
        ([({"product": "SHIRT"}, False)], ["CUP"]),
        ([({"product": "SHIRT"}, False), ({"combination": "SHIRT-M"}, True)], ["CUP", "SHIRT-M"]),
        ([({"category": "kitchen"}, False)], ["SHIRT-M"]),
        ([({"category": "home"}, False)], ["SHIRT-M"]),
        ([({"category": "home"}, False), ({"category": "kitchen"}, True)], ["CUP", "SHIRT-M"]),
        ([({"category": "kitchen"}, False), ({"product": "CUP"}, True)], ["CUP", "SHIRT-M"]),
        # CUP has no level, so that no website's settings apply.
        ([({"website": "shop"}, False)], ["CUP"]),
        ([({"organization": "default"}, False)], ["CUP"]),
        ([({"system": True}, False)], []),
        ([({"system": True}, False), ({"website": "shop"}, True)], ["SHIRT-M"]),
    ],
)
async def test_what_is_not_managed_is_never_out_of_stock(
    client: Client, shop: None, values: list[tuple[dict[str, Any], bool]], out: list[str]
) -> None:
    await make.category("home")
    await make.category("kitchen", parent="home")
    await client.done("updateProduct", sku="CUP", category="kitchen")
    for place, value in values:
        await make.setting(**place, manage_stock=value)

    assert await both(client, "outOfStock") == (out, sorted({*ALL} - {*out}))


async def test_the_website_that_was_created_first_says_whether_an_item_is_managed(client: Client, shop: None) -> None:
    await make.website("outlet", warehouses=["PARIS"])
    await make.setting(website="shop", manage_stock=True)
    await make.setting(website="outlet", manage_stock=False)
    first = await skus(client, outOfStock=True)
    await client.done("updateWebsite", code="shop", warehouses=[{"warehouse": "BERLIN"}])

    assert (first, await skus(client, outOfStock=True)) == (["CUP", "SHIRT-M"], ["CUP"])


async def test_a_combination_that_has_no_stock_of_its_own_is_never_out_of_stock(client: Client) -> None:
    await make.shop()
    without = InventoryTracking.TRACK_WITHOUT_OPTIONS
    await make.product("MUG", options={"Color": ["Red"]}, tracking=without)

    assert await both(client, "outOfStock") == (["MUG"], ["MUG-RED"])


async def test_backordered_are_items_with_units_that_wait_and_the_products_of_combinations(
    client: Client, shop: None
) -> None:
    await make.setting(backorders=BackorderMode.ALLOW)
    await make.order(lines={"MUG": 7, "SHIRT-M": 1})
    before = await both(client, "backordered")
    await make.stock("MUG", "BERLIN", 9)

    assert before == (["MUG", "SHIRT", "SHIRT-M"], ["CUP", "EBOOK", "SHIRT-S"])
    assert await both(client, "backordered") == (["SHIRT", "SHIRT-M"], ["CUP", "EBOOK", "MUG", "SHIRT-S"])


async def test_units_that_wait_in_an_inactive_warehouse_still_wait(client: Client, shop: None) -> None:
    await make.setting(backorders=BackorderMode.ALLOW)
    await make.order("MUG", 7)
    await client.done("updateWarehouse", code="BERLIN", active=False)

    assert await skus(client, backordered=True) == ["MUG"]


async def test_a_parked_order_has_no_units_that_wait(client: Client, shop: None) -> None:
    await client.done("setInventorySettings", scope={"system": True}, settings={"insufficientStock": "HOLD_ORDER"})
    await make.order("MUG", 7)

    assert await skus(client, backordered=True) == []


async def test_incoming_is_what_is_announced_or_on_its_way_until_it_is_received(client: Client, shop: None) -> None:
    overdue = "2020-01-01T00:00:00Z"
    lines = [{"sku": "CUP", "quantity": 4}]
    await client.done("announceStock", warehouse="BERLIN", expectedAt=overdue, lines=lines)
    await client.done("shipTransfer", **{"from": "PARIS", "to": "BERLIN"}, lines=[{"sku": "SHIRT-S", "quantity": 2}])
    before = await both(client, "incoming")
    await client.done("receiveStock", warehouse="BERLIN", lines=[{"sku": "CUP", "quantity": 3}])
    partly = await skus(client, incoming=True)
    await client.done("receiveStock", warehouse="BERLIN", lines=[{"sku": "CUP", "quantity": 1}])
    await client.done("cancelTransfer", number="T100001")

    assert before == (["CUP", "SHIRT", "SHIRT-S"], ["EBOOK", "MUG", "SHIRT-M"])
    assert partly == ["CUP", "SHIRT", "SHIRT-S"]
    assert await both(client, "incoming") == ([], ALL)


async def test_filters_hold_together_with_others(client: Client, shop: None) -> None:
    await watch(notify_below=9)
    await client.done("announceStock", warehouse="BERLIN", lines=[{"sku": "CUP", "quantity": 4}])

    assert await skus(client, low=True, outOfStock=True) == ["CUP", "SHIRT-M"]
    assert await skus(client, low=True, outOfStock=True, incoming=False) == ["SHIRT-M"]
    assert await skus(client, outOfStock=True, warehouse="PARIS") == ["SHIRT-M"]
    assert await skus(client, outOfStock=False, search="shirt", low=True) == ["SHIRT-S"]


async def test_deleted_items_are_not_listed(client: Client, shop: None) -> None:
    await watch(product="CUP", notify_below=9)
    await client.done("deleteProduct", sku="CUP")

    assert (await skus(client, low=True), await skus(client, outOfStock=True)) == ([], ["SHIRT-M"])


@pytest.mark.parametrize("sort", ["SKU", "NAME", "AVAILABLE", "UPDATED"])
@pytest.mark.parametrize("chosen", [{"outOfStock": True}, {"low": True, "backordered": False}, {"incoming": False}])
async def test_pages_in_any_order_have_every_item_once(
    client: Client, shop: None, sort: str, chosen: dict[str, bool]
) -> None:
    await watch(notify_below=9)
    query = """query ($filter: InventoryItemFilter!, $sort: InventoryItemSort!, $size: Int!, $after: String) {
        inventoryItems(filter: $filter, sort: $sort, first: $size, after: $after) {
            totalCount nodes { sku } pageInfo { hasNextPage endCursor } } }"""
    given: dict[str, Any] = {"filter": chosen, "sort": sort}
    whole = (await client.admin(query, **given, size=250))["inventoryItems"]
    paged: list[str] = []
    after = None
    while len(paged) < whole["totalCount"]:
        page = (await client.admin(query, **given, size=2, after=after))["inventoryItems"]
        paged += [node["sku"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]

    assert not page["pageInfo"]["hasNextPage"]
    assert paged == [node["sku"] for node in whole["nodes"]]
    assert sorted(paged) == await skus(client, **chosen)


@pytest.mark.parametrize("few", [0, 2_000])
async def test_many_items_pass_as_few_do(client: Client, shop: None, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    """Few are found first, many by a condition for each row."""
    monkeypatch.setattr("gqlstock.store.db.conditions._FEW", few)
    await watch(notify_below=9, backorders=BackorderMode.ALLOW)
    await client.done("announceStock", warehouse="BERLIN", lines=[{"sku": "SHIRT-M", "quantity": 4}])
    await make.order(lines={"MUG": 6, "SHIRT-S": 5})

    assert await skus(client, low=True) == ["MUG", "SHIRT-M", "SHIRT-S"]
    assert await skus(client, backordered=True) == ["MUG", "SHIRT", "SHIRT-S"]
    assert await skus(client, incoming=True) == ["SHIRT", "SHIRT-M"]
    found = await client.admin("{ orders(filter: { toShip: true }) { totalCount } }")
    assert found["orders"]["totalCount"] == 1


# ── tokens for some warehouses


@pytest.mark.parametrize(
    ("name", "berlin", "paris"),
    [
        ("low", [], ["MUG"]),
        ("outOfStock", ["CUP", "SHIRT", "SHIRT-M", "SHIRT-S"], ["CUP", "MUG", "SHIRT", "SHIRT-M", "SHIRT-S"]),
        ("backordered", [], ["SHIRT", "SHIRT-S"]),
        ("incoming", [], ["SHIRT", "SHIRT-M"]),
    ],
)
async def test_a_token_for_some_warehouses_finds_items_by_the_stock_of_these(
    client: Client, shop: None, name: str, berlin: list[str], paris: list[str]
) -> None:
    await make.stock("MUG", "PARIS", 0)
    await watch(level=("MUG", "PARIS"), notify_below=1)
    await watch(product="CUP", notify_below=3)
    await make.setting(level=("SHIRT-S", "PARIS"), backorders=BackorderMode.ALLOW)
    await make.order("SHIRT-S", 4)
    await client.done("announceStock", warehouse="PARIS", lines=[{"sku": "SHIRT-M", "quantity": 1}])

    assert await skus(client.within("BERLIN"), **{name: True}) == berlin
    assert await skus(client.within("PARIS"), **{name: True}) == paris


# ── orders


@pytest.fixture
async def orders(client: Client, shop: None) -> None:
    """The order WAITS has nothing but units that wait, PARTLY some of either, PARKED none at all; GONE has left."""
    await make.setting(level=("MUG", "BERLIN"), backorders=BackorderMode.ALLOW)
    await make.order("SHIRT-S", 1, reference="GONE")
    await ship(client, "100001", "PARIS")
    await make.order("MUG", 6, reference="PARTLY")
    await make.order("MUG", 2, reference="WAITS")
    await client.done("setInventorySettings", scope={"system": True}, settings={"insufficientStock": "HOLD_ORDER"})
    await make.order("SHIRT-M", 1, reference="PARKED")
    await make.order("EBOOK", 1, reference="UNCOUNTED")
    await make.order("SHIRT-S", 1, reference="CANCELED")
    await client.done("cancelOrder", number="100006")


async def ship(client: Client, order: str, warehouse: str) -> None:
    made = await client.done("createShipment", "shipment { number }", order=order, warehouse=warehouse)
    await client.done("shipShipment", number=made["shipment"]["number"])


async def test_to_ship_are_orders_with_units_on_hand_that_have_not_left(client: Client, orders: None) -> None:
    everything = ["CANCELED", "UNCOUNTED", "PARKED", "WAITS", "PARTLY", "GONE"]

    assert await to_ship(client, toShip=True) == ["UNCOUNTED", "PARTLY"]
    assert await to_ship(client, toShip=False) == ["CANCELED", "PARKED", "WAITS", "GONE"]
    assert await to_ship(client, toShip=None) == await to_ship(client) == everything
    assert await to_ship(client, toShip=True, sku="MUG") == ["PARTLY"]


async def test_units_in_a_shipment_are_to_ship_until_it_leaves(client: Client, shop: None) -> None:
    await make.order("MUG", 2, reference="A")
    made = await client.done("createShipment", "shipment { number }", order="100001", warehouse="BERLIN")
    packed = await to_ship(client, toShip=True)
    await client.done("shipShipment", number=made["shipment"]["number"])

    assert (packed, await to_ship(client, toShip=True)) == (["A"], [])


async def test_units_that_waited_are_to_ship_once_they_are_on_hand(client: Client, orders: None) -> None:
    await make.stock("MUG", "BERLIN", 9)

    assert await to_ship(client, toShip=True) == ["UNCOUNTED", "WAITS", "PARTLY"]


async def test_what_is_to_ship_from_a_warehouse_are_its_own_units(client: Client, orders: None) -> None:
    await make.stock("MUG", "PARIS", 9)
    await client.done(
        "moveAllocations", number="100002", lines=[{"sku": "MUG", "quantity": 2, "from": "BERLIN", "to": "PARIS"}]
    )
    assert await to_ship(client, toShip=True, warehouse="PARIS") == ["PARTLY"]
    await ship(client, "100002", "PARIS")

    assert await to_ship(client, toShip=True) == ["UNCOUNTED", "WAITS", "PARTLY"]
    assert await to_ship(client, toShip=True, warehouse="BERLIN") == ["UNCOUNTED", "WAITS", "PARTLY"]
    assert await to_ship(client, toShip=True, warehouse="PARIS") == []
    assert await to_ship(client, toShip=False, warehouse="PARIS") == ["CANCELED", "PARTLY", "GONE"]
    assert await to_ship(client, toShip=True, warehouse="NOWHERE") == []
    assert await to_ship(client.within("PARIS"), toShip=True, warehouse="BERLIN") == []


async def test_a_token_for_some_warehouses_finds_orders_by_what_is_to_ship_from_these(
    client: Client, orders: None
) -> None:
    await make.order("SHIRT-S", 1, reference="PARIS")

    assert await to_ship(client.within("PARIS"), toShip=True) == ["PARIS"]
    assert await to_ship(client.within("BERLIN"), toShip=True) == ["UNCOUNTED", "PARTLY"]
