"""Imports and exports of level and product files, and setStock with a thousand rows, compared with a hand-written upsert.

    .venv/bin/python benchmarks/bulk.py [--levels 100000] [--products 20000] [--postgres postgres://…/name]

Each file is processed by a new process. Prints seconds including startup, CPU seconds and peak memory. SQLite runs in a
temporary directory; the PostgreSQL database is recreated. This module imports nothing of gqlstock: a child process would
count its parent's memory as its own peak.
"""

import argparse
import asyncio
import csv
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

_HERE = Path(__file__).parent
# Runs a module and finally prints its peak memory in KB.
_RUN = """import atexit, runpy, sys
sys.argv = sys.argv[1:]
peak = lambda: open("/proc/self/status").read().split("VmHWM:")[1].split()[0]
atexit.register(lambda: print(peak(), file=sys.stderr))
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)"""
_SIZES = ("S", "M", "L", "XL", "XXL")
_COLUMNS = (
    *("Handle", "Title", "Type", "Option1 Name", "Option1 Value", "Variant SKU"),
    *("Variant Inventory Tracker", "Variant Inventory Qty", "Variant Inventory Policy"),
)
_SET_STOCK = """mutation ($counts: [StockCountInput!]!) {
  setStock(input: { counts: $counts }) { inventoryLevels { onHand } userErrors { message } }
}"""
_PORT = 8931


@dataclass(frozen=True, slots=True)
class Spent:
    seconds: float
    processor: float
    megabytes: float


def run(*command: str, url: str) -> Spent:
    """Run a module as a process and measure it."""
    env = {**os.environ, "GQLSTOCK_DATABASE_URL": url, "PYTHONPATH": str(_HERE)}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", _RUN, *command], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    output = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} exited with {process.returncode}:\n{output}")
    return Spent(time.perf_counter() - began, usage.ru_utime + usage.ru_stime, int(output.split()[-1]) / 1024)


def ours(*arguments: str, url: str) -> Spent:
    return run("gqlstock.cli", *arguments, url=url)


def fill(url: str, products: int) -> str:
    command = [sys.executable, str(_HERE / "items.py"), url, str(products)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _sku(number: int) -> str:
    return f"P{number:07}"


def write(file: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    with file.open("w", encoding="utf-8", newline="") as target:
        sheet = csv.writer(target)
        sheet.writerow(columns)
        sheet.writerows(rows)
    return str(file)


def levels(file: Path, products: int, more: int) -> str:
    rows = ((_sku(number), "BERLIN", number * 7 % 100 + more) for number in range(products))
    return write(file, ("sku", "warehouse", "on_hand"), rows)


def products(file: Path, count: int) -> str:
    rows = (
        (
            f"tee-{number}",
            *((f"Tee {number}", "Shirts", "Size") if size == "S" else ("", "", "")),
            *(size, f"TEE{number}-{size}", "shopify", number % 40, "deny"),
        )
        for number in range(count)
        for size in _SIZES
    )
    return write(file, _COLUMNS, rows)


def measure(renew: Callable[[], str], token: str, directory: Path, items: int, count: int) -> None:
    """Measure one database: each file with the hand-written code and with gqlstock, from the same state."""
    first, second = (levels(directory / f"{more}.csv", items, more) for more in (1, 2))
    by_hand = renew()
    hands = [run("upsert", by_hand, file, url=by_hand) for file in (first, second)]
    url = renew()
    own = [ours("import", "levels", file, url=url) for file in (first, second)]
    for what, hand, one in zip(("new levels", "other counts"), hands, own, strict=True):
        _line(f"{items} {what} by hand", hand)
        _line(f"{items} {what}", one)
        print(
            f"{'':32}{one.seconds / hand.seconds:8.1f} times the duration, {one.processor / hand.processor:.1f} times the CPU"
        )
    _line("the same file again", ours("import", "levels", second, url=url))
    _line("export levels", ours("export", "levels", str(directory / "out.csv"), url=url))
    sheet, place = products(directory / "products.csv", count), ("--warehouse", "BERLIN")
    _line(f"{count * len(_SIZES)} combinations", ours("import", "shopify-products", sheet, *place, url=url))
    _line("the same file again", ours("import", "shopify-products", sheet, *place, url=url))
    _line("verify", ours("verify", url=url))
    new, again = set_stock(renew(), token)
    print(f"setStock of 1,000 rows over HTTP: {new:.0f} ms for new levels, {again:.0f} ms for existing ones")


def _line(what: str, spent: Spent) -> None:
    print(f"{what:32}{spent.seconds:8.2f} s {spent.processor:8.2f} s CPU {spent.megabytes:6.0f} MB", flush=True)


def set_stock(url: str, token: str) -> tuple[float, float]:
    """The milliseconds of the first call to a server, and the median of ten more."""
    command = [sys.executable, "-m", "gqlstock.cli", "serve", "--port", str(_PORT)]
    env = {**os.environ, "GQLSTOCK_DATABASE_URL": url, "GQLSTOCK_LOG_LEVEL": "warning"}
    server = subprocess.Popen(command, env=env)
    try:
        wait(_PORT)
        took = [_set_stock(token, on_hand) for on_hand in range(1, 12)]
    finally:
        server.terminate()
        server.wait()
    return took[0], statistics.median(took[1:])


def _set_stock(token: str, on_hand: int) -> float:
    counts = [{"sku": _sku(number), "warehouse": "BERLIN", "onHand": on_hand} for number in range(1_000)]
    body = json.dumps({"query": _SET_STOCK, "variables": {"counts": counts}}).encode()
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    began = time.perf_counter()
    with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{_PORT}/graphql", body, headers)) as answer:
        content = json.load(answer)
    took = (time.perf_counter() - began) * 1_000
    assert "errors" not in content, content
    assert not content["data"]["setStock"]["userErrors"], content
    return took


def wait(port: int) -> None:
    """Wait until the server of a port is ready."""
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz").close()
            return
        except urllib.error.URLError:
            time.sleep(0.1)


async def recreate(url: str, like: str | None) -> None:
    """Make the database of a URL anew, as a copy of another one if one is named."""
    server, name = url.rsplit("/", 1)
    connection = await asyncpg.connect(f"{server}/postgres")
    await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await connection.execute(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{like}"' if like else ""))
    await connection.close()


def on_sqlite(directory: Path, items: int, count: int) -> None:
    like, own = directory / "like.db", directory / "own.db"
    token = fill(f"sqlite:///{like}", items)

    def renew() -> str:
        for rest in directory.glob("own.db*"):
            rest.unlink()
        return f"sqlite:///{shutil.copy(like, own)}"

    measure(renew, token, directory, items, count)


def on_postgres(url: str, directory: Path, items: int, count: int) -> None:
    like = f"{url}_like"
    asyncio.run(recreate(like, None))
    token = fill(like, items)

    def renew() -> str:
        asyncio.run(recreate(url, like.rsplit("/", 1)[1]))
        return url

    measure(renew, token, directory, items, count)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--levels", type=int, default=100_000)
    parser.add_argument("--products", type=int, default=20_000)
    parser.add_argument("--postgres", metavar="URL")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        print("SQLite")
        on_sqlite(Path(made), args.levels, args.products)
        if args.postgres:
            print("PostgreSQL")
            on_postgres(args.postgres, Path(made), args.levels, args.products)


if __name__ == "__main__":
    main()
