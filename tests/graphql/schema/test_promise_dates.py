"""What a shop is told of when units can leave: on pages, in order checks, in orders, and by whom it may be seen."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gqlstock.rules import orders
from gqlstock.rules.cache_keys import EVERYTHING
from gqlstock.rules.settings import BackorderMode
from gqlstock.stock.cache import ANSWER, Cache
from gqlstock.store import orders as order_rows
from gqlstock.store.db import clock
from support import shop_builders as make
from support.graphql_client import Client
from support.settable_clock import SetClock
from support.statement_counter import Statements

TODAY = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
DATES = "expectedAt incoming { at quantity }"
PAGE = f'{{ availabilities(skus: ["MUG"]) {{ orderable salableQuantity backorder {DATES} }} }}'


def day(number: int) -> str:
    """A day from today, as the API tells it."""
    return (TODAY + timedelta(days=number)).isoformat().replace("+00:00", "Z")


@pytest.fixture(autouse=True)
async def shop(db: None) -> None:
    """A shop that has run out of mugs."""
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=0)


async def announce(client: Client, quantity: int, at: int | None, sku: str = "MUG", warehouse: str = "BERLIN") -> str:
    """Announce units. Returns the announcement's id."""
    fields = "inventoryLevels { announcements(last: 1) { nodes { id } } }"
    lines = [{"sku": sku, "quantity": quantity}]
    expected = {} if at is None else {"expectedAt": day(at)}
    answer = await client.done("announceStock", fields, warehouse=warehouse, lines=lines, **expected)
    return answer["inventoryLevels"][0]["announcements"]["nodes"][0]["id"]


async def page(client: Client, *, public: bool = False) -> dict[str, Any]:
    data = await (client.public(PAGE) if public else client.admin(PAGE))
    return data["availabilities"][0]


async def check(client: Client, *quantities: int, public: bool = False) -> dict[str, Any]:
    query = """query ($lines: [OrderLineInput!]!) { checkOrder(input: { lines: $lines }) {
      orderable lines { backordered expectedAt allocations { quantity state expectedAt } } userErrors { code }
    } }"""
    lines = [{"sku": "MUG", "quantity": quantity} for quantity in quantities]
    data = await (client.public(query, lines=lines) if public else client.admin(query, lines=lines))
    return data["checkOrder"]


async def test_an_item_that_is_sold_out_says_when_it_is_back(client: Client) -> None:
    await announce(client, 400, 3)
    await announce(client, 100, 6)
    await make.setting(incoming_buffer_days=2)

    assert await page(client) == {
        "orderable": False,
        "salableQuantity": 0,
        "backorder": False,
        "expectedAt": day(5),
        "incoming": [{"at": day(5), "quantity": 400}, {"at": day(8), "quantity": 100}],
    }
    await make.stock("MUG", on_hand=1)
    assert (await page(client))["expectedAt"] is None


async def test_announcements_without_a_date_or_with_a_passed_one_promise_nothing(client: Client) -> None:
    await announce(client, 10, None)
    await announce(client, 10, -1)

    assert (await page(client))["expectedAt"] is None
    assert (await page(client))["incoming"] == []


async def test_a_preorder_of_what_is_announced_sells_that_and_not_one_more(client: Client) -> None:
    await make.setting(backorders=BackorderMode.ALLOW, backorders_from_incoming=True)
    await announce(client, 400, 3)
    await announce(client, 100, 6)
    before = await page(client)
    await make.order("MUG", 450)
    between = await page(client)
    refused = await client.change("placeOrder", lines=[{"sku": "MUG", "quantity": 51}])
    await make.order("MUG", 50)
    after = await page(client)

    assert (before["salableQuantity"], before["backorder"], before["expectedAt"]) == (500, True, day(3))
    assert (between["salableQuantity"], between["expectedAt"]) == (50, day(6))
    assert between["incoming"] == [{"at": day(6), "quantity": 50}]
    assert [error["code"] for error in refused["userErrors"]] == ["INSUFFICIENT_STOCK"]
    assert (after["orderable"], after["salableQuantity"], after["expectedAt"], after["incoming"]) == (
        False,
        0,
        None,
        [],
    )


