"""Shipments, cancellations, returns, parked orders and holds as clients see them."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gqlstock.graphql.relay import nodes
from gqlstock.rules.settings import BackorderMode, InsufficientStockAction, InventoryDecrement
from gqlstock.services import verification
from gqlstock.store.db import clock, sql
from gqlstock.store.holds import HeldUnits, StockHold
from support import order_life as life
from support import shop_builders as make
from support.graphql_client import Client
from support.statement_counter import Statements

PAGES = Path(__file__).parents[1] / "pages"
LINE = "lines { sku quantity backordered shipped returned canceled allocations { quantity state shipment { number } } }"
SHIPMENT = "shipment { number state warehouse { code } items { quantity backordered line { sku } } }"
SHORT = "... on InsufficientStockError { sku requested salable }"


@pytest.fixture(autouse=True)
async def shop(client: Client) -> Any:
    """5 of MUG in BERLIN and 3 in HAMBURG."""
    await life.shop()
    await make.stock("MUG", "BERLIN", 5)
    await make.stock("MUG", "HAMBURG", 3)
    yield
    assert await verification.verify() == []


def rows(**units: float) -> list[dict[str, Any]]:
    return [{"sku": sku, "quantity": quantity} for sku, quantity in units.items()]


def moved(source: str, target: str, **units: float) -> list[dict[str, Any]]:
    return [row | {"from": source, "to": target} for row in rows(**units)]


async def placed(client: Client, **units: float) -> str:
    found = await client.done("placeOrder", "order { number }", lines=rows(**units))
    return str(found["order"]["number"])


async def held(client: Client, **units: float) -> str:
    found = await client.done("holdStock", "hold { id }", lines=rows(**units))
    return str(found["hold"]["id"])


async def test_a_shipment_is_packed_and_sent(client: Client) -> None:
    number = await placed(client, MUG=2)

    packed = await client.done("createShipment", SHIPMENT, order=number, warehouse="BERLIN")
    shipment = packed["shipment"]["number"]
    sent = await client.done(
        "shipShipment",
        "shipment { state trackingNumber carrier createdAt updatedAt shippedAt order { number status } }",
        number=shipment,
        trackingNumber="1Z999",
        carrier="Post",
    )

    assert packed["shipment"] == {
        "number": "S100001",
        "state": "READY",
        "warehouse": {"code": "BERLIN"},
        "items": [{"quantity": 2, "backordered": 0, "line": {"sku": "MUG"}}],
    }
    found = sent["shipment"]
    assert (found["state"], found["trackingNumber"], found["carrier"]) == ("SHIPPED", "1Z999", "Post")
    assert found["order"] == {"number": number, "status": "SHIPPED"}
    assert found["createdAt"] < found["shippedAt"] == found["updatedAt"]


async def test_a_line_says_what_became_of_its_units(client: Client) -> None:
    await make.setting(product="MUG", backorders=BackorderMode.ALLOW)
    number = await placed(client, MUG=10)
    packed = await client.done("createShipment", SHIPMENT, order=number, warehouse="BERLIN", lines=rows(MUG=3))
    shipment = packed["shipment"]["number"]
    await client.done("shipShipment", number=shipment)
    await client.done("returnItems", order=number, lines=rows(MUG=1))

    canceled = await client.done(
        "cancelOrder", f"order {{ status canceledAt {LINE} }}", number=number, lines=rows(MUG=1)
    )

    assert canceled["order"]["status"] == "PARTIALLY_SHIPPED"
    assert canceled["order"]["canceledAt"] is None
    (line,) = canceled["order"]["lines"]
    allocations = line.pop("allocations")
    assert line == {"sku": "MUG", "quantity": 10, "backordered": 0, "shipped": 3, "returned": 1, "canceled": 1}
    found = [(a["state"], a["quantity"], (a["shipment"] or {}).get("number")) for a in allocations]
    assert sorted(found, key=str) == [
        ("CANCELED", 1, None),
        ("ON_HAND", 1, None),
        ("ON_HAND", 2, None),
        ("ON_HAND", 3, None),
        ("RETURNED", 1, shipment),
        ("SHIPPED", 2, shipment),
    ]


async def test_units_are_moved_to_another_warehouse(client: Client) -> None:
    found = await client.done("placeOrder", "order { number lines { id } }", lines=[*rows(MUG=1), *rows(MUG=2)])
    number, (_, second) = found["order"]["number"], found["order"]["lines"]
    packed = await client.done("createShipment", SHIPMENT, order=number, warehouse="BERLIN")
    wanted = [row | {"line": second["id"]} for row in moved("BERLIN", "HAMBURG", MUG=2)]

    changed = await client.done(
        "moveAllocations",
        "order { status lines { canceled allocations { quantity state warehouse { code } shipment { number } } } }",
        number=number,
        lines=wanted,
        reason="Berlin is closed",
    )

    def allocation(warehouse: str, quantity: int, shipment: dict[str, str] | None) -> dict[str, Any]:
        return {"quantity": quantity, "state": "ON_HAND", "warehouse": {"code": warehouse}, "shipment": shipment}

    assert changed["order"] == {
        "status": "PLACED",
        "lines": [
            {"canceled": 0, "allocations": [allocation("BERLIN", 1, {"number": packed["shipment"]["number"]})]},
            {"canceled": 0, "allocations": [allocation("HAMBURG", 2, None)]},
        ],
    }
    assert await life.ledger(1) == [("BERLIN", "SALE", -3), ("BERLIN", "CANCELLATION", 2), ("HAMBURG", "SALE", -2)]


async def test_more_than_is_free_there_is_not_moved_and_is_told(client: Client) -> None:
    number = await placed(client, MUG=5)
    query = (
        f"mutation($input: MoveAllocationsInput!) {{ moveAllocations(input: $input) {{ order {{ id }} "
        f"userErrors {{ code path message {SHORT} }} }} }}"
    )
    before = await life.everything()

    answer = await client.admin(query, input={"number": number, "lines": moved("BERLIN", "HAMBURG", MUG=4)})

    assert answer["moveAllocations"] == {
        "order": None,
        "userErrors": [
            {
                "code": "INSUFFICIENT_STOCK",
                "path": ["lines", "0", "quantity"],
                "message": "Only 3 of MUG available in HAMBURG, 4 requested.",
                "sku": "MUG",
                "requested": 4,
                "salable": 3,
            }
        ],
    }
    assert await life.everything() == before


async def test_the_same_key_moves_once(client: Client) -> None:
    number = await placed(client, MUG=3)
    given = {"number": number, "lines": moved("BERLIN", "HAMBURG", MUG=1), "idempotencyKey": "once"}

    for _ in range(2):
        await client.done("moveAllocations", **given)

    assert (await life.figures(), await life.figures("MUG", "HAMBURG")) == (life.Figures(3), life.Figures(2))
    other = given | {"lines": moved("BERLIN", "HAMBURG", MUG=2)}
    assert await client.refused("moveAllocations", **other) == [("IDEMPOTENCY_CONFLICT", ["idempotencyKey"])]


async def test_units_that_are_not_on_hand_leave_with_allow_negative(client: Client) -> None:
    await make.setting(decrement_inventory=InventoryDecrement.ON_SHIPMENT)
    number = await placed(client, MUG=2)
    packed = await client.done("createShipment", SHIPMENT, order=number, warehouse="BERLIN")
    shipment = packed["shipment"]["number"]
    await client.done("adjustStock", changes=[{"sku": "MUG", "warehouse": "BERLIN", "delta": -5}])
    before = await life.everything()
    for refused in ({}, {"allowNegative": False}):
        assert await client.refused("shipShipment", number=shipment, **refused) == [("INSUFFICIENT_STOCK", ["number"])]
    assert await life.everything() == before

    sent = await client.done("shipShipment", "shipment { state }", number=shipment, allowNegative=True)

    assert sent["shipment"] == {"state": "SHIPPED"}
    assert await life.figures() == life.Figures(-2)


async def test_canceled_units_may_be_written_off(client: Client) -> None:
    await make.setting(decrement_inventory=InventoryDecrement.ON_SHIPMENT)
    number = await placed(client, MUG=2)

    await client.done("cancelOrder", number=number, lines=rows(MUG=1), restock=False)

    assert await life.figures() == life.Figures(4, reserved=1)


async def test_a_canceled_shipment_is_empty(client: Client) -> None:
    number = await placed(client, MUG=2)
    packed = await client.done("createShipment", SHIPMENT, order=number, warehouse="BERLIN")

    unpacked = await client.done("cancelShipment", SHIPMENT, number=packed["shipment"]["number"])

    assert (unpacked["shipment"]["state"], unpacked["shipment"]["items"]) == ("CANCELED", [])


async def test_lines_are_named_by_id(client: Client) -> None:
    found = await client.done("placeOrder", "order { number lines { id } }", lines=[*rows(MUG=1), *rows(MUG=2)])
    number, (_, second) = found["order"]["number"], found["order"]["lines"]
    wanted = [{"sku": "MUG", "quantity": 2, "line": second["id"]}]

    canceled = await client.done("cancelOrder", "order { lines { canceled } }", number=number, lines=wanted)

    assert canceled["order"]["lines"] == [{"canceled": 0}, {"canceled": 2}]
    other = [{"sku": "MUG", "quantity": 1, "line": "nonsense"}]
    assert await client.refused("cancelOrder", number=number, lines=other) == [("NOT_FOUND", ["lines", "0", "line"])]


async def test_a_parked_order_is_tried_again(client: Client) -> None:
    await make.setting(insufficient_stock=InsufficientStockAction.HOLD_ORDER)
    kept = await client.done("placeOrder", f"order {{ number status {LINE} }}", lines=rows(MUG=9))
    number = kept["order"]["number"]
    assert kept["order"]["status"] == "BACKORDERED"
    assert kept["order"]["lines"] == [
        {"sku": "MUG", "quantity": 9, "backordered": 0, "shipped": 0, "returned": 0, "canceled": 0, "allocations": []}
    ]

    again = await client.change("retryOrder", number=number)
    assert [(e["code"], e["path"]) for e in again["userErrors"]] == [("INSUFFICIENT_STOCK", ["number"])]
    await make.stock("MUG", "BERLIN", 6)
    tried = await client.done("retryOrder", "order { status }", number=number)

    assert tried["order"]["status"] == "PLACED"


@pytest.mark.parametrize(
    ("mutation", "given", "told"),
    [
        ("createShipment", {"order": "1", "warehouse": "BERLIN"}, ("NOT_FOUND", ["order"])),
        ("createShipment", {"order": "100001", "warehouse": "PARIS"}, ("NOT_FOUND", ["warehouse"])),
        ("createShipment", {"order": "100001", "warehouse": "HAMBURG"}, ("INVALID_STATE", ["order"])),
        (
            "createShipment",
            {"order": "100001", "warehouse": "BERLIN", "lines": rows(MUG=9)},
            ("INVALID_STATE", ["lines", "0", "quantity"]),
        ),
        ("shipShipment", {"number": "S1"}, ("NOT_FOUND", ["number"])),
        ("cancelShipment", {"number": "S1"}, ("NOT_FOUND", ["number"])),
        ("cancelOrder", {"number": "1"}, ("NOT_FOUND", ["number"])),
        ("cancelOrder", {"number": "100001", "lines": rows(MUG=9)}, ("INVALID_STATE", ["lines", "0", "quantity"])),
        ("cancelOrder", {"number": "100001", "lines": []}, ("INVALID_INPUT", ["lines"])),
        ("moveAllocations", {"number": "1", "lines": moved("BERLIN", "HAMBURG", MUG=1)}, ("NOT_FOUND", ["number"])),
        ("moveAllocations", {"number": "100001", "lines": []}, ("INVALID_INPUT", ["lines"])),
        (
            "moveAllocations",
            {"number": "100001", "lines": moved("BERLIN", "HAMBURG", MUG=3)},
            ("INVALID_STATE", ["lines", "0", "quantity"]),
        ),
        (
            "moveAllocations",
            {"number": "100001", "lines": moved("PARIS", "HAMBURG", MUG=1)},
            ("NOT_FOUND", ["lines", "0", "from"]),
        ),
        (
            "moveAllocations",
            {"number": "100001", "lines": moved("BERLIN", "PARIS", MUG=1)},
            ("NOT_FOUND", ["lines", "0", "to"]),
        ),
        (
            "moveAllocations",
            {"number": "100001", "lines": moved("BERLIN", " berlin", MUG=1)},
            ("NOT_FOUND", ["lines", "0", "to"]),
        ),
        (
            "moveAllocations",
            {"number": "100001", "lines": moved("BERLIN", " BERLIN ", MUG=1)},
            ("INVALID_INPUT", ["lines", "0", "to"]),
        ),
        (
            "moveAllocations",
            {"number": "100001", "lines": moved("BERLIN", "HAMBURG", CUP=1)},
            ("NOT_FOUND", ["lines", "0", "sku"]),
        ),
        (
            "moveAllocations",
            {"number": "100001", "lines": moved("BERLIN", "HAMBURG", MUG=0)},
            ("INVALID_INPUT", ["lines", "0", "quantity"]),
        ),
        (
            "moveAllocations",
            {"number": "100001", "lines": [*moved("BERLIN", "HAMBURG", MUG=1), *moved("HAMBURG", "BERLIN", MUG=2)]},
            ("INVALID_STATE", ["lines", "1", "quantity"]),
        ),
        (
            "moveAllocations",
            {"number": "100001", "lines": [row | {"line": "nonsense"} for row in moved("BERLIN", "HAMBURG", MUG=1)]},
            ("NOT_FOUND", ["lines", "0", "line"]),
        ),
        ("returnItems", {"order": "100001", "lines": rows(MUG=1)}, ("INVALID_STATE", ["lines", "0", "quantity"])),
        ("retryOrder", {"number": "100001"}, ("INVALID_STATE", ["number"])),
        ("holdStock", {"lines": rows(MUG=9)}, ("INSUFFICIENT_STOCK", ["lines", "0", "quantity"])),
        ("holdStock", {"lines": rows(MUG=1), "minutes": 0}, ("INVALID_INPUT", ["minutes"])),
        ("holdStock", {"lines": rows(MUG=1), "replaces": "nonsense"}, ("NOT_FOUND", ["replaces"])),
        ("holdStock", {"lines": []}, ("INVALID_INPUT", ["lines"])),
        ("releaseStockHold", {"id": "nonsense"}, ("NOT_FOUND", ["id"])),
        ("placeOrder", {"lines": rows(MUG=1), "hold": "nonsense"}, ("NOT_FOUND", ["hold"])),
    ],
)
async def test_what_cannot_be_done_is_refused_and_leaves_no_trace(
    client: Client, mutation: str, given: dict[str, Any], told: tuple[str, list[str]]
) -> None:
    await placed(client, MUG=2)

    assert await client.refused(mutation, **given) == [told]


async def test_what_is_not_on_hand_cannot_leave_and_is_told(client: Client) -> None:
    await make.setting(decrement_inventory=InventoryDecrement.ON_SHIPMENT)
    number = await placed(client, MUG=5)
    packed = await client.done("createShipment", SHIPMENT, order=number, warehouse="BERLIN")
    await make.stock("MUG", "BERLIN", 2)

    query = (
        f"mutation($input: ShipShipmentInput!) {{ shipShipment(input: $input) {{ userErrors {{ code {SHORT} }} }} }}"
    )
    answer = await client.admin(query, input={"number": packed["shipment"]["number"]})

    assert answer["shipShipment"]["userErrors"] == [
        {"code": "INSUFFICIENT_STOCK", "sku": "MUG", "requested": 5, "salable": 2}
    ]


async def test_what_comes_back_of_a_deleted_item_cannot_be_restocked(client: Client) -> None:
    number = await placed(client, MUG=2)
    packed = await client.done("createShipment", SHIPMENT, order=number, warehouse="BERLIN")
    await client.done("shipShipment", SHIPMENT, number=packed["shipment"]["number"])
    await make.stock("MUG", "BERLIN", 0)
    await make.stock("MUG", "HAMBURG", 0)
    await client.done("deleteProduct", "deletedId", sku="MUG")

    refused = await client.refused("returnItems", order=number, lines=rows(MUG=1), restock=True)

    assert refused == [("INVALID_STATE", ["lines", "0", "sku"])]


# ── holds


async def test_a_hold_says_what_it_keeps(client: Client) -> None:
    made = await client.done(
        "holdStock",
        "hold { state website { code } lines { sku quantity selectedOptions { name } item { sku } } }",
        lines=rows(MUG=2),
    )

    assert made["hold"] == {
        "state": "ACTIVE",
        "website": {"code": "shop"},
        "lines": [{"sku": "MUG", "quantity": 2, "selectedOptions": [], "item": {"sku": "MUG"}}],
    }


async def test_a_hold_is_found_by_its_id_and_so_are_those_with_the_longest_ids(client: Client) -> None:
    website = nodes.row_id("Website", (await client.admin('{ website(code: "shop") { id } }'))["website"]["id"])
    at = clock.now() + timedelta(minutes=5)
    for hold_id in (1, 10**18, 2**62 - 1):
        await StockHold.create(id=hold_id, website_id=website, created_at=at, expires_at=at)
        found = await client.admin(
            "query($id: ID!) { stockHold(id: $id) { state } node(id: $id) { id } }",
            id=nodes.global_id("StockHold", hold_id),
        )
        assert found["stockHold"] == {"state": "ACTIVE"}
        assert found["node"] == {"id": nodes.global_id("StockHold", hold_id)}


async def test_what_is_held_is_ordered_released_or_replaced_by_id(client: Client) -> None:
    ordered, released, replaced = [await held(client, MUG=2) for _ in range(3)]

    await client.done("placeOrder", lines=rows(MUG=2), hold=ordered)
    gone = await client.done("releaseStockHold", "hold { state }", id=released)
    await client.done("holdStock", lines=rows(MUG=3), replaces=replaced)

    assert gone["hold"] == {"state": "RELEASED"}
    states = [
        (await client.admin("query($id: ID!) { stockHold(id: $id) { state } }", id=one))["stockHold"]["state"]
        for one in (ordered, released, replaced)
    ]
    assert states == ["ORDERED", "RELEASED", "RELEASED"]
    assert await life.figures() == life.Figures(3, held=3)


LEVEL = "held available"
LISTS = f"""{{
  inventoryLevels {{ nodes {{ {LEVEL} }} }}
  product(sku: "MUG") {{ inventoryLevels {{ nodes {{ {LEVEL} }} }} inventoryLevel(warehouse: "BERLIN") {{ {LEVEL} }}
    inventoryTotals {{ {LEVEL} }} availability {{ salableQuantity }} }}
  warehouse(code: "BERLIN") {{ inventoryLevels {{ nodes {{ {LEVEL} }} }} }}
  inventoryLevel(sku: "MUG", warehouse: "BERLIN") {{ {LEVEL} }}
}}"""


async def test_an_expired_hold_is_shown_nowhere_from_that_moment(client: Client) -> None:
    hold = await held(client, MUG=4)
    keeps, free, hamburg = {"held": 4, "available": 1}, {"held": 0, "available": 5}, {"held": 0, "available": 3}
    before = await client.admin(LISTS)
    assert before["inventoryLevels"]["nodes"] == [keeps, hamburg]
    hold_id = nodes.row_id("StockHold", hold)
    assert hold_id is not None

    await life.expire(hold_id)

    assert await client.admin(LISTS) == {
        "inventoryLevels": {"nodes": [free, hamburg]},
        "product": {
            "inventoryLevels": {"nodes": [free, hamburg]},
            "inventoryLevel": free,
            "inventoryTotals": {"held": 0, "available": 8},
            "availability": {"salableQuantity": 8},
        },
        "warehouse": {"inventoryLevels": {"nodes": [free]}},
        "inventoryLevel": free,
    }
    assert await HeldUnits.filter(hold__state="ACTIVE").count() == 1
    found = await client.admin("query($id: ID!) { stockHold(id: $id) { state } }", id=hold)
    assert found["stockHold"] == {"state": "EXPIRED"}


async def test_a_check_of_what_is_held_says_what_placing_it_would(client: Client) -> None:
    hold = await held(client, MUG=8)
    query = """query($input: CheckOrderInput!) { checkOrder(input: $input) {
      orderable lines { sku orderable item { sku } } userErrors { code path } } }"""

    without = await client.public(query, input={"lines": rows(MUG=1)})
    within = await client.public(query, input={"lines": rows(MUG=8), "hold": hold})
    wrong = await client.public(query, input={"lines": rows(MUG=1), "hold": "nonsense"})

    assert without["checkOrder"]["orderable"] is False
    assert within["checkOrder"] == {
        "orderable": True,
        "lines": [{"sku": "MUG", "orderable": True, "item": {"sku": "MUG"}}],
        "userErrors": [],
    }
    assert wrong["checkOrder"]["orderable"] is False
    assert wrong["checkOrder"]["userErrors"] == [{"code": "NOT_FOUND", "path": ["hold"]}]


# ── lists


async def test_shipments_are_found_by_state_warehouse_order_and_moment(client: Client) -> None:
    await make.setting(product="MUG", backorders=BackorderMode.ALLOW)
    first, second = await placed(client, MUG=7), await placed(client, MUG=2)
    for number, warehouse in ((first, "BERLIN"), (first, "HAMBURG"), (second, "HAMBURG"), (second, "BERLIN")):
        await client.done("createShipment", order=number, warehouse=warehouse)
    await client.done("shipShipment", number="S100001")

    query = """query($filter: ShipmentFilter, $sort: ShipmentSort!, $reverse: Boolean!) {
      shipments(filter: $filter, sort: $sort, reverse: $reverse) { nodes { number } } }"""

    async def found(sort: str = "CREATED", reverse: bool = False, **chosen: Any) -> list[str]:
        data = await client.admin(query, filter=chosen, sort=sort, reverse=reverse)
        return [one["number"] for one in data["shipments"]["nodes"]]

    assert await found() == ["S100001", "S100002", "S100003", "S100004"]
    assert await found(states=["READY"]) == ["S100002", "S100003"]
    assert await found(states=["PENDING"]) == ["S100004"]
    assert await found(warehouse="BERLIN") == ["S100001", "S100004"]
    assert await found(order=second) == ["S100003", "S100004"]
    assert await found(order="nonsense") == []
    assert await found(sort="UPDATED", reverse=True) == ["S100001", "S100004", "S100003", "S100002"]
    assert await found(updatedSince="2999-01-01T00:00:00Z") == []


async def test_a_nightly_count_of_a_thousand_rows_is_one_call(client: Client, statements: Statements) -> None:
    query = (PAGES / "erp-push.graphql").read_text()
    for number in range(4):
        sizes = [str(size) for size in range(125)]
        await make.product(f"P{number}", options={"Size": sizes})
    skus = [row["sku"] for row in await sql.query("SELECT sku FROM item WHERE product_id IS NOT NULL ORDER BY id")]
    counts = [{"sku": sku, "warehouse": place, "onHand": 7} for sku in skus for place in ("BERLIN", "HAMBURG")]
    assert len(counts) == 1000

    data = await client.admin(query, input={"counts": counts})

    assert data["setStock"]["userErrors"] == []
    assert len(data["setStock"]["inventoryLevels"]) == 1000
    assert {one["onHand"] for one in data["setStock"]["inventoryLevels"]} == {7}
    # Counted again, so that there is nothing to make: the levels' own updates go out in one batch.
    with statements.counted() as sent:
        await client.admin(query, input={"counts": [{**one, "onHand": 8} for one in counts]})
    assert len(sent) < 40, "\n".join(one[:100] for one in sent[:60])


@pytest.mark.parametrize(
    ("mutation", "given"),
    [
        pytest.param("createShipment", {"order": "100001", "warehouse": "BERLIN", "lines": rows(MUG=0.5)}, id="packed"),
        pytest.param("cancelOrder", {"number": "100001", "lines": rows(MUG=0.5)}, id="canceled"),
        pytest.param("moveAllocations", {"number": "100001", "lines": moved("BERLIN", "HAMBURG", MUG=0.5)}, id="moved"),
        pytest.param("returnItems", {"order": "100001", "lines": rows(MUG=0.5)}, id="returned"),
    ],
)
async def test_parts_of_what_is_sold_in_whole_units_are_refused(
    client: Client, mutation: str, given: dict[str, Any]
) -> None:
    number = await placed(client, MUG=3)
    packed = await client.done(
        "createShipment", "shipment { number }", order=number, warehouse="BERLIN", lines=rows(MUG=1)
    )
    await client.done("shipShipment", number=packed["shipment"]["number"])

    refused = await client.refused(mutation, **given)
    await make.setting(level=("MUG", "BERLIN"), quantity_uses_decimals=True)

    assert (number, refused) == ("100001", [("INVALID_INPUT", ["lines", "0", "quantity"])])
    await client.done(mutation, **given)


async def test_what_was_ordered_in_parts_leaves_in_parts_when_only_whole_units_are_sold(client: Client) -> None:
    await make.setting(quantity_uses_decimals=True)
    number = await placed(client, MUG=1.5)
    await make.setting(quantity_uses_decimals=False)

    await client.done("cancelOrder", number=number, lines=rows(MUG=0.25))
    await client.done("createShipment", order=number, warehouse="BERLIN", lines=rows(MUG=1.25))
