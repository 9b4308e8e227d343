"""A subscriber that stops reading while stock changes 500 times per second: server memory, and the delay of another one.

    .venv/bin/python benchmarks/slow_reader.py [--seconds 60] [--per-second 500]

Uses SQLite in a temporary directory. Server, changes and clients share the machine.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from gqlstock.services import warehouses
from gqlstock.store.db import connection, versions
from gqlstock.store.db.connection import SqliteFile
from gqlstock.store.inventory import StockMovement
from support import load_generator, server_processes
from support import shop_builders as make
from support.subscriptions import connected, pushed, subscribe

CHANGES = "subscription { inventoryChanges { cursor changedAt movement { id } } }"
# Each event has a few kilobytes, so unread ones soon fill the buffers.
REASONS = " ".join(f"m{number}: movement {{ reason }}" for number in range(3))
LARGE = f"subscription {{ inventoryChanges {{ cursor movement {{ id }} {REASONS} }} }}"
_ITEMS = 50


async def measure(seconds: int, per_second: int, directory: Path) -> None:
    url = SqliteFile(str(directory / "gqlstock.db"))
    await versions.migrate(url)
    async with connection.opened(url, everywhere=True):
        await warehouses.ensure_default_organization()
        await make.shop()
        skus = await load_generator.stocked(_ITEMS)
        token = await make.token()
        env = {"GQLSTOCK_DATABASE_URL": f"sqlite:///{url.path}"}
        async with (
            server_processes.running(env, directory) as started,
            connected(started, token, max_queue=1, ping_interval=None, sock=load_generator.narrow(started)) as stalled,
            connected(started, token) as reading,
        ):
            await subscribe(reading, CHANGES)
            await subscribe(stalled, LARGE)
            late: list[float] = []

            async def listen() -> None:
                while True:
                    change = await pushed(reading)
                    late.append(time.time() - datetime.fromisoformat(change["changedAt"]).timestamp())

            listening = asyncio.create_task(listen())
            memory = []
            async with load_generator.changing([started], token, skus, per_second, reason="x" * 900) as made:
                for _ in range(seconds):
                    await asyncio.sleep(1)
                    memory.append(load_generator.memory(started))
            await asyncio.sleep(2)
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            moved = await StockMovement.all().count() - _ITEMS
            began, ids = time.monotonic(), set[str]()
            while len(ids) < moved:
                ids.add((await pushed(stalled))["movement"]["id"])
            caught_up = time.monotonic() - began

    late.sort()
    after = max(1, min(10, seconds // 3))
    print(f"{made.count} changes in {seconds} s, {len(late)} of {moved} received live by the other subscriber:")
    print(f"median delay {late[len(late) // 2] * 1000:.0f} ms, 99th percentile ", end="")
    print(f"{late[len(late) * 99 // 100] * 1000:.0f} ms, maximum {late[-1] * 1000:.0f} ms")
    print(f"the server's memory: {memory[after - 1]:.0f} MB after {after} s, ", end="")
    print(f"peak {max(memory):.0f} MB, {memory[-1]:.0f} MB at the end")
    print(f"the stopped subscriber then read all {len(ids)} in {caught_up:.1f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--per-second", type=int, default=500)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(measure(given.seconds, given.per_second, Path(directory)))


main()
