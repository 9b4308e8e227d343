"""How rows become records, whatever gives the rows."""

from gqlstock.rules.ledger import Level, StockMovement
from gqlstock.store.db import sql
from gqlstock.store.db.records import below, by_id, hydrate, records
from gqlstock.store.inventory import InventoryLevel
from support import shop_builders as make


async def _levels() -> list[int]:
    await make.warehouse("A")
    await make.warehouse("B")
    await make.product("MUG")
    return [await make.stock("MUG", place, units) for place, units in (("A", 3), ("B", 4))]


async def test_a_query_set_and_sql_give_the_same_records(db: None) -> None:
    await _levels()

    by_query_set = await records(Level, InventoryLevel.all().order_by("id"))
    by_columns = await records(Level, "SELECT {columns} FROM inventory_level WHERE on_hand > ? ORDER BY id", 0)
    by_all = await records(Level, "SELECT available, * FROM inventory_level ORDER BY id")
    by_dict = hydrate(Level, await sql.query("SELECT * FROM inventory_level ORDER BY id"))

    assert [int(level.on_hand) for level in by_query_set] == [3, 4]
    assert by_query_set == by_columns == by_all == by_dict


async def test_records_come_in_the_order_of_their_ids(db: None) -> None:
    first, second = await _levels()

    assert list(await by_id(Level, [second, 999, first])) == [first, second]
    assert await by_id(Level, []) == {}


async def test_records_below_parents_are_found_for_each_of_them(db: None) -> None:
    first, second = await _levels()
    await make.stock("MUG", "A", 5)

    found = await below(StockMovement, "level_id", [second, first, 999])

    assert {parent: [int(one.quantity) for one in moved] for parent, moved in found.items()} == {
        first: [3, 2],
        second: [4],
        999: [],
    }
    assert await below(StockMovement, "level_id", []) == {}
