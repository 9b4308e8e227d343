from typing import Any

import pytest

from gqlstock.rules.settings import BackorderMode
from gqlstock.services import catalog
from gqlstock.store.db import clock
from support import importing
from support import shop_builders as make
from support.graphql_client import Client, codes
from support.statement_counter import Statements

SHORT = """userErrors { code path ... on InsufficientStockError { sku requested salable } }"""
ORDER = """order { number status customerEmail reference lines { sku name code quantity backordered message
  selectedOptions { name value } item { sku } allocations { quantity state warehouse { code } } } }"""
CHECK = """query ($input: CheckOrderInput!) { checkOrder(input: $input) { orderable
  lines { sku quantity backordered orderable unavailableReason message item { sku }
          allocations { warehouse quantity state } }
  userErrors { code path } } }"""


@pytest.fixture
async def shop(db: None) -> None:
    """5 of MUG in BERLIN and 3 in HAMBURG."""
    await make.warehouse("BERLIN")
    await make.warehouse("HAMBURG")
    await make.website("shop", warehouses=["BERLIN", "HAMBURG"])
    await make.product("MUG", name="Mug")
    await make.stock("MUG", "BERLIN", 5)
    await make.stock("MUG", "HAMBURG", 3)


def lines(**units: float) -> list[dict[str, Any]]:
    return [{"sku": sku, "quantity": quantity} for sku, quantity in units.items()]


# ── stock


async def test_an_adjustment_answers_its_levels_and_movements(client: Client, shop: None) -> None:
    payload = await client.done(
        "adjustStock",
        "inventoryLevels { onHand available item { sku } warehouse { code } } "
        "movements { kind quantity onHandAfter reason reference actor order { number } }",
        changes=[
            {"sku": "MUG", "warehouse": "BERLIN", "delta": -2},
            {"sku": "MUG", "warehouse": "HAMBURG", "delta": 4},
            {"sku": "MUG", "warehouse": "BERLIN", "delta": 1},
        ],
        reason="Stocktaking",
        reference="ERP-1",
    )

    said = {"kind": "ADJUSTMENT", "reason": "Stocktaking", "reference": "ERP-1", "actor": "test admin", "order": None}
    assert payload["inventoryLevels"] == [
        {"onHand": 4, "available": 4, "item": {"sku": "MUG"}, "warehouse": {"code": "BERLIN"}},
        {"onHand": 7, "available": 7, "item": {"sku": "MUG"}, "warehouse": {"code": "HAMBURG"}},
    ]
    assert payload["movements"] == [
        {**said, "quantity": -2, "onHandAfter": 3},
        {**said, "quantity": 4, "onHandAfter": 7},
        {**said, "quantity": 1, "onHandAfter": 4},
    ]


async def test_what_cannot_be_adjusted_is_refused_and_leaves_no_trace(client: Client, shop: None) -> None:
    changes = [
        {"sku": "MUG", "warehouse": "BERLIN", "delta": -6},
        {"sku": "NONE", "warehouse": "BERLIN", "delta": 1},
        {"sku": "MUG", "warehouse": "PARIS", "delta": 1},
        {"sku": "MUG", "warehouse": "BERLIN", "delta": 0.5},
    ]

    assert await client.refused("adjustStock", changes=changes) == [
        ("INSUFFICIENT_STOCK", ["changes", "0", "delta"]),
        ("NOT_FOUND", ["changes", "1", "sku"]),
        ("NOT_FOUND", ["changes", "2", "warehouse"]),
        ("INVALID_INPUT", ["changes", "3", "delta"]),
    ]


async def test_in_part_the_good_rows_are_answered_beside_the_errors(client: Client, shop: None) -> None:
    payload = await client.change(
        "adjustStock",
        "inventoryLevels { onHand }",
        changes=[
            {"sku": "NONE", "warehouse": "BERLIN", "delta": 1},
            {"sku": "MUG", "warehouse": "BERLIN", "delta": 1},
        ],
        partial=True,
    )

    assert payload["inventoryLevels"] == [{"onHand": 6}]
    assert [(error["code"], error["path"]) for error in payload["userErrors"]] == [
        ("NOT_FOUND", ["changes", "0", "sku"])
    ]


async def test_a_count_that_expects_something_else_is_told_what_there_is(client: Client, shop: None) -> None:
    answer = await client.admin(
        """mutation { setStock(input: { counts: [
            { sku: "MUG", warehouse: "BERLIN", onHand: 9, expectedOnHand: 4 }
        ] }) { inventoryLevels { id } movements { id } userErrors {
            code path ... on StaleQuantityError { sku warehouse expected actual } } } }"""
    )

    assert answer["setStock"] == {
        "inventoryLevels": [],
        "movements": [],
        "userErrors": [
            {
                "code": "STALE_QUANTITY",
                "path": ["counts", "0", "expectedOnHand"],
                "sku": "MUG",
                "warehouse": "BERLIN",
                "expected": 4,
                "actual": 5,
            }
        ],
    }


