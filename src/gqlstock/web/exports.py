"""Streamed exports: a complete list as JSON Lines. The first line is a cursor of the feed.

Clients that read all rows and then the feed after the cursor miss nothing. An interrupted stream lacks HTTP's final chunk,
so that no client mistakes it for a complete one.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gqlstock import streaming
from gqlstock.rules.scopes import Caller
from gqlstock.services import exports
from gqlstock.services.exports import Kind

MEDIA_TYPE = "application/jsonl"
_HEADERS = {
    "cache-control": "no-store, no-transform",
    "x-content-type-options": "nosniff",
    # Keeps nginx from buffering the stream in a file.
    "x-accel-buffering": "no",
}
# Each stream uses a good part of a CPU core.
_MOST_AT_ONCE = 4
_SECONDS_TO_WAIT = 5

Admit = Callable[[str | None, str | None], Awaitable[Caller]]
"""Returns the caller for an Authorization header and a client address; raises ``NotAdmitted``."""
Lasting = Callable[[str | None], contextlib.AbstractAsyncContextManager[asyncio.Event]]
"""A context for the lifetime of a connection. Its event is set when the token expires or is revoked."""


class NotAdmitted(Exception):
    """A request that was refused. The response has the format of GraphQL errors."""

    def __init__(self, status: int, message: str, code: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers

    def response(self) -> Response:
        content = {"errors": [{"message": str(self), "extensions": {"code": self.code}}]}
        return JSONResponse(content, self.status, {"cache-control": "no-store", **(self.headers or {})})


def routes(admit: Admit, lasting: Lasting) -> list[Route]:
    """A route for each kind of export that can be streamed."""
    running = _Running()
    return [Route(f"/export/{kind.value}.jsonl", _endpoint(kind, admit, lasting, running)) for kind in exports.SCOPES]


class _Running:
    """The number of streams that this process is sending."""

    def __init__(self) -> None:
        self.count = 0


def _endpoint(
    kind: Kind, admit: Admit, lasting: Lasting, running: _Running
) -> Callable[[Request], Awaitable[Response]]:
    async def respond(request: Request) -> Response:
        authorization = request.headers.get("authorization")
        try:
            caller = await admit(authorization, request.client.host if request.client else None)
            _require(caller, kind)
            if running.count >= _MOST_AT_ONCE:
                message = f"{running.count} exports are already running, the maximum. Try again later."
                raise NotAdmitted(429, message, "TOO_MANY_REQUESTS", {"retry-after": str(_SECONDS_TO_WAIT)})
        except NotAdmitted as error:
            return error.response()
        if request.method == "HEAD":
            return Response(headers=_HEADERS, media_type=MEDIA_TYPE)
        return _Stream(exports.stream(kind, caller), lasting(authorization), running)

    return respond


def _require(caller: Caller, kind: Kind) -> None:
    scope = exports.SCOPES[kind]
    if caller.may(scope):
        return
    if not caller.authenticated:
        message = f"A token with the scope {scope.value} is required."
        raise NotAdmitted(401, message, "UNAUTHENTICATED", {"www-authenticate": "Bearer"})
    raise NotAdmitted(403, f"The scope {scope.value} is required, and the token does not have it.", "FORBIDDEN")


class _Stream(Response):
    """Sends an export until it ends, the client disconnects or its token becomes invalid."""

    def __init__(
        self,
        parts: AsyncIterator[bytes],
        lasting: contextlib.AbstractAsyncContextManager[asyncio.Event],
        running: _Running,
    ) -> None:
        super().__init__(headers=_HEADERS, media_type=MEDIA_TYPE)
        del self.headers["content-length"]
        self._parts = parts
        self._lasting = lasting
        self._running = running

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._running.count += 1
        try:
            async with self._lasting as over:
                sending = asyncio.create_task(self._send(send))
                tasks = [sending, asyncio.create_task(streaming.gone(receive)), asyncio.create_task(over.wait())]
                await streaming.until_one_ends(tasks)
            if not sending.cancelled():
                sending.result()
        finally:
            self._running.count -= 1

    async def _send(self, send: Send) -> None:
        async with contextlib.aclosing(self._parts) as parts:  # type: ignore[type-var]
            # Read the first part before starting the response, so that a failing database yields an error response.
            part = await anext(parts)
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await send(streaming.part(part))
            async for part in parts:
                await send(streaming.part(part))
        await send({"type": "http.response.body", "body": b"", "more_body": False})
