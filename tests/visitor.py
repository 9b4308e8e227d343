"""A person at a page: real Chromium by playwright-core from npm, and a place that serves pages as they lie on disk."""

import asyncio
import contextlib
import functools
import json
import os
import shutil
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

CLIENTS = Path(__file__).parent / "clients"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
PATIENCE = 30

needs_chromium = pytest.mark.skipif(
    not ((CLIENTS / "node_modules" / "playwright-core").is_dir() and shutil.which("node") and shutil.which(CHROMIUM)),
    reason="needs Chromium, node, and npm ci in tests/clients",
)


class Person:
    """Does one thing after another; nothing on the page may go wrong meanwhile."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def do(self, act: str, given: Any = None) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({act: given}).encode() + b"\n")
        async with asyncio.timeout(PATIENCE):
            line = await self._process.stdout.readline()
        answer = json.loads(line)
        assert (answer.get("failed"), answer["wrong"]) == (None, [])
        return answer["told"]

    async def opens(self, url: str) -> None:
        await self.do("open", url)

    async def fills(self, selector: str, text: str) -> None:
        await self.do("fill", [selector, text])

    async def clicks(self, selector: str) -> None:
        await self.do("click", selector)

    async def reads(self, selector: str) -> str:
        return str(await self.do("text", selector))

    async def sees(self, selector: str, text: str) -> None:
        """Waits until it says that, and nothing else."""
        await self.do("until", [selector, text])


@contextlib.asynccontextmanager
async def person() -> AsyncIterator[Person]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec("node", str(CLIENTS / "browse.mjs"), stdin=pipe, stdout=pipe)
    try:
        yield Person(process)
    finally:
        # The end of what it is told: it closes its browser, and then itself.
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.communicate(), PATIENCE)
        except TimeoutError:
            process.kill()
            await process.communicate()


@contextlib.contextmanager
def pages(directory: Path) -> Iterator[str]:
    """Where the files of a directory are served, as ``python -m http.server`` does it."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=directory)) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_address[1]}"
        serving.shutdown()
