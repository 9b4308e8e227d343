"""The subscriptions as the schema answers them, and the feed as a list."""

import base64
import contextlib
import gc
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from decimal import Decimal

import pytest
from graphql.execution.collect_fields import FieldDetails

from gqlstock.graphql.schema.changes import feeds
from gqlstock.rules import orders as order_rules
from gqlstock.rules import shipments as shipment_rules
from gqlstock.rules.events import Event, Topic
from gqlstock.rules.feed import START
from gqlstock.rules.order_request import RequestedLine
from gqlstock.rules.scopes import SYSTEM, Scope
from gqlstock.rules.settings import BackorderMode, InsufficientStockAction
from gqlstock.services import cancel_order, catalog, hold_stock, lapse_announcements, retry_order, return_items, ship
from gqlstock.services.cancel_order import CancelOrderRequest
from gqlstock.services.hold_stock import HoldRequest
from gqlstock.services.open_order import LineQuantity
from gqlstock.services.return_items import ReturnItemsRequest
from gqlstock.services.ship import CreateShipmentRequest
from gqlstock.store import inventory, levels, outbox
from gqlstock.store.db import clock, sql, transactions
from gqlstock.store.db.connection import DatabaseUrl
from support import database_backup
from support import promised_dates as dates
from support import shop_builders as make
from support.graphql_client import Client, codes
from support.settled_news import settled
from support.statement_counter import Statements
from support.subscriptions import Pushes, Shop, open_shop

INVENTORY = """subscription ($skus: [String!], $warehouses: [String!], $after: String) {
  inventoryChanges(skus: $skus, warehouses: $warehouses, after: $after) {
    cursor changedAt
    level { item { sku deletedAt } warehouse { code } onHand available deletedAt }
    movement { kind quantity onHandAfter }
  }
}"""
ORDERS = """subscription ($number: String, $website: String, $after: String) {
  orderChanges(number: $number, website: $website, after: $after) { cursor changedAt order { number status } }
}"""
ALERTS = "subscription ($after: String) { lowInventoryAlerts(after: $after) { cursor alert { sku state } } }"
OF_SKUS = """subscription ($filter: LowInventoryAlertFilter) {
  lowInventoryAlerts(filter: $filter) { alert { sku state } }
}"""
SHELF = """subscription ($skus: [String!]!, $website: String) {
  availabilityChanges(skus: $skus, website: $website) {
    sku website visible orderable unavailableReason salableQuantity item { id name }
  }
}"""
LIST = """query ($skus: [String!], $warehouses: [String!], $first: Int, $after: String, $last: Int, $before: String) {
  inventoryChanges(
    skus: $skus, warehouses: $warehouses, first: $first, after: $after, last: $last, before: $before
  ) {
    nodes { level { item { sku } onHand } movement { quantity } }
    edges { cursor }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    totalCount
  }
}"""
READS = Scope.INVENTORY_READ


@pytest.fixture
async def shop(db: None) -> AsyncIterator[Shop]:
    """MUG and CUP, 10 of each in BERLIN, sold by the website shop."""
    await make.shop()
    for sku in ("MUG", "CUP"):
        await make.product(sku)
        await make.stock(sku, on_hand=10)
    await settled()
    async with open_shop() as opened:
        yield opened


async def moved(pushes: Pushes, count: int) -> list[tuple[str, Decimal | None, Decimal]]:
    """The SKU, what the movement was, and what was on hand when it was read."""
    changes = [await pushes.next() for _ in range(count)]
    return [
        (c["level"]["item"]["sku"], c["movement"] and c["movement"]["quantity"], c["level"]["onHand"]) for c in changes
    ]


async def test_each_change_of_a_level_comes_with_its_line_of_the_ledger(shop: Shop) -> None:
    async with shop.subscribed(INVENTORY, READS) as pushes:
        await make.stock("MUG", on_hand=7)
        change = await pushes.next()
        await make.order("CUP", 2)

        assert await moved(pushes, 1) == [("CUP", -2, 8)]

    assert change["movement"] == {"kind": "COUNT", "quantity": -3, "onHandAfter": 7}
    assert change["level"] == {
        "item": {"sku": "MUG", "deletedAt": None},
        "warehouse": {"code": "BERLIN"},
        "onHand": 7,
        "available": 7,
        "deletedAt": None,
    }


