"""Cached answers to queries: keyed by the bytes of the request, and reused while they are current.

``stock.cache`` validates them. Admission, logging and metrics happen for every request.
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
    """A response body without errors, and the operation that it answers, for log and metrics."""

    body: bytes
    asked: tuple[str | None, str, str] | None


def name(request: HttpRequest, asked: bytes, media_type: str, caller: Caller) -> Name:
    """The cache key of a request's answer. Anonymous callers share answers; authenticated callers do not."""
    return ANSWER, request.method, asked, media_type, caller.identity if caller.authenticated else None


async def find(read: Reading, named: Name, caller: Caller) -> Answer | None:
    """The cached answer, if it is current."""
    entry = await read.answer(named)
    if entry is None:
        return None
    answer: Answer = entry.value
    observed.answered_again(answer.asked, caller)
    return answer


def keep(read: Reading, named: Name, body: bytes) -> None:
    """Cache an answer without errors, if all its dependencies are known."""
    size = len(body) + len(named[2]) + _BYTES_PER_ANSWER
    read.keep_answer(named, Answer(body, observed.asked()), size)


class InProgress:
    """The queries that are being executed. An equal request waits, and reuses the answer if it is still current.

    This prevents a stampede: many clients that request a page right after it has changed would all compute it.
    """

    def __init__(self) -> None:
        self._running: dict[Name, asyncio.Event] = {}

    async def find(self, read: Reading, named: Name, caller: Caller) -> Answer | None:
        """The cached answer, if it is current. Waits if an equal query is being executed."""
        await self._wait(named, read)
        found = await find(read, named, caller)
        # Another request may have started the query during the validation.
        return await find(read, named, caller) if found is None and await self._wait(named, read) else found

    async def _wait(self, named: Name, read: Reading) -> bool:
        """Wait for an equal query and restart the read. Returns whether there was one."""
        running = self._running.get(named)
        if running is None:
            return False
        await running.wait()
        await read.begin_again()
        return True

    @contextlib.contextmanager
    def running(self, named: Name) -> Iterator[None]:
        """Execute a query in the block."""
        if named in self._running:
            # The first answer was stale or cannot be cached. Requests do not wait a second time.
            yield
            return
        self._running[named] = done = asyncio.Event()
        try:
            yield
        finally:
            del self._running[named]
            done.set()


class Response:
    """A response that is sent in one piece."""

    __slots__ = ("_body", "_headers", "_status")

    def __init__(self, body: bytes, headers: list[tuple[bytes, bytes]], status: int = 200) -> None:
        self._body = body
        self._headers = headers
        self._status = status

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self._status, "headers": self._headers})
        await send({"type": "http.response.body", "body": self._body})


def response(request: HttpRequest, body: bytes, media_type: str, *, shared: bool = True) -> ASGIApp:
    """The HTTP response for an answer without errors. Responses to GET have an ETag, so that caches can revalidate them.

    ``shared``: False for an answer that only private caches may store.
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
    """Whether If-None-Match contains the tag. Weak tags match as well (RFC 9110)."""
    named = [one.strip().removeprefix("W/") for one in condition.split(",")]
    return tag in named or "*" in named
