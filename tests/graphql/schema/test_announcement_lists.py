"""Announcements and holds as the back office lists them, changed through the API, and overdue from their date on."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from gqlstock.rules.order_request import RequestedLine
from gqlstock.rules.scopes import SYSTEM
from gqlstock.services import catalog, expire_holds, hold_stock, receive
from gqlstock.services.hold_stock import HoldRequest
from gqlstock.services.receive import AnnounceStockRequest
from gqlstock.services.stock_edits import StockLine
from gqlstock.stock import cache
from gqlstock.stock.cache import Cache
from gqlstock.store.db import clock
from support import shop_builders as make
from support.graphql_client import Client, codes
from support.statement_counter import Statements

LIST = """query ($filter: StockAnnouncementFilter, $sort: StockAnnouncementSort! = EXPECTED, $reverse: Boolean! = false) {
  stockAnnouncements(filter: $filter, sort: $sort, reverse: $reverse) {
    nodes { id quantity received expectedAt overdue reference level { item { sku } warehouse { code } } } totalCount
  }
}"""
HOLDS = """query ($filter: StockHoldFilter) {
  stockHolds(filter: $filter) { nodes { id state createdAt website { code } lines { sku } } totalCount }
}"""
START = datetime(2030, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


class Time:
    def __init__(self) -> None:
        self.moment = START

    def __call__(self) -> datetime:
        return self.moment


class Shop:
    """Announcements by their quantity, so that a list of quantities says which they are."""

    def __init__(self, client: Client, time: Time) -> None:
        self.client = client
        self.time = time

    async def announce(self, quantity, sku="MUG", warehouse="BERLIN", expected_at=None, reference=None):
        lines = (StockLine(sku, Decimal(quantity)),)
        await receive.announce(SYSTEM, AnnounceStockRequest(warehouse, lines, expected_at, reference))

    async def listed(self, client=None, **given):
        found = (await (client or self.client).scoped("inventory:read", LIST, **given))["data"]["stockAnnouncements"]
        assert found["totalCount"] == len(found["nodes"])
        return [node["quantity"] for node in found["nodes"]]

    async def id_of(self, quantity):
        found = (await self.client.admin(LIST))["stockAnnouncements"]["nodes"]
        return next(node["id"] for node in found if node["quantity"] == quantity)


@pytest.fixture
async def shop(client):
    """BERLIN and PARIS; six announcements of mugs and cups: 1 is overdue, 2 was received in full, 6 was withdrawn."""
    at = Time()
    with clock.replaced(at):
        await make.shop()
        await make.warehouse("PARIS")
        for sku in ("MUG", "CUP"):
            await make.product(sku)
        shop = Shop(client, at)
        await shop.announce(1, expected_at=START + DAY, reference="PO-1")
        await shop.announce(2, expected_at=START + DAY, reference="PO-1")
        await shop.announce(3, "CUP", reference="PO-3")
        await shop.announce(4, "MUG", "PARIS", expected_at=START + 9 * DAY)
        await shop.announce(5, "CUP", "PARIS", expected_at=START + 5 * DAY)
        await shop.announce(6, "CUP", "PARIS", expected_at=START + 2 * DAY)
        done = await shop.id_of(2)
        line = {"sku": "MUG", "quantity": 2, "announcement": done}
        await client.done("receiveStock", warehouse="BERLIN", lines=[line])
        await client.done("withdrawStockAnnouncement", id=await shop.id_of(6))
        at.moment = START + 3 * DAY
        yield shop


def day(number):
    return (START + number * DAY).isoformat()


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (None, [1, 2, 6, 5, 4, 3]),
        ({}, [1, 2, 6, 5, 4, 3]),
        ({"skus": ["CUP", " MUG "]}, [1, 2, 6, 5, 4, 3]),
        ({"skus": ["CUP"]}, [6, 5, 3]),
        ({"skus": []}, []),
        ({"skus": ["NONE"]}, []),
        ({"warehouses": ["PARIS"]}, [6, 5, 4]),
        ({"warehouses": ["MARS"]}, []),
        ({"open": True}, [1, 5, 4, 3]),
        ({"open": False}, [2, 6]),
        ({"overdue": True}, [1]),
        ({"overdue": False}, [2, 6, 5, 4, 3]),
        ({"overdue": True, "open": False}, []),
        ({"overdue": False, "open": True}, [5, 4, 3]),
        ({"expectedFrom": day(2)}, [6, 5, 4]),
        ({"expectedUntil": day(2)}, [1, 2, 6]),
        ({"expectedFrom": day(2), "expectedUntil": day(5)}, [6, 5]),
        ({"expectedFrom": day(5), "expectedUntil": day(2)}, []),
        ({"reference": "PO-1"}, [1, 2]),
        ({"reference": "PO"}, []),
        ({"reference": "PO-1", "skus": ["MUG"], "warehouses": ["BERLIN"], "open": True, "expectedUntil": day(1)}, [1]),
    ],
)
async def test_announcements_are_found_soonest_first_and_those_without_a_date_last(shop, chosen, expected):
    assert await shop.listed(filter=chosen) == expected
    assert await shop.listed(filter=chosen, reverse=True) == expected[::-1]
    assert await shop.listed(filter=chosen, sort="CREATED") == sorted(expected)
    assert await shop.listed(filter=chosen, sort="CREATED", reverse=True) == sorted(expected)[::-1]


async def test_a_moment_is_inclusive_to_the_microsecond(shop):
    tick = timedelta(microseconds=1)
    at = START + 5 * DAY

    assert await shop.listed(filter={"expectedFrom": at.isoformat(), "expectedUntil": at.isoformat()}) == [5]
    assert await shop.listed(filter={"expectedFrom": (at + tick).isoformat()}) == [4]
    assert await shop.listed(filter={"expectedUntil": (at - tick).isoformat(), "open": True}) == [1]


async def test_of_a_deleted_item_nothing_is_found_by_its_sku(shop):
    await shop.client.done("setStock", counts=[{"sku": "MUG", "warehouse": "BERLIN", "onHand": 0}])
    for quantity in (1, 4):
        await shop.client.done("withdrawStockAnnouncement", id=await shop.id_of(quantity))
    await catalog.delete_product("MUG")

    assert await shop.listed(filter={"skus": ["MUG"]}) == []
    assert await shop.listed() == [1, 2, 6, 5, 4, 3]


async def test_a_token_for_some_warehouses_finds_what_is_to_come_to_them(shop):
    limited = shop.client.within("PARIS")

    assert await shop.listed(limited) == [6, 5, 4]
    assert await shop.listed(limited, filter={"warehouses": ["BERLIN"]}) == []
    assert await shop.listed(limited, filter={"skus": ["MUG"]}) == [4]
    assert await shop.listed(limited, filter={"overdue": False, "open": True}) == [5, 4]


async def test_a_list_costs_the_same_statements_for_many_as_for_few(shop):
    async def cost():
        with Statements().counted() as sent:
            await shop.client.admin(LIST)
        return len(sent)

    few = await cost()
    for number in range(10, 30):
        await shop.announce(number, "CUP", expected_at=START + number * DAY if number % 2 else None)

    assert await cost() == few


@pytest.mark.parametrize(
    "given",
    [
        {"skus": [f"S{number}" for number in range(251)]},
        {"warehouses": [f"W{number}" for number in range(251)]},
    ],
)
async def test_too_many_names_are_refused(shop, given):
    answer = await shop.client.scoped("inventory:read", LIST, filter=given)

    assert codes(answer) == [("BAD_USER_INPUT", ["stockAnnouncements"])]


async def test_a_page_of_dated_ones_has_no_cursor_of_one_without_a_date(shop):
    last = await shop.client.admin("{ stockAnnouncements(last: 1) { pageInfo { endCursor } } }")
    undated = last["stockAnnouncements"]["pageInfo"]["endCursor"]

    answer = await shop.client.scoped(
        "inventory:read", f'{{ stockAnnouncements(filter: {{ overdue: true }}, after: "{undated}") {{ totalCount }} }}'
    )

    assert codes(answer) == [("INVALID_CURSOR", ["stockAnnouncements"])]


OVERDUE: dict[str, tuple[str, Callable[[dict[str, Any]], Any]]] = {
    "list": (
        "{ stockAnnouncements(filter: { overdue: true }) { nodes { quantity } } }",
        lambda data: [node["quantity"] for node in data["stockAnnouncements"]["nodes"]],
    ),
    "count": (
        "{ stockAnnouncements(filter: { overdue: false }) { totalCount } }",
        lambda data: data["stockAnnouncements"]["totalCount"],
    ),
    "field": (
        "{ stockAnnouncements(filter: { open: true }) { nodes { quantity overdue } } }",
        lambda data: [node["quantity"] for node in data["stockAnnouncements"]["nodes"] if node["overdue"]],
    ),
    "level": (
        """{ inventoryLevel(sku: "CUP", warehouse: "PARIS") { announcements { nodes { quantity overdue } } } }""",
        lambda data: [n["quantity"] for n in data["inventoryLevel"]["announcements"]["nodes"] if n["overdue"]],
    ),
}


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("list", [[1], [1], [1, 5], [1, 5], [1, 5, 4]]),
        ("count", [5, 5, 4, 4, 3]),
        ("field", [[1], [1], [1, 5], [1, 5], [1, 5, 4]]),
        ("level", [[], [], [5], [5], [5]]),
    ],
)
async def test_what_says_what_is_overdue_is_kept_until_the_next_date_passes(shop, name, seen):
    query, value = OVERDUE[name]
    tick = timedelta(microseconds=1)
    found = []
    with cache.everywhere(Cache(64_000_000)):
        await shop.client.admin(query)
        with Statements().counted() as sent:
            found.append(value(await shop.client.admin(query)))
        assert sent == []
        for moment in (START + 5 * DAY - tick, START + 5 * DAY, START + 9 * DAY - tick, START + 9 * DAY):
            shop.time.moment = moment
            found.append(value(await shop.client.admin(query)))

    assert found == seen


async def test_a_changed_announcement_is_seen_at_once_where_answers_are_kept(shop):
    with cache.everywhere(Cache(64_000_000)):
        one = await shop.id_of(1)
        assert await shop.listed(filter={"overdue": True}) == [1]

        await shop.client.done("updateStockAnnouncement", id=one, expectedAt=day(20))
        assert await shop.listed(filter={"overdue": True}) == []
        assert await shop.listed(filter={"open": True}) == [5, 4, 1, 3]
        await shop.client.done("updateStockAnnouncement", id=one, expectedAt=None, quantity=7)
        assert await shop.listed(filter={"open": True}) == [5, 4, 7, 3]


UPDATED = "inventoryLevels { incoming announcements { nodes { quantity expectedAt reference } } } movements { id }"


async def test_what_is_left_out_of_an_update_stays_and_null_takes_the_date_away(shop):
    one = await shop.id_of(1)

    async def update(**given):
        payload = await shop.client.done("updateStockAnnouncement", UPDATED, id=one, **given)
        (level,) = payload["inventoryLevels"]
        assert payload["movements"] == []
        return level["incoming"], *level["announcements"]["nodes"][0].values()

    assert await update() == (1, 1, "2030-01-02T12:00:00Z", "PO-1")
    assert await update(quantity=2.0) == (2, 2, "2030-01-02T12:00:00Z", "PO-1")
    assert await update(expectedAt=None) == (2, 2, None, "PO-1")
    assert await update(reference=None) == (2, 2, None, None)
    assert await update(expectedAt=day(4), reference="PO-9") == (2, 2, "2030-01-05T12:00:00Z", "PO-9")


@pytest.mark.parametrize(
    ("quantity", "given", "code"),
    [
        (1, {"quantity": 0}, ("INVALID_INPUT", ["quantity"])),
        (1, {"quantity": -1}, ("INVALID_INPUT", ["quantity"])),
        (1, {"quantity": 1.5}, ("INVALID_INPUT", ["quantity"])),
        (2, {"quantity": 1}, ("INVALID_INPUT", ["quantity"])),
        (6, {"quantity": 7}, ("INVALID_STATE", ["id"])),
        (1, {"reference": "x" * 256}, ("INVALID_INPUT", ["reference"])),
    ],
)
async def test_a_refused_update_writes_nothing(shop, quantity, given, code):
    one = await shop.id_of(quantity)

    assert await shop.client.refused("updateStockAnnouncement", id=one, **given) == [code]


@pytest.mark.parametrize("unknown", ["", "x", "U3RvY2tNb3ZlbWVudDox"])
async def test_an_id_of_no_announcement_is_not_found(shop, unknown):
    assert await shop.client.refused("updateStockAnnouncement", id=unknown) == [("NOT_FOUND", ["id"])]


# ── holds


@pytest.fixture
async def holds(client):
    """Four holds, one a minute: of MUG until it expired and was swept, of CUP expired, of CUP released, of MUG active."""
    at = Time()
    with clock.replaced(at):
        await make.shop()
        await make.website("outlet", warehouses=["BERLIN"])
        for sku in ("MUG", "CUP"):
            await make.product(sku)
            await make.stock(sku, on_hand=9)
        made = []
        for sku, website, minutes in (
            ("MUG", "shop", 2),
            ("CUP", "outlet", 4),
            ("CUP", "shop", 60),
            ("MUG", "shop", 60),
        ):
            asked = HoldRequest((RequestedLine(sku, Decimal(1)),), website, minutes)
            await hold_stock.hold(SYSTEM, asked)
            found = (await client.admin(HOLDS))["stockHolds"]["nodes"]
            made.append(found[0]["id"])
            at.moment += timedelta(minutes=1)
        await client.done("releaseStockHold", id=made[2])
        await expire_holds.run()
        at.moment = START + timedelta(minutes=10)
        yield made


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (None, [3, 2, 1, 0]),
        ({"states": ["ACTIVE"]}, [3]),
        ({"states": ["EXPIRED"]}, [1, 0]),
        ({"states": ["RELEASED", "ACTIVE"]}, [3, 2]),
        ({"states": ["ORDERED"]}, []),
        ({"states": []}, []),
        ({"website": "outlet"}, [1]),
        ({"website": "none"}, []),
        ({"sku": "MUG"}, [3, 0]),
        ({"sku": " CUP"}, [2, 1]),
        ({"sku": "none"}, []),
        ({"sku": "CUP", "website": "shop", "states": ["RELEASED"]}, [2]),
    ],
)
async def test_holds_are_found_newest_first_by_their_state_now(client, holds, chosen, expected):
    found = (await client.scoped("orders:read", HOLDS, filter=chosen))["data"]["stockHolds"]

    assert [holds.index(node["id"]) for node in found["nodes"]] == expected
    assert found["totalCount"] == len(expected)
    assert all(node["state"] in chosen.get("states", [node["state"]]) for node in found["nodes"] if chosen)


async def test_a_hold_says_when_it_was_made_and_is_found_by_a_sku_that_came_later(client, holds):
    await client.done("updateProduct", sku="MUG", newSku="JUG")

    for sku in ("MUG", "JUG"):
        found = (await client.admin(HOLDS, filter={"sku": sku}))["stockHolds"]["nodes"]
        assert [holds.index(node["id"]) for node in found] == [3, 0]
        assert found[0]["createdAt"].startswith("2030-01-01T12:03:00")