async def test_what_was_pushed_is_kept_by_nobody(shop: Shop) -> None:
    async def remembered() -> int:
        gc.collect()
        return sum(isinstance(one, FieldDetails) for one in gc.get_objects())

    level_id = (await levels.live_levels().first()).id
    movement_id = (await inventory.StockMovement.filter(level_id=level_id).first()).id
    news = [Event(Topic.LEVEL, level_id, {"movement": movement_id})] * 50
    async with shop.subscribed(INVENTORY, READS) as pushes:
        counts = []
        for _ in range(2):
            await transactions.run(lambda: outbox.add(news))
            for _ in range(50):
                await pushes.next()
            counts.append(await remembered())

    assert counts[1] <= counts[0] + 10


async def test_what_leaves_on_hand_as_it_is_comes_without_a_movement(shop: Shop) -> None:
    async with shop.subscribed(INVENTORY, READS) as pushes:
        await hold_stock.hold(SYSTEM, HoldRequest((RequestedLine("MUG", Decimal(4)),)))

        change = await pushes.next()

    assert (change["movement"], change["level"]["onHand"], change["level"]["available"]) == (None, 10, 6)


async def test_a_level_that_is_made_comes_once(shop: Shop) -> None:
    await make.product("POT")
    await make.product("PAN")
    async with shop.subscribed(INVENTORY, READS) as pushes:
        await make.stock("POT", on_hand=3)
        await make.stock("PAN", on_hand=0)

        assert await moved(pushes, 2) == [("POT", 3, 3), ("PAN", None, 0)]
        assert await pushes.nothing()


async def test_only_changes_of_the_chosen_items_and_warehouses_come(shop: Shop) -> None:
    await make.warehouse("PARIS")
    async with (
        shop.subscribed(INVENTORY, READS, skus=["CUP", "NONE"]) as of_cup,
        shop.subscribed(INVENTORY, READS, warehouses=["PARIS"]) as in_paris,
        shop.subscribed(INVENTORY, READS, skus=["CUP"], warehouses=["PARIS"]) as of_both,
        shop.subscribed(INVENTORY, READS, skus=[]) as of_none,
    ):
        await make.stock("MUG", "PARIS", 1)
        await make.stock("CUP", "BERLIN", 2)
        await make.stock("CUP", "PARIS", 3)

        assert await moved(of_cup, 2) == [("CUP", -8, 2), ("CUP", 3, 3)]
        assert await moved(in_paris, 2) == [("MUG", 1, 1), ("CUP", 3, 3)]
        assert await moved(of_both, 1) == [("CUP", 3, 3)]
        assert await of_none.nothing()


async def test_a_deleted_item_is_news_of_its_levels(shop: Shop) -> None:
    await make.stock("CUP", on_hand=0)
    async with shop.subscribed(INVENTORY, READS, skus=["CUP"]) as pushes:
        await catalog.delete_product("CUP")

        change = await pushes.next()

    assert change["level"]["deletedAt"] is not None
    assert change["level"]["item"]["deletedAt"] is not None


async def test_one_kind_of_cursor_is_good_for_every_feed(shop: Shop, client: Client) -> None:
    await make.setting(notify_below=5)
    page = await client.scoped("inventory:read", LIST, last=1)
    start = page["data"]["inventoryChanges"]["pageInfo"]["endCursor"]
    order_id = await make.order("MUG", 8)
    await settled()

    async with (
        shop.subscribed(INVENTORY, READS, after=start) as levels,
        shop.subscribed(ALERTS, READS, after=start) as alerts,
        shop.subscribed(ORDERS, Scope.ORDERS_READ, after=start) as changes,
    ):
        assert await moved(levels, 1) == [("MUG", -8, 2)]
        assert (await alerts.next())["alert"] == {"sku": "MUG", "state": "RAISED"}
        assert (await changes.next())["order"] == {"number": order_rules.number(order_id), "status": "PLACED"}


