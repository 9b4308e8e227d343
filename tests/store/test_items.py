"""Items by their ids, however many are asked for."""

from gqlstock.store import catalog
from support import shop_builders as make


async def test_more_items_than_a_statement_takes_values_are_all_found(db: None) -> None:
    first, last = await make.product("MUG"), await make.product("CUP")
    many = [first, *range(1_000_000, 1_040_000), last]

    found = await catalog.items(many)

    assert {item_id: item.sku for item_id, item in found.items()} == {first: "MUG", last: "CUP"}
