"""Files of levels and of products taken in and written out, beside an upsert by hand; seconds, and the peak of memory.

    .venv/bin/python benchmarks/bulk.py [--levels 100000] [--products 20000] [--postgres postgres://…/name]

Each is a process of its own, its start included. On SQLite in a directory of its own; the PostgreSQL database is made anew.
"""

import argparse
import asyncio
import csv
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from gqlstock.config import Config
from gqlstock.services import warehouses
from gqlstock.services.warehouses import Assigned
from gqlstock.store import database
from gqlstock.store.catalog import Item

_ITEMS_AT_ONCE = 1_000
_SIZES = ("S", "M", "L", "XL", "XXL")
_COLUMNS = ("Handle", "Title", "Type", "Option1 Name", "Option1 Value", "Variant SKU", "Variant Inventory Tracker")
_COLUMNS += ("Variant Inventory Qty", "Variant Inventory Policy")


@dataclass(frozen=True, slots=True)
class Spent:
    seconds: float
    processor: float
    megabytes: float


def run(*command: str, url: str) -> Spent:
    """What a process took: seconds, those of them on a processor, and its peak of memory."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *command], env={**os.environ, "GQLSTOCK_DATABASE_URL": url}, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}.")
    return Spent(time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def ours(*arguments: str, url: str) -> Spent:
    return run("-m", "gqlstock.cli", *arguments, url=url)


async def fill(url: str, items: int) -> None:
    """A shop of so many products in one warehouse, nothing counted."""
    where = Config.from_env({"GQLSTOCK_DATABASE_URL": url}).database
    await database.migrate(where)
    async with database.opened(where):
        await warehouses.ensure_default_organization()
        await warehouses.create_warehouse({"code": "BERLIN", "name": "Berlin", "active": True})
        await warehouses.create_website("shop", "Shop", None, [Assigned("BERLIN")])
        at = database.now()

        async def work() -> None:
            for start in range(0, items, _ITEMS_AT_ONCE):
                numbers = range(start, min(start + _ITEMS_AT_ONCE, items))
                made = [Item(sku=_sku(n), slug=_sku(n), name=_sku(n), created_at=at, updated_at=at) for n in numbers]
                await database.insert_many(made)

        await database.transaction(work)


def _sku(number: int) -> str:
    return f"P{number:07}"


def write(file: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    with file.open("w", encoding="utf-8", newline="") as target:
        sheet = csv.writer(target)
        sheet.writerow(columns)
        sheet.writerows(rows)
    return str(file)


def levels(file: Path, items: int, more: int) -> str:
    rows = ((_sku(number), "BERLIN", number * 7 % 100 + more) for number in range(items))
    return write(file, ("sku", "warehouse", "on_hand"), rows)


def products(file: Path, count: int) -> str:
    rows = (
        (f"tee-{number}", *((f"Tee {number}", "Shirts", "Size") if size == "S" else ("", "", "")), size)
        + (f"TEE{number}-{size}", "shopify", number % 40, "deny")
        for number in range(count)
        for size in _SIZES
    )
    return write(file, _COLUMNS, rows)


def measure(renew: Callable[[], str], directory: Path, items: int, count: int) -> None:
    """One database: each file by hand and by ours, from the same start."""
    first, second = (levels(directory / f"{more}.csv", items, more) for more in (1, 2))
    upsert = str(Path(__file__).with_name("upsert.py"))
    by_hand = renew()
    hands = [run(upsert, by_hand, file, url=by_hand) for file in (first, second)]
    url = renew()
    own = [ours("import", "levels", file, url=url) for file in (first, second)]
    for what, hand, one in zip(("new levels", "other counts"), hands, own, strict=True):
        _line(f"{items} {what} by hand", hand)
        _line(f"{items} {what}", one)
        print(
            f"{'':32}{one.seconds / hand.seconds:8.1f} times by hand, {one.processor / hand.processor:.1f} of the processor"
        )
    _line("the same file again", ours("import", "levels", second, url=url))
    _line("export levels", ours("export", "levels", str(directory / "out.csv"), url=url))
    sheet, place = products(directory / "products.csv", count), ("--warehouse", "BERLIN")
    _line(f"{count * len(_SIZES)} combinations", ours("import", "shopify-products", sheet, *place, url=url))
    _line("the same file again", ours("import", "shopify-products", sheet, *place, url=url))
    _line("verify", ours("verify", url=url))


def _line(what: str, spent: Spent) -> None:
    print(
        f"{what:32}{spent.seconds:8.2f} s {spent.processor:8.2f} s of a processor {spent.megabytes:7.0f} MB", flush=True
    )


async def _recreate(url: str, like: str | None) -> None:
    server, name = url.rsplit("/", 1)
    connection = await asyncpg.connect(f"{server}/postgres")
    await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await connection.execute(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{like}"' if like else ""))
    await connection.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--levels", type=int, default=100_000)
    parser.add_argument("--products", type=int, default=20_000)
    parser.add_argument("--postgres", metavar="URL")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        directory = Path(made)
        like, own = directory / "like.db", directory / "own.db"
        asyncio.run(fill(f"sqlite:///{like}", asked.levels))

        def on_sqlite() -> str:
            for rest in directory.glob("own.db*"):
                rest.unlink()
            return f"sqlite:///{shutil.copy(like, own)}"

        print("SQLite")
        measure(on_sqlite, directory, asked.levels, asked.products)
        if asked.postgres:
            empty = f"{asked.postgres}_like"
            asyncio.run(_recreate(empty, None))
            asyncio.run(fill(empty, asked.levels))

            def on_postgres() -> str:
                asyncio.run(_recreate(asked.postgres, empty.rsplit("/", 1)[1]))
                return str(asked.postgres)

            print("PostgreSQL")
            measure(on_postgres, directory, asked.levels, asked.products)


if __name__ == "__main__":
    main()