@pytest.mark.parametrize("filter", [None, {"skus": ["MUG"]}])
async def test_one_alert_is_loaded_once_for_all_who_get_it(
    shop: Shop, statements: Statements, filter: dict[str, object] | None
) -> None:
    await make.setting(notify_below=5)
    cost = {}
    # After the first, settings and network are in memory.
    for subscribers in (1, 2, 30):
        await make.stock("MUG", on_hand=10)
        async with contextlib.AsyncExitStack() as stack:
            listening = [
                await stack.enter_async_context(shop.subscribed(OF_SKUS, READS, filter=filter))
                for _ in range(subscribers)
            ]
            with statements.counted() as sent:
                await make.stock("MUG", on_hand=4)
                alerts = [(await pushes.next())["alert"]["state"] for pushes in listening]
            assert alerts == ["RAISED"] * subscribers
            cost[subscribers] = len([statement for statement in sent if "outbox" not in statement])

    assert cost[30] == cost[2]


async def statuses(pushes: Pushes, count: int) -> list[tuple[str, str]]:
    changes = [(await pushes.next())["order"] for _ in range(count)]
    return [(change["number"], change["status"]) for change in changes]


async def test_every_change_of_an_order_is_one_push(shop: Shop) -> None:
    async with shop.subscribed(ORDERS, Scope.ORDERS_READ) as pushes:

        async def then(status: str) -> None:
            assert await statuses(pushes, 1) == [(number, status)]
            assert await pushes.nothing(0.1)

        order_id = await make.order(lines={"MUG": 2, "CUP": 3})
        number = order_rules.number(order_id)
        await then("PLACED")
        made = (await ship.create(SYSTEM, CreateShipmentRequest(number, "BERLIN"))).ids["shipment"][0]
        await then("PLACED")
        await ship.cancel(SYSTEM, shipment_rules.number(made))
        await then("PLACED")
        await cancel_order.cancel(SYSTEM, CancelOrderRequest(number, (LineQuantity("CUP", Decimal(1)),)))
        await then("PLACED")
        made = (await ship.create(SYSTEM, CreateShipmentRequest(number, "BERLIN"))).ids["shipment"][0]
        await then("PLACED")
        await ship.ship(SYSTEM, shipment_rules.number(made), None, None)
        await then("SHIPPED")
        await return_items.take_back(SYSTEM, ReturnItemsRequest(number, (LineQuantity("MUG", Decimal(2)),)))
        await then("SHIPPED")


async def test_a_parked_order_that_is_tried_again_and_a_filled_one_are_one_push_each(shop: Shop) -> None:
    await make.setting(product="MUG", insufficient_stock=InsufficientStockAction.HOLD_ORDER)
    await make.setting(product="CUP", backorders=BackorderMode.ALLOW)
    async with shop.subscribed(ORDERS, Scope.ORDERS_READ) as pushes:
        parked = order_rules.number(await make.order("MUG", 15))
        waiting = order_rules.number(await make.order("CUP", 25))
        assert await statuses(pushes, 2) == [(parked, "BACKORDERED"), (waiting, "PLACED")]

        await make.stock("MUG", on_hand=15)
        await retry_order.retry(SYSTEM, parked)
        assert await statuses(pushes, 1) == [(parked, "PLACED")]
        await make.stock("CUP", on_hand=30)
        assert await statuses(pushes, 1) == [(waiting, "PLACED")]
        assert await pushes.nothing()


async def test_an_order_filled_in_two_warehouses_by_its_own_cancellation_is_one_push(shop: Shop) -> None:
    """What is given back fills what waits, in the same transaction, of the same order."""
    await make.setting(backorders=BackorderMode.ALLOW)
    number = order_rules.number(await make.order(lines={"MUG": 12, "CUP": 12}))
    other = order_rules.number(await make.order(lines={"MUG": 3, "CUP": 3}))
    async with shop.subscribed(ORDERS, Scope.ORDERS_READ) as pushes:
        lines = (LineQuantity("MUG", Decimal(8)), LineQuantity("CUP", Decimal(8)))
        await cancel_order.cancel(SYSTEM, CancelOrderRequest(number, lines))

        assert sorted(await statuses(pushes, 2)) == sorted([(number, "PLACED"), (other, "PLACED")])
        assert await pushes.nothing()


