"""The clients that people use, from npm: they subscribe, are cut off, connect again by themselves and go on."""

import asyncio
import contextlib
import json
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gqlstock.services import tokens
from support import server_processes
from support import shop_builders as make

CLIENTS = Path(__file__).parents[2] / "clients"
PATIENCE = 20

needs_node = pytest.mark.skipif(
    "CI" not in os.environ and not ((CLIENTS / "node_modules").is_dir() and shutil.which("node")),
    reason="needs node, and npm ci in tests/clients",
)


class Following:
    """A client that follows changes in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def next(self) -> Any:
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            return json.loads(await self._process.stdout.readline())


@contextlib.asynccontextmanager
async def following(protocol: str, url: str, token: str) -> AsyncIterator[Following]:
    process = await asyncio.create_subprocess_exec(
        "node", str(CLIENTS / "follow.mjs"), protocol, url, token, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield Following(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


@needs_node
async def test_the_clients_of_both_protocols_go_on_after_a_crash_and_end_with_their_token(
    db: None, database_env: dict[str, str], tmp_path: Path
) -> None:
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=10)
    token = await make.token("inventory:read", name="dashboard")
    first = server_processes.start(database_env, tmp_path)
    try:
        await server_processes.ready(first)
        async with (
            following("graphql-ws", first.url, token) as over_socket,
            following("graphql-sse", first.url, token) as over_events,
        ):
            clients = (over_socket, over_events)
            # There is no word for being subscribed: changes go on until both have heard one.
            changing = asyncio.create_task(_change_until_stopped())
            heard = [await client.next() for client in clients]
            changing.cancel()
            await asyncio.gather(changing, return_exceptions=True)
            assert heard == [{"sku": "MUG", "quantity": 1}] * 2
            await make.stock("MUG", on_hand=500)
            for client in clients:
                while (await client.next())["quantity"] == 1:
                    pass

            server_processes.kill(first)
            await make.stock("MUG", on_hand=505)
            async with server_processes.running(database_env, tmp_path, first.port):
                await make.stock("MUG", on_hand=495)
                for client in clients:
                    assert [await client.next(), await client.next()] == [
                        {"sku": "MUG", "quantity": 5},
                        {"sku": "MUG", "quantity": -10},
                    ]

                await tokens.revoke("dashboard")
                assert await over_socket.next() == {"closed": 4403, "reason": "The token was revoked or has expired."}
                assert [await over_events.next(), await over_events.next()] == [
                    {"errors": ["UNAUTHENTICATED"]},
                    {"complete": True},
                ]
    finally:
        if first.process.poll() is None:
            server_processes.stop(first)


async def _change_until_stopped() -> None:
    quantity = 10
    while True:
        quantity += 1
        await make.stock("MUG", on_hand=quantity)
        await asyncio.sleep(0.1)
