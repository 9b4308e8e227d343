"""How soon the last of many dashboards on one process has an alert, and what each costs in memory.

    .venv/bin/python benchmarks/subscribers.py [--subscribers 2000]

On SQLite in a directory of its own; server and clients share the machine.
"""

import argparse
import asyncio
import contextlib
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import load
import make
import server
from gqlstock.services import warehouses
from gqlstock.store import database, versions
from gqlstock.store.database import SqliteFile
from live import connected, pushed, send

ALERTS = "subscription { lowInventoryAlerts { cursor alert { id state sku quantityLeft } } }"
_CONNECTING_AT_ONCE = 50


async def measure(subscribers: int, directory: Path) -> None:
    url = SqliteFile(str(directory / "gqlstock.db"))
    await versions.migrate(url)
    async with database.opened(url, everywhere=True):
        await warehouses.ensure_default_organization()
        await make.shop()
        await make.product("MUG")
        await make.stock("MUG", on_hand=10)
        await make.setting(notify_below=5)
        token = await make.token()
        env = {"GQLSTOCK_DATABASE_URL": f"sqlite:///{url.path}"}
        async with server.running(env, directory) as started, contextlib.AsyncExitStack() as stack:
            before = load.memory(started)
            places = asyncio.Semaphore(_CONNECTING_AT_ONCE)

            async def subscribed() -> asyncio.Task[float]:
                async with places:
                    socket = await stack.enter_async_context(connected(started, token, open_timeout=60))
                    await send(socket, id="1", type="subscribe", payload={"query": ALERTS})

                async def heard() -> float:
                    await pushed(socket, patience=120)
                    return time.monotonic()

                return asyncio.create_task(heard())

            reading = await asyncio.gather(*(subscribed() for _ in range(subscribers)))
            await asyncio.sleep(5)
            each = (load.memory(started) - before) * 1024 / subscribers

            raised = time.monotonic()
            await make.stock("MUG", on_hand=4)
            times = sorted(at - raised for at in await asyncio.gather(*reading))

    print(f"{subscribers} subscribers: {each:.0f} KB of memory each")
    print(f"the alert reached the first after {times[0]:.2f} s, half of them after {times[len(times) // 2]:.2f} s,")
    print(f"the last after {times[-1]:.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subscribers", type=int, default=2_000)
    given = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 2 * given.subscribers + 1_000), hard))
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(measure(given.subscribers, Path(directory)))


main()
