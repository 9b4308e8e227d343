"""Orders that are edited, as clients see them: the answer, refusals that leave no trace, keys, pushes and reports."""

from typing import Any

import pytest

from gqlstock.rules.settings import BackorderMode, InsufficientStockAction, InventoryDecrement
from gqlstock.services import catalog, verification
from support import order_life as life
from support import shop_builders as make
from support.graphql_client import Client, codes
from support.order_life import Figures

LINES = "lines { id sku quantity canceled backordered promisedAt allocations { quantity state warehouse { code } } }"
SHORT = "... on InsufficientStockError { sku requested salable } ... on QuantityNotAllowedError { sku requested }"


@pytest.fixture(autouse=True)
async def shop(client: Client) -> Any:
    """5 of MUG in BERLIN and 3 in HAMBURG, 4 of CUP in BERLIN, SHIRT in S and M with 2 each."""
    await life.shop()
    await make.product("SHIRT", options={"Size": ["S", "M"]})
    for sku, warehouse, units in (("MUG", "BERLIN", 5), ("MUG", "HAMBURG", 3), ("CUP", "BERLIN", 4)):
        await make.stock(sku, warehouse, units)
    for sku in ("SHIRT-S", "SHIRT-M"):
        await make.stock(sku, "BERLIN", 2)
    yield
    assert await verification.verify() == []


def rows(**units: float) -> list[dict[str, Any]]:
    return [{"sku": sku, "quantity": quantity} for sku, quantity in units.items()]


async def placed(client: Client, *lines: dict[str, Any]) -> str:
    found = await client.done("placeOrder", "order { number }", lines=list(lines))
    return str(found["order"]["number"])


async def test_lines_are_added_raised_and_lowered_in_one_step(client: Client) -> None:
    number = await placed(client, *rows(MUG=4, CUP=3))
    shirt = {"sku": "SHIRT", "quantity": 1, "options": [{"name": "Size", "value": "M"}]}

    edited = await client.done(
        "editOrder",
        f"order {{ number status promisedAt {LINES} }}",
        number=number,
        add=[shirt],
        change=rows(CUP=1, MUG=6),
        reason="by phone",
    )

    order = edited["order"]
    for line in order["lines"]:
        assert line.pop("id")
    berlin, hamburg = {"warehouse": {"code": "BERLIN"}}, {"warehouse": {"code": "HAMBURG"}}
    nothing = {"backordered": 0, "promisedAt": None}
    assert (order["number"], order["status"], order["promisedAt"]) == (number, "PLACED", None)
    assert order["lines"] == [
        {
            "sku": "MUG",
            "quantity": 6,
            "canceled": 0,
            **nothing,
            "allocations": [
                {"quantity": 4, "state": "ON_HAND", **berlin},
                {"quantity": 1, "state": "ON_HAND", **berlin},
                {"quantity": 1, "state": "ON_HAND", **hamburg},
            ],
        },
        {
            "sku": "CUP",
            "quantity": 3,
            "canceled": 2,
            **nothing,
            "allocations": [
                {"quantity": 1, "state": "ON_HAND", **berlin},
                {"quantity": 2, "state": "CANCELED", **berlin},
            ],
        },
        {
            "sku": "SHIRT-M",
            "quantity": 1,
            "canceled": 0,
            **nothing,
            "allocations": [{"quantity": 1, "state": "ON_HAND", **berlin}],
        },
    ]


async def test_lines_of_one_sku_are_named_by_id(client: Client) -> None:
    made = await client.done("placeOrder", "order { number lines { id } }", lines=[*rows(MUG=1), *rows(MUG=2)])
    number, (_, second) = made["order"]["number"], made["order"]["lines"]

    assert await client.refused("editOrder", number=number, change=rows(MUG=2)) == [
        ("INVALID_INPUT", ["change", "0", "line"])
    ]
    one = rows(MUG=4)[0] | {"line": second["id"]}
    edited = await client.done("editOrder", "order { lines { quantity } }", number=number, change=[one])

    assert edited["order"]["lines"] == [{"quantity": 1}, {"quantity": 4}]
    assert await client.refused("editOrder", number=number, change=[one, one]) == [
        ("INVALID_INPUT", ["change", "1", "line"])
    ]
    assert await client.refused("editOrder", number=number, change=[one | {"line": "nonsense"}]) == [
        ("NOT_FOUND", ["change", "0", "line"])
    ]


