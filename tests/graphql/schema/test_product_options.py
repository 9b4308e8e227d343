"""What becomes of a product's combinations, and of their stock, when its options change."""

from typing import Any

import pytest

from gqlstock.rules.events import Topic
from gqlstock.services import verification
from gqlstock.store import outbox
from gqlstock.store.db import sql
from gqlstock.store.outbox import START
from support import shop_builders as make
from support.graphql_client import Client
from support.settled_news import settled

SIZE = {"name": "Size", "values": [{"name": "S"}, {"name": "M"}]}
COLOR = {"name": "Color", "values": [{"name": "Red"}, {"name": "Blue"}]}
FIT = {"name": "Fit", "values": [{"name": "Slim"}, {"name": "Wide"}]}
ENGRAVING = {"name": "Engraving", "inventory": False, "values": [{"name": "None"}, {"name": "Name"}]}
RED = {**COLOR, "existing": "Red"}

KEPT = """{
  product(sku: "SHIRT") {
    combinations { nodes {
      id sku code inventorySettings { notifyBelow } settingOrigins { setting scope }
      inventoryTotals { onHand available held incoming backordered }
    } }
  }
  inventoryLevels { nodes { id onHand reserved held incoming backordered
    announcements { nodes { id quantity } } movements { nodes { id quantity } } allocations { nodes { id quantity } }
  } }
  lowInventoryAlerts { nodes { id state sku } }
  stockHolds { nodes { id lines { sku selectedOptions { name value } } } }
  orders { nodes { number lines { id sku name selectedOptions { name value } item { id } } } }
}"""


@pytest.fixture(autouse=True)
async def shop(client: Client) -> None:
    await make.shop()
    await make.product("SHIRT", name="Shirt", options={"Size": ["S", "M"]})


def order(sku: str, quantity: int, **options: str) -> dict[str, Any]:
    return {"sku": sku, "quantity": quantity, "options": [{"name": n, "value": v} for n, v in options.items()]}


async def stored() -> list[list[dict[str, Any]]]:
    """The rows that a change of options may write, to the last timestamp."""
    tables = "item", "inventory_level", "setting_override", "low_inventory_alert"
    rows = [await sql.query(f"SELECT * FROM {table} ORDER BY id") for table in tables]
    return [*rows, await sql.query("SELECT * FROM outbox WHERE topic <> 'TOKENS' ORDER BY id")]


async def refused(client: Client, *options: dict[str, Any], **given: Any) -> list[tuple[str, list[str], str]]:
    """Why the options are refused; nothing may have been written."""
    before = await stored()
    payload = await client.change("updateProduct", sku="SHIRT", options=list(options), **given)
    assert await stored() == before
    return [(error["code"], error["path"], error["message"]) for error in payload["userErrors"]]


async def change(client: Client, *options: dict[str, Any]) -> None:
    await client.done("updateProduct", sku="SHIRT", options=list(options))


async def combinations(client: Client) -> list[tuple[str, str, list[str]]]:
    found = await client.admin(
        '{ product(sku: "SHIRT") { combinations { nodes { sku name selectedOptions { value } } } } }'
    )
    nodes = found["product"]["combinations"]["nodes"]
    return [(one["sku"], one["name"], [option["value"] for option in one["selectedOptions"]]) for one in nodes]


async def selection(client: Client, **chosen: str) -> dict[str, Any]:
    found = await client.public(
        """query($chosen: [SelectedOptionInput!]!) { product(sku: "SHIRT") { selection(options: $chosen) {
             complete combination { sku } availability { orderable unavailableReason }
             choices { name values { name selected exists orderable } }
           } } }""",
        chosen=[{"name": name, "value": value} for name, value in chosen.items()],
    )
    return found["product"]["selection"]


async def test_a_new_inventory_option_keeps_what_combinations_have(client: Client) -> None:
    await make.setting(combination="SHIRT-S", notify_below=3)
    await client.done("updateCombination", sku="SHIRT-S", code="S1")
    await make.stock("SHIRT-S", on_hand=2)
    await client.done("announceStock", warehouse="BERLIN", lines=[{"sku": "SHIRT-S", "quantity": 7}], reference="PO-1")
    await client.done("holdStock", lines=[order("SHIRT", 1, Size="S")])
    await client.done("placeOrder", lines=[order("SHIRT", 1, Size="S")])
    before = await client.admin(KEPT)

    await change(client, SIZE, RED)

    assert await client.admin(KEPT) == before
    assert await combinations(client) == [
        ("SHIRT-S", "Shirt – S / Red", ["S", "Red"]),
        ("SHIRT-M", "Shirt – M / Red", ["M", "Red"]),
    ]
    small = before["product"]["combinations"]["nodes"][0]
    assert small["code"] == "S1"
    assert small["inventoryTotals"] == {"onHand": 1, "available": 0, "held": 1, "incoming": 7, "backordered": 0}
    assert before["lowInventoryAlerts"]["nodes"][0]["state"] == "RAISED"
    assert await verification.verify() == []