async def test_another_date_is_one_push_to_each_order_that_has_it(shop: Shop) -> None:
    await make.setting(backorders=BackorderMode.ALLOW)
    first, second, third = [order_rules.number(await make.order("MUG", units)) for units in (12, 3, 4)]
    async with shop.subscribed(ORDERS, Scope.ORDERS_READ) as pushes:
        made = await dates.announce(5, on=10)
        assert await statuses(pushes, 2) == [(first, "PLACED"), (second, "PLACED")]
        await dates.update(made, on=12)
        assert await statuses(pushes, 2) == [(first, "PLACED"), (second, "PLACED")]
        await dates.let_pass(made)
        await lapse_announcements.run()
        assert await statuses(pushes, 2) == [(first, "PLACED"), (second, "PLACED")]
        await dates.update(made, on=14)
        assert await statuses(pushes, 2) == [(first, "PLACED"), (second, "PLACED")]
        # Those that get units have no date any more, all in one command.
        await dates.receive(5, announcement_id=made)
        assert await statuses(pushes, 2) == [(first, "PLACED"), (second, "PLACED")]
        await dates.announce(5, on=20)
        assert await statuses(pushes, 1) == [(third, "PLACED")]
        assert await pushes.nothing()


async def test_orders_are_chosen_by_number_and_by_website(shop: Shop) -> None:
    await make.website("outlet", warehouses=["BERLIN"])
    first = order_rules.number(await make.order("MUG", 1))
    await settled()
    async with (
        shop.subscribed(ORDERS, Scope.ORDERS_READ, number=first) as of_first,
        shop.subscribed(ORDERS, Scope.ORDERS_READ, number="nonsense") as of_none,
        shop.subscribed(ORDERS, Scope.ORDERS_READ, website="outlet") as of_outlet,
    ):
        second = order_rules.number(await make.order("MUG", 1, website="outlet"))
        await cancel_order.cancel(SYSTEM, CancelOrderRequest(first))

        assert await statuses(of_first, 1) == [(first, "CANCELED")]
        assert await statuses(of_outlet, 1) == [(second, "PLACED")]
        assert await of_none.nothing()


async def test_availability_is_public_and_masked(shop: Shop) -> None:
    async with (
        shop.subscribed(SHELF, skus=["MUG"]) as public,
        shop.subscribed(SHELF, READS, skus=["MUG"]) as clerk,
    ):
        assert (await public.next())["salableQuantity"] is None
        assert (await clerk.next())["salableQuantity"] == 10

        await make.order("MUG", 10)

        shown = await public.next()
    assert shown.pop("item")["name"] == "Mug"
    assert shown == {
        "sku": "MUG",
        "website": "shop",
        "visible": True,
        "orderable": False,
        "unavailableReason": "OUT_OF_STOCK",
        "salableQuantity": None,
    }


@pytest.mark.parametrize(
    ("query", "scopes", "variables", "code"),
    [
        (INVENTORY, [], {}, "UNAUTHENTICATED"),
        (INVENTORY, [Scope.ORDERS_READ], {}, "FORBIDDEN"),
        (ORDERS, [], {}, "UNAUTHENTICATED"),
        (ORDERS, [READS], {}, "FORBIDDEN"),
        (INVENTORY, [READS], {"after": "nonsense"}, "INVALID_CURSOR"),
        (INVENTORY, [READS], {"skus": ["A"] * 251}, "BAD_USER_INPUT"),
        (INVENTORY, [READS], {"warehouses": ["A"] * 251}, "BAD_USER_INPUT"),
        (ORDERS, [Scope.ORDERS_READ], {"website": "none"}, "BAD_USER_INPUT"),
        (SHELF, [], {"skus": ["MUG"], "website": "none"}, "BAD_USER_INPUT"),
        (SHELF, [], {"skus": ["A"] * 251}, "BAD_USER_INPUT"),
    ],
)
async def test_what_cannot_be_subscribed_to_is_an_error_with_its_code(
    shop: Shop, query: str, scopes: Sequence[Scope], variables: dict[str, object], code: str
) -> None:
    async with shop.subscribed(query, *scopes, **variables) as pushes:
        assert await pushes.error() == code