REFUSED: list[tuple[dict[str, Any], list[tuple[str, list[str]]]]] = [
    ({}, [("INVALID_INPUT", ["change"])]),
    ({"add": [], "change": []}, [("INVALID_INPUT", ["change"])]),
    ({"number": "1", "add": rows(CUP=1)}, [("NOT_FOUND", ["number"])]),
    ({"add": rows(CUP=1) * 501}, [("TOO_MANY", ["add"])]),
    ({"add": rows(CUP=1) * 499}, [("TOO_MANY", ["add"])]),
    ({"change": rows(CUP=1) * 501}, [("TOO_MANY", ["change"])]),
    ({"add": rows(JUG=1), "change": rows(MUG=4)}, [("NOT_FOUND", ["add", "0", "sku"])]),
    ({"add": rows(CUP=0)}, [("INVALID_INPUT", ["add", "0", "quantity"])]),
    ({"add": rows(SHIRT=1)}, [("NOT_ORDERABLE", ["add", "0", "options"])]),
    ({"change": rows(JUG=1)}, [("NOT_FOUND", ["change", "0", "sku"])]),
    ({"change": rows(MUG=-1)}, [("INVALID_INPUT", ["change", "0", "quantity"])]),
    ({"change": rows(MUG=4) * 2}, [("INVALID_INPUT", ["change", "1", "sku"])]),
    ({"change": rows(MUG=1)}, [("INVALID_STATE", ["change", "0", "quantity"])]),
    ({"change": rows(MUG=9)}, [("INSUFFICIENT_STOCK", ["change", "0", "quantity"])]),
    ({"change": rows(MUG=8), "add": rows(MUG=1)}, [("INSUFFICIENT_STOCK", ["change", "0", "quantity"])]),
    (
        {"change": rows(MUG=9), "add": rows(CUP=5)},
        [("INSUFFICIENT_STOCK", ["change", "0", "quantity"]), ("INSUFFICIENT_STOCK", ["add", "0", "quantity"])],
    ),
    ({"change": [{"sku": "SHIRT-S", "quantity": 2}]}, [("QUANTITY_NOT_ALLOWED", ["change", "0", "quantity"])]),
    ({"change": [{"sku": "SHIRT-S", "quantity": 1.5}]}, [("QUANTITY_NOT_ALLOWED", ["change", "0", "quantity"])]),
    ({"add": [{"sku": "SHIRT-S", "quantity": 1}]}, [("QUANTITY_NOT_ALLOWED", ["add", "0", "quantity"])]),
    ({"change": rows(MUG=4), "reason": "x" * 1001}, [("INVALID_INPUT", ["reason"])]),
]


@pytest.mark.parametrize(("given", "told"), REFUSED)
async def test_what_cannot_be_edited_is_refused_and_leaves_no_trace(
    client: Client, given: dict[str, Any], told: list[tuple[str, list[str]]]
) -> None:
    """An order of 3 of MUG, of which 2 have left, and of 1 shirt, of which an order may have 1."""
    number = await placed(client, *rows(MUG=3), {"sku": "SHIRT-S", "quantity": 1})
    await life.ship_all(1, "BERLIN", ("MUG", 2))
    await make.setting(product="SHIRT", maximum_order_quantity=1)
    before = await life.everything()

    assert await client.refused("editOrder", **{"number": number, **given}) == told

    after = await life.everything()
    assert {name: after[name] for name in before if name not in ("api_token", "outbox")} == {
        name: before[name] for name in before if name not in ("api_token", "outbox")
    }


async def test_a_parked_shipped_or_canceled_order_is_refused(client: Client) -> None:
    await make.setting(insufficient_stock=InsufficientStockAction.HOLD_ORDER)
    sent, ended, parked = [await placed(client, *rows(MUG=units)) for units in (1, 1, 99)]
    await life.ship_all(1)
    await life.cancel(2)

    for number in (sent, ended, parked):
        assert await client.refused("editOrder", number=number, change=rows(MUG=2)) == [("INVALID_STATE", ["number"])]


