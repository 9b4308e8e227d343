"""Server processes that start fast: one process has imported gqlstock, and each server is a fork of it."""

import asyncio
import contextlib
import multiprocessing
import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from multiprocessing.process import BaseProcess

import httpx
import uvicorn

from gqlstock import app
from support import planted_bugs, server_processes

_UVICORN = [
    *("uvicorn", "uvicorn.lifespan.on", "uvicorn.loops.auto"),
    *("uvicorn.protocols.http.auto", "uvicorn.protocols.websockets.auto"),
]
# The first one waits for all imports.
_PATIENCE = 60
_forks = multiprocessing.get_context("forkserver")
# Not this module: the forking process does not have the tests' module path. A fork considers pytest its main module.
_forks.set_forkserver_preload(
    ["gqlstock.app", "gqlstock.store.db.postgres", "gqlstock.store.db.sqlite", "pytest", *_UVICORN]
)


@dataclass(frozen=True)
class Fork:
    port: int
    process: BaseProcess


@contextlib.asynccontextmanager
async def forked(env: Mapping[str, str], bug: str | None = None) -> AsyncIterator[Fork]:
    """A running server, with a planted bug if one is named."""
    port = server_processes.free_port()
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
        planted_bugs.plant(bug)
    # Keep-alive is as long as clients may be idle on a busy machine.
    uvicorn.run(
        app.from_env,
        factory=True,
        port=port,
        log_level="warning",
        timeout_graceful_shutdown=1,
        timeout_keep_alive=600,
    )


async def _ready(port: int, process: BaseProcess) -> None:
    async with asyncio.timeout(_PATIENCE), httpx.AsyncClient(verify=False) as client:
        while True:
            assert process.is_alive(), "the server has ended"
            with contextlib.suppress(httpx.TransportError):
                if (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200:
                    return
            await asyncio.sleep(0.05)