async def test_a_cursor_from_before_what_was_swept_is_refused_and_no_gap(shop: Shop, client: Client) -> None:
    first = (await outbox.after(START, 1))[0].cursor.text
    await make.stock("MUG", on_hand=1)
    await settled()
    old = clock.now() - timedelta(days=8)
    await transactions.run(lambda: sql.execute("UPDATE outbox SET created_at = ?", old))
    await outbox.sweep(clock.now() - timedelta(days=7))

    async with shop.subscribed(INVENTORY, READS, after=first) as pushes:
        assert await pushes.error() == "INVALID_CURSOR"
    answer = await client.scoped("inventory:read", LIST, after=first)

    assert codes(answer) == [("INVALID_CURSOR", ["inventoryChanges"])]


FEEDS = [(INVENTORY, READS), (ORDERS, Scope.ORDERS_READ), (ALERTS, READS)]


async def test_a_cursor_of_a_lost_future_is_refused_by_every_feed(
    shop: Shop, client: Client, database_url: DatabaseUrl
) -> None:
    """The feed of the restored database has grown past it: what it missed would be a gap."""
    kept = (await listed(client, last=1))["pageInfo"]["endCursor"]
    await database_backup.take(database_url)
    await make.stock("MUG", on_hand=9)
    await settled()
    lost = (await listed(client, last=1))["pageInfo"]["endCursor"]
    await database_backup.restore(database_url)
    for quantity in (8, 7, 6):
        await make.stock("MUG", on_hand=quantity)
    await settled()

    for query, scope in FEEDS:
        async with shop.subscribed(query, scope, after=lost) as pushes:
            assert await pushes.error() == "INVALID_CURSOR"
    for page in ({"after": lost}, {"before": lost, "last": 5}, {"after": lost, "last": 5}):
        answer = await client.scoped("inventory:read", LIST, **page)
        assert codes(answer) == [("INVALID_CURSOR", ["inventoryChanges"])]
    assert quantities(await listed(client, after=kept)) == [("MUG", -2), ("MUG", -1), ("MUG", -1)]


@pytest.mark.parametrize("query", [INVENTORY, ORDERS])
async def test_a_stream_ends_when_the_database_below_it_is_restored(
    shop: Shop, database_url: DatabaseUrl, query: str
) -> None:
    await database_backup.take(database_url)
    async with shop.subscribed(query, READS, Scope.ORDERS_READ) as pushes:
        await make.order("MUG", 1)
        await pushes.next()
        await database_backup.restore(database_url)
        for _ in range(3):
            await make.order("MUG", 1)

        assert await pushes.error() == "INVALID_CURSOR"


async def test_the_shelf_is_shown_as_it_is_when_the_database_below_it_was_restored(
    shop: Shop, database_url: DatabaseUrl
) -> None:
    await database_backup.take(database_url)
    async with shop.subscribed(SHELF, READS, skus=["MUG"]) as pushes:
        assert (await pushes.next())["salableQuantity"] == 10
        await make.stock("MUG", on_hand=3)
        assert (await pushes.next())["salableQuantity"] == 3

        await database_backup.restore(database_url)

        assert (await pushes.next())["salableQuantity"] == 10


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ("feed:812:7", "is a cursor of an earlier version and is no longer valid. Start again without a cursor."),
        ("feed:0:812:7", "is not a cursor of this feed."),
        ("feed:0:812:7:1:1", "is not a cursor of this feed."),
        ("feed:0:812:7:-1", "is not a cursor of this feed."),
        (f"feed:0:0:0:{10**18}", "is not a cursor of this feed."),
        (f"feed:{10**18 - 1}:1:1:1", "This cursor is not from this database's history"),
    ],
)
async def test_a_cursor_that_this_version_did_not_give_is_refused(
    shop: Shop, client: Client, told: str, message: str
) -> None:
    answer = await client.scoped("inventory:read", LIST, after=base64.urlsafe_b64encode(told.encode()).decode())

    assert codes(answer) == [("INVALID_CURSOR", ["inventoryChanges"])]
    assert message in answer["errors"][0]["message"]


