"""Compares the breadth-first executor with graphql-core's and with hand-written code: ``python benchmarks/executor.py``.

Measures in process, alternating between them: all of ``Schema.execute`` with its SQL, and only the execution over objects
in memory. ``scripts/bench`` compares over HTTP.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from strawberry import Schema

import by_hand
import by_hand_app
import prepared
import shop
from gqlstock.graphql.context import Context, Deployment
from gqlstock.graphql.executor import BreadthFirstExecutor, OrdinaryExecutor
from gqlstock.graphql.schema import root
from gqlstock.rules.scopes import SYSTEM
from gqlstock.store.db import connection
from gqlstock.store.db.connection import SqliteFile
from questions import ONE, PAGE

MANY = """{ products(first: 250) { nodes {
  sku combinations(first: 10) { nodes { sku availability { orderable salableQuantity } } }
} } }"""
ORDER = """mutation { placeOrder(input: { lines: [
  { sku: "P0001-S-RED", quantity: 1 }, { sku: "P0002-S-RED", quantity: 1 }
] }) { order { number lines { sku quantity } } userErrors { message } } }"""
SMALL = {
    "viewer": "{ viewer { name authenticated } }",
    "typename": "{ __typename }",
    "a website": '{ website(code: "shop") { id name warehouses { priority warehouse { code } } } }',
    "no such node": '{ node(id: "eA==") { id } }',
    "a level": '{ inventoryLevel(sku: "P0001-S-RED", warehouse: "BERLIN") { onHand available } }',
    "a refused mutation": 'mutation { createCategory(input: { slug: "", name: "" }) { userErrors { code message } } }',
    "introspection of a type": '{ __type(name: "Product") { name fields { name type { name kind } } } }',
}

Ask = Callable[[], Awaitable[Any]]


async def in_turns(asks: dict[str, Ask], rounds: int, least: float = 0.2) -> dict[str, float]:
    """The median milliseconds of each, measured alternately."""
    times: dict[str, list[float]] = {name: [] for name in asks}
    for _ in range(rounds):
        for name, ask in asks.items():
            await ask()
            start, count = time.perf_counter(), 0
            while time.perf_counter() - start < least:
                await ask()
                count += 1
            times[name].append((time.perf_counter() - start) / count * 1_000)
    return {name: statistics.median(found) for name, found in times.items()}


async def peak(ask: Ask) -> float:
    """The peak memory of one call in MB."""
    await ask()
    tracemalloc.start()
    await ask()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most / 2**20


def asking(executor: Any, query: str, variables: dict[str, Any] | None = None) -> Ask:
    schema: Schema = root.build(executor)

    async def ask() -> Any:
        context = Context(Deployment(None, None), caller=SYSTEM)  # type: ignore[arg-type]
        answer = await schema.execute(query, variables, context_value=context)
        assert answer.errors is None, answer.errors
        return answer.data

    return ask


def asking_by_hand(answer: Callable[[], bytes]) -> Ask:
    async def ask() -> Any:
        return answer()

    return ask


def row(name: str, figures: dict[str, float], unit: str = "ms") -> None:
    ordinary = figures["graphql-core"]
    columns = "  ".join(f"{key} {value:8.3f} {unit}" for key, value in figures.items())
    print(f"{name:26} {columns}   {ordinary / figures['breadth-first']:5.2f} times", flush=True)


async def in_process(rounds: int, path: Path) -> None:
    url = SqliteFile(str(path))
    await shop.make(url, products=250, combinations=10, singles=24)
    db = by_hand_app.connect(str(path))
    sku, page = shop.single(1), shop.products_page(0)
    variables = {ONE: {"sku": sku}, PAGE: {"category": page}}
    hand: dict[str, Callable[[], bytes]] = {
        PAGE: lambda: by_hand_app.run(db, by_hand.page(page)),
        ONE: lambda: by_hand_app.run(db, by_hand.one(sku)),
        MANY: lambda: by_hand_app.run(db, by_hand.many()),
    }
    named = {"page of 24": PAGE, "one product": ONE, "250 products of 10": MANY, "an order of 2 lines": ORDER}
    async with connection.opened(url, everywhere=True):
        print("── all of Schema.execute, with its SQL")
        for name, query in {**named, **SMALL}.items():
            values = variables.get(query)
            asks = {
                "graphql-core": asking(OrdinaryExecutor, query, values),
                "breadth-first": asking(BreadthFirstExecutor, query, values),
            }
            if query in hand:
                asks["by hand"] = asking_by_hand(hand[query])
                assert await asks["breadth-first"]() == json.loads(hand[query]())["data"]
            row(name, await in_turns(asks, rounds))
        print("── peak memory")
        for name in ("page of 24", "250 products of 10"):
            asks = {
                "graphql-core": asking(OrdinaryExecutor, named[name], variables.get(named[name])),
                "breadth-first": asking(BreadthFirstExecutor, named[name], variables.get(named[name])),
            }
            row(name, {key: await peak(ask) for key, ask in asks.items()}, "MB")
    print("── only the execution, over objects in memory")
    for name, (products, combinations) in {"page of 24 of 4": (24, 4), "250 of 10": (250, 10), "one": (1, 4)}.items():
        asks = {key: prepared.asking(made, products, combinations) for key, made in prepared.EXECUTORS.items()}
        answers = [await ask() for ask in asks.values()]
        assert answers[0] == answers[1]
        row(name, await in_turns(asks, rounds))


def main(given: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args(given)
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(in_process(chosen.rounds, Path(directory) / "shop.db"))


if __name__ == "__main__":
    main()
