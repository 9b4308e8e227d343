"""A search finds the same, be it by a list of those that have the text or on the way through all of them."""

from dataclasses import replace
from decimal import Decimal

import pytest

from gqlstock.rules import orders as order_rules
from gqlstock.rules.catalog import InventoryTracking, new_product
from gqlstock.rules.order_request import OrderRequest, RequestedLine
from gqlstock.rules.scopes import SYSTEM
from gqlstock.services import catalog, combinations, place_order
from gqlstock.store import catalog as catalog_rows
from gqlstock.store import orders, search
from gqlstock.store.catalog import Item
from gqlstock.store.db import clock
from gqlstock.store.inventory import InventoryLevel
from gqlstock.store.orders import Order
from support import shop_builders as make

# One more than are found before they are listed.
MANY = 2_001


@pytest.fixture
async def many_mugs(db: None) -> None:
    at = clock.now()
    await catalog_rows.insert(
        [replace(new_product(f"MUG-{number:04}", f"Mug {number}", at), slug=f"mug-{number}") for number in range(MANY)]
    )


async def found(text: str) -> list[str]:
    rows = await Item.filter(await search.items(text)).order_by("sku")
    return [row.sku for row in rows]


async def test_what_many_have_is_found_in_all_of_them(many_mugs: None) -> None:
    assert await found("ug-") == [f"MUG-{number:04}" for number in range(MANY)]


async def test_what_few_among_many_have_is_found_in_those(many_mugs: None) -> None:
    assert await found("MUG 200") == ["MUG-0200", "MUG-2000"]


async def test_what_nothing_has_is_not_found(many_mugs: None) -> None:
    assert await found("mug%") == []


async def test_combinations_are_found_by_their_products_sku_among_many(many_mugs: None) -> None:
    await make.product("CUP", options={"Size": ["S"]}, tracking=InventoryTracking.TRACK_WITH_OPTIONS)
    await combinations.update("CUP-S", {"new_sku": "SMALL"})
    await catalog.update_product("CUP", {"name": "Beaker"})

    assert await found("cup") == ["CUP", "SMALL"]


@pytest.mark.parametrize(
    ("name", "looked_for"),
    [
        ("İstanbul Kupası", "istanbul"),
        ("IŞIK", "ışık"),
        ("Straße", "STRASSE"),
        ("STRAẞE", "straße"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("Чашка", "ЧАШКА"),
        ("Crème brûlée", "CREME"),
        ("ＭＵＧ１２", "mug12"),
        ("100% wool_", "% WOOL_"),
        ("back\\slash", "K\\S"),
    ],
)
async def test_a_search_ignores_case_and_accents_in_every_script(db: None, name: str, looked_for: str) -> None:
    """The same answers on every database."""
    await make.website("shop")
    await make.product("OTHER", name="Other 100 wool")
    await make.product("THAT", name=name)
    await make.product("BY-SKU-" + name, name="By SKU")
    await make.product("BY-BARCODE", barcode=name)

    wanted = ["BY-BARCODE", "BY-SKU-" + name, "THAT"]

    assert await found(looked_for) == wanted
    assert await found(name.swapcase()) == wanted


async def test_orders_are_searched_whatever_the_case_and_accents(db: None) -> None:
    await make.shop()
    await make.product("TASSE", name="Große Tasse")
    await make.stock("TASSE", on_hand=5)
    line = (RequestedLine("TASSE", Decimal(1)),)
    first, second = [
        (await place_order.place(SYSTEM, OrderRequest(line, customer_email=email, reference=reference))).ids["order"][0]
        for email, reference in (("JÖRG@Example.com", "Réf-1"), ("anna@example.com", None))
    ]

    async def ordered(text: str) -> list[int]:
        return [order.id for order in await Order.filter(orders.matches(text)).order_by("id")]

    assert await ordered("jörg@EXAMPLE") == [first]
    assert await ordered("REF-1") == [first]
    assert await ordered("GROSSE") == [first, second]
    assert await ordered(order_rules.number(second)) == [second]
    assert await ordered("nobody") == []


async def test_levels_are_found_by_their_items(many_mugs: None) -> None:
    await make.warehouse()
    await make.stock("MUG-0007")
    await make.stock("MUG-0008")

    few = await InventoryLevel.filter(await search.items("0007", "item__")).count()
    many = await InventoryLevel.filter(await search.items("mug", "item__")).count()

    assert (few, many) == (1, 2)
