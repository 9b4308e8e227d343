"""Products with combinations and settings written by upsertProducts, beside one mutation for each of them.

    .venv/bin/python benchmarks/products.py [--products 5000] [--single 500] [--postgres postgres://…/name]

One client over HTTP, one call after the other. ``--single``: how many products the mutations for each are measured with;
their time is taken for all in proportion. Each product has four combinations, settings of its own, and settings of one
combination: 8 single mutations. Then the same products are written again unchanged, and once with other barcodes.
"""

import argparse
import asyncio
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bulk

_SIZES = ("S", "M", "L", "XL")
_PER_CALL = 250
_PORT = 8932
_UPSERT = "upsertProducts"
Write = Callable[[str, dict[str, Any]], None]


def product(number: int, barcode: str) -> dict[str, Any]:
    sku = f"ERP{number:06}"
    made: list[dict[str, Any]] = [
        {"sku": f"{sku}-{size}", "barcode": f"{barcode}-{size}", "options": [{"name": "Size", "value": size}]}
        for size in _SIZES
    ]
    made[0] = {**made[0], "settings": {"notifyBelow": 3}}
    return {
        "sku": sku,
        "name": f"Product {number}",
        "barcode": barcode,
        "description": "A product of the ERP. " * 10,
        "tracking": "TRACK_WITH_OPTIONS",
        "options": [{"name": "Size", "values": [{"name": size} for size in _SIZES]}],
        "settings": {"backorders": "ALLOW", "minimumOrderQuantity": 1},
        "combinations": made,
    }


def upsert(write: Write, count: int, barcode: str) -> None:
    for start in range(0, count, _PER_CALL):
        numbers = range(start, min(start + _PER_CALL, count))
        write(_UPSERT, {"products": [product(number, barcode) for number in numbers]})


def one_by_one(write: Write, count: int, barcode: str) -> None:
    for number in range(count):
        given = product(number, barcode)
        made, settings = given.pop("combinations"), given.pop("settings")
        write("createProduct", given)
        write("setInventorySettings", {"scope": {"product": given["sku"]}, "settings": settings})
        for one in made:
            own = one.pop("settings", None)
            write("createCombination", {"product": given["sku"], **one})
            if own is not None:
                write("setInventorySettings", {"scope": {"combination": one["sku"]}, "settings": own})


@contextmanager
def serving(url: str, token: str) -> Iterator[Write]:
    """A server with that database, and a function that sends one mutation and checks its answer."""
    command = [sys.executable, "-m", "gqlstock.cli", "serve", "--port", str(_PORT)]
    server = subprocess.Popen(
        command, env={**os.environ, "GQLSTOCK_DATABASE_URL": url, "GQLSTOCK_LOG_LEVEL": "warning"}
    )
    try:
        bulk.wait(_PORT)
        connection = http.client.HTTPConnection("127.0.0.1", _PORT)
        headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}

        def write(mutation: str, given: dict[str, Any]) -> None:
            kind = f"{mutation[0].upper()}{mutation[1:]}Input"
            query = f"mutation ($input: {kind}!) {{ {mutation}(input: $input) {{ userErrors {{ message }} }} }}"
            connection.request("POST", "/graphql", json.dumps({"query": query, "variables": {"input": given}}), headers)
            answer = json.load(connection.getresponse())
            assert answer == {"data": {mutation: {"userErrors": []}}}, answer

        yield write
    finally:
        server.terminate()
        server.wait()


def seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def measure(new_database: Callable[[], str], count: int, single: int) -> None:
    url = new_database()
    with serving(url, bulk.fill(url, 0)) as write:
        made = seconds(lambda: upsert(write, count, "1"))
        again = seconds(lambda: upsert(write, count, "1"))
        changed = seconds(lambda: upsert(write, count, "2"))
    url = new_database()
    with serving(url, bulk.fill(url, 0)) as write:
        alone = seconds(lambda: one_by_one(write, single, "1")) * count / single
    print(f"{count} new products by {_UPSERT}: {made:.1f} s; changed: {changed:.1f} s; the same again: {again:.1f} s")
    print(f"{count} new products by single mutations: {alone:.1f} s, {alone / made:.1f} times as long", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=5_000)
    parser.add_argument("--single", type=int, default=500)
    parser.add_argument("--postgres", metavar="URL")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        files = (Path(made) / f"{number}.db" for number in range(2))
        print("SQLite")
        measure(lambda: f"sqlite:///{next(files)}", asked.products, asked.single)
    if asked.postgres:
        print("PostgreSQL")

        def new_database() -> str:
            asyncio.run(bulk.recreate(asked.postgres, None))
            return str(asked.postgres)

        measure(new_database, asked.products, asked.single)


if __name__ == "__main__":
    main()
