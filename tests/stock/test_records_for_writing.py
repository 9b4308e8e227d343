"""Commands use kept items, settings and networks. They decide by a change of these at once, wherever it was made."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal

import pytest

from gqlstock.rules.cache_keys import EVERYTHING
from gqlstock.rules.refusals import Refused
from gqlstock.services import catalog, warehouses
from gqlstock.stock import cache, present, reading
from gqlstock.stock.cache import Cache
from gqlstock.store.db import connection, sql
from gqlstock.store.inventory import InventoryLevel
from support import order_life as life
from support import shop_builders as make
from support.read_connections import in_use
from support.statement_counter import Statements


@pytest.fixture
def kept() -> Iterator[Cache]:
    found = Cache(10_000_000)
    with cache.everywhere(found):
        yield found


async def remember(*skus: str) -> None:
    """Have items with their settings and the network in memory."""

    async def work() -> None:
        await present.settings((await present.by_sku(skus)).values())
        await present.counted_combinations((await present.by_sku(skus)).values())

    await reading.run(work)


async def a_shop_in_memory() -> None:
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=5)
    await remember("MUG")


async def test_an_order_takes_items_settings_and_network_from_memory(db: None, kept: Cache) -> None:
    await a_shop_in_memory()

    with Statements().counted() as sent:
        await life.place(("MUG", 1))

    read = [one for one in sent if one.startswith(("SELECT", "WITH")) and "FOR NO KEY" not in one]
    assert not [one for one in read if "FROM item" in one or "setting_override" in one or "FROM website" in one]


async def test_a_batch_reads_nothing_within_the_request_that_started_the_one_before(db: None, kept: Cache) -> None:
    await make.shop()
    for sku in ("MUG", "CUP", "BOWL"):
        await make.product(sku)
        await make.stock(sku)
    kept.drop({EVERYTHING})

    async def request(*skus: str) -> None:
        for sku in skus:
            async with reading.opened(begun=False):
                await reading.around(lambda: life.place((sku, 1)))  # noqa: B023

    # MUG is a batch of its own. Its request is over while CUP is written, so that BOWL is the next batch of the same task.
    first = asyncio.create_task(request("MUG", "BOWL"))
    for _ in range(3):
        await asyncio.sleep(0)
    await asyncio.gather(first, request("CUP"))

    assert in_use() == 0


async def test_an_order_is_decided_by_settings_that_were_changed_since(db: None, kept: Cache) -> None:
    await a_shop_in_memory()
    await make.setting(product="MUG", maximum_order_quantity=2)

    with pytest.raises(Refused, match="2"):
        await life.place(("MUG", 3))
    await make.setting(website="shop", maximum_order_quantity=1)
    await make.setting(product="MUG", maximum_order_quantity=None)
    with pytest.raises(Refused, match="1"):
        await life.place(("MUG", 2))


async def test_an_order_does_not_find_an_item_by_a_sku_that_it_had(db: None, kept: Cache) -> None:
    await a_shop_in_memory()
    await catalog.update_product("MUG", {"sku": "CUP"})

    with pytest.raises(Refused, match="MUG"):
        await life.place(("MUG", 1))
    await life.place(("CUP", 1))


async def test_an_order_takes_nothing_from_a_warehouse_that_was_closed_since(db: None, kept: Cache) -> None:
    await a_shop_in_memory()
    await warehouses.update_warehouse("BERLIN", {"active": False})

    with pytest.raises(Refused):
        await life.place(("MUG", 1))


async def test_what_a_command_reads_under_its_locks_is_not_kept(db: None, kept: Cache) -> None:
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=5)

    await life.place(("MUG", 1))
    before = kept.bytes
    await life.place(("MUG", 1))

    assert kept.bytes == before


async def test_the_first_order_after_a_change_has_the_catalog_kept_for_the_next(db: None, kept: Cache) -> None:
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=5)

    await life.place(("MUG", 1))

    assert present.may_be_kept(["MUG"])


async def test_what_a_command_has_read_before_it_began_does_not_date_the_payload(db: None, kept: Cache) -> None:
    with cache.replaced(Cache()):
        await make.shop()
        await make.product("MUG")
        await make.stock("MUG", on_hand=5)

    async def ordered() -> Decimal:
        order_id = await life.place(("MUG", 2))
        return sum((quantity for _, quantity, _ in await life.units(order_id)), Decimal(0))

    async with reading.opened(begun=False) as read:
        assert await read.around(ordered) == 2


async def test_a_kept_item_that_somebody_gave_another_id_with_sql_is_read_again(db: None, kept: Cache) -> None:
    if not connection.is_postgres():
        pytest.skip("SQLite locks no rows, so nobody waits for one that is gone")
    await make.shop()
    await make.product("CUP")
    await remember("CUP")
    await sql.execute("UPDATE item SET id = 1000 WHERE sku = 'CUP'")

    async with asyncio.timeout(10):
        await make.stock("CUP", on_hand=3)

    (found,) = await InventoryLevel.all()
    assert (found.item_id, found.on_hand) == (1000, 3)
