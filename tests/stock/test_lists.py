from decimal import Decimal

import pytest

from gqlstock.rules.paging import OLDEST_FIRST, SortOrder, Span
from gqlstock.stock import lists, reading
from gqlstock.stock.lists import ComputedRows, QueryRows, QueryRowsBelow
from gqlstock.store import catalog
from support import shop_builders as make
from support.statement_counter import Statements

SHORT = SortOrder("short", descending=True)
ROWS = [(name, (Decimal(figure), number)) for number, (name, figure) in enumerate([("a", 2), ("b", 5), ("c", 2)])]


def names(span: Span) -> str:
    return "".join(name for name, _ in lists.between(ROWS, span))


@pytest.mark.parametrize(("order", "expected"), [(SHORT, "bca"), (SHORT.reversed(), "acb")])
def test_rows_in_memory_are_sorted_by_their_figure_and_then_by_id(order: SortOrder, expected: str) -> None:
    assert names(Span(order, None, None, 9)) == expected


def test_a_span_of_rows_in_memory_lies_between_two_keys() -> None:
    assert names(Span(SHORT, (Decimal(5), 1), None, 9)) == "ca"
    assert names(Span(SHORT, (Decimal(5), 1), (Decimal(2), 0), 9)) == "c"
    assert names(Span(SHORT, None, None, 2)) == "bc"


async def test_computed_rows_know_their_number() -> None:
    assert await ComputedRows(["x", "y"], lambda name: (Decimal(1), ord(name))).count() == 2


async def test_lists_of_the_same_rows_are_counted_once_in_a_read(db: None) -> None:
    category = await make.category("cups")
    await make.product("MUG", category="cups")
    async with reading.opened():
        with Statements().counted() as sent:
            counts = [await QueryRows(catalog.live_products()).count() for _ in range(3)]
            below = [
                await QueryRowsBelow(catalog.live_products(), "category_id", [category]).counts() for _ in range(3)
            ]

    assert (counts, below) == ([1, 1, 1], [{category: 1}] * 3)
    assert len(sent) == 2


async def test_rows_are_shown_as_they_are_now_and_found_by_what_they_were(db: None) -> None:
    await make.product("MUG")
    await make.product("CUP")

    async def shouted(rows: object) -> list[str]:
        return [f"{row.sku}!" for row in rows]  # type: ignore[attr-defined]

    rows = await QueryRows(catalog.live_products(), shouted).page(Span(SortOrder("sku"), None, None, 9))
    mug = (await catalog.by_sku(["MUG"]))["MUG"]

    assert rows == [("CUP!", ("CUP", mug.id + 1)), ("MUG!", ("MUG", mug.id))]
    assert OLDEST_FIRST.reversed() == SortOrder("id", descending=True)
