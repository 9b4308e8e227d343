"""The cost of a shop that is a hundred times larger: alternates reads and changes on two PostgreSQL databases.

    GQLSTOCK_TEST_DATABASE_URL=postgres://postgres@127.0.0.1/test .venv/bin/python benchmarks/growth.py [--keep]

The databases are created on that server under their own names and dropped at the end. With ``--keep`` they stay, and the
next run of the same sizes reuses them. For each request it prints the median milliseconds on both and their ratio. ``!``
marks requests that take more than 1.5 times as long without an accepted reason.
"""

import argparse
import asyncio
import multiprocessing
import os
import re
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing.connection import Connection
from random import Random
from typing import Any

import asyncpg

import grown_asks
import grown_shop
from gqlstock.config import Config
from gqlstock.graphql.context import Context, Deployment
from gqlstock.graphql.schema import root
from gqlstock.rules.limits import Limits
from gqlstock.rules.scopes import ANONYMOUS, SYSTEM
from gqlstock.stock import cache
from gqlstock.stock.cache import Cache
from gqlstock.store.db import connection
from gqlstock.store.db.connection import Postgres
from grown_asks import Ask, Drawn
from grown_shop import Size

SMALL = Size(10_000, 100_000)
MOST = 1.5
# A request that takes this long in total is not repeated.
_PATIENCE = 12.0
_WARMING = 2


async def _answer(asked: Ask, drawn: Drawn) -> tuple[Any, float]:
    """The answer and its duration, without the preceding request."""
    before = (await _answer(asked.before, drawn))[0] if asked.before else {}
    variables = dict(asked.variables(drawn, before))
    context = Context(Deployment(None, None), caller=ANONYMOUS if asked.public else SYSTEM)  # type: ignore[arg-type]
    began = time.perf_counter()
    answer = await root.build(limits=Limits(query_seconds=3_600)).execute(
        asked.document, variable_values=variables, context_value=context
    )
    took = time.perf_counter() - began
    assert answer.errors is None, (asked.name, variables, answer.errors)
    assert answer.data is not None
    refused = [
        one for payload in answer.data.values() if isinstance(payload, dict) for one in payload.get("userErrors", ())
    ]
    assert not refused, (asked.name, variables, refused)
    return answer.data, took


async def _work(url: Postgres, size: Size, pipe: Connection) -> None:
    """Execute the requests that arrive on a pipe, on one database, until it ends."""
    async with connection.opened(url, everywhere=True):
        with cache.everywhere(Cache(64 * 1024 * 1024)):
            await _answer_all(size, pipe)


async def _answer_all(size: Size, pipe: Connection) -> None:
    while (asked := pipe.recv()) is not None:
        index, seed = asked
        try:
            pipe.send((await _answer(grown_asks.ALL[index], Drawn(size, Random(seed))))[1])
        except AssertionError as error:
            pipe.send(error)


def _begin(url: Postgres, size: Size, pipe: Connection) -> None:
    asyncio.run(_work(url, size, pipe))


class Shop:
    """A process that sends requests to one database."""

    def __init__(self, url: Postgres, size: Size) -> None:
        spawning = multiprocessing.get_context("spawn")
        self._pipe, pipe = spawning.Pipe()
        self._process = spawning.Process(target=_begin, args=(url, size, pipe), daemon=True)
        self._process.start()

    def ask(self, index: int, seed: int) -> float:
        self._pipe.send((index, seed))
        answered = self._pipe.recv()
        if isinstance(answered, Exception):
            raise answered
        return float(answered)

    def close(self) -> None:
        self._pipe.send(None)
        self._process.join()


def measure(shops: Sequence[Shop], index: int, rounds: int) -> list[float]:
    """The median seconds of each shop, measured alternately. The first rounds are for warm-up."""
    times: list[list[float]] = [[] for _ in shops]
    began = time.monotonic()
    for number in range(_WARMING + rounds):
        for shop, known in zip(shops, times, strict=True):
            known.append(shop.ask(index, number))
        if time.monotonic() - began > _PATIENCE:
            break
    return [statistics.median(known[_WARMING:] or known) for known in times]


def row(asked: Ask, measured: Callable[[], list[float]]) -> bool:
    """Print a row of the table. Returns whether it is within the limit."""
    try:
        small, large = measured()
    except AssertionError as error:
        print(f"{asked.name:46} fails: {error}", flush=True)
        return False
    over = large / small > MOST
    mark = "" if not over else f"   {asked.exempt}" if asked.exempt else "   !"
    print(f"{asked.name:46} {small * 1_000:10.2f} {large * 1_000:10.2f} {large / small:8.2f}{mark}", flush=True)
    return not over or asked.exempt is not None


async def made(url: Postgres, size: Size) -> None:
    """Create and fill the database unless it exists."""
    if not await _is_there(url, size):
        print(f"── {url.credentials['database']}: {size.items:,} items, {size.movements:,} movements", flush=True)
        await grown_shop.make(url, size, lambda text: print(text, flush=True))


async def _is_there(url: Postgres, size: Size) -> bool:
    try:
        connection = await asyncpg.connect(**url.credentials)
    except asyncpg.InvalidCatalogNameError:
        return False
    try:
        # Earlier runs have added rows.
        return bool(await connection.fetchval("SELECT COUNT(*) BETWEEN $1 AND $1 * 1.1 FROM item", size.items))
    except asyncpg.UndefinedTableError:
        return False
    finally:
        await connection.close()


def main(given: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--movements", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--only", default="", help="only requests whose name matches this regular expression")
    parser.add_argument("--keep", action="store_true", help="do not drop the databases at the end")
    chosen = parser.parse_args(given)
    url = Config.from_env({"GQLSTOCK_DATABASE_URL": os.environ.get("GQLSTOCK_TEST_DATABASE_URL", "")}).database
    if not isinstance(url, Postgres):
        sys.exit("GQLSTOCK_TEST_DATABASE_URL must be the URL of a PostgreSQL database.")
    sizes = {"small": SMALL, "large": Size(chosen.items, chosen.movements)}
    urls = {name: Postgres(**{**url.credentials, "database": f"gqlstock_growth_{name}"}) for name in sizes}
    for name, size in sizes.items():
        asyncio.run(made(urls[name], size))
    shops = [Shop(urls[name], size) for name, size in sizes.items()]
    print(f"{'':46} {'small, ms':>10} {'large, ms':>10} {'times':>8}", flush=True)
    wanted = [(index, asked) for index, asked in enumerate(grown_asks.ALL) if re.search(chosen.only, asked.name)]
    good = [row(asked, partial(measure, shops, index, chosen.rounds)) for index, asked in wanted]
    for shop in shops:
        shop.close()
    if not chosen.keep:
        for one in urls.values():
            asyncio.run(grown_shop.drop(one))
    sys.exit(not all(good))


if __name__ == "__main__":
    main()
