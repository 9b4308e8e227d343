"""Which changes of shipments, alerts and products endpoints get, and what the messages say."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from gqlstock.rules.alerts import AlertState
from gqlstock.rules.catalog import InventoryStatus, InventoryTracking, Option, OptionValue
from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.ids import global_id
from gqlstock.rules.orders import number
from gqlstock.rules.product_upsert import CombinationRow, ProductRow, UpsertRequest
from gqlstock.rules.scopes import SYSTEM
from gqlstock.rules.settings import BackorderMode
from gqlstock.rules.webhooks import WebhookTopic
from gqlstock.services import alerts, cancel_order, catalog, categories, combinations, reassess, ship, upsert_products
from gqlstock.services.cancel_order import CancelOrderRequest
from gqlstock.services.open_order import LineQuantity
from gqlstock.services.ship import CreateShipmentRequest
from gqlstock.store.alerts import LowInventoryAlert
from support import importing, webhook_receiver
from support import promised_dates as dates
from support import shop_builders as make
from support.statement_counter import Statements
from support.webhook_deliveries import delivered, dispatched, endpoint, messages, rows

URL = "https://shop.example/webhooks"
SHIPMENT, RESOLVED, PRODUCT = (
    WebhookTopic.SHIPMENT_UPDATED,
    WebhookTopic.LOW_INVENTORY_RESOLVED,
    WebhookTopic.PRODUCT_UPDATED,
)


@pytest.fixture
async def shop(db: None) -> None:
    """10 of MUG in BERLIN."""
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=10)


async def packed(order_id: int, lines: Sequence[LineQuantity] | None = None) -> str:
    """The number of a new shipment of an order."""
    asked = CreateShipmentRequest(number(order_id), "BERLIN", None if lines is None else tuple(lines))
    return f"S{100_000 + (await ship.create(SYSTEM, asked)).ids['shipment'][0]}"


def steps(found: Sequence[dict[str, Any]]) -> list[tuple[str, str | None, str]]:
    """The shipment of each message, and its state before and after."""
    return [(one["data"]["shipment"]["number"], one["data"]["stateBefore"], one["data"]["state"]) for one in found]


async def test_a_shipment_is_told_when_it_is_made_and_when_it_leaves(shop: None) -> None:
    order_id = await make.order("MUG", 3, reference="WEB-1")
    await endpoint(URL, SHIPMENT)
    shipment = await packed(order_id)
    await dispatched()
    await ship.ship(SYSTEM, shipment, "JD-1", "DHL")

    made, left = await messages()

    assert steps([made, left]) == [(shipment, None, "READY"), (shipment, "READY", "SHIPPED")]
    assert (made["type"], left["type"]) == ("shipment.updated", "shipment.updated")
    told = left["data"]["shipment"]
    assert {name: told[name] for name in ("id", "state", "warehouse", "carrier")} == {
        "id": global_id("Shipment", 1),
        "state": "SHIPPED",
        "warehouse": "BERLIN",
        "carrier": "DHL",
    }
    assert told["order"] == {
        "id": global_id("Order", order_id),
        "number": number(order_id),
        "website": "shop",
        "reference": "WEB-1",
    }
    assert told["lines"] == [{"id": global_id("OrderLine", 1), "sku": "MUG", "name": "Mug", "quantity": 3}]
    assert (made["data"]["shipment"]["shippedAt"], told["shippedAt"]) == (None, told["updatedAt"])
    # The tracking number leads to the recipient.
    assert all("JD-1" not in row.body for row in await rows())


async def test_a_shipment_with_waiting_units_is_told_when_they_come(shop: None) -> None:
    await make.setting(backorders=BackorderMode.ALLOW)
    order_id = await make.order("MUG", 12)
    await endpoint(URL, SHIPMENT)
    shipment = await packed(order_id)
    await make.stock("MUG", on_hand=11)
    await make.stock("MUG", on_hand=12)

    assert steps(await messages()) == [(shipment, None, "PENDING"), (shipment, "PENDING", "READY")]


async def test_a_shipment_is_told_when_it_is_canceled_by_itself_and_with_its_order(shop: None) -> None:
    first, second = await make.order("MUG", 2), await make.order("MUG", 3)
    await endpoint(URL, SHIPMENT)
    alone, whole = await packed(first), await packed(second)
    await ship.cancel(SYSTEM, alone)
    await cancel_order.cancel(SYSTEM, CancelOrderRequest(number(second), (LineQuantity("MUG", Decimal(1)),)))
    await cancel_order.cancel(SYSTEM, CancelOrderRequest(number(second)))

    found = await messages()

    assert steps(found) == [
        (alone, None, "READY"),
        (whole, None, "READY"),
        (alone, "READY", "CANCELED"),
        (whole, "READY", "CANCELED"),
    ]
    assert found[-1]["data"]["shipment"]["lines"] == []


async def test_messages_about_one_shipment_wait_for_each_other_and_not_for_another(shop: None, courier: Any) -> None:
    first, second = await make.order("MUG", 1), await make.order("MUG", 1)
    async with webhook_receiver.receiving(lambda one: 500 if "S100001" in one.body else 204) as there:
        await endpoint(there, SHIPMENT)
        for shipment in (await packed(first), await packed(second)):
            await ship.ship(SYSTEM, shipment, None, None)
        await dispatched()
        await delivered(courier)

    assert steps([one.told for one in there.received]) == [
        ("S100001", None, "READY"),
        ("S100002", None, "READY"),
        ("S100002", "READY", "SHIPPED"),
    ]
    assert {row.line for row in await rows()} == {"1/shipment:1", "1/shipment:2"}


async def test_an_alert_is_told_when_it_is_resolved_with_the_moment(shop: None) -> None:
    await make.setting(product="MUG", notify_below=3)
    await make.order("MUG", 8)
    await endpoint(URL, RESOLVED)
    await make.stock("MUG", on_hand=20)

    (told,) = await messages()

    assert told["type"] == "inventory.low_resolved"
    assert (told["data"]["item"]["sku"], told["data"]["warehouse"]) == ("MUG", None)
    alert = told["data"]["alert"]
    assert (alert["quantityLeft"], alert["threshold"]) == (2, 3)
    assert alert["raisedAt"] < alert["resolvedAt"] <= told["timestamp"]


async def test_an_alert_is_told_as_resolved_once_however_it_is_resolved(shop: None) -> None:
    for sku in ("CUP", "JAR"):
        await make.product(sku)
        await make.stock(sku, on_hand=1)
    await make.setting(system=True, notify_below=20)
    await make.setting(level=("MUG", "BERLIN"), notify_below=20)
    await reassess.run()
    await endpoint(URL, RESOLVED)

    await make.setting(product="CUP", notify_below=1)
    await reassess.run()
    await make.stock("JAR", on_hand=0)
    await catalog.delete_product("JAR")
    mug = await LowInventoryAlert.filter(sku="MUG", warehouse_id=None).first()
    assert mug is not None
    await alerts.acknowledge(SYSTEM, GivenId(mug.id, "x"))
    await make.stock("MUG", on_hand=20)

    found = [(one["data"]["item"]["sku"], one["data"]["warehouse"]) for one in await messages()]
    assert sorted(found, key=str) == sorted([("CUP", None), ("JAR", None), ("MUG", None), ("MUG", "BERLIN")], key=str)


async def test_acknowledging_a_resolved_alert_is_no_second_resolution(shop: None) -> None:
    await make.setting(product="MUG", notify_below=3)
    await make.order("MUG", 8)
    await make.stock("MUG", on_hand=20)
    await endpoint(URL, RESOLVED, WebhookTopic.LOW_INVENTORY)
    alert = await LowInventoryAlert.get(state=AlertState.RESOLVED)

    await alerts.acknowledge(SYSTEM, GivenId(alert.id, "x"))

    assert (await LowInventoryAlert.get(id=alert.id)).acknowledged_at is not None
    assert await messages() == []


def changes(found: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """What happened to the item of each message, by SKU."""
    told = [one["data"] for one in found]
    return [((one["combination"] or one["product"])["sku"], one["change"]) for one in told]


async def test_a_product_is_told_when_it_is_made_changed_and_deleted(db: None) -> None:
    await endpoint(URL, PRODUCT)
    await make.product("MUG", barcode="401")
    await dispatched()
    await catalog.update_product("MUG", {"name": "Big mug", "new_sku": "MUG-XL"})
    await dispatched()
    await catalog.set_status("MUG-XL", InventoryStatus.DISCONTINUED)
    await dispatched()
    await catalog.delete_product("MUG-XL")

    made, renamed, discontinued, deleted = found = await messages()

    assert changes(found) == [
        ("MUG", "CREATED"),
        ("MUG-XL", "UPDATED"),
        ("MUG-XL", "UPDATED"),
        ("MUG-XL", "DELETED"),
    ]
    product = made["data"]["product"]
    assert made["type"] == "product.updated"
    assert made["data"]["combination"] is None
    assert product == {
        "id": global_id("Product", 1),
        "sku": "MUG",
        "name": "Mug",
        "barcode": "401",
        "createdAt": product["createdAt"],
        "updatedAt": product["createdAt"],
        "deletedAt": None,
        "slug": "mug",
        "tracking": "TRACK_WITHOUT_OPTIONS",
        "published": True,
        "inventoryStatus": "IN_STOCK",
    }
    assert renamed["data"]["product"]["name"] == "Big mug"
    assert discontinued["data"]["product"]["inventoryStatus"] == "DISCONTINUED"
    assert discontinued["timestamp"] < deleted["data"]["product"]["deletedAt"] <= deleted["timestamp"]
    assert [row.line for row in await rows()] == ["1/item:1"] * 4


async def test_a_combination_is_told_with_its_product_when_it_is_made_changed_and_deleted(db: None) -> None:
    await make.product("TEE", options={"Size": ["S", "M"]}, combinations=False)
    await endpoint(URL, PRODUCT)
    await combinations.create("TEE", [("Size", "S")], sku="TEE-S", code="T1")
    await combinations.generate("TEE")
    await combinations.update("TEE-S", {"barcode": "402"})
    await combinations.delete("TEE-S")

    found = await messages()

    assert changes(found) == [
        ("TEE-S", "CREATED"),
        ("TEE-M", "CREATED"),
        ("TEE-S", "UPDATED"),
        ("TEE-S", "DELETED"),
    ]
    told = found[0]["data"]["combination"]
    assert (told["id"], told["code"], told["options"]) == (
        global_id("Combination", 2),
        "T1",
        [{"name": "Size", "value": "S"}],
    )
    assert found[0]["data"]["product"]["sku"] == "TEE"


async def test_generated_combinations_are_told_one_by_one(db: None) -> None:
    await make.product("TEE", options={"Size": ["S", "M", "L"], "Color": ["Red", "Blue"]}, combinations=False)
    await endpoint(URL, PRODUCT)

    await combinations.generate("TEE")

    assert sorted(changes(await messages())) == [
        (f"TEE-{size}-{color}", "CREATED") for size in ("L", "M", "S") for color in ("BLUE", "RED")
    ]


async def test_changed_options_tell_of_the_product_and_of_each_combination_that_they_change(db: None) -> None:
    await make.product("TEE", options={"Size": ["S", "M"]})
    await endpoint(URL, PRODUCT)
    renamed = Option("Size", (OptionValue("Small", renamed_from="S"), OptionValue("M")))
    await catalog.update_product("TEE", {"options": [renamed]})

    found = await messages()
    assert sorted(changes(found)) == [("TEE", "UPDATED"), ("TEE-S", "UPDATED")]
    (told,) = (one["data"]["combination"] for one in found if one["data"]["combination"] is not None)
    assert (told["name"], told["options"]) == ("Tee – Small", [{"name": "Size", "value": "Small"}])


async def test_a_value_that_is_taken_away_tells_of_the_combination_that_goes_with_it(db: None) -> None:
    await make.product("TEE", options={"Size": ["S", "M"]})
    await endpoint(URL, PRODUCT)
    await catalog.update_product("TEE", {"options": [Option("Size", (OptionValue("M"),))]})

    assert sorted(changes(await messages())) == [("TEE", "UPDATED"), ("TEE-S", "DELETED")]


async def test_a_renamed_product_tells_of_its_combinations_whose_names_are_made_of_it(db: None) -> None:
    await make.product("TEE", options={"Size": ["S", "M"]})
    await endpoint(URL, PRODUCT)
    await catalog.update_product("TEE", {"name": "Shirt"})

    assert sorted(changes(await messages())) == [("TEE", "UPDATED"), ("TEE-M", "UPDATED"), ("TEE-S", "UPDATED")]


async def test_what_combinations_share_with_their_product_is_told_once_for_the_product(db: None) -> None:
    await make.category("cups")
    await make.product("TEE", options={"Size": ["S", "M"]})
    await endpoint(URL, PRODUCT)
    await catalog.update_product("TEE", {"category": "cups", "inventory_status": InventoryStatus.OUT_OF_STOCK})
    await catalog.update_product("TEE", {"tracking": InventoryTracking.DO_NOT_TRACK})

    assert changes(await messages()) == [("TEE", "UPDATED"), ("TEE", "UPDATED")]


async def test_a_deleted_product_tells_of_its_combinations_too(db: None) -> None:
    await make.product("TEE", options={"Size": ["S", "M"]})
    await endpoint(URL, PRODUCT)
    await catalog.delete_product("TEE")

    assert sorted(changes(await messages())) == [("TEE", "DELETED"), ("TEE-M", "DELETED"), ("TEE-S", "DELETED")]


async def test_settings_of_a_product_and_of_a_combination_are_changes_of_these(db: None) -> None:
    await make.shop()
    await make.product("TEE", options={"Size": ["S", "M"]})
    await endpoint(URL, PRODUCT)
    await make.setting(product="TEE", notify_below=3)
    await make.setting(combination="TEE-S", notify_below=3)

    assert changes(await messages()) == [("TEE", "UPDATED"), ("TEE-S", "UPDATED")]


async def test_what_changes_no_product_is_not_told_as_one(shop: None) -> None:
    await make.category("cups")
    await make.product("CUP", category="cups")
    await catalog.delete_product("CUP")
    await endpoint(URL, PRODUCT)

    await make.setting(level=("MUG", "BERLIN"), notify_below=3)
    await make.setting(system=True, notify_below=4)
    await make.stock("MUG", on_hand=7)
    await make.order("MUG", 1)
    await dates.announce(4)
    await categories.delete("cups")

    assert await messages() == []


SHOPIFY = """Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Qty,Variant Inventory Policy
tee,Tee,Size,S,TEE-S,5,deny
tee,,,M,TEE-M,6,deny
mug,Mug,Title,Default Title,MUG,3,continue
"""


async def test_an_import_tells_of_each_product_that_it_makes_or_changes_once(db: None) -> None:
    await make.shop()
    await endpoint(URL, PRODUCT)
    await importing.shopify(SHOPIFY.splitlines(keepends=True))
    made = changes(await messages())
    # The product gets its SKU from the handle.
    (tee,) = {sku for sku, _ in made} - {"MUG", "TEE-S", "TEE-M"}

    await importing.shopify(SHOPIFY.splitlines(keepends=True))
    again = changes(await messages())[len(made) :]
    await importing.shopify(SHOPIFY.replace("Mug,", "Big mug,").replace("S,TEE-S,5", "S,TEE-S,9").splitlines(True))
    changed = changes(await messages())[len(made) :]

    assert sorted(made) == sorted([(tee, "CREATED"), ("MUG", "CREATED"), ("TEE-S", "CREATED"), ("TEE-M", "CREATED")])
    # MUG is made with a setting of its own, in the same transaction.
    assert again == []
    assert changed == [("MUG", "UPDATED")]


async def test_an_upsert_tells_of_each_product_and_combination_that_it_makes_or_changes_once(db: None) -> None:
    await make.shop()
    await make.product("MUG")
    await endpoint(URL, PRODUCT)
    options = (Option("Size", (OptionValue("S"), OptionValue("M"))),)
    members = tuple(CombinationRow(f"TEE-{size}", (("Size", size),), {}, {}) for size in ("S", "M"))
    fields = {"name": "Tee", "tracking": InventoryTracking.TRACK_WITH_OPTIONS, "options": options}
    asked = UpsertRequest(
        (
            ProductRow("TEE", fields, members, {"notify_below": Decimal(3)}),
            ProductRow("MUG", {"name": "Big mug"}, (), {"notify_below": Decimal(3)}),
        )
    )
    await upsert_products.upsert(SYSTEM, asked)
    written = changes(await messages())
    await upsert_products.upsert(SYSTEM, asked)

    assert sorted(written) == [("MUG", "UPDATED"), ("TEE", "CREATED"), ("TEE-M", "CREATED"), ("TEE-S", "CREATED")]
    assert changes(await messages()) == written


async def test_entries_of_shipments_and_products_take_no_statement_of_their_own(shop: None) -> None:
    order_id = await make.order("MUG", 1)
    await make.product("TEE", options={"Size": ["S", "M"]})
    listening = Statements()
    counts = []
    for work in (
        lambda: packed(order_id),
        lambda: ship.ship(SYSTEM, "S100001", None, None),
        lambda: catalog.update_product("TEE", {"name": "Shirt"}),
    ):
        with listening.counted() as sent:
            await work()
        counts.append(len([one for one in sent if "INSERT INTO" in one and "outbox" in one]))

    assert counts == [1, 1, 1]


async def test_an_endpoint_of_another_topic_gets_none_of_it(shop: None) -> None:
    await endpoint(URL, WebhookTopic.ORDER_PLACED)
    await packed(await make.order("MUG", 1))
    await catalog.update_product("MUG", {"name": "Big mug"})

    assert [one["type"] for one in await messages()] == ["order.placed"]