async def test_terms_of_announced_stock_add_up_to_what_can_be_sold(client: Client) -> None:
    await make.setting(backorders=BackorderMode.ALLOW, backorders_from_incoming=True)
    await make.setting(out_of_stock_threshold=-300)
    await announce(client, 400, 3)
    await make.order("MUG", 150)
    query = """{ explainAvailability(sku: "MUG") {
      availability { salableQuantity } terms { kind quantity warehouse text origin { scope } }
    } }"""

    found = (await client.admin(query))["explainAvailability"]

    assert found["availability"] == {"salableQuantity": 150}
    terms = [(term["kind"], term["quantity"], term["warehouse"]) for term in found["terms"]]
    assert terms == [
        ("ON_HAND", -150, "BERLIN"),
        ("SHORTFALL", 150, "BERLIN"),
        ("INCOMING", 400, "BERLIN"),
        ("BACKORDERED", -150, "BERLIN"),
        ("BACKORDER_LIMIT", -100, None),
    ]
    assert sum(term["quantity"] for term in found["terms"]) == 150
    assert found["terms"][2]["text"] == "400 announced with a date for Berlin."


async def test_a_check_has_the_dates_that_the_order_gets_and_keeps_as_promised(client: Client) -> None:
    await make.setting(backorders=BackorderMode.ALLOW)
    await make.stock("MUG", on_hand=2)
    await announce(client, 5, 3)
    await announce(client, 5, 6)

    checked = await check(client, 4, 4)
    placed = await client.done(
        "placeOrder", "order { number }", lines=[{"sku": "MUG", "quantity": 4}, {"sku": "MUG", "quantity": 4}]
    )

    assert [line["expectedAt"] for line in checked["lines"]] == [day(3), day(6)]
    assert checked["lines"][0]["allocations"] == [
        {"quantity": 2, "state": "ON_HAND", "expectedAt": None},
        {"quantity": 2, "state": "BACKORDERED", "expectedAt": day(3)},
    ]
    order_id = orders.id_of(placed["order"]["number"])
    assert order_id is not None
    (order,) = (await order_rows.orders([order_id])).values()
    lines = (await order_rows.lines_of([order_id]))[order_id]
    third, sixth = TODAY + timedelta(days=3), TODAY + timedelta(days=6)
    assert (order.promised_at, [line.promised_at for line in lines]) == (sixth, [third, sixth])


async def test_an_order_without_waiting_units_is_promised_no_date(client: Client) -> None:
    await make.stock("MUG", on_hand=2)
    await announce(client, 5, 3)

    order_id = await make.order("MUG", 2)

    (order,) = (await order_rows.orders([order_id])).values()
    assert order.promised_at is None
    assert (await order_rows.lines_of([order_id]))[order_id][0].promised_at is None


async def test_a_parked_order_is_promised_its_date_when_it_is_tried_again(client: Client) -> None:
    await make.setting(insufficient_stock="HOLD_ORDER")
    order_id = await make.order("MUG", 3)
    await announce(client, 5, 3)
    await make.setting(backorders=BackorderMode.ALLOW, incoming_buffer_days=1)

    await client.done("retryOrder", number=orders.number(order_id))

    (order,) = (await order_rows.orders([order_id])).values()
    (line,) = (await order_rows.lines_of([order_id]))[order_id]
    fourth = TODAY + timedelta(days=4)
    assert (order.promised_at, line.promised_at, line.buffer_days) == (fourth, fourth, 1)


# ── who sees what


async def test_the_public_sees_dates_and_no_quantities_unless_both_are_shown(client: Client) -> None:
    await make.setting(backorders=BackorderMode.ALLOW)
    await announce(client, 400, 3)

    dates_alone = await page(client, public=True)
    await make.setting(display_stock_quantity=True)
    both = await page(client, public=True)
    await make.setting(display_availability=False)
    neither = await page(client, public=True)

    assert (dates_alone["expectedAt"], dates_alone["incoming"]) == (day(3), [{"at": day(3), "quantity": None}])
    assert (both["expectedAt"], both["incoming"]) == (day(3), [{"at": day(3), "quantity": 400}])
    assert (neither["expectedAt"], neither["incoming"]) == (None, [])
    assert (await page(client))["expectedAt"] == day(3)


