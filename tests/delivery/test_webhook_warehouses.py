"""Endpoints for some warehouses: what concerns these comes, what concerns others does not, the rest comes to all."""

from collections.abc import Sequence
from decimal import Decimal

import pytest

from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.orders import number
from gqlstock.rules.refusals import Code, Refused
from gqlstock.rules.scopes import SYSTEM
from gqlstock.rules.settings import InsufficientStockAction
from gqlstock.rules.webhooks import WebhookTopic
from gqlstock.services import cancel_order, catalog, move_allocations, reassess, ship, webhooks
from gqlstock.services.cancel_order import CancelOrderRequest
from gqlstock.services.move_allocations import MoveAllocationsRequest, MovedQuantity
from gqlstock.services.ship import CreateShipmentRequest
from gqlstock.store.webhooks import WebhookEndpoint
from support import shop_builders as make
from support import transfers
from support.webhook_deliveries import endpoint, messages

URL = "https://shop.example/webhooks"


@pytest.fixture
async def shop(db: None) -> None:
    """5 of MUG each in BERLIN, which sells first, HAMBURG and LYON."""
    for code in ("BERLIN", "HAMBURG", "LYON"):
        await make.warehouse(code)
    await make.website("shop", warehouses=["BERLIN", "HAMBURG", "LYON"])
    await make.product("MUG")
    for code in ("BERLIN", "HAMBURG", "LYON"):
        await make.stock("MUG", code, 5)


async def each(*topics: WebhookTopic) -> dict[str, int]:
    """The ids of an endpoint for BERLIN, one for HAMBURG and LYON, and one for all."""
    of = {"berlin": ["BERLIN"], "others": ["HAMBURG", "LYON"], "all": None}
    return {name: (await endpoint(URL, *topics, warehouses=codes))[0] for name, codes in of.items()}


async def counts(ids: dict[str, int]) -> dict[str, int]:
    """How many messages each endpoint got so far."""
    return {name: len(await messages(endpoint_id)) for name, endpoint_id in ids.items()}


async def moved(order_id: int, quantity: int, source: str, target: str) -> None:
    row = MovedQuantity("MUG", Decimal(quantity), source=source, target=target)
    await move_allocations.move(SYSTEM, MoveAllocationsRequest(number(order_id), (row,)))


async def test_levels_come_to_the_endpoint_of_their_warehouse(shop: None) -> None:
    ids = await each(WebhookTopic.INVENTORY_CHANGED)
    await make.stock("MUG", "BERLIN", 4)
    await make.stock("MUG", "HAMBURG", 4)
    await make.stock("MUG", "LYON", 4)

    assert await counts(ids) == {"berlin": 1, "others": 2, "all": 3}
    assert [one["data"]["warehouse"] for one in await messages(ids["others"])] == ["HAMBURG", "LYON"]


async def test_alerts_of_a_level_come_to_its_warehouse_and_those_over_all_to_everybody(shop: None) -> None:
    ids = await each(WebhookTopic.LOW_INVENTORY, WebhookTopic.LOW_INVENTORY_RESOLVED)
    await make.setting(level=("MUG", "BERLIN"), notify_below=6)
    await reassess.run()
    await make.setting(product="MUG", notify_below=20)
    await reassess.run()
    await make.stock("MUG", "BERLIN", 9)

    assert await counts(ids) == {"berlin": 3, "others": 1, "all": 3}
    assert [(one["type"], one["data"]["warehouse"]) for one in await messages(ids["berlin"])] == [
        ("inventory.low", "BERLIN"),
        ("inventory.low", None),
        ("inventory.low_resolved", "BERLIN"),
    ]


async def test_shipments_come_to_the_warehouse_that_they_leave(shop: None) -> None:
    order_id = await make.order("MUG", 7)
    ids = await each(WebhookTopic.SHIPMENT_UPDATED)
    await ship.create(SYSTEM, CreateShipmentRequest(number(order_id), "HAMBURG"))

    assert await counts(ids) == {"berlin": 0, "others": 1, "all": 1}


async def test_transfers_come_to_both_ends(shop: None) -> None:
    ids = await each(WebhookTopic.TRANSFER_UPDATED)
    there = await transfers.ship(("MUG", 1), source="BERLIN", target="LYON")
    await transfers.ship(("MUG", 1), source="HAMBURG", target="LYON")
    await transfers.receive(there, ("MUG", 1))

    assert await counts(ids) == {"berlin": 2, "others": 3, "all": 3}


async def test_orders_come_to_the_warehouses_that_give_them_units(shop: None) -> None:
    ids = await each(WebhookTopic.ORDER_PLACED)
    await make.order("MUG", 2)
    await make.order("MUG", 6)

    assert await counts(ids) == {"berlin": 2, "others": 1, "all": 2}


