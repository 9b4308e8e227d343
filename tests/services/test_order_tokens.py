"""Access tokens of orders in a database: whose they are, for how long, and which key they are made with."""

import asyncio
from datetime import timedelta

import pytest

from gqlstock.rules import order_tokens as rules
from gqlstock.rules.order_tokens import NamedOrder
from gqlstock.rules.orders import Order
from gqlstock.services import list_orders, order_tokens
from gqlstock.stock import cache, reading
from gqlstock.stock.cache import Cache
from gqlstock.store import order_keys
from gqlstock.store.db import sql
from support import shop_builders as make

pytestmark = pytest.mark.usefixtures("db")


async def placed() -> Order:
    order_id = await make.order("MUG", 1)
    return (await list_orders.by_id([order_id]))[order_id]


@pytest.fixture(autouse=True)
async def shop(db: None) -> None:
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=100)


async def test_a_token_finds_its_order_and_no_other() -> None:
    first, second = await placed(), await placed()

    tokens = await order_tokens.tokens([first, second])

    assert [await order_tokens.find(one) for one in tokens] == [first, second]


async def test_the_order_of_the_same_number_after_a_restored_backup_is_not_read_by_the_old_token() -> None:
    order = await placed()
    (token,) = await order_tokens.tokens([order])

    later = order.placed_at + timedelta(microseconds=1)
    await sql.execute("UPDATE customer_order SET placed_at = ?", later)

    assert await order_tokens.find(token) is None
    (after,) = (await list_orders.by_id([order.id])).values()
    (other,) = await order_tokens.tokens([after])
    assert other != token
    assert await order_tokens.find(other) == after


async def test_a_token_of_an_order_that_is_not_there_finds_nothing() -> None:
    order = await placed()
    key = await order_keys.find()
    assert key is not None

    assert await order_tokens.find(rules.token(key, NamedOrder(order.id + 1, order.placed_at))) is None


async def test_a_database_has_one_key_whoever_makes_it_first() -> None:
    await sql.execute("DELETE FROM order_key")

    await asyncio.gather(*(order_tokens.ensure_key() for _ in range(5)))
    made = await order_keys.find()
    await order_tokens.ensure_key()

    assert made is not None
    assert len(made) == 32
    assert await order_keys.find() == made
    assert len(await sql.query("SELECT id FROM order_key")) == 1


async def test_without_a_key_no_token_is_made_with_another() -> None:
    order = await placed()
    await sql.execute("DELETE FROM order_key")

    with pytest.raises(RuntimeError, match="run gqlstock migrate to create one"):
        await order_tokens.tokens([order])


async def test_after_another_key_no_earlier_token_finds_an_order_whatever_is_kept_in_memory() -> None:
    order = await placed()

    with cache.everywhere(Cache(1_000_000)):
        (before,) = await order_tokens.tokens([order])
        assert await reading.run(lambda: order_tokens.find(before)) == order
        with cache.everywhere(Cache(1_000_000)):
            # Another process.
            await order_tokens.renew()

        assert await reading.run(lambda: order_tokens.find(before)) is None
        (after,) = await reading.run(lambda: order_tokens.tokens([order]))
        assert await reading.run(lambda: order_tokens.find(after)) == order
    assert after != before