async def test_a_check_tells_the_public_no_more_than_the_page(client: Client) -> None:
    await make.setting(backorders=BackorderMode.ALLOW)
    await make.stock("MUG", on_hand=2)
    await announce(client, 400, 3)

    lines = (await check(client, 2, 2, public=True))["lines"]
    await make.setting(display_availability=False)
    hidden = (await check(client, 2, 2, public=True))["lines"]

    assert [line["expectedAt"] for line in lines] == [day(3), day(3)]
    assert [line["expectedAt"] for line in hidden] == [None, None]


# ── products with options


async def test_a_product_with_options_is_back_with_the_first_of_its_combinations(client: Client) -> None:
    await make.product("SHIRT", options={"Size": ["S", "M"]})
    for sku in ("SHIRT-S", "SHIRT-M"):
        await make.stock(sku, on_hand=0)
    await announce(client, 5, 6, "SHIRT-S")
    await announce(client, 7, 3, "SHIRT-M")
    query = f'{{ availabilities(skus: ["SHIRT"]) {{ {DATES} }} }}'

    sold_out = (await client.admin(query))["availabilities"][0]
    await make.stock("SHIRT-S", on_hand=1)
    in_stock = (await client.admin(query))["availabilities"][0]

    incoming = [{"at": day(3), "quantity": 7}, {"at": day(6), "quantity": 5}]
    assert sold_out == {"expectedAt": day(3), "incoming": incoming}
    assert in_stock == {"expectedAt": None, "incoming": incoming}


async def test_a_product_shows_the_public_no_figures_of_combinations_that_hide_theirs(client: Client) -> None:
    await make.product("SHIRT", options={"Size": ["S", "M"]})
    await make.setting(display_stock_quantity=True)
    await make.stock("SHIRT-S", on_hand=3)
    await make.stock("SHIRT-M", on_hand=0)
    await announce(client, 5, 6, "SHIRT-M")
    query = f'{{ availabilities(skus: ["SHIRT"]) {{ orderable salableQuantity {DATES} }} }}'

    async def seen() -> list[object]:
        found = (await client.public(query))["availabilities"][0]
        return [found["orderable"], found["salableQuantity"], found["incoming"]]

    all_of_it = await seen()
    await make.setting(combination="SHIRT-M", display_stock_quantity=False)
    without_quantities = await seen()
    await make.setting(combination="SHIRT-M", display_availability=False)
    hidden = await seen()

    assert all_of_it == [False, 3, [{"at": day(6), "quantity": 5}]]
    assert without_quantities == [False, None, [{"at": day(6), "quantity": None}]]
    assert hidden == [False, None, []]


# ── in memory


async def test_a_kept_answer_ends_when_a_date_passes(client: Client, kept: Cache) -> None:
    await make.setting(backorders=BackorderMode.ALLOW, backorders_from_incoming=True)
    await announce(client, 400, 3)
    await announce(client, 100, 6)
    ahead = SetClock()
    with clock.replaced(ahead):
        token = await client.token("admin")

        async def asked() -> tuple[str | None, int]:
            found = (await client.ask(PAGE, token=token))["data"]["availabilities"][0]
            return found["expectedAt"], found["salableQuantity"]

        assert [await asked(), await asked()] == [(day(3), 500)] * 2
        assert kept.counts[ANSWER].hits == 1
        for moment, expected in (
            (TODAY + timedelta(days=3, minutes=-5), (day(3), 500)),
            (TODAY + timedelta(days=3), (day(6), 100)),
            (TODAY + timedelta(days=6), (None, 0)),
        ):
            ahead.ahead = moment - datetime.now(UTC)
            assert await asked() == expected


async def test_a_page_costs_as_many_statements_with_announcements_as_without(
    client: Client, statements: Statements, kept: Cache
) -> None:
    for number in range(24):
        await make.product(f"CUP-{number:02}")
        await make.stock(f"CUP-{number:02}", on_hand=0)
    query = f'{{ products(filter: {{ search: "CUP" }}, first: 24) {{ nodes {{ sku availability {{ {DATES} }} }} }} }}'

    async def cost() -> int:
        await client.token("admin")
        kept.drop({EVERYTHING})
        with statements.counted() as sent:
            await client.admin(query)
        return len(sent)

    before = await cost()
    for number in range(24):
        await announce(client, 5, number + 1, f"CUP-{number:02}")

    assert await cost() == before
