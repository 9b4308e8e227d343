"""The stock page in Chromium on a large shop: the time to the first rows, and the CPU time while stock changes.

    GQLSTOCK_TEST_DATABASE_URL=postgres://postgres@127.0.0.1/test PYTHONPATH=tests .venv/bin/python benchmarks/browsing.py

Requires node, Chromium, and ``npm ci`` in tests/clients. The shop is that of growth.py, in a separate database, which is
dropped at the end; with ``--keep`` it stays for the next run. Each page is opened in a new browser context with an empty
cache. Then several clients adjust random levels while the stock page is open: first of all items, then of those that the
page shows.
"""

import argparse
import asyncio
import http.client
import json
import os
import random
import statistics
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grown_shop
import growth
import serving
from gqlstock.config import Config
from gqlstock.services import tokens
from gqlstock.store.db import connection
from gqlstock.store.db.connection import Postgres
from grown_shop import Size
from questions import ADJUST
from support.browser import Browser, is_installed

PAGES = (
    "stock",
    "stock?sort=AVAILABLE",
    "stock?sort=AVAILABLE&dir=desc",
    "stock?sort=UPDATED&dir=desc",
    "stock?show=low",
    "stock?show=out",
    "stock?q=amber%20bowl",
    "orders",
    "orders?show=all",
    "incoming",
    "",
)
_CLIENTS = 4
_PROBES = 8
_RUNS = 7
_AVAILABLE = ".list tbody .available"
_ROWS = ".list tbody tr, .tile"
_FIRST_ROW = f"""new Promise((resolve) => {{
  const check = () => document.querySelector({json.dumps(_ROWS)}) ? resolve(performance.now()) : setTimeout(check, 5);
  check();
}})"""


class Changes:
    """Adjusts random levels of some items in background threads. ``rate``: adjustments per second."""

    def __init__(self, port: int, token: str, skus: Sequence[str], rate: float) -> None:
        self._port, self._token, self._skus, self._pause = port, token, skus, _CLIENTS / rate
        self._stop = threading.Event()
        self.made = 0
        self.failed: list[str] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._change, args=(number,)) for number in range(_CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def adjust(self, connection: http.client.HTTPConnection, sku: str, warehouse: str) -> None:
        change = {"sku": sku, "warehouse": warehouse, "delta": 1}
        body = json.dumps({"query": ADJUST, "variables": {"input": {"changes": [change], "reason": "Found"}}})
        headers = {"authorization": f"Bearer {self._token}", "content-type": "application/json"}
        connection.request("POST", "/graphql", body, headers)
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
        if answer.get("errors") or answer["data"]["adjustStock"]["userErrors"]:
            self.failed.append(json.dumps(answer))
        self.made += 1

    def _change(self, number: int) -> None:
        chance, connection = random.Random(number), http.client.HTTPConnection("127.0.0.1", self._port)
        due = time.monotonic()
        while not self._stop.is_set():
            self.adjust(connection, chance.choice(self._skus), chance.choice(grown_shop.PLACES))
            due += self._pause
            time.sleep(max(0, due - time.monotonic()))


def browser_seconds() -> dict[int, float]:
    """The CPU seconds that each process of the browser has used."""
    taken = {}
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            if b"chrom" in (directory / "cmdline").read_bytes().partition(b"\0")[0]:
                fields = (directory / "stat").read_text().rpartition(")")[2].split()
                taken[int(directory.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        except OSError:
            continue
    return taken


def first_rows(browser: Browser, address: str, token: str) -> list[float]:
    """The milliseconds from the start of the navigation to the first row, for several visits."""
    taken = []
    for _ in range(_RUNS):
        browser("open", f"{address}#token={token}")
        taken.append(float(browser("evaluate", _FIRST_ROW)))
    return taken


def live(browser: Browser, port: int, changes: Changes, seconds: float) -> str:
    """Measure the CPU time of the browser, and the delay until the open page shows a change, while stock changes."""
    delays = []
    with changes.running():
        time.sleep(3)
        before, made, began = browser_seconds(), changes.made, time.monotonic()
        time.sleep(seconds)
        after, took = browser_seconds(), time.monotonic() - began
        rate = (changes.made - made) / took
        http_client = http.client.HTTPConnection("127.0.0.1", port)
        for _ in range(_PROBES):
            sku = browser("text", ".list tbody tr .sku")
            was = browser("text", _AVAILABLE)
            asked = time.monotonic()
            changes.adjust(http_client, sku, grown_shop.PLACES[0])
            browser("gone", f"{_AVAILABLE} >> nth=0 >> text={json.dumps(was)}")
            delays.append(time.monotonic() - asked)
    shares = sorted((100 * (after[pid] - before.get(pid, 0)) / took for pid in after), reverse=True)
    if changes.failed:
        sys.exit(f"{len(changes.failed)} changes failed, such as {changes.failed[0]}")
    return (
        f"{rate:.0f} a second: {sum(shares):.1f} % of a core in all processes of the browser,"
        f" {shares[0]:.1f} % in the busiest; a change is shown after {statistics.median(delays) * 1000:.0f} ms"
        f" (at most {max(delays) * 1000:.0f})"
    )


async def _token(url: Postgres) -> str:
    async with connection.opened(url):
        # The name must be unique, because the database may be from a run with --keep.
        return await tokens.create(f"browsing-{time.time_ns()}", ["admin"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--movements", type=int, default=1_000_000)
    parser.add_argument("--rate", type=float, default=200, help="changes per second (default: 200)")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--keep", action="store_true", help="do not drop the database at the end")
    given = parser.parse_args()
    url = Config.from_env({"GQLSTOCK_DATABASE_URL": os.environ.get("GQLSTOCK_TEST_DATABASE_URL", "")}).database
    if not isinstance(url, Postgres):
        sys.exit("GQLSTOCK_TEST_DATABASE_URL must be the URL of a PostgreSQL database.")
    if not is_installed():
        sys.exit(
            "This benchmark requires node, Chromium at /usr/bin/chromium or in $CHROMIUM, and npm ci in tests/clients."
        )
    size = Size(given.items, given.movements)
    name = "gqlstock_browsing"
    database = Postgres(**{**url.credentials, "database": name})
    asyncio.run(growth.made(database, size))
    address = urlsplit(os.environ["GQLSTOCK_TEST_DATABASE_URL"])._replace(path=f"/{name}").geturl()
    token = asyncio.run(_token(database))
    try:
        with serving.ours(address) as server, Browser() as browser:
            print(f"{size.items:,} items; first rows in ms: median and maximum of {_RUNS} visits")
            for page in PAGES:
                taken = first_rows(browser, f"http://127.0.0.1:{server.port}/{page}", token)
                print(f"/{page:24} {statistics.median(taken):6.0f} {max(taken):6.0f}", flush=True)
            browser("open", f"http://127.0.0.1:{server.port}/stock#token={token}")
            browser("evaluate", _FIRST_ROW)
            counted = [grown_shop.sku(item) for item in range(1, size.items + 1) if grown_shop.is_counted(item)]
            shown = [sku for sku in browser("texts", ".list tbody .sku") if sku in counted]
            for label, skus in (("all items", counted), (f"the {len(shown)} items that the page shows", shown)):
                changes = Changes(server.port, token, skus, given.rate)
                print(f"changes of {label}, {live(browser, server.port, changes, given.seconds)}", flush=True)
    finally:
        if not given.keep:
            asyncio.run(grown_shop.drop(database))


if __name__ == "__main__":
    main()
