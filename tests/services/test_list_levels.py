"""Which levels a list has. That pages are the right ones is tested where they are asked for, over GraphQL."""

from collections.abc import Sequence

import pytest

from gqlstock.rules.catalog import Item
from gqlstock.rules.filters import LevelFilter
from gqlstock.rules.ledger import Level
from gqlstock.rules.paging import Key, SortOrder, Span
from gqlstock.rules.refusals import Refused
from gqlstock.rules.scopes import ANONYMOUS, SYSTEM, Caller
from gqlstock.services import list_levels
from gqlstock.stock import present, reading
from support import shop_builders as make
from support.statement_counter import Statements

BY_SKU = SortOrder("item__sku")


async def stocked() -> Sequence[Item]:
    """Two items: of the first there is a level in A, B and C, of the second one in B."""
    for code in "ABC":
        await make.warehouse(code)
    for sku, places in (("MUG", "CAB"), ("CUP", "B")):
        await make.product(sku)
        for code in places:
            await make.stock(sku, code, 3)
    found = await present.by_sku(["MUG", "CUP"])
    return [found["MUG"], found["CUP"]]


async def first_page(
    items: Sequence[Item], order: SortOrder, limit: int, caller: Caller = SYSTEM
) -> list[list[tuple[Level, Key]]]:
    found = await list_levels.of_items(items, LevelFilter(), caller)
    pages = await found.pages(Span(order, None, None, limit))
    return [list(pages.get(item.id, ())) for item in items]


def limited_to(*warehouse_ids: int) -> Caller:
    return Caller("ERP", "erp", SYSTEM.scopes, warehouses=frozenset(warehouse_ids))


@pytest.mark.parametrize("order", [BY_SKU, BY_SKU.reversed()])
async def test_levels_taken_from_memory_are_those_that_a_statement_finds(db: None, order: SortOrder) -> None:
    items = await stocked()
    (in_b,) = (await present.levels_of([items[1].id]))[items[1].id]

    # A page of three and one row more has room for a level in each warehouse; one of two has not, and shows all as well.
    everything = [await first_page(items, order, limit) for limit in (4, 3)]
    mine = [await first_page(items, order, limit, limited_to(in_b.warehouse_id)) for limit in (4, 3)]

    assert everything[0] == everything[1]
    assert [len(page) for page in everything[0]] == [3, 1]
    assert mine[0] == mine[1]
    assert [[level.warehouse_id for level, _ in page] for page in mine[0]] == [[in_b.warehouse_id]] * 2


async def test_a_page_of_all_levels_of_items_costs_nothing_where_availability_has_loaded_them(db: None) -> None:
    items = await stocked()
    async with reading.opened():
        await present.levels_of([item.id for item in items])
        await present.network()
        with Statements().counted() as sent:
            found = await list_levels.of_items(items, LevelFilter(), SYSTEM)
            await found.pages(Span(BY_SKU, None, None, 4))
            counts = await found.counts()
            one = await list_levels.in_warehouse("B", [item.id for item in items], SYSTEM)

    # The warehouse itself is not kept yet.
    assert len(sent) == 1
    assert counts == {items[0].id: 3, items[1].id: 1}
    assert [level.item_id for level in one.values()] == [item.id for item in items]


async def test_the_next_page_of_levels_is_read(db: None) -> None:
    mug, _ = await stocked()
    found = await list_levels.of_items([mug], LevelFilter(), SYSTEM)
    first, second, third = [key for _, key in (await first_page([mug], BY_SKU, 4))[0]]

    between = await found.pages(Span(BY_SKU, first, third, 4))

    assert [key for _, key in between[mug.id]] == [second]


async def test_a_level_is_found_for_those_who_reach_its_warehouse(db: None) -> None:
    mug, _ = await stocked()
    levels = {level.warehouse_id: level for level in (await present.levels_of([mug.id]))[mug.id]}
    some, other, _ = levels

    assert await list_levels.one("MUG", "B", SYSTEM) in levels.values()
    assert await list_levels.one("NONE", "B", SYSTEM) is None
    assert await list_levels.one("MUG", "NONE", SYSTEM) is None
    found = [await list_levels.one("MUG", code, limited_to(some, other)) for code in "ABC"]
    assert sorted(level.warehouse_id for level in found if level is not None) == sorted([some, other])


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (LevelFilter(website="none"), "There is no website none."),
        (LevelFilter(category="none"), "There is no category none."),
    ],
)
async def test_a_filter_that_names_nothing_is_refused(db: None, chosen: LevelFilter, message: str) -> None:
    with pytest.raises(Refused, match=message):
        await list_levels.matching(chosen, ANONYMOUS)