async def listed(client: Client, **variables: object) -> dict[str, object]:
    answer = await client.scoped("inventory:read", LIST, **variables)
    assert "errors" not in answer, answer
    return answer["data"]["inventoryChanges"]


def quantities(page: dict[str, object]) -> list[tuple[str, Decimal]]:
    return [(node["level"]["item"]["sku"], node["movement"]["quantity"]) for node in page["nodes"]]


async def test_the_feed_is_a_list_that_is_paged_both_ways(shop: Shop, client: Client) -> None:
    for quantity in (9, 8, 7):
        await make.stock("MUG", on_hand=quantity)
    await settled()
    all_of_it = await listed(client)
    cursors = [edge["cursor"] for edge in all_of_it["edges"]]

    assert quantities(all_of_it) == [("MUG", 10), ("CUP", 10), ("MUG", -1), ("MUG", -1), ("MUG", -1)]
    assert all_of_it["totalCount"] == 5

    front = await listed(client, first=2)
    assert quantities(front) == [("MUG", 10), ("CUP", 10)]
    assert front["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": cursors[0],
        "endCursor": cursors[1],
    }
    rest = await listed(client, first=3, after=cursors[1])
    assert [edge["cursor"] for edge in rest["edges"]] == cursors[2:]
    assert (rest["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasPreviousPage"]) == (False, True)
    back = await listed(client, last=2, before=cursors[4])
    assert [edge["cursor"] for edge in back["edges"]] == cursors[2:4]
    assert (back["pageInfo"]["hasNextPage"], back["pageInfo"]["hasPreviousPage"]) == (True, True)
    of_cup = await listed(client, skus=["CUP"], warehouses=["BERLIN"])
    assert (quantities(of_cup), of_cup["totalCount"]) == ([("CUP", 10)], 1)
    assert (await listed(client, skus=[]))["totalCount"] == 0


async def test_a_page_with_nothing_on_it_says_where_to_go_on(shop: Shop, client: Client) -> None:
    end = (await listed(client, last=1))["pageInfo"]["endCursor"]
    await make.category("later")
    await make.setting(category="later", notify_below=1)
    await settled()

    nothing = await listed(client, after=end)
    further = nothing["pageInfo"]["endCursor"]
    await make.stock("CUP", on_hand=4)
    await settled()

    assert (nothing["nodes"], nothing["pageInfo"]["hasNextPage"]) == ([], False)
    assert feeds.place(further) > feeds.place(end)
    assert quantities(await listed(client, after=further)) == [("CUP", -6)]
    assert (await listed(client, after=end, first=0))["pageInfo"]["endCursor"] == end


async def test_a_dashboard_can_start_in_a_shop_where_nothing_has_happened(db: None, client: Client) -> None:
    assert (await listed(client, last=1))["pageInfo"]["endCursor"] is not None


async def test_the_list_needs_its_scope_and_a_good_cursor(shop: Shop, client: Client) -> None:
    at = [["inventoryChanges"]]

    assert codes(await client.ask(LIST)) == [("UNAUTHENTICATED", *at)]
    assert codes(await client.scoped("orders:read", LIST)) == [("FORBIDDEN", *at)]
    assert codes(await client.scoped("inventory:read", LIST, after="nonsense")) == [("INVALID_CURSOR", *at)]
    assert codes(await client.scoped("inventory:read", LIST, first=1, last=1)) == [("BAD_USER_INPUT", *at)]
    assert codes(await client.scoped("inventory:read", LIST, first=251)) == [("BAD_USER_INPUT", *at)]
    assert codes(await client.scoped("inventory:read", LIST, skus=["A"] * 251)) == [("BAD_USER_INPUT", *at)]
