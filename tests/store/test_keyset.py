from datetime import UTC, datetime
from decimal import Decimal

import pytest

from gqlstock.rules.paging import Key, SortOrder
from gqlstock.store import catalog, item_lists
from gqlstock.store.announcements import StockAnnouncement
from gqlstock.store.catalog import Item
from gqlstock.store.db import connection, keyset, sql
from gqlstock.store.inventory import InventoryLevel, StockMovement
from gqlstock.store.warehouses import Warehouse
from support import shop_builders as make
from support.statement_counter import Statements


@pytest.fixture
async def warehouses(db: None) -> None:
    """Six warehouses, three of them of one name."""
    for code, name in (("A", "x"), ("B", "same"), ("C", "same"), ("D", "a"), ("E", "same"), ("F", "z")):
        await make.warehouse(code, name=name)


async def codes(order: SortOrder, *, after: Key | None = None, before: Key | None = None, limit: int = 10) -> str:
    found = await keyset.page(Warehouse.all(), order, after=after, before=before, limit=limit)
    return "".join(row.code for row, _ in found)


async def key_of(order: SortOrder, code: str) -> Key:
    return order.key(await Warehouse.get(code=code))


async def test_rows_are_sorted_by_the_column_and_then_by_id(warehouses: None) -> None:
    assert await codes(SortOrder("name")) == "DBCEAF"


async def test_descending_turns_the_ties_as_well(warehouses: None) -> None:
    assert await codes(SortOrder("name", descending=True)) == "FAECBD"


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
async def test_walking_page_by_page_sees_each_row_once_even_among_equals(
    warehouses: None, size: int, descending: bool
) -> None:
    order = SortOrder("name", descending)
    seen, after = "", None

    while page := await keyset.page(Warehouse.all(), order, after=after, before=None, limit=size):
        seen += "".join(row.code for row, _ in page)
        after = page[-1][1]

    assert seen == ("FAECBD" if descending else "DBCEAF")


async def test_a_page_lies_between_two_keys(warehouses: None) -> None:
    order = SortOrder("name")

    found = await codes(order, after=await key_of(order, "B"), before=await key_of(order, "A"))

    assert found == "CE"


async def test_rows_that_come_or_go_before_the_key_do_not_shift_the_next_page(warehouses: None) -> None:
    order = SortOrder("name")
    after = await key_of(order, "C")

    await Warehouse.filter(code="B").delete()
    await make.warehouse("G", name="b")

    assert await codes(order, after=after) == "EAF"


async def test_rows_by_id_need_no_other_column(warehouses: None) -> None:
    order = SortOrder("id", descending=True)

    assert await codes(order, after=await key_of(order, "D")) == "CBA"


async def test_rows_are_sorted_by_a_column_of_a_related_row(db: None) -> None:
    await make.warehouse()
    for sku, name in (("ONE", "b"), ("TWO", "a"), ("THREE", "c")):
        await make.product(sku, name=name)
        await make.stock(sku)
    order = SortOrder("item__name")

    found = await keyset.page(InventoryLevel.all(), order, after=None, before=None, limit=2)
    rest = await keyset.page(InventoryLevel.all(), order, after=found[-1][1], before=None, limit=2)

    assert [key[0] for _, key in [*found, *rest]] == ["a", "b", "c"]


async def test_the_page_below_each_of_many_parents_comes_in_one_statement(db: None) -> None:
    await make.warehouse()
    levels = []
    for sku in ("ONE", "TWO"):
        await make.product(sku)
        levels = [*levels, await make.stock(sku, on_hand=1)]
        await make.stock(sku, on_hand=2)
        await make.stock(sku, on_hand=5)
    order = SortOrder("id", descending=True)

    found = await keyset.pages(StockMovement.all(), "level_id", order, after=None, before=None, limit=2)

    assert {parent: [int(row.quantity) for row, _ in rows] for parent, rows in found.items()} == {
        levels[0]: [3, 1],
        levels[1]: [3, 1],
    }


async def test_rows_are_counted_below_each_parent(db: None) -> None:
    await make.warehouse("A")
    await make.warehouse("B")
    await make.product("ONE")
    await make.product("TWO")
    await make.stock("ONE", "A")
    await make.stock("ONE", "B")
    await make.stock("TWO", "B")
    one, two = await Item.get(sku="ONE"), await Item.get(sku="TWO")

    assert await keyset.counts(InventoryLevel.all(), "item_id") == {one.id: 2, two.id: 1}


