"""When what waits of orders can leave, as it is seen through the API: exact dates, for callers of every kind."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from gqlstock.delivery.dispatcher import Dispatcher
from gqlstock.rules import orders
from gqlstock.rules.scopes import Scope
from gqlstock.rules.settings import BackorderMode, InsufficientStockAction, InventoryDecrement
from gqlstock.rules.webhooks import WebhookTopic
from gqlstock.services import webhooks
from gqlstock.store.db import clock, sql
from gqlstock.store.webhooks import WebhookDelivery
from support import shop_builders as make
from support.settled_news import settled
from support.subscriptions import open_shop


def day(number: int) -> str:
    """A day of December 2099."""
    return f"2099-12-{number:02}T00:00:00Z"


DATES = """query ($number: String!) { order(number: $number) {
  expectedAt promisedAt
  lines { sku expectedAt promisedAt allocations { quantity state expectedAt announcement { id reference } } }
  shipments { state expectedAt }
} }"""


@pytest.fixture
async def shop(client):
    """MUG, of which there are two, takes backorders."""
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=2)
    await make.setting(backorders=BackorderMode.ALLOW)
    return client


async def announce(client, quantity, when=None, sku="MUG", warehouse="BERLIN", reference=None):
    """The id of the level's latest announcement."""
    fields = "inventoryLevels { announcements(last: 1) { nodes { id } } }"
    given = {"warehouse": warehouse, "lines": [{"sku": sku, "quantity": quantity}], "reference": reference}
    payload = await client.done("announceStock", fields, expectedAt=when, **given)
    return payload["inventoryLevels"][0]["announcements"]["nodes"][0]["id"]


async def receive(client, quantity, **given):
    line = {"sku": "MUG", "quantity": quantity, **given}
    await client.done("receiveStock", warehouse="BERLIN", lines=[line])


async def ordered(*args, **given):
    """The number of an order that was placed."""
    return orders.number(await make.order(*args, **given))


async def dated(client, number):
    return (await client.admin(DATES, number=number))["order"]


async def expected(client, *numbers):
    """The date of each order, which is that of its lines as well."""
    found = []
    for number in numbers:
        order = await dated(client, number)
        assert {line["expectedAt"] for line in order["lines"]} == {order["expectedAt"]}
        found.append(order["expectedAt"])
    return found


async def test_an_order_tells_when_its_waiting_units_can_leave_and_what_brings_them(shop):
    coming = await announce(shop, 10, day(3), reference="PO-7")
    number = await ordered("MUG", 5)
    await shop.done("createShipment", order=number, warehouse="BERLIN")

    order = await dated(shop, number)

    assert order["expectedAt"] == order["lines"][0]["expectedAt"] == day(3)
    assert order["lines"][0]["allocations"] == [
        {"quantity": 2, "state": "ON_HAND", "expectedAt": None, "announcement": None},
        {
            "quantity": 3,
            "state": "BACKORDERED",
            "expectedAt": day(3),
            "announcement": {"id": coming, "reference": "PO-7"},
        },
    ]
    assert order["shipments"] == [{"state": "PENDING", "expectedAt": day(3)}]


async def test_an_order_in_which_nothing_waits_has_no_date(shop):
    await announce(shop, 10, day(3))
    number = await ordered("MUG", 2)
    await shop.done("createShipment", order=number, warehouse="BERLIN")

    order = await dated(shop, number)

    assert (order["expectedAt"], order["lines"][0]["expectedAt"]) == (None, None)
    assert order["shipments"] == [{"state": "READY", "expectedAt": None}]


async def test_supply_is_given_to_orders_as_they_were_placed_and_those_that_it_does_not_reach_have_no_date(shop):
    numbers = [await ordered("MUG", units) for units in (4, 3, 4, 1)]
    await announce(shop, 4, day(9))
    await announce(shop, 3, day(5))

    # Two of the first order are there. Soonest first, three come on the fifth and four on the ninth.
    assert await expected(shop, *numbers) == [day(5), day(9), None, None]


@pytest.mark.parametrize("mode", [InventoryDecrement.ON_ORDER, InventoryDecrement.ON_SHIPMENT])
async def test_dates_are_the_same_however_stock_is_taken_off(shop, mode):
    await make.setting(decrement_inventory=mode)
    numbers = [await ordered("MUG", 5), await ordered("MUG", 2)]
    await shop.done("createShipment", order=numbers[1], warehouse="BERLIN")
    await announce(shop, 3, day(3))
    await announce(shop, 2, day(4))

    assert await expected(shop, *numbers) == [day(3), day(4)]
    assert (await dated(shop, numbers[1]))["shipments"] == [{"state": "PENDING", "expectedAt": day(4)}]


async def test_what_a_level_lacks_besides_backorders_is_covered_first(shop):
    await make.setting(decrement_inventory=InventoryDecrement.ON_SHIPMENT)
    await ordered("MUG", 2)
    await make.stock("MUG", on_hand=0)
    number = await ordered("MUG", 3)
    await announce(shop, 3, day(3))

    assert await expected(shop, number) == [None]
    await announce(shop, 2, day(4))
    assert await expected(shop, number) == [day(4)]


