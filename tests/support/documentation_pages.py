"""The pages that people read, as something that can be run: the documents, commands and answers that stand in them.

Blocks of a page run one after another, each page on the shop that the guide sets up in its first section:

- ``graphql`` is asked by somebody who may do all, ``graphql public`` by anybody; neither may be refused anything.
  ``graphql refused`` is refused something, which the answer behind it tells.
- ``json`` behind one is its answer, ``json pushed`` the next push of the latest subscription; "…" is any value there.
- ``sh`` is one script with all others of its page, which must end well.
- A block whose kind is a path, such as ``ts tests/clients/typed/urql.ts``, is that file.
- Variables stand for what was answered before: ``$hold`` for the id of the latest ``hold``, ``$after`` for the latest cursor,
  ``$token`` for the latest ``accessToken``.
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
    """``where``: its page and line; ``section``: the heading that it stands under."""

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
    """What a script prints and logs; it must end well. Where the page has port 8000 there is one that is free."""
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
            # With what it started, if it did not come to its end.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert code == 0, log.read_text()
    return log.read_text()


class Reader:
    """Somebody who tries everything on a page, from its first block to its last."""

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
        # checkOrder is a query: it tells what would be refused, and is itself not.
        if block.text.lstrip().startswith("mutation"):
            assert bool(refusals) == (block.kind == "refused"), f"{block.where}: {refusals}"
        self._known.update(_named(self._answer))

    async def _subscribes(self, block: Block) -> None:
        await self.leaves()
        # News that was committed before belongs to no push of it.
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
    """As a client reads it."""
    return json.loads(json.dumps(value))


def fits(told: Any, really: Any) -> bool:
    """Whether an answer is the one that is told; "…" in it stands for any value, but not for none."""
    if told == ANY:
        return really is not None
    if isinstance(told, dict) and isinstance(really, dict):
        return told.keys() == really.keys() and all(fits(told[key], really[key]) for key in told)
    if isinstance(told, list) and isinstance(really, list):
        return len(told) == len(really) and all(map(fits, told, really))
    return bool(told == really) and type(told) is type(really)


def _named(answer: Any) -> Iterator[tuple[str, Any]]:
    """What later variables may stand for."""
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