async def test_what_cannot_be_counted_moved_or_deleted_is_refused_and_leaves_no_trace(
    client: Client, shop: None
) -> None:
    future = [{"sku": "MUG", "warehouse": "BERLIN", "onHand": 1, "countedAt": "2999-01-01T00:00:00Z"}]

    assert await client.refused("setStock", counts=future) == [("INVALID_INPUT", ["counts", "0", "countedAt"])]
    assert await client.refused("transferStock", **{"from": "BERLIN", "to": "HAMBURG", "lines": lines(MUG=6)}) == [
        ("INSUFFICIENT_STOCK", ["lines", "0", "quantity"])
    ]
    assert await client.refused("transferStock", **{"from": "BERLIN", "to": "BERLIN", "lines": lines(MUG=1)}) == [
        ("INVALID_INPUT", ["to"])
    ]
    (deleting,) = await client.refused("deleteInventoryLevel", sku="MUG", warehouse="BERLIN")
    assert deleting[0] == "INVALID_STATE"
    assert await client.refused("acknowledgeLowInventoryAlert", id="nonsense") == [("NOT_FOUND", ["id"])]


async def test_a_quantity_that_is_none_never_reaches_the_stock(client: Client, shop: None) -> None:
    for units in ("1e400", "0.00001", "NaN", "100000000000"):
        answer = await client.scoped(
            "inventory:write",
            """mutation ($units: Quantity!) { adjustStock(input: { changes: [
                { sku: "MUG", warehouse: "BERLIN", delta: $units }
            ] }) { userErrors { code } } }""",
            units=units,
        )
        assert [code for code, _ in codes(answer)] == ["BAD_USER_INPUT"]


async def test_stock_is_changed_only_with_the_scope(client: Client, shop: None) -> None:
    change = (
        'mutation { adjustStock(input: { changes: [{ sku: "MUG", warehouse: "BERLIN", delta: 1 }] }) { __typename } }'
    )

    assert codes(await client.ask(change)) == [("UNAUTHENTICATED", ["adjustStock"])]
    assert codes(await client.scoped("inventory:read orders:write", change)) == [("FORBIDDEN", ["adjustStock"])]
    assert codes(await client.scoped("inventory:write", change)) == []


# ── orders


async def test_an_order_answers_what_became_of_it(client: Client, shop: None) -> None:
    payload = await client.done(
        "placeOrder", ORDER, lines=lines(MUG=6), customerEmail="anna@example.com", reference="WEB-7"
    )

    assert payload["order"] == {
        "number": "100001",
        "status": "PLACED",
        "customerEmail": "anna@example.com",
        "reference": "WEB-7",
        "lines": [
            {
                "sku": "MUG",
                "name": "Mug",
                "code": "MUG",
                "quantity": 6,
                "backordered": 0,
                "message": None,
                "selectedOptions": [],
                "item": {"sku": "MUG"},
                "allocations": [
                    {"quantity": 5, "state": "ON_HAND", "warehouse": {"code": "BERLIN"}},
                    {"quantity": 1, "state": "ON_HAND", "warehouse": {"code": "HAMBURG"}},
                ],
            }
        ],
    }


async def test_an_order_is_answered_as_it_was_written_without_reading_it(
    client: Client, shop: None, statements: Statements
) -> None:
    await make.product("SHIRT", options={"Color": ["Red"]})
    await make.setting(product="SHIRT", quantity_uses_decimals=True)
    await make.stock("SHIRT-RED", "BERLIN", 9)
    wanted = [*lines(MUG=1), {"sku": "SHIRT-RED", "quantity": 2.5}, *lines(MUG=2)]
    whole = """number status placedAt updatedAt customerEmail
      lines { id sku name code quantity canceled selectedOptions { name value } }"""

    with statements.counted() as sent:
        payload = await client.done("placeOrder", f"order {{ {whole} }}", lines=wanted)

    assert [one for one in sent if "FROM order_line" in one or "FROM customer_order" in one] == []
    assert [line["quantity"] for line in payload["order"]["lines"]] == [1, 2.5, 2]
    query = f"query ($number: String!) {{ order(number: $number) {{ {whole} }} }}"
    assert payload["order"] == (await client.admin(query, number=payload["order"]["number"]))["order"]