async def test_dates_follow_supply_that_comes_late_is_withdrawn_or_is_received_in_part(shop):
    first = await announce(shop, 3, day(3))
    numbers = [await ordered("MUG", 5), await ordered("MUG", 2)]
    await announce(shop, 5, day(6))
    assert await expected(shop, *numbers) == [day(3), day(6)]

    await receive(shop, 2, announcement=first)
    assert await expected(shop, *numbers) == [day(3), day(6)]

    await shop.done("withdrawStockAnnouncement", id=first)
    assert await expected(shop, *numbers) == [day(6), day(6)]

    await receive(shop, 1)
    assert await expected(shop, *numbers) == [None, day(6)]


async def test_canceled_units_ahead_let_others_leave_sooner(shop):
    numbers = [await ordered("MUG", 5), await ordered("MUG", 3)]
    await announce(shop, 3, day(3))
    await announce(shop, 3, day(6))
    assert await expected(shop, *numbers) == [day(3), day(6)]

    await shop.done("cancelOrder", number=numbers[0])

    # Two that were on hand are free again: one of them waits no more.
    assert await expected(shop, *numbers) == [None, day(3)]


async def test_an_announcement_whose_date_passes_or_that_has_none_promises_nothing(shop):
    number = await ordered("MUG", 5)
    await announce(shop, 3, day(3))
    await announce(shop, 3)
    assert await expected(shop, number) == [day(3)]

    moment = datetime(2099, 12, 3, tzinfo=UTC)
    with clock.replaced(lambda: moment - timedelta(seconds=1)):
        assert await expected(shop, number) == [day(3)]
    with clock.replaced(lambda: moment):
        assert await expected(shop, number) == [None]


async def test_an_order_has_the_buffer_of_its_own_website(shop):
    await make.website("outlet", warehouses=["BERLIN"])
    await make.setting(website="shop", incoming_buffer_days=2)
    await make.setting(website="outlet", incoming_buffer_days=5)
    await ordered("MUG", 2)
    numbers = [await ordered("MUG", 1, website="shop"), await ordered("MUG", 1, website="outlet")]
    await announce(shop, 9, day(3))

    both = await shop.admin("{ orders(sort: NUMBER, reverse: true) { nodes { expectedAt } } }")

    assert await expected(shop, *numbers) == [day(5), day(8)]
    assert [one["expectedAt"] for one in both["orders"]["nodes"]] == [None, day(5), day(8)]


async def test_the_buffer_is_that_of_the_item_whose_units_wait(shop):
    await make.product("CUP")
    await make.product("SHIRT", options={"Size": ["S", "M"]})
    await make.setting(product="SHIRT", incoming_buffer_days=3)
    await make.setting(combination="SHIRT-M", incoming_buffer_days=10)
    skus = ("CUP", "SHIRT-S", "SHIRT-M")
    number = await ordered(lines=dict.fromkeys(skus, 1))
    for sku in skus:
        await announce(shop, 1, day(1), sku=sku)

    order = await dated(shop, number)

    assert [line["expectedAt"] for line in order["lines"]] == [day(1), day(4), day(11)]
    assert order["expectedAt"] == day(11)


async def test_two_lines_in_two_warehouses_have_their_own_dates_and_the_order_the_later_one(shop):
    await make.warehouse("LYON")
    await make.website("outlet", warehouses=["LYON", "BERLIN"])
    await make.product("CUP")
    await make.setting(level=("MUG", "BERLIN"), backorders=BackorderMode.NO_BACKORDERS)
    await make.stock("MUG", "LYON", on_hand=0)
    await make.stock("CUP", on_hand=0)
    number = await ordered(lines={"MUG": 3, "CUP": 1}, website="outlet")
    await announce(shop, 5, day(8), warehouse="LYON")

    order = await dated(shop, number)
    assert [line["expectedAt"] for line in order["lines"]] == [day(8), None]
    assert order["expectedAt"] is None

    await announce(shop, 5, day(3), sku="CUP")

    order = await dated(shop, number)
    assert [line["expectedAt"] for line in order["lines"]] == [day(8), day(3)]
    assert order["expectedAt"] == day(8)


async def test_parts_of_a_split_allocation_keep_their_place_in_the_queue(shop):
    numbers = [await ordered("MUG", 6), await ordered("MUG", 2)]
    await announce(shop, 1, day(2))
    await announce(shop, 4, day(3))
    await announce(shop, 1, day(4))
    await shop.done("adjustStock", changes=[{"sku": "MUG", "warehouse": "BERLIN", "delta": 1}])

    first = (await dated(shop, numbers[0]))["lines"][0]["allocations"]

    assert sorted((one["quantity"], one["state"], one["expectedAt"]) for one in first) == [
        (1, "ON_HAND", None),
        (2, "ON_HAND", None),
        (3, "BACKORDERED", day(3)),
    ]
    assert await expected(shop, *numbers) == [day(3), day(3)]


