"""Items by their ids, however many are asked for."""

from collections.abc import Iterable
from dataclasses import replace

from gqlstock.rules.catalog import Item
from gqlstock.services import delete_items
from gqlstock.store import catalog
from gqlstock.store.db import transactions
from support import shop_builders as make


async def test_more_items_than_a_statement_takes_values_are_all_found(db: None) -> None:
    first, last = await make.product("MUG"), await make.product("CUP")
    many = [first, *range(1_000_000, 1_040_000), last]

    found = await catalog.items(many)

    assert {item_id: item.sku for item_id, item in found.items()} == {first: "MUG", last: "CUP"}


async def test_any_number_of_items_is_locked_checked_for_use_and_retired(db: None) -> None:
    await make.shop()
    first, last = await make.product("MUG"), await make.product("CUP")
    level = await make.stock("MUG", on_hand=0)
    many = [first, *range(1_000_000, 1_040_000), last]

    locked = await transactions.run(lambda: catalog.lock(many))
    use = await delete_items.use(many)
    renamed = [(item, replace(item, choice_digest=str(item.id))) for item in _copies(locked[first], many)]
    await transactions.run(lambda: catalog.update(renamed))
    await transactions.run(lambda: delete_items.retire(_copies(locked[first], many)))

    assert {item_id: item.sku for item_id, item in locked.items()} == {first: "MUG", last: "CUP"}
    assert [one.id for one in use.levels] == [level]
    assert await catalog.items_in_use([first, last]) == {}


def _copies(item: Item, ids: Iterable[int]) -> list[Item]:
    """The item under each of these ids, most of which are not stored."""
    return [replace(item, id=one) for one in ids]