async def test_one_group_is_read_as_a_page_is(db: None) -> None:
    await make.warehouse("A")
    await make.warehouse("B")
    await make.product("ONE")
    levels = [await make.stock("ONE", place, 5) for place in "AB"]
    order = SortOrder("item__sku")

    found = await keyset.pages(
        InventoryLevel.all(), "item_id", order, after=("ONE", levels[0]), before=None, limit=2, groups={7: [1]}
    )

    assert {head: [(row.id, key) for row, key in rows] for head, rows in found.items()} == {
        7: [(levels[1], ("ONE", levels[1]))]
    }


async def test_a_page_and_pages_below_parents_give_the_same_records_of_items(db: None) -> None:
    await make.product("SHIRT", options={"Size": ["S", "M"]})
    shirt = await catalog.product(sku="SHIRT")
    assert shirt is not None
    made = (await catalog.combinations([shirt.id]))[shirt.id]
    below = catalog.live_items().filter(product_id=shirt.id)

    page = await keyset.page(below, SortOrder("sku", descending=True), after=None, before=None, limit=5)
    pages = await keyset.pages(below, "product_id", SortOrder("sku", descending=True), after=None, before=None, limit=5)

    assert page == pages[shirt.id] == [(made[0], ("SHIRT-S", made[0].id)), (made[1], ("SHIRT-M", made[1].id))]


async def test_the_key_of_a_column_that_is_worked_out_is_its_value(db: None) -> None:
    await make.warehouse("BERLIN")
    await make.product("MUG")
    await make.stock("MUG", on_hand=3)
    mug = (await catalog.by_sku(["MUG"]))["MUG"]

    found = await keyset.page(
        item_lists.with_total_available(catalog.live_items()),
        SortOrder("total_available"),
        after=None,
        before=None,
        limit=5,
    )

    assert found == [(mug, (30_000, mug.id))]


@pytest.fixture
async def announced(db: None) -> None:
    """Announcements 1 to 8, by letter A to H: of two moments and of none."""
    await make.shop()
    await make.product("MUG")
    level = await make.stock("MUG")
    dates = [None, NOON, LATER, NOON, None, None, LATER, NOON]
    for number, date in enumerate(dates, 1):
        await StockAnnouncement.create(
            id=number, level_id=level, quantity=Decimal(number), expected_at=date, created_at=NOON
        )


NOON, LATER = datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 1, 12, 0, 0, 1, tzinfo=UTC)
EXPECTED = SortOrder("expected_at", nullable=True)
IN_ORDER = [(NOON, 2), (NOON, 4), (NOON, 8), (LATER, 3), (LATER, 7), (None, 1), (None, 5), (None, 6)]


async def keys(order: SortOrder, *, after: Key | None = None, before: Key | None = None, limit: int = 10) -> list[Key]:
    found = await keyset.page(StockAnnouncement.all(), order, after=after, before=before, limit=limit)
    assert [order.key(row) for row, _ in found] == [key for _, key in found]
    return [key for _, key in found]


@pytest.mark.parametrize("descending", [False, True])
async def test_every_span_of_a_nullable_order_is_a_part_of_it(announced: None, descending: bool) -> None:
    order = SortOrder("expected_at", descending, nullable=True)
    whole = IN_ORDER[::-1] if descending else IN_ORDER

    assert await keys(order) == whole
    for start, after in enumerate([None, *whole]):
        for end, before in [*enumerate(whole), (len(whole), None)]:
            for limit in (1, 2, 10):
                found = await keys(order, after=after, before=before, limit=limit)
                assert found == whole[start:end][:limit]


async def test_a_page_of_a_nullable_order_takes_two_statements_only_where_nulls_begin(announced: None) -> None:
    async def statements(after: Key | None, order: SortOrder = EXPECTED) -> int:
        with Statements().counted() as sent:
            await keys(order, after=after, limit=3)
        return len(sent)

    assert [await statements(after) for after in (None, (NOON, 4), (NOON, 8), (None, 1))] == [1, 1, 2, 1]
    assert [await statements(after, EXPECTED.reversed()) for after in (None, (None, 5), (LATER, 3))] == [1, 2, 1]


@pytest.mark.parametrize("descending", [False, True])
async def test_a_page_of_a_nullable_order_is_found_by_an_index(announced: None, descending: bool) -> None:
    if connection.is_postgres():
        pytest.skip("its plans follow the number of rows")
    order = SortOrder("expected_at", descending, nullable=True)
    with Statements().counted() as sent:
        for after in (None, *IN_ORDER):
            await keys(order, after=after, limit=10)

    for statement in sent:
        text, values = statement.rsplit(": [", 1) if ": [" in statement else (statement, "]")
        plan = await sql.query(f"EXPLAIN QUERY PLAN {text}", *([0] * text.count("?")))
        assert [one["detail"].split(" USING ")[0] for one in plan] == ["SEARCH stock_announcement"], values
