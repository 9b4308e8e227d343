"""Changes of stock at a steady pace, and what they do to a server meanwhile."""

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
    """That many items with plenty of stock in BERLIN."""
    skus = [f"ITEM{number:03}" for number in range(count)]
    for sku in skus:
        await make.product(sku)
        await make.stock(sku, on_hand=1_000)
    return skus


class Changes:
    """How many changes were answered so far."""

    def __init__(self) -> None:
        self.count = 0


@contextlib.asynccontextmanager
async def changing(
    servers: Sequence[Server], token: str, skus: Sequence[str], per_second: int, *, reason: str | None = None
) -> AsyncIterator[Changes]:
    """Change these items, all at once, as many times a second as makes that many changes; each server in turn."""
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
            # Those that are on their way are waited for: they would still be committed.
            stopped.set()
            await running


def narrow(to: Server) -> socket.socket:
    """A connection on which little is on its way to who does not read."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
    made.connect(("127.0.0.1", to.port))
    made.setblocking(False)
    return made


def memory(of: Server) -> float:
    """How many megabytes a server's process has in memory."""
    for line in Path(f"/proc/{of.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("the process has ended")