async def test_an_order_that_is_refused_leaves_no_trace(client: Client, shop: None) -> None:
    await make.product("HIDDEN", published=False)
    await make.setting(product="MUG", maximum_order_quantity=20)

    refused = client.refused

    assert await refused("placeOrder", lines=lines(MUG=9)) == [("INSUFFICIENT_STOCK", ["lines", "0", "quantity"])]
    assert await refused("placeOrder", lines=lines(MUG=21)) == [("QUANTITY_NOT_ALLOWED", ["lines", "0", "quantity"])]
    assert await refused("placeOrder", lines=lines(HIDDEN=1)) == [("NOT_ORDERABLE", ["lines", "0", "sku"])]
    assert await refused("placeOrder", lines=lines(NONE=1)) == [("NOT_FOUND", ["lines", "0", "sku"])]
    assert await refused("placeOrder", lines=[]) == [("INVALID_INPUT", ["lines"])]
    assert await refused("placeOrder", lines=lines(MUG=1), website="none") == [("NOT_FOUND", ["website"])]
    assert await refused("placeOrder", lines=lines(MUG=1), customerEmail="anna") == [
        ("INVALID_INPUT", ["customerEmail"])
    ]
    assert await refused("placeOrder", lines=lines(MUG=1), shipTo={"latitude": 91, "longitude": 0}) == [
        ("INVALID_INPUT", ["shipTo", "latitude"])
    ]
    assert await refused("placeOrder", lines=lines(MUG=1) * 501) == [("TOO_MANY", ["lines"])]


async def test_only_who_may_see_the_quantity_is_told_how_much_is_left(client: Client, shop: None) -> None:
    place = f"mutation ($input: PlaceOrderInput!) {{ placeOrder(input: $input) {{ {SHORT} }} }}"

    till = await client.scoped("orders:write", place, input={"lines": lines(MUG=9)})
    office = await client.scoped("orders:write inventory:read", place, input={"lines": lines(MUG=9)})

    told = {"code": "INSUFFICIENT_STOCK", "path": ["lines", "0", "quantity"], "sku": "MUG", "requested": 9}
    assert till["data"]["placeOrder"]["userErrors"] == [{**told, "salable": None}]
    assert office["data"]["placeOrder"]["userErrors"] == [{**told, "salable": 8}]


async def test_orders_are_placed_only_with_the_scope(client: Client, shop: None) -> None:
    place = 'mutation { placeOrder(input: { lines: [{ sku: "MUG", quantity: 1 }] }) { order { number } } }'

    assert codes(await client.ask(place)) == [("UNAUTHENTICATED", ["placeOrder"])]
    assert codes(await client.scoped("orders:read inventory:write", place)) == [("FORBIDDEN", ["placeOrder"])]
    assert codes(await client.scoped("orders:write", place)) == []


async def test_the_same_key_answers_the_same_order_again(client: Client, shop: None) -> None:
    first = await client.done("placeOrder", ORDER, lines=lines(MUG=2), idempotencyKey="k1")
    again = await client.done("placeOrder", ORDER, lines=lines(MUG="2.0"), idempotencyKey="k1")  # type: ignore[arg-type]

    assert again == first
    assert await client.refused("placeOrder", lines=lines(MUG=3), idempotencyKey="k1") == [
        ("IDEMPOTENCY_CONFLICT", ["idempotencyKey"])
    ]


async def test_a_check_says_what_an_order_would_do(client: Client, shop: None) -> None:
    checked = await client.admin(CHECK, input={"lines": lines(MUG=6)})

    assert checked["checkOrder"] == {
        "orderable": True,
        "lines": [
            {
                "sku": "MUG",
                "quantity": 6,
                "backordered": 0,
                "orderable": True,
                "unavailableReason": None,
                "message": None,
                "item": {"sku": "MUG"},
                "allocations": [
                    {"warehouse": "BERLIN", "quantity": 5, "state": "ON_HAND"},
                    {"warehouse": "HAMBURG", "quantity": 1, "state": "ON_HAND"},
                ],
            }
        ],
        "userErrors": [],
    }


async def test_the_public_checks_without_seeing_where_the_units_are(client: Client, shop: None) -> None:
    checked = (await client.public(CHECK, input={"lines": lines(MUG=9)}))["checkOrder"]

    assert checked["userErrors"] == [{"code": "INSUFFICIENT_STOCK", "path": ["lines", "0", "quantity"]}]
    (line,) = checked["lines"]
    assert (line["allocations"], line["unavailableReason"], line["orderable"]) == (None, "OUT_OF_STOCK", False)


async def test_the_public_learns_nothing_of_an_item_that_is_not_published(client: Client, shop: None) -> None:
    await catalog.update_product("MUG", {"published": False})

    public = (await client.public(CHECK, input={"lines": lines(MUG=1)}))["checkOrder"]["lines"][0]
    office = (await client.admin(CHECK, input={"lines": lines(MUG=1)}))["checkOrder"]["lines"][0]

    assert (public["unavailableReason"], public["item"]) == (None, None)
    assert (office["unavailableReason"], office["item"]) == ("NOT_PUBLISHED", {"sku": "MUG"})