async def test_the_new_value_is_chosen_by_shoppers_and_the_others_do_not_exist_yet(client: Client) -> None:
    await make.stock("SHIRT-S", on_hand=2)
    warm = await selection(client, Size="S")

    await change(client, SIZE, RED)

    assert (warm["complete"], warm["combination"]) == (True, {"sku": "SHIRT-S"})
    incomplete = await selection(client, Size="S")
    assert (incomplete["complete"], incomplete["combination"]) == (False, None)
    assert incomplete["availability"] == {"orderable": False, "unavailableReason": "SELECT_OPTIONS"}
    assert incomplete["choices"][1] == {
        "name": "Color",
        "values": [
            {"name": "Red", "selected": False, "exists": True, "orderable": True},
            {"name": "Blue", "selected": False, "exists": False, "orderable": False},
        ],
    }
    red = await selection(client, Size="S", Color="Red")
    assert (red["complete"], red["combination"]) == (True, {"sku": "SHIRT-S"})
    placed = await client.done(
        "placeOrder", "order { lines { sku name } }", lines=[order("SHIRT", 1, Size="S", Color="Red")]
    )
    assert placed["order"]["lines"] == [{"sku": "SHIRT-S", "name": "Shirt – S / Red"}]
    made = await client.done("generateCombinations", "combinations { sku }", product="SHIRT")
    assert [one["sku"] for one in made["combinations"]] == ["SHIRT-S-BLUE", "SHIRT-M-BLUE"]


async def test_orders_and_holds_of_before_go_on(client: Client) -> None:
    await make.stock("SHIRT-S", on_hand=3)
    placed = await client.done("placeOrder", "order { number }", lines=[order("SHIRT", 1, Size="S")])
    held = await client.done("holdStock", "hold { id }", lines=[order("SHIRT", 2, Size="S")])

    await change(client, SIZE, RED)

    hold = held["hold"]["id"]
    number = placed["order"]["number"]
    await client.done("placeOrder", hold=hold, lines=[order("SHIRT", 2, Size="S", Color="Red")])
    packed = await client.done(
        "createShipment",
        "shipment { number }",
        order=number,
        warehouse="BERLIN",
        lines=[{"sku": "SHIRT-S", "quantity": 1}],
    )
    await client.done("shipShipment", number=packed["shipment"]["number"])
    totals = await client.admin('{ inventoryItem(sku: "SHIRT-S") { inventoryTotals { onHand held } } }')
    assert totals["inventoryItem"]["inventoryTotals"] == {"onHand": 0, "held": 0}
    assert await verification.verify() == []


async def test_the_change_is_news_of_the_product_and_of_the_combinations_that_get_other_values(client: Client) -> None:
    await settled()
    start = (await outbox.after(START, 1_000))[-1].cursor

    await change(client, SIZE, RED)

    await settled()
    news = await outbox.after(start, 100, [Topic.ITEM])
    items = await sql.query("SELECT id FROM item WHERE sku IN ('SHIRT', 'SHIRT-S', 'SHIRT-M') ORDER BY id")
    assert sorted(entry.subject for entry in news) == [item["id"] for item in items]
    assert len(items) == 3


async def test_the_same_change_again_changes_nothing(client: Client) -> None:
    await change(client, SIZE, RED)
    await client.done("generateCombinations", product="SHIRT")
    before = await combinations(client)

    await change(client, SIZE, RED)

    assert await combinations(client) == before


async def test_several_new_options_name_a_value_each(client: Client) -> None:
    assert [(code, path) for code, path, _ in await refused(client, FIT, SIZE, RED)] == [
        ("INVALID_INPUT", ["options", "0", "existing"])
    ]

    await change(client, {**FIT, "existing": " Wide "}, SIZE, RED)

    assert await combinations(client) == [
        ("SHIRT-S", "Shirt – Wide / S / Red", ["Wide", "S", "Red"]),
        ("SHIRT-M", "Shirt – Wide / M / Red", ["Wide", "M", "Red"]),
    ]


async def test_a_new_inventory_option_that_names_no_value_is_refused(client: Client) -> None:
    message = "Color is new to the product's combinations; set existing to the value that they take, one of: Red, Blue."

    assert await refused(client, SIZE, COLOR, name="Blouse") == [
        ("INVALID_INPUT", ["options", "1", "existing"], message)
    ]


