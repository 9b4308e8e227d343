from collections.abc import Sequence

import pytest

from gqlstock.rules.catalog import Item
from gqlstock.rules.paging import OLDEST_FIRST, Key, SortOrder, Span
from gqlstock.services import list_combinations
from gqlstock.stock import present, reading
from support import shop_builders as make
from support.statement_counter import Statements


async def products() -> Sequence[Item]:
    """One of three sizes, one of two, and one without options."""
    for sku, sizes in (("SHIRT", "SML"), ("SCARF", "SL"), ("MUG", "")):
        await make.product(sku, options={"Size": [*sizes]} if sizes else {})
    found = await present.by_sku(["SHIRT", "SCARF", "MUG"])
    return list(found.values())


async def page(found: Sequence[Item], span: Span) -> list[list[tuple[str, Key]]]:
    pages = await list_combinations.of_products(found).pages(span)
    return [[(row.sku, key) for row, key in pages.get(product.id, ())] for product in found]


@pytest.mark.parametrize("order", [OLDEST_FIRST, OLDEST_FIRST.reversed()])
async def test_combinations_taken_from_memory_are_those_that_a_statement_finds(db: None, order: SortOrder) -> None:
    found = await products()

    # Up to three of a product are all that it has; four may have been asked for, and then memory has them.
    from_statement, from_memory = [await page(found, Span(order, None, None, limit)) for limit in (3, 4)]

    assert from_memory == from_statement
    skus = [[sku for sku, _ in one] for one in from_memory]
    assert [sorted(one) for one in skus] == [["SHIRT-L", "SHIRT-M", "SHIRT-S"], ["SCARF-L", "SCARF-S"], []]
    keys = [key for _, key in from_memory[0]]
    between = [await page(found[:1], Span(order, keys[0], keys[2], limit)) for limit in (3, 4)]
    assert between == [[[from_memory[0][1]]]] * 2


async def test_combinations_that_availability_has_loaded_are_not_read_again(db: None) -> None:
    found = await products()
    async with reading.opened():
        await present.combinations([product.id for product in found[:2]])
        with Statements().counted() as sent:
            rows = list_combinations.of_products(found)
            await rows.pages(Span(OLDEST_FIRST, None, None, 4))
            counts = await rows.counts()

    assert sent == []
    assert counts == {found[0].id: 3, found[1].id: 2}


async def test_combinations_of_a_short_page_are_counted_by_a_statement(db: None) -> None:
    found = await products()
    rows = list_combinations.of_products(found)

    await rows.pages(Span(OLDEST_FIRST, None, None, 1))

    assert await rows.counts() == {found[0].id: 3, found[1].id: 2}
