"""Tokens for some warehouses: no figure and no row of another one is seen, by no path, and nothing there is moved."""

import json
import re
from dataclasses import dataclass
from decimal import Decimal

import pytest
from graphql import build_schema, get_named_type, is_composite_type, is_required_argument

from gqlstock.graphql.schema.root import text
from gqlstock.rules import ids
from gqlstock.rules import orders as order_rules
from gqlstock.rules import shipments as shipment_rules
from gqlstock.rules.order_request import RequestedLine
from gqlstock.rules.scopes import SYSTEM, Scope
from gqlstock.services import clear_cache, hold_stock, receive, ship
from gqlstock.services.hold_stock import HoldRequest
from gqlstock.services.receive import AnnounceStockRequest
from gqlstock.services.ship import CreateShipmentRequest
from gqlstock.services.stock_edits import StockLine
from gqlstock.store.db import sql
from support import shop_builders as make
from support.graphql_client import Client, codes
from support.subscriptions import open_shop

SCHEMA = build_schema(text())
THERE = 7_919
"""What lies in HAMBURG: no other number of the shop begins with 79."""


@dataclass(frozen=True)
class Two:
    """A shop of two warehouses; what is of HAMBURG, by global id, and by the numbers that people use."""

    berlin: int
    foreign: dict[str, list[str]]
    order: str
    local_order: str
    shipment: str
    hold: str


@pytest.fixture
async def two(client: Client) -> Two:
    """5 mugs in BERLIN and 7,919 in HAMBURG. One order has units of both, one of BERLIN alone; all of it is low."""
    berlin = await make.warehouse("BERLIN")
    hamburg = await make.warehouse("HAMBURG")
    await make.website("shop", warehouses=["BERLIN", "HAMBURG"])
    await make.category("kitchen")
    await make.product("MUG", category="kitchen")
    await make.product("SHIRT", options={"Size": ["S"]})
    for sku in ("MUG", "SHIRT-S"):
        await make.stock(sku, "BERLIN", 5)
        await make.stock(sku, "HAMBURG", THERE)
    await make.setting(notify_below=90_000, minimum_stock_quantity=90_000)
    await make.setting(level=("MUG", "HAMBURG"), notify_below=90_000)
    await make.setting(level=("MUG", "BERLIN"), notify_below=80_000)
    for warehouse in ("BERLIN", "HAMBURG"):
        for _ in range(2):
            await receive.announce(SYSTEM, AnnounceStockRequest(warehouse, (StockLine("MUG", Decimal(9)),)))
    local = await make.order("MUG", 2)
    order = await make.order("MUG", 5)
    await ship.create(SYSTEM, CreateShipmentRequest(order_rules.number(order), "BERLIN"))
    made = await ship.create(SYSTEM, CreateShipmentRequest(order_rules.number(order), "HAMBURG"))
    kept = await hold_stock.hold(SYSTEM, HoldRequest((RequestedLine("SHIRT-S", Decimal(7)),)))
    by_level = f"level_id IN (SELECT id FROM inventory_level WHERE warehouse_id = {hamburg})"
    by_warehouse = f"warehouse_id = {hamburg}"
    of = {
        "InventoryLevel": ("inventory_level", by_warehouse),
        "StockMovement": ("stock_movement", by_level),
        "StockAnnouncement": ("stock_announcement", by_level),
        "Allocation": ("allocation", by_warehouse),
        "Shipment": ("shipment", by_warehouse),
        "LowInventoryAlert": ("low_inventory_alert", f"{by_warehouse} OR warehouse_id IS NULL"),
    }
    foreign = {}
    for kind, (table, where) in of.items():
        rows = await sql.query(f"SELECT id FROM {table} WHERE {where}")
        foreign[kind] = [ids.global_id(kind, row["id"]) for row in rows]
        assert foreign[kind]
    return Two(
        berlin,
        foreign,
        order_rules.number(order),
        order_rules.number(local),
        shipment_rules.number(made.ids["shipment"][0]),
        ids.global_id("StockHold", kept.ids["hold"][0]),
    )


# ── nothing is seen

