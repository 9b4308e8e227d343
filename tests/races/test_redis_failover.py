"""The master of Redis goes away and Sentinels promote the replica: no request fails, and no news is lost."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gqlstock.adapters.bus import RedisBus
from gqlstock.adapters.rates import InRedis
from gqlstock.config import Config
from gqlstock.rules.limits import Rate
from gqlstock.rules.providers import Sentinels
from support import redis_sentinels, server_processes
from support import shop_builders as make
from support.redis_sentinels import RedisPair
from support.server_processes import PATIENCE
from support.subscriptions import connected, pushed, subscribe

pytestmark = pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs redis-server")

CHANNEL = "gqlstock:news"
ORDER = 'mutation { placeOrder(input: { lines: [{ sku: "MUG", quantity: 1 }] }) { order { number } } }'
ORDERS = "subscription { orderChanges { order { number } } }"
MUG = '{ product(sku: "MUG") { sku } }'


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[RedisPair]:
    async with redis_sentinels.running(tmp_path) as started:
        yield started


def sentinels(pair: RedisPair) -> Sentinels:
    found = Config.from_env({"GQLSTOCK_REDIS_URL": pair.url}).redis
    assert isinstance(found, Sentinels)
    return found


async def test_orders_go_on_and_all_news_arrive_when_the_master_is_killed(
    db: None, database_env: dict[str, str], tmp_path: Path, pair: RedisPair
) -> None:
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=10_000)
    env = {**database_env, "GQLSTOCK_REDIS_URL": pair.url, "GQLSTOCK_PUBLIC_RATE": "100000/minute"}
    master, replica = pair.ports
    over = asyncio.Event()
    token = await make.token()
    async with (
        server_processes.running(env, tmp_path) as here,
        server_processes.running(env, tmp_path) as there,
        server_processes.client(token) as http,
        server_processes.client() as public,
        connected(there, token) as socket,
    ):
        await subscribe(socket, ORDERS)
        await pair.until_listened_to(master, CHANNEL, 2)

        async def keep_buying() -> list[str]:
            placed = []
            while not over.is_set():
                placed.append((await server_processes.ask(http, here, ORDER))["placeOrder"]["order"]["number"])
                assert await server_processes.ask(public, there, MUG) == {"product": {"sku": "MUG"}}
            return placed

        buying = asyncio.create_task(keep_buying())
        heard = [(await pushed(socket))["order"]["number"]]
        pair.kill(master)
        await pair.until_listened_to(replica, CHANNEL, 2)
        over.set()
        placed = await buying
        while len(heard) < len(placed):
            heard.append((await pushed(socket))["order"]["number"])

    assert heard == placed


async def test_wake_ups_and_counts_go_on_through_the_new_master_when_the_old_one_hangs(pair: RedisPair) -> None:
    here, there, woken = RedisBus(sentinels(pair)), RedisBus(sentinels(pair)), asyncio.Event()
    rate = Rate(most=1, seconds=3_600)
    master, replica = pair.ports
    running = asyncio.gather(here.run(lambda: None), there.run(woken.set))
    await pair.until_listened_to(master, CHANNEL, 2)

    pair.freeze(master)
    await pair.until_listened_to(replica, CHANNEL, 2)
    woken.clear()
    here.announce()
    await asyncio.wait_for(woken.wait(), PATIENCE)
    counters = [InRedis(sentinels(pair)) for _ in range(2)]
    waits = [await counter.hit("read", "192.0.2.1", rate) for counter in counters]

    assert waits[0] is None
    assert waits[1] is not None
    running.cancel()
    await asyncio.gather(running, *(counter.aclose() for counter in counters), return_exceptions=True)