async def test_what_brings_it_is_shown_to_those_who_may_read_stock_of_that_warehouse(shop):
    await make.warehouse("LYON")
    await ordered("MUG", 5)
    await announce(shop, 9, day(3), reference="PO-7")
    query = "{ orders { nodes { expectedAt lines { allocations { state expectedAt announcement { reference } } } } } }"

    def waiting(answer):
        (order,) = answer["data"]["orders"]["nodes"]
        assert order["expectedAt"] == day(3)
        return [one for one in order["lines"][0]["allocations"] if one["state"] == "BACKORDERED"]

    everything = {"state": "BACKORDERED", "expectedAt": day(3), "announcement": {"reference": "PO-7"}}
    scopes = "orders:read inventory:read"
    assert waiting(await shop.scoped(scopes, query)) == [everything]
    assert waiting(await shop.within("BERLIN").scoped(scopes, query)) == [everything]
    assert waiting(await shop.scoped("orders:read", query)) == [everything | {"announcement": None}]
    assert waiting(await shop.within("LYON").scoped(scopes, query)) == []


async def test_an_allocation_by_its_id_and_below_its_level_has_its_date(shop):
    number = await ordered("MUG", 5)
    await announce(shop, 9, day(3))
    query = (
        """{ inventoryLevels { nodes { allocations { nodes { id state expectedAt announcement { quantity } } } } } }"""
    )
    one_by_id = "query ($id: ID!) { node(id: $id) { ... on Allocation { expectedAt line { expectedAt } } } }"

    (level,) = (await shop.admin(query))["inventoryLevels"]["nodes"]
    there, waits = level["allocations"]["nodes"]

    assert (there["expectedAt"], there["announcement"]) == (None, None)
    assert (waits["expectedAt"], waits["announcement"]) == (day(3), {"quantity": 9})
    assert (await shop.admin(one_by_id, id=waits["id"]))["node"] == {
        "expectedAt": day(3),
        "line": {"expectedAt": day(3)},
    }
    assert await expected(shop, number) == [day(3)]


async def test_payloads_of_mutations_have_the_dates_after_them(shop):
    await announce(shop, 4, day(3))
    fields = "order { number expectedAt lines { expectedAt allocations { expectedAt } } }"

    placed = await shop.done("placeOrder", fields, lines=[{"sku": "MUG", "quantity": 6}])
    other = await shop.done("placeOrder", fields, lines=[{"sku": "MUG", "quantity": 1}])
    line = {"sku": "MUG", "quantity": 4}
    canceled = await shop.done("cancelOrder", fields, number=placed["order"]["number"], lines=[line])

    assert placed["order"] == {
        "number": "100001",
        "expectedAt": day(3),
        "lines": [{"expectedAt": day(3), "allocations": [{"expectedAt": None}, {"expectedAt": day(3)}]}],
    }
    assert (other["order"]["expectedAt"], canceled["order"]["expectedAt"]) == (None, None)
    assert await expected(shop, other["order"]["number"]) == [day(3)]


async def test_a_parked_order_has_no_date(shop):
    await make.setting(backorders=BackorderMode.NO_BACKORDERS, insufficient_stock=InsufficientStockAction.HOLD_ORDER)
    await announce(shop, 9, day(3))
    number = await ordered("MUG", 5)

    order = await dated(shop, number)

    assert (order["expectedAt"], order["promisedAt"], order["lines"][0]["expectedAt"]) == (None, None, None)


async def test_what_was_promised_is_shown_as_it_was_told(shop):
    number = await ordered("MUG", 5)
    for table in ("customer_order", "order_line"):
        await sql.execute(f"UPDATE {table} SET promised_at = '2099-12-01T00:00:00+00:00'")
    await announce(shop, 9, day(3))

    order = await dated(shop, number)

    assert (order["promisedAt"], order["lines"][0]["promisedAt"]) == (day(1), day(1))
    assert (order["expectedAt"], order["lines"][0]["expectedAt"]) == (day(3), day(3))


async def test_pushes_of_orders_have_the_dates_of_that_moment(shop):
    query = "subscription { orderChanges { order { number expectedAt lines { expectedAt } } } }"
    await announce(shop, 4, day(3))
    async with open_shop() as opened, opened.subscribed(query, Scope.ORDERS_READ) as pushes:
        number = await ordered("MUG", 5)

        assert (await pushes.next())["order"] == {
            "number": number,
            "expectedAt": day(3),
            "lines": [{"expectedAt": day(3)}],
        }


async def test_webhooks_about_orders_have_their_dates(shop):
    await webhooks.create("https://shop.example/", [WebhookTopic.ORDER_PLACED], private_addresses=True)
    await announce(shop, 4, day(3))
    for units in (5, 1, 2):
        await make.order("MUG", units)
    await settled()
    await Dispatcher().step()

    told = [json.loads(row.body)["data"]["order"] for row in await WebhookDelivery.all().order_by("id")]

    dates = [(order["expectedAt"], [line["expectedAt"] for line in order["lines"]]) for order in told]
    assert dates == [(day(3), [day(3)]), (day(3), [day(3)]), (None, [None])]
    assert all("promisedAt" in order for order in told)
