"""The clients of Redis."""

import pytest

from gqlstock.adapters import redis
from gqlstock.rules.providers import Sentinels
from support.server_processes import free_port


async def test_sentinels_that_cannot_be_reached_are_told_by_their_addresses() -> None:
    here, there = free_port(), free_port()
    client = redis.client(Sentinels((("127.0.0.1", here), ("127.0.0.1", there)), "stock", password="secret"), seconds=1)

    with pytest.raises(Exception, match="No master found") as caught:
        await client.ping()
    await redis.close(client)

    told = redis.reason(caught.value)
    assert told.startswith(f"No master found for 'stock' : 127.0.0.1:{here} ")
    assert f", 127.0.0.1:{there} " in told
    assert "redis.asyncio" not in told
