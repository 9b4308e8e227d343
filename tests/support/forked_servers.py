"""Server processes that start in a moment: one process has imported gqlstock, and each server is a fork of it."""

import asyncio
import contextlib
import multiprocessing
import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from multiprocessing.process import BaseProcess

import httpx
import uvicorn

import server
from gqlstock import app
from support import planted_bugs

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload([__name__])


@dataclass(frozen=True)
class Fork:
    port: int
    process: BaseProcess


@contextlib.asynccontextmanager
async def forked(env: Mapping[str, str], bug: str | None = None) -> AsyncIterator[Fork]:
    """A server, ready for the block; with a bug planted in it if one is named."""
    port = server.free_port()
    process = _forks.Process(target=_serve, args=(dict(env), port, bug), daemon=True)
    process.start()
    try:
        await _ready(port, process)
        yield Fork(port, process)
    finally:
        process.terminate()
        await asyncio.to_thread(process.join, 5)
        if process.is_alive():
            process.kill()
            await asyncio.to_thread(process.join)


def _serve(env: Mapping[str, str], port: int, bug: str | None) -> None:
    os.environ.update({"GQLSTOCK_LOG_LEVEL": "warning", **env})
    if bug is not None:
        plant, _ = planted_bugs.BUGS[bug]
        plant()
    uvicorn.run(app.from_env, factory=True, port=port, log_level="warning", timeout_graceful_shutdown=1)


async def _ready(port: int, process: BaseProcess) -> None:
    async with asyncio.timeout(server.PATIENCE), httpx.AsyncClient(verify=False) as client:
        while True:
            assert process.is_alive(), "the server has ended"
            with contextlib.suppress(httpx.TransportError):
                if (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200:
                    return
            await asyncio.sleep(0.05)