@pytest.mark.parametrize(
    "options",
    [
        pytest.param([SIZE, {**COLOR, "existing": "Green"}], id="a-new-option"),
        pytest.param([SIZE, {**COLOR, "existing": ""}], id="nothing"),
        pytest.param([SIZE, {**COLOR, "existing": "red"}], id="another-spelling"),
        pytest.param([SIZE, {**COLOR, "inventory": False, "existing": "Green"}], id="one-without-combinations"),
    ],
)
async def test_existing_is_one_of_the_values(client: Client, options: list[dict[str, Any]]) -> None:
    given = options[1]["existing"]

    assert await refused(client, *options) == [
        ("INVALID_INPUT", ["options", "1", "existing"], f"Color has no value {given}; its values are: Red, Blue.")
    ]


async def test_existing_is_also_one_of_the_values_of_a_new_product(client: Client) -> None:
    wrong = await client.refused("createProduct", sku="HAT", name="Hat", options=[{**COLOR, "existing": "Green"}])
    made = await client.done("createProduct", "product { options { name } }", sku="HAT", name="Hat", options=[RED])

    assert wrong == [("INVALID_INPUT", ["options", "0", "existing"])]
    assert made["product"]["options"] == [{"name": "Color"}]


@pytest.mark.parametrize(
    "options",
    [
        pytest.param([{**SIZE, "existing": "M"}], id="an-option-that-is-not-new"),
        pytest.param([SIZE, {**ENGRAVING, "existing": "None"}], id="an-option-without-combinations"),
    ],
)
async def test_elsewhere_existing_changes_nothing(client: Client, options: list[dict[str, Any]]) -> None:
    before = await combinations(client)

    await change(client, *options)

    assert await combinations(client) == before


async def test_a_product_without_combinations_gets_new_options_without_existing(client: Client) -> None:
    await client.done("deleteCombination", sku="SHIRT-S")
    await client.done("deleteCombination", sku="SHIRT-M")

    await change(client, SIZE, COLOR)

    assert await combinations(client) == []


async def test_an_option_that_becomes_one_for_inventory_names_a_value(client: Client) -> None:
    await make.stock("SHIRT-S", on_hand=2)
    await change(client, SIZE, {**RED, "inventory": False})

    assert [(code, path) for code, path, _ in await refused(client, SIZE, COLOR)] == [
        ("INVALID_INPUT", ["options", "1", "existing"])
    ]
    await change(client, SIZE, RED)

    assert [values for _, _, values in await combinations(client)] == [["S", "Red"], ["M", "Red"]]


@pytest.mark.parametrize("options", [[SIZE], [SIZE, {**COLOR, "inventory": False}]], ids=["gone", "not-for-inventory"])
async def test_an_option_that_tells_no_combinations_apart_may_go(client: Client, options: list[dict[str, Any]]) -> None:
    await make.stock("SHIRT-S", on_hand=2)
    before = await client.admin(KEPT)
    await change(client, SIZE, RED)

    await change(client, *options)

    assert await client.admin(KEPT) == before
    assert await combinations(client) == [("SHIRT-S", "Shirt – S", ["S"]), ("SHIRT-M", "Shirt – M", ["M"])]


@pytest.mark.parametrize(
    "options",
    [
        pytest.param([RED, {**FIT, "existing": "Slim"}], id="a-new-option-instead"),
        pytest.param([RED], id="an-option-gone"),
        pytest.param([RED, {**SIZE, "inventory": False}], id="not-for-inventory"),
        pytest.param([], id="every-option-gone"),
        pytest.param([RED, {**SIZE, "values": [{"name": "M"}]}], id="a-value-gone"),
        pytest.param([RED, {**SIZE, "values": [{"name": "M", "renamedFrom": "S"}]}], id="a-value-takes-the-place"),
    ],
)
async def test_an_option_that_tells_stock_apart_stays(client: Client, options: list[dict[str, Any]]) -> None:
    await change(client, RED, SIZE)
    for sku in ("SHIRT-S", "SHIRT-M"):
        await make.stock(sku, on_hand=2)

    ((code, path, message),) = await refused(client, *options)

    assert (code, path) == ("INVALID_STATE", ["options"])
    assert message.endswith(" still has stock or claims in a warehouse.")


async def test_an_option_more_and_a_value_less_leave_what_has_no_stock(client: Client) -> None:
    await make.stock("SHIRT-M", on_hand=2)

    await change(client, {**SIZE, "values": [{"name": "M"}]}, RED)

    assert await combinations(client) == [("SHIRT-M", "Shirt – M / Red", ["M", "Red"])]


@pytest.mark.parametrize("tracking", ["DO_NOT_TRACK", "TRACK_WITHOUT_OPTIONS"])
async def test_combinations_that_are_not_counted_name_a_value_too(client: Client, tracking: str) -> None:
    await client.done("updateProduct", sku="SHIRT", tracking=tracking)

    assert [(code, path) for code, path, _ in await refused(client, SIZE, COLOR)] == [
        ("INVALID_INPUT", ["options", "1", "existing"])
    ]