async def test_orders_come_to_the_warehouses_whose_units_were_canceled(shop: None) -> None:
    order_id = await make.order("MUG", 2)
    ids = await each(WebhookTopic.ORDER_UPDATED)
    await cancel_order.cancel(SYSTEM, CancelOrderRequest(number(order_id)))

    assert await counts(ids) == {"berlin": 1, "others": 0, "all": 1}


async def test_a_parked_order_has_no_warehouse_and_comes_to_everybody(shop: None) -> None:
    await make.setting(insufficient_stock=InsufficientStockAction.HOLD_ORDER)
    ids = await each(WebhookTopic.ORDER_PLACED)
    await make.order("MUG", 30)

    assert await counts(ids) == {"berlin": 1, "others": 1, "all": 1}


async def test_moved_units_are_news_to_the_warehouse_that_they_left_once(shop: None) -> None:
    order_id = await make.order("MUG", 2)
    ids = await each(WebhookTopic.ORDER_UPDATED)
    await moved(order_id, 2, "BERLIN", "LYON")
    left = await counts(ids)
    await cancel_order.cancel(SYSTEM, CancelOrderRequest(number(order_id)))

    assert left == {"berlin": 1, "others": 1, "all": 1}
    assert await counts(ids) == {"berlin": 1, "others": 2, "all": 2}


async def test_products_and_what_a_website_has_come_to_everybody(shop: None) -> None:
    ids = await each(WebhookTopic.PRODUCT_UPDATED, WebhookTopic.OUT_OF_STOCK)
    await catalog.update_product("MUG", {"name": "Big mug"})
    await make.order("MUG", 15)

    assert await counts(ids) == {"berlin": 2, "others": 2, "all": 2}


async def test_a_test_comes_whatever_the_topics_and_warehouses_are(shop: None) -> None:
    endpoint_id, _ = await endpoint(URL, WebhookTopic.ORDER_PLACED, warehouses=["BERLIN"])
    await webhooks.send_test(GivenId(endpoint_id, "x"))

    assert [one["type"] for one in await messages(endpoint_id)] == ["test"]


@pytest.mark.parametrize(
    ("change", "stored"),
    [
        ({"warehouses": ["LYON", "HAMBURG", "LYON"]}, [2, 3]),
        ({"warehouses": None}, None),
        ({"active": False}, [1]),
        ({"url": "https://other.example/", "topics": [WebhookTopic.TEST]}, [1]),
    ],
)
async def test_warehouses_change_when_they_are_given_and_null_is_all(
    shop: None, change: dict[str, object], stored: list[int] | None
) -> None:
    endpoint_id, _ = await endpoint(URL, warehouses=["BERLIN"])
    await webhooks.update(GivenId(endpoint_id, "x"), change, private_addresses=False)

    assert (await WebhookEndpoint.get(id=endpoint_id)).warehouses == stored


async def test_another_choice_of_warehouses_counts_for_what_is_dispatched_after_it(shop: None) -> None:
    endpoint_id, _ = await endpoint(URL, WebhookTopic.INVENTORY_CHANGED, warehouses=["BERLIN"])
    await make.stock("MUG", "LYON", 4)
    assert await messages(endpoint_id) == []
    await webhooks.update(GivenId(endpoint_id, "x"), {"warehouses": ["LYON"]}, private_addresses=False)
    await make.stock("MUG", "BERLIN", 3)
    await make.stock("MUG", "LYON", 3)

    assert [one["data"]["warehouse"] for one in await messages(endpoint_id)] == ["LYON"]


@pytest.mark.parametrize(
    ("codes", "found"),
    [
        (
            ["BERLIN", "OSLO", "ROME"],
            [
                (Code.NOT_FOUND, ("warehouses", 1), "There is no warehouse OSLO."),
                (Code.NOT_FOUND, ("warehouses", 2), "There is no warehouse ROME."),
            ],
        ),
        (
            [],
            [
                (
                    Code.INVALID_INPUT,
                    ("warehouses",),
                    "The list of warehouses is empty: name at least one, or pass null for all.",
                )
            ],
        ),
        (
            ["BERLIN"] * 251,
            [(Code.TOO_MANY, ("warehouses",), "At most 250 warehouses per call, 251 given.")],
        ),
    ],
)
async def test_warehouses_that_are_not_there_are_refused_and_nothing_is_written(
    shop: None, codes: Sequence[str], found: list[tuple[Code, tuple[str | int, ...], str]]
) -> None:
    endpoint_id, _ = await endpoint(URL, warehouses=["BERLIN"])

    for attempt in (
        webhooks.create(URL, [WebhookTopic.TEST], codes, private_addresses=False),
        webhooks.update(
            GivenId(endpoint_id, "x"), {"url": "https://x.example", "warehouses": codes}, private_addresses=False
        ),
    ):
        with pytest.raises(Refused) as refused:
            await attempt
        assert [(one.code, one.path, one.message) for one in refused.value.refusals] == found
    (row,) = await WebhookEndpoint.all()
    assert (row.url, row.warehouses) == (URL, [1])