async def test_a_shortage_says_how_much_could_be_added(client: Client) -> None:
    number = await placed(client, *rows(MUG=3))
    query = f"mutation($input: EditOrderInput!) {{ editOrder(input: $input) {{ userErrors {{ message {SHORT} }} }} }}"

    answer = await client.admin(query, input={"number": number, "change": rows(MUG=9)})

    assert answer["editOrder"]["userErrors"] == [
        {"message": "Only 5 of MUG available, 6 requested.", "sku": "MUG", "requested": 6, "salable": 5}
    ]


async def test_what_is_not_published_any_more_is_lowered_but_not_raised(client: Client) -> None:
    number = await placed(client, *rows(MUG=3))
    await catalog.update_product("MUG", {"published": False})

    assert await client.refused("editOrder", number=number, change=rows(MUG=4)) == [
        ("NOT_ORDERABLE", ["change", "0", "sku"])
    ]
    await client.done("editOrder", number=number, change=rows(MUG=2))


async def test_the_same_key_edits_once(client: Client) -> None:
    number = await placed(client, *rows(MUG=1))
    given = {"number": number, "add": rows(CUP=1), "change": rows(MUG=2), "idempotencyKey": "once"}

    first, again = [await client.done("editOrder", f"order {{ {LINES} }}", **given) for _ in range(2)]

    assert first == again
    assert (await life.figures(), await life.figures("CUP")) == (Figures(3), Figures(3))
    assert await client.refused("editOrder", **given | {"change": rows(MUG=3)}) == [
        ("IDEMPOTENCY_CONFLICT", ["idempotencyKey"])
    ]


async def test_the_public_and_callers_that_only_read_cannot_edit(client: Client) -> None:
    number = await placed(client, *rows(MUG=1))
    query = "mutation($input: EditOrderInput!) { editOrder(input: $input) { order { number } } }"
    given = {"number": number, "change": rows(MUG=2)}

    assert codes(await client.ask(query, {"input": given})) == [("UNAUTHENTICATED", ["editOrder"])]
    assert codes(await client.scoped("orders:read", query, input=given)) == [("FORBIDDEN", ["editOrder"])]
    assert await life.figures() == Figures(4)


async def test_the_report_of_demand_counts_the_quantities_as_they_are_now(client: Client) -> None:
    number = await placed(client, *rows(MUG=3, CUP=2))

    await client.done("editOrder", number=number, change=rows(MUG=5, CUP=1), add=rows(CUP=2))

    found = await client.admin("{ demandReport(first: 9) { nodes { item { sku } ordered } } }")
    ordered = {node["item"]["sku"]: node["ordered"] for node in found["demandReport"]["nodes"]}
    assert (ordered["MUG"], ordered["CUP"]) == (5, 3)


async def test_added_units_are_shipped_and_taken_back_like_others(client: Client) -> None:
    await make.setting(decrement_inventory=InventoryDecrement.ON_SHIPMENT)
    number = await placed(client, *rows(MUG=1))
    await client.done("editOrder", number=number, change=rows(MUG=2), add=rows(CUP=1))

    packed = await client.done("createShipment", "shipment { number }", order=number, warehouse="BERLIN")
    await client.done("shipShipment", number=packed["shipment"]["number"])
    back = await client.done(
        "returnItems", "order { status lines { shipped returned } }", order=number, lines=rows(MUG=2)
    )

    assert back["order"] == {
        "status": "SHIPPED",
        "lines": [{"shipped": 2, "returned": 2}, {"shipped": 1, "returned": 0}],
    }
    assert (await life.figures(), await life.figures("CUP")) == (Figures(5), Figures(3))


async def test_units_that_wait_are_promised_anew(client: Client) -> None:
    await make.setting(backorders=BackorderMode.ALLOW)
    number = await placed(client, *rows(CUP=6))
    await client.done(
        "announceStock", warehouse="BERLIN", lines=rows(CUP=9), expectedAt="2099-12-03T09:00:00Z", reference="PO-1"
    )

    edited = await client.done("editOrder", "order { promisedAt lines { promisedAt } }", number=number, add=rows(MUG=1))

    date = "2099-12-03T09:00:00Z"
    assert edited["order"] == {"promisedAt": date, "lines": [{"promisedAt": date}, {"promisedAt": None}]}