ARGUMENTS = {
    "sku": '"MUG"',
    "skus": '["MUG"]',
    "warehouse": '"HAMBURG"',
    "options": "[]",
    "time": '"2099-01-01T00:00:00Z"',
    "input": '{ lines: [{ sku: "MUG", quantity: 9 }] }',
}
PATHS = {
    "Product": 'query { product(sku: "MUG") { %s } }',
    "Combination": 'query { combination(sku: "SHIRT-S") { %s } }',
    "Warehouse": 'query { warehouse(code: "HAMBURG") { %s } }',
    "InventoryLevel": "query { inventoryLevels { nodes { %s } } }",
    "StockMovement": "query { stockMovements { nodes { %s } } }",
    "StockAnnouncement": "query { inventoryLevels(first: 20) { nodes { announcements(first: 10) { nodes { %s } } } } }",
    "Order": "query { orders(first: 20) { nodes { %s } } }",
    "OrderLine": "query { orders(first: 20) { nodes { lines { %s } } } }",
    "Allocation": "query { orders(first: 10) { nodes { lines { allocations { %s } } } } }",
    "Shipment": "query { orders(first: 20) { nodes { shipments { %s } } } }",
    "LowInventoryAlert": "query { lowInventoryAlerts { nodes { %s } } }",
    "InventoryChange": "query { inventoryChanges { nodes { %s } } }",
    "OrderCheckLine": 'query { checkOrder(input: { lines: [{ sku: "MUG", quantity: 9 }] }) { lines { %s } } }',
}
ROOTS = """inventoryItem inventoryItems products combination availabilities explainAvailability inventoryLevel
  inventoryLevels stockMovements orders shipments inventoryChanges lowStockReport demandReport lowInventoryAlerts"""


def inside(kind, depth):
    """All fields of a type, and of what is below it."""
    kind = get_named_type(kind)
    asked = []
    for name, field in getattr(kind, "fields", {}).items():
        below = get_named_type(field.type)
        if is_composite_type(below) and not depth:
            continue
        wanted = {arg: ARGUMENTS.get(arg) for arg, one in field.args.items() if is_required_argument(one)}
        wanted |= {"first": "8"} if "first" in field.args else {}
        given = f"({', '.join(f'{arg}: {value}' for arg, value in wanted.items())})" if wanted else ""
        selected = f" {{ {inside(below, depth - 1)} }}" if is_composite_type(below) else ""
        asked.append(f"{name}{given}{selected}")
    return " ".join(asked) or "__typename"


def told(answer, two):
    """What an answer tells of HAMBURG: ids of its rows, and figures that its stock is part of."""
    everything = json.dumps(answer)
    figures = re.findall(r"(?<![\w.])-?(?:79\d\d|158\d\d)(?![\w.])", everything)
    return figures + [one for found in two.foreign.values() for one in found if one in everything]


@pytest.mark.parametrize("kind", PATHS)
async def test_no_field_of_a_type_tells_of_another_warehouse(client, two, kind):
    query = PATHS[kind] % inside(SCHEMA.type_map[kind], 3)

    everything = await client.scoped("admin", query)
    limited = await client.within("BERLIN").scoped("admin", query)

    assert told(everything, two) != []
    assert told(limited, two) == []
    assert codes(everything) == codes(limited) == []


@pytest.mark.parametrize("root", ROOTS.split())
async def test_no_root_field_tells_of_another_warehouse(client, two, root):
    field = SCHEMA.query_type.fields[root]
    sku = '"SHIRT-S"' if root == "combination" else '"MUG"'
    wanted = {arg: ARGUMENTS[arg] for arg, one in field.args.items() if is_required_argument(one)} | (
        {"sku": sku} if "sku" in field.args else {}
    )
    given = f"({', '.join(f'{arg}: {value}' for arg, value in wanted.items())})" if wanted else ""
    query = f"query {{ {root}{given} {{ {inside(field.type, 3)} }} }}"

    everything = await client.scoped("admin", query)
    limited = await client.within("BERLIN").scoped("admin", query)

    assert told(everything, two) != []
    assert told(limited, two) == []


async def test_no_id_leads_to_another_warehouse(client, two):
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
    foreign = [one for found in two.foreign.values() for one in found]

    everything = await client.admin(query, ids=foreign)
    limited = await client.within("BERLIN").admin(query, ids=foreign)
    single = await client.within("BERLIN").admin("query ($id: ID!) { node(id: $id) { id } }", id=foreign[0])

    assert [node["id"] for node in everything["nodes"]] == foreign
    assert limited["nodes"] == [None] * len(foreign)
    assert single == {"node": None}


