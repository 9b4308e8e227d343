import pytest

from gqlstock.store import catalog
from gqlstock.store.catalog import Item
from gqlstock.store.db import keyset
from gqlstock.store.db.keyset import Key, SortOrder
from gqlstock.store.inventory import InventoryLevel, StockMovement
from gqlstock.store.warehouses import Warehouse
from support import shop_builders as make


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
        catalog.with_total_available(catalog.live_items()),
        SortOrder("total_available"),
        after=None,
        before=None,
        limit=5,
    )

    assert found == [(mug, (30_000, mug.id))]
