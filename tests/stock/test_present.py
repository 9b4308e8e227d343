"""What is kept of the present counts by the memory that it takes."""

from collections.abc import Iterator

import pytest

from gqlstock.services import catalog
from gqlstock.stock import cache, present, reading
from gqlstock.stock.cache import Cache
from support import shop_builders as make


@pytest.fixture
def kept(db: None) -> Iterator[Cache]:
    found = Cache(1_000_000)
    with cache.everywhere(found):
        yield found


async def size_of(item_id: int, kept: Cache) -> int:
    """The bytes that keeping an item takes."""
    async with reading.opened() as read:
        before = kept.bytes
        await read.run(lambda: present.items([item_id]))
        return kept.bytes - before


async def test_an_item_with_long_texts_counts_for_more(kept: Cache) -> None:
    await make.shop()
    short, long = await make.product("MUG"), await make.product("CUP")
    await catalog.update_product("CUP", {"description": "ä" * 60_000})

    assert await size_of(long, kept) - await size_of(short, kept) > 59_000