async def test_what_is_of_ones_own_warehouse_is_seen_by_its_id(client, two):
    seen = await client.within("BERLIN").admin(
        """{ inventoryLevels(filter: { skus: ["MUG"] }) { nodes {
               id movements { nodes { id } } announcements { nodes { id } } allocations { nodes { id } }
             } }
             shipments { nodes { id } }
             lowInventoryAlerts { nodes { id } } }"""
    )

    (level,) = seen["inventoryLevels"]["nodes"]
    found = [level["id"], seen["shipments"]["nodes"][0]["id"], seen["lowInventoryAlerts"]["nodes"][0]["id"]]
    found += [node["id"] for name in ("movements", "announcements", "allocations") for node in level[name]["nodes"]]
    again = await client.within("BERLIN", "HAMBURG").admin(
        "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=found
    )
    mine = await client.within("BERLIN").admin("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=found[:1])

    assert [node["id"] for node in again["nodes"]] == found
    assert mine["nodes"] == [{"id": level["id"]}]


async def test_sums_lists_and_counts_are_of_ones_own_warehouses(client, two):
    seen = await client.within("BERLIN").admin(
        """{ viewer { warehouses }
             product(sku: "MUG") {
               inventoryTotals { onHand incoming available }
               here: inventoryLevel(warehouse: "BERLIN") { onHand onHandAt(time: "2099-01-01T00:00:00Z") }
               there: inventoryLevel(warehouse: "HAMBURG") { onHand }
               inventoryLevels { totalCount nodes { onHand } }
             }
             shirt: product(sku: "SHIRT") { inventoryTotals { onHand held available } }
             inventoryLevel(sku: "MUG", warehouse: "HAMBURG") { onHand }
             inventoryLevels { totalCount }
             named: inventoryLevels(filter: { warehouses: ["HAMBURG"] }) { totalCount }
             deleted: inventoryLevels(filter: { includeDeleted: true }) { totalCount }
             warehouse(code: "HAMBURG") { code inventoryLevels { totalCount } }
             stockMovements { totalCount }
             moved: stockMovements(filter: { warehouses: ["HAMBURG"] }) { totalCount }
             shipments { totalCount nodes { warehouse { code } } }
             shipped: shipments(filter: { warehouse: "HAMBURG" }) { totalCount }
             inventoryChanges(warehouses: ["HAMBURG"]) { totalCount nodes { cursor } }
             lowInventoryAlerts { totalCount nodes { warehouse { code } quantityLeft } }
             lowStockReport { nodes { item { sku } available } }
             demandReport { nodes { item { sku } available } }
             below: inventoryItems(filter: { availableBelow: 100 }) { nodes { sku } }
             at: inventoryItems(filter: { warehouse: "HAMBURG" }) { totalCount }
             orders { totalCount }
             from: orders(filter: { warehouse: "HAMBURG" }) { totalCount } }"""
    )

    assert seen == {
        "viewer": {"warehouses": ["BERLIN"]},
        "product": {
            "inventoryTotals": {"onHand": 0, "incoming": 18, "available": 0},
            "here": {"onHand": 0, "onHandAt": 0},
            "there": None,
            "inventoryLevels": {"totalCount": 1, "nodes": [{"onHand": 0}]},
        },
        "shirt": {"inventoryTotals": {"onHand": 5, "held": 5, "available": 0}},
        "inventoryLevel": None,
        "inventoryLevels": {"totalCount": 2},
        "named": {"totalCount": 0},
        "deleted": {"totalCount": 2},
        "warehouse": {"code": "HAMBURG", "inventoryLevels": {"totalCount": 0}},
        "stockMovements": {"totalCount": 4},
        "moved": {"totalCount": 0},
        "shipments": {"totalCount": 1, "nodes": [{"warehouse": {"code": "BERLIN"}}]},
        "shipped": {"totalCount": 0},
        "inventoryChanges": {"totalCount": 0, "nodes": []},
        "lowInventoryAlerts": {
            "totalCount": 1,
            "nodes": [{"warehouse": {"code": "BERLIN"}, "quantityLeft": 5}],
        },
        "lowStockReport": {
            "nodes": [{"item": {"sku": "SHIRT-S"}, "available": 0}, {"item": {"sku": "MUG"}, "available": 0}]
        },
        "demandReport": {
            "nodes": [{"item": {"sku": "MUG"}, "available": 0}, {"item": {"sku": "SHIRT-S"}, "available": 0}]
        },
        "below": {"nodes": [{"sku": "MUG"}, {"sku": "SHIRT"}, {"sku": "SHIRT-S"}]},
        "at": {"totalCount": 0},
        "orders": {"totalCount": 2},
        "from": {"totalCount": 0},
    }


async def test_what_is_available_is_sorted_by_ones_own_warehouses(client, two):
    await make.product("CUP")
    await make.stock("CUP", "BERLIN", 3)

    query = '{ inventoryItems(sort: AVAILABLE, reverse: true, filter: { skus: ["MUG", "CUP"] }) { nodes { sku } } }'
    everything = await client.admin(query)
    limited = await client.within("BERLIN").admin(query)

    assert [node["sku"] for node in everything["inventoryItems"]["nodes"]] == ["MUG", "CUP"]
    assert [node["sku"] for node in limited["inventoryItems"]["nodes"]] == ["CUP", "MUG"]


async def test_an_explanation_is_the_sum_over_ones_own_warehouses(client, two):
    await make.stock("MUG", "BERLIN", 4)
    query = """{ explainAvailability(sku: "MUG") {
      availability { orderable salableQuantity } terms { kind quantity warehouse }
    } }"""

    everything = (await client.admin(query))["explainAvailability"]
    limited = (await client.within("BERLIN").admin(query))["explainAvailability"]

    assert everything["availability"] == {"orderable": True, "salableQuantity": THERE + 2}
    assert limited == {
        "availability": {"orderable": True, "salableQuantity": None},
        "terms": [{"kind": "ON_HAND", "quantity": 4, "warehouse": "BERLIN"}],
    }


async def test_an_explanation_does_not_name_an_inactive_warehouse_of_others(client, two):
    await client.done("updateWarehouse", code="HAMBURG", active=False)
    query = '{ explainAvailability(sku: "MUG") { terms { kind warehouse } } }'

    everything = (await client.admin(query))["explainAvailability"]["terms"]
    limited = (await client.within("BERLIN").admin(query))["explainAvailability"]["terms"]

    assert everything == [*limited, {"kind": "INACTIVE_WAREHOUSE", "warehouse": "HAMBURG"}]


async def test_a_report_of_another_warehouse_is_refused(client, two):
    query = '{ lowStockReport(warehouse: "HAMBURG") { totalCount } }'

    assert codes(await client.within("BERLIN").scoped("admin", query)) == [("BAD_USER_INPUT", ["lowStockReport"])]
    assert codes(await client.within("HAMBURG").scoped("admin", query)) == []


async def test_what_shops_show_is_as_for_everybody(client, two):
    await make.setting(display_stock_quantity=True)
    query = '{ availabilities(skus: ["MUG", "SHIRT-S"]) { status orderable salableQuantity } }'

    assert await client.within("BERLIN").admin(query) == await client.public(query)


async def test_an_order_is_seen_with_the_units_of_ones_own_warehouses(client, two):
    query = """query ($number: String!) { order(number: $number) {
      lines { quantity allocations { quantity warehouse { code } } } shipments { warehouse { code } }
      movements { totalCount nodes { quantity } }
    } }"""

    seen = await client.within("BERLIN").admin(query, number=two.order)
    shipment = await client.within("BERLIN").admin(
        "query ($number: String!) { shipment(number: $number) { number } }", number=two.shipment
    )

    assert seen["order"] == {
        "lines": [{"quantity": 5, "allocations": [{"quantity": 3, "warehouse": {"code": "BERLIN"}}]}],
        "shipments": [{"warehouse": {"code": "BERLIN"}}],
        "movements": {"totalCount": 1, "nodes": [{"quantity": -3}]},
    }
    assert shipment == {"shipment": None}


async def test_pushes_are_of_ones_own_warehouses(two):
    changes = "subscription { inventoryChanges { level { warehouse { code } onHand } } }"
    alerts = "subscription { lowInventoryAlerts { alert { sku warehouse { code } } } }"
    async with (
        open_shop() as shop,
        shop.subscribed(changes, Scope.INVENTORY_READ, within=[two.berlin]) as limited,
        shop.subscribed(changes, Scope.INVENTORY_READ) as everything,
        shop.subscribed(alerts, Scope.INVENTORY_READ, within=[two.berlin]) as limited_alerts,
        shop.subscribed(alerts, Scope.INVENTORY_READ) as all_alerts,
    ):
        await make.stock("MUG", "HAMBURG", 100_000)
        await make.stock("MUG", "BERLIN", 90_000)

        both = [await everything.next(), await everything.next()]
        told_of_alerts = [await all_alerts.next() for _ in range(3)]

        assert [one["level"]["warehouse"]["code"] for one in both] == ["HAMBURG", "BERLIN"]
        assert await limited.next() == {"level": {"warehouse": {"code": "BERLIN"}, "onHand": 90_000}}
        assert {str(one["alert"]["warehouse"]) for one in told_of_alerts} == {
            "None",
            "{'code': 'HAMBURG'}",
            "{'code': 'BERLIN'}",
        }
        assert await limited_alerts.next() == {"alert": {"sku": "MUG", "warehouse": {"code": "BERLIN"}}}
        assert await limited.nothing()
        assert await limited_alerts.nothing()


async def test_a_push_of_an_availability_is_as_for_everybody(two):
    query = 'subscription { availabilityChanges(skus: ["MUG"]) { salableQuantity } }'
    async with (
        open_shop() as shop,
        shop.subscribed(query, Scope.INVENTORY_READ, within=[two.berlin]) as limited,
        shop.subscribed(query, Scope.INVENTORY_READ) as everything,
    ):
        assert await limited.next() == {"salableQuantity": None}
        assert await everything.next() == {"salableQuantity": THERE - 2}


async def test_to_see_less_costs_no_more(client, two, statements):
    query = f"""{{
      inventoryLevels(first: 20) {{ nodes {{ {inside(SCHEMA.type_map["InventoryLevel"], 2)} }} }}
      orders(first: 20) {{ nodes {{ {inside(SCHEMA.type_map["Order"], 3)} }} }}
      products(first: 20) {{ nodes {{ {inside(SCHEMA.type_map["Product"], 2)} }} }}
      inventoryChanges {{ nodes {{ cursor level {{ onHand }} }} }}
    }}"""
    ours, theirs = await client.token("admin"), await client.within("BERLIN").token("admin")

    with statements.counted() as for_all:
        everything = await client.ask(query, token=ours)
    with statements.counted() as for_one:
        limited = await client.ask(query, token=theirs)

    assert codes(everything) == codes(limited) == []
    assert 20 < len(for_one) <= len(for_all)


# ── nothing is moved

ROW = {"sku": "MUG", "warehouse": "HAMBURG"}
LINES = [{"sku": "MUG", "quantity": 1}]
MOVES = {
    "adjustStock": ({"changes": [ROW | {"delta": 1}]}, ["changes", "0", "warehouse"]),
    "setStock": ({"counts": [ROW | {"onHand": 1}]}, ["counts", "0", "warehouse"]),
    "announceStock": ({"warehouse": "HAMBURG", "lines": LINES}, ["lines", "0", "warehouse"]),
    "receiveStock": ({"warehouse": "HAMBURG", "lines": LINES}, ["lines", "0", "warehouse"]),
    "deleteInventoryLevel": (ROW, ["warehouse"]),
}


@pytest.mark.parametrize("mutation", MOVES)
async def test_stock_of_another_warehouse_is_not_moved(client, two, mutation):
    given, path = MOVES[mutation]

    assert await client.within("BERLIN").refused(mutation, **given) == [("NOT_FOUND", path)]


@pytest.mark.parametrize(("source", "target", "end"), [("BERLIN", "HAMBURG", "to"), ("HAMBURG", "BERLIN", "from")])
async def test_both_ends_of_a_move_must_be_ones_own(client, two, source, target, end):
    given = {"from": source, "to": target, "lines": [{"sku": "SHIRT-S", "quantity": 1}]}

    assert await client.within("BERLIN").refused("transferStock", **given) == [("NOT_FOUND", [end])]


async def test_a_partial_change_moves_ones_own_rows_alone(client, two):
    rows = [ROW | {"delta": 1}, ROW | {"warehouse": "BERLIN", "delta": 1}]

    payload = await client.within("BERLIN").change(
        "adjustStock", "inventoryLevels { warehouse { code } onHand }", partial=True, changes=rows
    )

    assert payload["inventoryLevels"] == [{"warehouse": {"code": "BERLIN"}, "onHand": 1}]
    assert [(e["code"], e["path"]) for e in payload["userErrors"]] == [("NOT_FOUND", ["changes", "0", "warehouse"])]
    there = await client.admin('{ inventoryLevel(sku: "MUG", warehouse: "HAMBURG") { onHand } }')
    assert there == {"inventoryLevel": {"onHand": THERE - 2}}


@pytest.mark.parametrize(
    ("mutation", "kind"),
    [
        ("withdrawStockAnnouncement", "StockAnnouncement"),
        ("updateStockAnnouncement", "StockAnnouncement"),
        ("acknowledgeLowInventoryAlert", "LowInventoryAlert"),
    ],
)
async def test_what_is_not_seen_is_not_found_by_its_id(client, two, mutation, kind):
    for foreign in two.foreign[kind]:
        assert await client.within("BERLIN").refused(mutation, id=foreign) == [("NOT_FOUND", ["id"])]


async def test_another_warehouses_shipments_are_not_made_sent_or_unpacked(client, two):
    limited = client.within("BERLIN")
    fresh = order_rules.number(await make.order("MUG", 1))

    assert await limited.refused("createShipment", order=fresh, warehouse="HAMBURG") == [("NOT_FOUND", ["warehouse"])]
    assert await limited.refused("shipShipment", number=two.shipment) == [("NOT_FOUND", ["number"])]
    assert await limited.refused("cancelShipment", number=two.shipment) == [("NOT_FOUND", ["number"])]


async def test_an_order_that_would_take_from_another_warehouse_is_not_placed(client, two):
    limited = client.within("BERLIN")
    lines = [{"sku": "MUG", "quantity": 1}]
    checked = await limited.admin(
        """query ($input: CheckOrderInput!) { checkOrder(input: $input) {
             orderable lines { allocations { quantity } } userErrors { code path }
           } }""",
        input={"lines": lines},
    )

    assert checked["checkOrder"] == {
        "orderable": False,
        "lines": [{"allocations": []}],
        "userErrors": [{"code": "NOT_FOUND", "path": ["lines", "0", "sku"]}],
    }
    assert await limited.refused("placeOrder", lines=lines) == [("NOT_FOUND", ["lines", "0", "sku"])]
    assert await limited.refused("holdStock", lines=lines) == [("NOT_FOUND", ["lines", "0", "sku"])]


async def test_how_much_all_warehouses_have_is_not_told_by_a_refusal(client, two):
    query = """query ($input: CheckOrderInput!) {
      checkOrder(input: $input) { userErrors { message ... on InsufficientStockError { salable } } }
    }"""
    lines = {"lines": [{"sku": "MUG", "quantity": 20_000}]}

    everything = (await client.admin(query, input=lines))["checkOrder"]["userErrors"]
    limited = (await client.within("BERLIN").admin(query, input=lines))["checkOrder"]["userErrors"]

    assert everything[0]["salable"] == THERE - 2
    assert limited == [{"message": "Not enough of MUG available, 20000 requested.", "salable": None}]


async def test_an_order_of_ones_own_warehouse_goes_all_its_way(client, two):
    await make.stock("MUG", "BERLIN", 10)
    limited = client.within("BERLIN")
    changed = []

    async def done(mutation, fields, **given):
        payload = await limited.change(mutation, fields, **given)
        changed.append((mutation, payload["userErrors"]))
        return payload

    hold = await done("holdStock", "hold { id }", lines=LINES)
    placed = await done("placeOrder", "order { number }", hold=hold["hold"]["id"], lines=[LINES[0] | {"quantity": 3}])
    number = placed["order"]["number"]
    packed = await done("createShipment", "shipment { number }", order=number, warehouse="BERLIN", lines=LINES)
    await done("shipShipment", "shipment { state }", number=packed["shipment"]["number"])
    await done("returnItems", "order { status }", order=number, lines=LINES)
    await done("cancelOrder", "order { status }", number=number)

    assert changed == [
        (name, [])
        for name in ("holdStock", "placeOrder", "createShipment", "shipShipment", "returnItems", "cancelOrder")
    ]


async def test_an_order_with_units_of_another_warehouse_is_not_canceled_or_returned(client, two):
    limited = client.within("BERLIN")

    assert await limited.refused("cancelOrder", number=two.order) == [("NOT_FOUND", [])]
    await client.done("shipShipment", number=two.shipment)
    assert await limited.refused("returnItems", order=two.order, lines=LINES) == [("NOT_FOUND", ["lines", "0"])]
    assert (await limited.change("cancelOrder", number=two.local_order))["userErrors"] == []


@pytest.mark.parametrize(("source", "target", "end"), [("BERLIN", "HAMBURG", "to"), ("HAMBURG", "BERLIN", "from")])
async def test_both_ends_of_moved_units_must_be_ones_own(client, two, source, target, end):
    await make.stock("MUG", "BERLIN", 10)
    moved = {"number": two.order, "lines": [LINES[0] | {"from": source, "to": target}]}

    assert await client.within("BERLIN").refused("moveAllocations", **moved) == [("NOT_FOUND", ["lines", "0", end])]


async def test_an_order_is_edited_as_far_as_its_units_are_of_ones_own_warehouse(client, two):
    """BERLIN has nothing left, so that more would come from HAMBURG."""
    limited = client.within("BERLIN")

    async def refused(number, quantity, **more):
        return await limited.refused("editOrder", number=number, change=[LINES[0] | {"quantity": quantity}], **more)

    assert await refused(two.order, 4) == [("NOT_FOUND", ["change", "0"])]
    assert await refused(two.local_order, 3) == [("NOT_FOUND", ["change", "0", "sku"])]
    added = {"add": [{"sku": "MUG", "quantity": 2}]}
    assert await refused(two.local_order, 2, **added) == [("NOT_FOUND", ["add", "0", "sku"])]
    given = {"change": [LINES[0] | {"quantity": 1}], "add": [{"sku": "MUG", "quantity": 1}]}
    assert (await limited.change("editOrder", number=two.local_order, **given))["userErrors"] == []


async def test_a_hold_with_units_of_another_warehouse_is_not_released(client, two):
    assert await client.within("BERLIN").refused("releaseStockHold", id=two.hold) == [("NOT_FOUND", [])]
    assert await client.within("BERLIN").refused("placeOrder", hold=two.hold, lines=LINES) == [("NOT_FOUND", [])]
    assert await client.within("BERLIN", "HAMBURG").change("releaseStockHold", id=two.hold) == {"userErrors": []}


async def test_what_concerns_all_warehouses_is_forbidden(client, two):
    limited = client.within("BERLIN")
    status = 'mutation { setInventoryStatus(input: { sku: "MUG", status: DISCONTINUED }) { product { sku } } }'
    endpoint = """mutation {
      createWebhookEndpoint(input: { url: "https://x.example/", topics: [INVENTORY_CHANGED] }) { secret }
    }"""

    assert codes(await limited.scoped("admin", status)) == [("FORBIDDEN", ["setInventoryStatus"])]
    assert codes(await limited.scoped("admin", endpoint)) == [("FORBIDDEN", ["createWebhookEndpoint"])]
    assert codes(await limited.scoped("admin", "{ webhookEndpoints { totalCount } }")) == [
        ("FORBIDDEN", ["webhookEndpoints"])
    ]


async def test_a_kept_shipment_is_not_told_to_who_is_for_its_warehouse_no_more(client, two):
    number = order_rules.number(await make.order("MUG", 1))
    given = {"idempotencyKey": "k", "order": number, "warehouse": "HAMBURG"}
    first = await client.change("createShipment", "shipment { warehouse { code } }", **given)
    await sql.execute("UPDATE api_token SET warehouses = ?", json.dumps([two.berlin]))
    await clear_cache.clear()

    again = await client.change("createShipment", "shipment { warehouse { code } }", **given)

    assert first == {"shipment": {"warehouse": {"code": "HAMBURG"}}, "userErrors": []}
    assert again == {"shipment": None, "userErrors": []}


async def test_a_kept_answer_tells_no_more_than_its_caller_may_see_now(client, two):
    given = {"idempotencyKey": "k", "changes": [ROW | {"delta": 1}, ROW | {"warehouse": "BERLIN", "delta": 1}]}
    fields = "inventoryLevels { warehouse { code } } movements { quantity }"
    first = await client.change("adjustStock", fields, **given)
    await sql.execute("UPDATE api_token SET warehouses = ?", json.dumps([two.berlin]))
    await clear_cache.clear()

    again = await client.change("adjustStock", fields, **given)

    assert len(first["inventoryLevels"]) == len(first["movements"]) == 2
    assert again["inventoryLevels"] == [{"warehouse": {"code": "BERLIN"}}]
    assert again["movements"] == [{"quantity": 1}]