async def test_a_line_more_is_not_a_statement_more(client: Client, shop: None, statements: Statements) -> None:
    for n in range(20):
        await make.product(f"P{n}")
        await make.stock(f"P{n}", "BERLIN", 50)
    token = await client.token("orders:write")
    place = f"mutation ($input: PlaceOrderInput!) {{ placeOrder(input: $input) {{ {ORDER} }} }}"

    async def sent(count: int) -> int:
        wanted = {"lines": [{"sku": f"P{n}", "quantity": 1} for n in range(count)]}
        with statements.counted() as found:
            answer = await client.ask(place, {"input": wanted}, token=token)
        assert len(answer["data"]["placeOrder"]["order"]["lines"]) == count
        return len(found)

    # What it names is in memory from then on.
    await sent(20)
    assert await sent(2) == await sent(20)


AVAILABILITY = """query ($skus: [String!]!) { availabilities(skus: $skus) {
  status orderable unavailableReason salableQuantity onlyLeft backorder } }"""


async def test_less_than_the_least_quantity_is_shown_as_sold_out(client: Client, shop: None) -> None:
    await make.setting(product="MUG", minimum_order_quantity=9, only_x_left_threshold=10)

    (shown,) = (await client.admin(AVAILABILITY, skus=["MUG"]))["availabilities"]

    assert shown == {
        "status": "OUT_OF_STOCK",
        "orderable": False,
        "unavailableReason": "OUT_OF_STOCK",
        "salableQuantity": 8,
        "onlyLeft": None,
        "backorder": False,
    }
    assert await client.refused("placeOrder", lines=lines(MUG=9)) == [
        ("INSUFFICIENT_STOCK", ["lines", "0", "quantity"])
    ]


async def test_rules_without_any_quantity_say_so_and_nothing_is_placed(client: Client, shop: None) -> None:
    await make.setting(product="MUG", maximum_order_quantity=2)
    await make.setting(website="shop", minimum_order_quantity=3)

    (shown,) = (await client.admin(AVAILABILITY, skus=["MUG"]))["availabilities"]
    checked = await client.admin(CHECK, input={"lines": lines(MUG=3)})

    assert (shown["status"], shown["unavailableReason"]) == (
        "IN_STOCK",
        "NO_QUANTITY_ALLOWED",
    )
    assert checked["checkOrder"]["lines"][0]["unavailableReason"] == "NO_QUANTITY_ALLOWED"
    assert await client.refused("placeOrder", lines=lines(MUG=3)) == [
        ("QUANTITY_NOT_ALLOWED", ["lines", "0", "quantity"]),
        ("NOT_ORDERABLE", ["lines", "0", "sku"]),
    ]


async def test_nobody_can_wait_for_what_no_quantity_of_can_be_ordered(client: Client, shop: None) -> None:
    await make.setting(product="MUG", maximum_order_quantity=2)
    await make.setting(website="shop", minimum_order_quantity=3)

    refused = await client.refused("subscribeToBackInStock", sku="MUG", email="anna@shoppers.example")

    assert refused == [("INVALID_STATE", ["sku"])]


async def test_an_item_that_nobody_has_counted_is_backordered_and_gets_its_level(client: Client, shop: None) -> None:
    await make.product("CUP")
    assert await client.refused("placeOrder", lines=lines(CUP=2)) == [
        ("INSUFFICIENT_STOCK", ["lines", "0", "quantity"])
    ]
    await make.setting(product="CUP", backorders=BackorderMode.ALLOW)

    made = await client.done("placeOrder", ORDER, lines=lines(CUP=2))

    assert made["order"]["lines"][0]["allocations"] == [
        {"quantity": 2, "state": "BACKORDERED", "warehouse": {"code": "BERLIN"}}
    ]
    level = await client.admin('{ inventoryLevel(sku: "CUP", warehouse: "BERLIN") { onHand available } }')
    assert level["inventoryLevel"] == {"onHand": -2, "available": -2}


async def test_a_late_count_older_than_an_import_is_refused(client: Client, shop: None) -> None:
    evening = clock.now()
    await importing.levels(["sku,warehouse,on_hand", "MUG,BERLIN,7"])
    counts = [{"sku": "MUG", "warehouse": "BERLIN", "onHand": 5, "countedAt": evening.isoformat()}]

    assert await client.refused("setStock", counts=counts) == [("STALE_QUANTITY", ["counts", "0", "countedAt"])]
