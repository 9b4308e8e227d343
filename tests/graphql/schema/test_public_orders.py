"""What strangers can do and find out where the public may order: hold a little, and see no figure of hidden stock."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from gqlstock.app import create_app
from gqlstock.config import Config
from gqlstock.rules.catalog import InventoryTracking
from gqlstock.rules.limits import PublicHolds, PublicRate, Rate
from gqlstock.rules.settings import BackorderMode
from gqlstock.services import catalog
from gqlstock.stock import cache
from gqlstock.stock.cache import Cache
from gqlstock.store.db import clock, sql
from gqlstock.store.db.connection import DatabaseUrl
from gqlstock.store.holds import StockHold
from support import interleaving
from support import shop_builders as make
from support.graphql_client import ERRORS, Client, codes, row_counts
from support.interleaving import BEGIN

At = Callable[[str], Client]


@pytest.fixture
async def at(db: None, database_url: DatabaseUrl) -> Any:
    """Clients at any address, of a server where the public may order."""
    app = create_app(
        Config(
            database=database_url,
            public_orders=True,
            public_holds=PublicHolds(minutes=30, lines=5, active=2),
            # No window ends during a test.
            public_rate=PublicRate(questions=Rate(10, 1_000_000)),
        )
    )
    clients: dict[str, httpx.AsyncClient] = {}

    def client(address: str) -> Client:
        if address not in clients:
            transport = httpx.ASGITransport(app, client=(address, 1))
            clients[address] = httpx.AsyncClient(transport=transport, base_url="http://gqlstock")
        return Client(clients[address])

    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=100)
    yield client
    for one in clients.values():
        await one.aclose()


async def change(client: Client, mutation: str, fields: str = "__typename", **given: Any) -> Any:
    """The payload of a mutation of the public."""
    name = f"{mutation[0].upper()}{mutation[1:]}Input"
    query = f"mutation($input: {name}!) {{ {mutation}(input: $input) {{ {fields} {ERRORS} }} }}"
    return (await client.public(query, input=given))[mutation]


async def check(client: Client, *lines: dict[str, Any], token: str | None = None) -> Any:
    query = """query($lines: [OrderLineInput!]!) { checkOrder(input: { lines: $lines }) { orderable
      lines { sku backordered orderable unavailableReason item { sku } message }
      userErrors { __typename code message path } } }"""
    answer = await client.ask(query, {"lines": lines}, token=token)
    assert "errors" not in answer
    return answer["data"]["checkOrder"]


def refusals(payload: Any) -> list[tuple[str, list[str]]]:
    return [(error["code"], error["path"]) for error in payload["userErrors"]]


def mugs(quantity: int | str) -> dict[str, Any]:
    return {"sku": "MUG", "quantity": quantity}


async def test_the_public_holds_nothing_for_longer_than_half_an_hour(at: At) -> None:
    client = at("203.0.113.7")
    before = await row_counts()

    long = await change(client, "holdStock", lines=[mugs(1)], minutes=31)

    assert refusals(long) == [("INVALID_INPUT", ["minutes"])]
    assert long["userErrors"][0]["message"] == "Without a token, a hold must last 1 to 30 minutes, not 31."
    assert await row_counts() == before
    assert refusals(await change(client, "holdStock", lines=[mugs(1)], minutes=30)) == []
    assert refusals(await client.change("holdStock", lines=[mugs(1)], minutes=1_440)) == []


async def test_the_public_holds_a_few_lines_at_once(at: At) -> None:
    client = at("203.0.113.7")

    many = await change(client, "holdStock", lines=[mugs(1)] * 6)

    assert refusals(many) == [("TOO_MANY", ["lines"])]
    assert refusals(await client.change("holdStock", lines=[mugs(1)] * 6)) == []


async def test_the_public_holds_quantities_that_could_be_ordered(at: At) -> None:
    await make.setting(product="MUG", maximum_order_quantity=10)

    assert refusals(await change(at("203.0.113.7"), "holdStock", lines=[mugs(11)])) == [
        ("QUANTITY_NOT_ALLOWED", ["lines", "0", "quantity"])
    ]


async def test_an_address_has_some_active_holds_and_no_more(at: At) -> None:
    client, other = at("203.0.113.7"), at("203.0.113.8")
    first = await change(client, "holdStock", "hold { id }", lines=[mugs(1)])
    await change(client, "holdStock", lines=[mugs(1)])
    before = await row_counts()

    third = await change(client, "holdStock", lines=[mugs(1)])

    assert refusals(third) == [("TOO_MANY", [])]
    assert await row_counts() == before
    assert refusals(await change(other, "holdStock", lines=[mugs(1)])) == []
    assert refusals(await client.change("holdStock", lines=[mugs(1)])) == []
    replaced = await change(client, "holdStock", "hold { id }", lines=[mugs(2)], replaces=first["hold"]["id"])
    assert refusals(replaced) == []
    assert refusals(await change(client, "holdStock", lines=[mugs(1)])) == [("TOO_MANY", [])]
    await change(client, "releaseStockHold", id=replaced["hold"]["id"])
    assert refusals(await change(client, "holdStock", lines=[mugs(1)])) == []


async def test_an_expired_hold_and_one_that_was_ordered_are_not_counted(at: At) -> None:
    client = at("203.0.113.7")
    first = await change(client, "holdStock", "hold { id }", lines=[mugs(1)])
    await change(client, "holdStock", lines=[mugs(1)])

    await change(client, "placeOrder", lines=[mugs(1)], hold=first["hold"]["id"])
    assert refusals(await change(client, "holdStock", lines=[mugs(1)])) == []
    await sql.execute("UPDATE stock_hold SET expires_at = ?", clock.now())

    assert refusals(await change(client, "holdStock", lines=[mugs(1)])) == []


async def test_addresses_of_one_ipv6_network_are_one_and_this_machine_is_not_counted(at: At) -> None:
    for address in ("2001:db8:1:2::1", "2001:db8:1:2::2"):
        assert refusals(await change(at(address), "holdStock", lines=[mugs(1)])) == []

    assert refusals(await change(at("2001:db8:1:2::3"), "holdStock", lines=[mugs(1)])) == [("TOO_MANY", [])]
    for _ in range(3):
        assert refusals(await change(at("127.0.0.1"), "holdStock", lines=[mugs(1)])) == []


async def test_where_a_hold_came_from_is_kept_only_while_it_is_active(at: At) -> None:
    made = await change(at("203.0.113.7"), "holdStock", "hold { id }", lines=[mugs(1)])
    assert [hold.address for hold in await StockHold.all()] == ["203.0.113.7"]

    await change(at("203.0.113.7"), "releaseStockHold", id=made["hold"]["id"])

    assert [hold.address for hold in await StockHold.all()] == [None]


@pytest.mark.parametrize("on_hand", [0, 3, 7, 100])
async def test_a_check_tells_the_public_that_all_of_a_line_waits_or_none(at: At, on_hand: int) -> None:
    await make.setting(product="MUG", backorders=BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER)
    await make.stock("MUG", on_hand=on_hand)
    client = at("203.0.113.7")

    public = await check(client, mugs(50))
    token = await check(client, mugs(50), token=await client.token("inventory:read"))

    assert [line["backordered"] for line in public["lines"]] == [0 if on_hand == 100 else 50]
    assert [line["backordered"] for line in token["lines"]] == [max(50 - on_hand, 0)]
    assert public["orderable"] is True


@pytest.mark.parametrize("on_hand", [1, 3, 4])
async def test_many_lines_of_an_item_tell_the_public_no_more_than_one(at: At, on_hand: int) -> None:
    await make.setting(product="MUG", backorders=BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER)
    await make.stock("MUG", on_hand=on_hand)
    lines = [mugs(1)] * 5
    fields = "order { lines { quantity backordered message allocations { quantity state } } }"

    checked = await check(at("203.0.113.7"), *lines)
    placed = await change(at("203.0.113.7"), "placeOrder", fields, lines=lines)

    message = "Out of stock - on backorder and will be dispatched once in stock."
    assert [(line["backordered"], line["message"]) for line in checked["lines"]] == [(1, message)] * 5
    assert placed["order"]["lines"] == [
        {"quantity": 1, "backordered": 1, "message": message, "allocations": []} for _ in lines
    ]


@pytest.mark.parametrize("on_hand", [0, 3, 7])
async def test_an_order_of_the_public_tells_that_all_of_a_line_waits_or_none(at: At, on_hand: int) -> None:
    await make.setting(product="MUG", backorders=BackorderMode.ALLOW)
    await make.stock("MUG", on_hand=on_hand)
    fields = "order { number status lines { quantity backordered shipped } }"

    placed = await change(at("203.0.113.7"), "placeOrder", fields, lines=[mugs(8)])
    seen = await at("203.0.113.7").scoped("orders:read", "{ orders { nodes { lines { backordered } } } }")

    assert placed["order"] == {
        "number": "100001",
        "status": "PLACED",
        "lines": [{"quantity": 8, "backordered": 8, "shipped": 0}],
    }
    assert seen["data"]["orders"]["nodes"] == [{"lines": [{"backordered": 8 - on_hand}]}]


async def test_where_the_shop_shows_quantities_the_public_sees_how_many_units_wait(at: At) -> None:
    await make.setting(product="MUG", backorders=BackorderMode.ALLOW, display_stock_quantity=True)
    await make.stock("MUG", on_hand=3)

    checked = await check(at("203.0.113.7"), mugs(8))
    placed = await change(at("203.0.113.7"), "placeOrder", "order { lines { backordered } }", lines=[mugs(8)])

    assert checked["lines"][0]["backordered"] == placed["order"]["lines"][0]["backordered"] == 5


async def test_more_than_may_be_ordered_at_once_is_refused_whatever_there_is(at: At) -> None:
    await make.setting(product="MUG", backorders=BackorderMode.ALLOW, maximum_order_quantity=10)
    told = []
    for on_hand in (0, 5, 11, 1_000):
        await make.stock("MUG", on_hand=on_hand)
        told.append(await check(at("203.0.113.7"), mugs(6), mugs(5)))

    assert refusals(told[0]) == [("QUANTITY_NOT_ALLOWED", ["lines", "0", "quantity"])]
    assert [line["backordered"] for line in told[0]["lines"]] == [0, 0]
    assert all(one == told[0] for one in told)


async def test_an_address_asks_about_an_item_ten_times_a_minute(at: At) -> None:
    client, other = at("203.0.113.7"), at("203.0.113.8")
    await make.product("CUP")
    await make.stock("CUP", on_hand=5)
    for quantity in range(50, 54):
        assert refusals(await check(client, mugs(quantity))) == []
    for _ in range(3):
        assert refusals(await change(client, "placeOrder", lines=[mugs(1)])) == []
    for _ in range(3):
        assert refusals(await change(client, "holdStock", lines=[mugs(1_000)])) != []
    before = await row_counts()

    checked = await check(client, {"sku": "CUP", "quantity": 1}, mugs(1))
    placed = await change(client, "placeOrder", lines=[mugs(1)])
    held = await change(client, "holdStock", lines=[mugs(1)])

    assert refusals(checked) == [("TOO_MANY", ["lines", "1", "sku"])]
    assert checked["lines"] == []
    assert checked["userErrors"][0]["message"].startswith(
        "Too many requests about MUG from this address. Try again in "
    )
    assert refusals(placed) == refusals(held) == [("TOO_MANY", ["lines", "0", "sku"])]
    assert await row_counts() == before
    assert refusals(await check(client, {"sku": "CUP", "quantity": 1})) == []
    assert refusals(await check(other, mugs(1))) == []
    assert refusals(await check(client, mugs(1), token=await client.token("orders:write"))) == []


async def test_a_document_of_many_questions_is_as_many_questions(at: At) -> None:
    asked = " ".join(
        f'q{n}: checkOrder(input: {{ lines: [{{ sku: "MUG", quantity: {n + 1} }}] }}) {{ userErrors {{ code }} }}'
        for n in range(12)
    )

    data = await at("203.0.113.7").public(f"{{ {asked} }}")

    assert [answer["userErrors"] for answer in data.values()].count([{"code": "TOO_MANY"}]) == 2


async def test_a_question_counts_once_when_its_query_starts_over(at: At, kept: Cache) -> None:
    client = at("203.0.113.7")
    query = """query ($input: CheckOrderInput!) {
      product(sku: "MUG") { name }
      checkOrder(input: $input) { userErrors { code } }
    }"""

    async def rename() -> None:
        with cache.replaced(Cache()):
            await catalog.update_product("MUG", {"name": f"Mug {len(answers)}"})

    await make.product("CUP")
    answers: list[Any] = []
    for units in range(1, 11):
        await make.stock("CUP", on_hand=100 - units)
        await client.public('{ product(sku: "MUG") { name } }')
        with interleaving.before(BEGIN, rename):
            data = await client.public(query, input={"lines": [{"sku": "CUP", "quantity": units}]})
        answers.append(data["checkOrder"]["userErrors"])
    last = await check(client, {"sku": "CUP", "quantity": 1})

    assert answers == [[]] * 10
    assert refusals(last) == [("TOO_MANY", ["lines", "0", "sku"])]


async def test_a_product_without_counted_options_is_one_item_by_whatever_sku(at: At) -> None:
    await make.product("SHIRT", options={"Size": ["S", "M"]}, tracking=InventoryTracking.TRACK_WITHOUT_OPTIONS)
    await make.stock("SHIRT", on_hand=5)
    client = at("203.0.113.7")
    for _ in range(10):
        await check(client, {"sku": "SHIRT", "quantity": 1})

    assert refusals(await check(client, {"sku": "SHIRT-S", "quantity": 1})) == [("TOO_MANY", ["lines", "0", "sku"])]


UNKNOWN = "There is no item {}."


async def unknown_and_unpublished() -> list[str]:
    """SKUs of what does not exist, of a product that is not published, and of a combination of one."""
    await make.product("SECRET", published=False)
    await make.product("NEXT", options={"Size": ["S", "M"]}, published=False)
    for sku in ("SECRET", "NEXT-S"):
        await make.stock(sku, on_hand=5)
    return ["NOTHING", "SECRET", "NEXT", "NEXT-S"]


@pytest.mark.parametrize("quantity", [1, 0, 100])
async def test_an_unpublished_item_is_to_the_public_as_one_that_does_not_exist(at: At, quantity: int) -> None:
    client = at("203.0.113.7")
    for sku in await unknown_and_unpublished():
        line = {"sku": sku, "quantity": quantity, "options": [{"name": "Color", "value": "Red"}]}
        checked = await check(client, line)
        answers = [
            checked,
            await change(client, "placeOrder", lines=[line]),
            await change(client, "holdStock", lines=[line]),
            await change(client, "subscribeToBackInStock", sku=sku, email="ada@shop.example"),
        ]

        told = [(error["code"], error["message"]) for answer in answers for error in answer["userErrors"]]
        assert told == [("NOT_FOUND", UNKNOWN.format(sku))] * 4
        assert checked["lines"] == [
            {
                "sku": sku,
                "backordered": 0,
                "orderable": False,
                "unavailableReason": None,
                "item": None,
                "message": None,
            }
        ]


async def test_no_query_tells_the_public_that_an_unpublished_item_exists(at: At) -> None:
    client = at("203.0.113.7")
    for sku in await unknown_and_unpublished():
        query = f"""{{
          product(sku: "{sku}") {{ sku }} bySlug: product(slug: "{sku.lower()}") {{ sku }} combination(sku: "{sku}") {{ sku }}
          inventoryItem(sku: "{sku}") {{ sku }} availabilities(skus: ["{sku}"]) {{ sku }}
          products(filter: {{ skus: ["{sku}"] }}) {{ totalCount nodes {{ sku }} }}
          hidden: products(filter: {{ published: false }}) {{ totalCount nodes {{ sku }} }}
          inventoryItems(filter: {{ search: "{sku}" }}) {{ totalCount nodes {{ sku }} }}
        }}"""

        assert await client.public(query) == {
            "product": None,
            "bySlug": None,
            "combination": None,
            "inventoryItem": None,
            "availabilities": [None],
            "products": {"totalCount": 0, "nodes": []},
            "hidden": {"totalCount": 0, "nodes": []},
            "inventoryItems": {"totalCount": 0, "nodes": []},
        }


async def test_asking_on_and_on_tells_no_unpublished_item_from_an_unknown_one(at: At) -> None:
    client = at("203.0.113.7")
    for sku in await unknown_and_unpublished():
        told = [refusals(await check(client, {"sku": sku, "quantity": 1})) for _ in range(12)]

        assert told == [[("NOT_FOUND", ["lines", "0", "sku"])]] * 12


async def test_a_shop_with_a_token_is_told_that_an_item_is_not_published(at: At) -> None:
    await unknown_and_unpublished()
    client = at("203.0.113.7")

    checked = await check(client, {"sku": "SECRET", "quantity": 1}, token=await client.token("orders:write"))

    assert refusals(checked) == [("NOT_ORDERABLE", ["lines", "0", "sku"])]
    assert checked["lines"][0]["unavailableReason"] == "NOT_PUBLISHED"


def test_the_usual_limits_leave_shoppers_room() -> None:
    usual = Config.from_env({})

    assert usual.public_holds == PublicHolds(minutes=30, lines=50, active=20)
    assert usual.public_rate == PublicRate(questions=Rate(10, 60))
    assert Config.from_env({"GQLSTOCK_PUBLIC_HOLDS": "3"}).public_holds.active == 3


async def test_who_may_not_order_learns_nothing_of_holds(client: Client) -> None:
    await make.shop()

    answer = await client.ask("mutation { holdStock(input: { lines: [] }) { userErrors { code } } }")

    assert codes(answer) == [("UNAUTHENTICATED", ["holdStock"])]


SOON = "2099-12-03T00:00:00Z"
PLACED = "order { expectedAt promisedAt lines { backordered expectedAt promisedAt } }"


async def placed_by_the_public(at: At, **settings: bool) -> Any:
    """An order of two lines of MUG. There is enough for the first, and what the second waits for comes soon."""
    client = at("203.0.113.7")
    await make.setting(product="MUG", backorders=BackorderMode.ALLOW, **settings)
    line = {"sku": "MUG", "quantity": 9}
    await client.done("announceStock", warehouse="BERLIN", lines=[line], expectedAt=SOON)
    return (await change(client, "placeOrder", PLACED, lines=[mugs(100), mugs(5)]))["order"]


@pytest.mark.parametrize(
    ("settings", "lines", "date"),
    [
        ({"display_stock_quantity": True}, [(0, None), (5, SOON)], SOON),
        ({}, [(100, SOON), (5, SOON)], SOON),
        ({"display_availability": False}, [(100, None), (5, None)], None),
    ],
)
async def test_the_public_sees_dates_where_availability_is_shown_and_not_which_line_waits_where_quantities_are_not(
    at: At, settings: dict[str, bool], lines: list[tuple[int, str | None]], date: str | None
) -> None:
    order = await placed_by_the_public(at, **settings)

    assert [(line["backordered"], line["expectedAt"]) for line in order["lines"]] == lines
    assert [line["promisedAt"] for line in order["lines"]] == [line["expectedAt"] for line in order["lines"]]
    assert order["expectedAt"] == order["promisedAt"] == date
