"""Runs the documentation: the GraphQL documents, commands and answers on its pages.

Blocks of a page run one after another, each page on the shop that the guide sets up in its first section:

- ``graphql`` is sent with an admin token, ``graphql public`` without a token; neither may be refused anything.
  ``graphql refused`` must be refused; the answer that follows shows how.
- ``json`` after it is its answer, ``json pushed`` the next push of the latest subscription; "…" matches any value.
- All ``sh`` blocks of a page form one script, which must succeed.
- A block with a path, such as ``ts tests/clients/typed/urql.ts``, must equal that file.
- Variables take earlier answers: ``$hold`` is the id of the latest ``hold``, ``$after`` the latest cursor, ``$token`` the
  latest ``accessToken``.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gqlstock.adapters.bus import OneProcess
from gqlstock.delivery.feed import OutboxFeed
from gqlstock.delivery.storefront import Storefront
from gqlstock.graphql.context import Context, Deployment
from gqlstock.graphql.schema.root import build
from gqlstock.rules.scopes import ANONYMOUS, SYSTEM
from support.command_line import PATIENCE
from support.server_processes import free_port
from support.settled_news import settled
from support.subscriptions import Pushes

HOME = Path(__file__).parents[2]
README = HOME / "README.md"
PAGES = [README, *sorted((HOME / "docs").rglob("*.md")), HOME / "examples" / "README.md"]
GUIDE = HOME / "docs" / "guide.md"
SET_UP = "Set up a shop"
ANY = "…"

_BLOCK = re.compile(r"^( *)```(\w+)(.*?)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """``where``: its page and line; ``section``: the heading above it."""

    where: str
    section: str
    language: str
    kind: str
    text: str

    @property
    def is_a_file(self) -> bool:
        return "/" in self.kind


def name(page: Path) -> str:
    return str(page.relative_to(HOME))


def blocks(page: Path) -> list[Block]:
    text = page.read_text()
    return [
        Block(
            where=f"{name(page)}:{text.count(chr(10), 0, found.start()) + 1}",
            section=_section(text[: found.start()]),
            language=found[2],
            kind=found[3].strip(),
            text="".join(f"{line.removeprefix(found[1])}\n" for line in found[4].splitlines()),
        )
        for found in _BLOCK.finditer(text)
    ]


def _section(before: str) -> str:
    return next(iter(re.findall(r"^#+ (.*)$", before, re.MULTILINE)[::-1]), "")


def to_ask(page: Path) -> list[Block]:
    return [
        block for block in blocks(page) if (block.language == "graphql" and not block.is_a_file) or _is_an_answer(block)
    ]


def _is_an_answer(block: Block) -> bool:
    return block.language == "json" and block.kind in ("", "pushed")


def script(page: Path, language: str = "sh") -> str:
    """The page's commands as one script."""
    return "".join(block.text for block in blocks(page) if block.language == language)


def run(script: str, directory: Path, **env: str) -> str:
    """Run a script, which must succeed, and return its output and logs. Port 8000 is replaced by a free one."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    log = directory / "script.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", script.replace("8000", str(free_port()))],
            cwd=directory,
            env={**os.environ, "GQLSTOCK_REDIS_URL": "", **env, "PATH": path},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(PATIENCE * 2)
        finally:
            # Including the processes that it started, if it did not finish.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert code == 0, log.read_text()
    return log.read_text()


class Reader:
    """Runs all blocks of a page, from first to last."""

    def __init__(self, feed: OutboxFeed, storefront: Storefront) -> None:
        self._feed = feed
        self._storefront = storefront
        self._known: dict[str, Any] = {}
        self._answer: Any = None
        self._pushes: Pushes | None = None

    async def tries(self, block: Block) -> None:
        if block.language == "json":
            told = await self._pushed() if block.kind == "pushed" else self._answer
            assert fits(json.loads(block.text), told), (
                f"{block.where}: {json.dumps(told, indent=2, ensure_ascii=False)}"
            )
        elif block.text.lstrip().startswith("subscription"):
            await self._subscribes(block)
        else:
            await self._asks(block)

    async def _asks(self, block: Block) -> None:
        await settled()
        result = await build().execute(block.text, self._variables(block), context_value=self._context(block))
        assert result.errors is None, f"{block.where}: {result.errors}"
        self._answer = plain(result.data)
        payloads = [field for field in self._answer.values() if isinstance(field, dict)]
        refusals = [error for payload in payloads for error in payload.get("userErrors", ())]
        # checkOrder is a query: it reports refusals, and is not refused itself.
        if block.text.lstrip().startswith("mutation"):
            assert bool(refusals) == (block.kind == "refused"), f"{block.where}: {refusals}"
        self._known.update(_named(self._answer))

    async def _subscribes(self, block: Block) -> None:
        await self.leaves()
        # Events that were committed earlier do not belong to its pushes.
        await settled()
        results = await build().subscribe(block.text, self._variables(block), context_value=self._context(block))
        assert not hasattr(results, "errors"), f"{block.where}: {results}"
        self._pushes = Pushes(results)

    async def _pushed(self) -> Any:
        assert self._pushes is not None
        return plain(await self._pushes.next())

    async def leaves(self) -> None:
        if self._pushes is not None:
            await self._pushes.close()

    def _variables(self, block: Block) -> dict[str, Any]:
        return {name: self._known[name] for name in re.findall(r"\$(\w+): ", block.text)}

    def _context(self, block: Block) -> Context:
        caller = ANONYMOUS if block.kind == "public" else SYSTEM
        return Context(Deployment(self._feed, self._storefront), caller=caller)


@contextlib.asynccontextmanager
async def reader() -> AsyncIterator[Reader]:
    feed = OutboxFeed(OneProcess())
    storefront = Storefront(feed)
    async with feed.running(), storefront.running():
        one = Reader(feed, storefront)
        try:
            yield one
        finally:
            await one.leaves()


def plain(value: Any) -> Any:
    """The value as a client reads it."""
    return json.loads(json.dumps(value))


def fits(told: Any, really: Any) -> bool:
    """Whether an answer matches the documented one, in which "…" matches any value except null."""
    if told == ANY:
        return really is not None
    if isinstance(told, dict) and isinstance(really, dict):
        return told.keys() == really.keys() and all(fits(told[key], really[key]) for key in told)
    if isinstance(told, list) and isinstance(really, list):
        return len(told) == len(really) and all(map(fits, told, really))
    return bool(told == really) and type(told) is type(really)


def _named(answer: Any) -> Iterator[tuple[str, Any]]:
    """The values that later variables can take."""
    if isinstance(answer, list):
        for value in answer:
            yield from _named(value)
    if isinstance(answer, dict):
        for key, value in answer.items():
            if key in ("endCursor", "cursor") and value is not None:
                yield "after", value
            if key == "accessToken" and value is not None:
                yield "token", value
            if isinstance(value, dict) and "id" in value:
                yield key, value["id"]
            yield from _named(value)
