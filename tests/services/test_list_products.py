"""Which products a list shows to whom. That pages are the right ones is tested where they are asked for, over GraphQL."""

import contextlib
import re
from collections.abc import AsyncIterator

from gqlstock.rules.filters import ItemFilter, ProductFilter
from gqlstock.rules.paging import SortOrder, Span
from gqlstock.rules.scopes import ANONYMOUS, SYSTEM, Caller
from gqlstock.services import list_products
from gqlstock.services.list_products import Audience
from gqlstock.stock import present, reading
from support import shop_builders as make
from support.statement_counter import Statements

BY_SKU = SortOrder("sku")


@contextlib.asynccontextmanager
async def turn() -> AsyncIterator[None]:
    yield


async def audience(caller: Caller = ANONYMOUS) -> Audience:
    return Audience(caller, (await present.network()).find(None), turn)


def looked_at(sent: list[str]) -> list[int]:
    """How many rows each part of a list has at most."""
    return [int(found[1]) for one in sent if (found := re.search(r"LIMIT \S+: \[.*?(\d+)\]$", one))]


async def skus(limit: int) -> list[str]:
    rows = await list_products.products(ProductFilter(), await audience())
    return [row.sku for row, _ in await rows.page(Span(BY_SKU, None, None, limit))]


async def shop(count: int, hidden: set[int]) -> list[str]:
    """Products of which some are not published. Returns the SKUs of the others."""
    await make.shop()
    for number in range(count):
        await make.product(f"P{number:02}", published=number not in hidden)
    return [f"P{number:02}" for number in range(count) if number not in hidden]


async def test_a_page_that_the_website_shows_whole_is_read_with_few_rows_more(db: None) -> None:
    shown = await shop(12, {3})

    with Statements().counted() as sent:
        found = await skus(6)

    assert found == shown[:6]
    assert looked_at(sent) == [10]


async def test_a_page_of_which_little_is_shown_is_read_on_until_it_is_full(db: None) -> None:
    shown = await shop(40, set(range(4)) | set(range(5, 30)))

    with Statements().counted() as sent:
        found = await skus(6)

    assert found == shown[:6] == ["P04", "P30", "P31", "P32", "P33", "P34"]
    # One of ten was shown, so that fifty have another five.
    assert looked_at(sent) == [10, 54]


async def test_callers_who_read_the_catalog_see_what_the_website_hides(db: None) -> None:
    await shop(3, {1})
    everything = await list_products.products(ProductFilter(), await audience(SYSTEM))
    items = await list_products.items(ItemFilter(), BY_SKU, await audience())

    assert (await everything.count(), await items.count()) == (3, 2)


async def test_a_shop_without_a_website_shows_nothing_to_the_public(db: None) -> None:
    await make.product("MUG")

    async with reading.opened():
        rows = await list_products.products(ProductFilter(), await audience())
        assert (await rows.page(Span(BY_SKU, None, None, 9)), await rows.count()) == ([], 0)
