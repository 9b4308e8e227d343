"""Changes stock at a steady rate, and measures the server meanwhile."""

import asyncio
import contextlib
import itertools
import socket
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from support import server_processes
from support import shop_builders as make
from support.server_processes import Server

_ADJUST = """mutation ($input: AdjustStockInput!) { adjustStock(input: $input) { userErrors { message } } }"""


async def stocked(count: int) -> list[str]:
    """Create items with plenty of stock in BERLIN."""
    skus = [f"ITEM{number:03}" for number in range(count)]
    for sku in skus:
        await make.product(sku)
        await make.stock(sku, on_hand=1_000)
    return skus


class Changes:
    """The number of answered changes so far."""

    def __init__(self) -> None:
        self.count = 0


@contextlib.asynccontextmanager
async def changing(
    servers: Sequence[Server], token: str, skus: Sequence[str], per_second: int, *, reason: str | None = None
) -> AsyncIterator[Changes]:
    """Change all of these items at once, as often as the rate requires, on each server in turn."""
    made = Changes()
    turns = itertools.cycle(servers)
    pause = len(skus) / per_second

    async with server_processes.client(token) as http:

        async def change(delta: int) -> None:
            rows = [{"sku": sku, "warehouse": "BERLIN", "delta": delta} for sku in skus]
            given = {"reason": reason, "changes": rows}
            data = await server_processes.ask(http, next(turns), _ADJUST, input=given)
            assert data["adjustStock"]["userErrors"] == []
            made.count += len(skus)

        stopped = asyncio.Event()

        async def keep_changing() -> None:
            due = time.monotonic()
            async with asyncio.TaskGroup() as tasks:
                for number in itertools.count():
                    if stopped.is_set():
                        return
                    tasks.create_task(change(1 if number % 2 else 2))
                    due += pause
                    await asyncio.sleep(max(0.0, due - time.monotonic()))

        running = asyncio.create_task(keep_changing())
        try:
            yield made
        finally:
            # Requests in flight are awaited: they would still commit.
            stopped.set()
            await running


def narrow(to: Server) -> socket.socket:
    """A connection with small buffers, so little is in flight to a client that does not read."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
    made.connect(("127.0.0.1", to.port))
    made.setblocking(False)
    return made


def memory(of: Server) -> float:
    """The resident memory of a server process, in megabytes."""
    for line in Path(f"/proc/{of.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("the process has ended")
