"""Finished answers of queries: named by the bytes of their requests, sent again as long as they are current.

``stock.cache`` decides whether one is. Everything else about a request happens each time: admission, log and figures.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from gqlstock.graphql.http import observed
from gqlstock.graphql.http.requests import HttpRequest
from gqlstock.rules.scopes import Caller
from gqlstock.stock.cache import ANSWER
from gqlstock.stock.reading import Reading

Name = tuple[Any, ...]

_BYTES_PER_ANSWER = 1_000
_VARY = b"authorization, accept"


@dataclass(frozen=True, slots=True)
class Answer:
    """A body without errors, and what it answers, for log and figures."""

    body: bytes
    asked: tuple[str | None, str, str] | None


def name(request: HttpRequest, asked: bytes, media_type: str, caller: Caller) -> Name:
    """The name of the answer to a request. Anonymous callers share their answers, and nobody else does."""
    return ANSWER, request.method, asked, media_type, caller.identity if caller.authenticated else None


async def find(read: Reading, named: Name, caller: Caller) -> Answer | None:
    """A kept answer that is current."""
    entry = await read.answer(named)
    if entry is None:
        return None
    answer: Answer = entry.value
    observed.answered_again(answer.asked, caller)
    return answer


def keep(read: Reading, named: Name, body: bytes) -> None:
    """Keep an answer without errors, if all that it depends on is known."""
    size = len(body) + len(named[2]) + _BYTES_PER_ANSWER
    read.keep_answer(named, Answer(body, observed.asked()), size)


class InProgress:
    """The queries that are being executed. A request for one of them waits, and takes its answer if that is current then.

    Without it, a page is computed by everyone who asks for it in the moment after it has changed.
    """

    def __init__(self) -> None:
        self._running: dict[Name, asyncio.Event] = {}

    async def find(self, read: Reading, named: Name, caller: Caller) -> Answer | None:
        """A kept answer that is current. Waits for the query of that name, if it is being executed."""
        await self._wait(named, read)
        found = await find(read, named, caller)
        # Others may have begun while this one validated.
        return await find(read, named, caller) if found is None and await self._wait(named, read) else found

    async def _wait(self, named: Name, read: Reading) -> bool:
        """Returns whether it was being executed. The read begins anew then."""
        running = self._running.get(named)
        if running is None:
            return False
        await running.wait()
        await read.begin_again()
        return True

    @contextlib.contextmanager
    def running(self, named: Name) -> Iterator[None]:
        """The query of that name is executed in the block."""
        if named in self._running:
            # It was outdated when it was there, or cannot be kept: nobody waits twice.
            yield
            return
        self._running[named] = done = asyncio.Event()
        try:
            yield
        finally:
            del self._running[named]
            done.set()


class Response:
    """An answer that is sent in one piece."""

    __slots__ = ("_body", "_headers", "_status")

    def __init__(self, body: bytes, headers: list[tuple[bytes, bytes]], status: int = 200) -> None:
        self._body = body
        self._headers = headers
        self._status = status

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self._status, "headers": self._headers})
        await send({"type": "http.response.body", "body": self._body})


def response(request: HttpRequest, body: bytes, media_type: str, *, shared: bool = True) -> ASGIApp:
    """An answer without errors. One to GET has an ETag, so that caches may keep it and ask whether it is current.

    ``shared``: False for an answer that only the caller's own cache may keep, whoever the caller is.
    """
    headers = [
        (b"content-length", b"%d" % len(body)),
        (b"content-type", b"%s; charset=utf-8" % media_type.encode()),
    ]
    if request.method != "GET":
        return Response(body, headers)
    tag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
    private = b"" if shared and request.header(b"authorization") is None else b"private, "
    cached = [(b"etag", tag.encode()), (b"cache-control", private + b"no-cache"), (b"vary", _VARY)]
    if _matches(request.header(b"if-none-match") or "", tag):
        return Response(b"", cached, status=304)
    return Response(body, headers + cached)


def _matches(condition: str, tag: str) -> bool:
    """Whether an If-None-Match names a tag; weak tags count, as RFC 9110 says."""
    named = [one.strip().removeprefix("W/") for one in condition.split(",")]
    return tag in named or "*" in named
