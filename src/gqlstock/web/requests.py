"""Gives each request and websocket an id, sent in the response and logged with each line, and writes an access log line.

The line identifies the operation by its name and the caller by the token's name. It never contains variables, tokens or
query strings, which may contain either.
"""

import logging
import random
import re
import time
from collections.abc import Sequence
from typing import Any, Protocol

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gqlstock import logs, trail
from gqlstock.services import status as database
from gqlstock.trail import Operation, Trail

log = logging.getLogger("gqlstock.access")

_HEADER = b"x-request-id"
_PARENT = b"traceparent"
_VALID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
# Paths that monitoring polls every few seconds.
_QUIET = ("/healthz", "/readyz", "/metrics")

_LONGEST_PATH = 200
_FAILED = 500
_UNAVAILABLE = 503
_BROKEN = 1011
_TRY_AGAIN_LATER = 1013
_NEVER_CLOSED = 1006


class Observer(Protocol):
    def began(self, of: Trail, operation: Operation) -> None:
        """An operation's name and kind are known."""

    def ended(self, of: Trail, operation: Operation) -> None:
        """An operation was answered, or a subscription ended."""

    def answered(self, status: int) -> None:
        """An HTTP request was answered."""


class Requests:
    """Notifies observers of each GraphQL operation and each HTTP response."""

    def __init__(self, app: ASGIApp, observers: Sequence[Observer]) -> None:
        self._app = app
        self._observers = observers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        of = self._trail(scope, "http")
        trail.current.set(of)
        started = time.perf_counter()
        status = _FAILED
        begun = False

        async def answer(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                status, begun = message["status"], True
                message["headers"] = [*message.get("headers", ()), (_HEADER, of.id.encode())]
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except Exception as error:
            where = "before the response" if not begun else "during the response"
            message = logs.incident(log, where, error, database.outage(error))
            if begun:
                raise
            await _failed(message, is_away=database.is_away(error))(scope, receive, answer)
        finally:
            for observer in self._observers:
                observer.answered(status)
            level = logging.DEBUG if scope["path"] in _QUIET else logging.INFO
            if log.isEnabledFor(level):
                _line(level, scope, scope["method"], status, started, of.operation)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        of = self._trail(scope, "websocket")
        trail.current.set(of)
        started = time.perf_counter()
        code = _NEVER_CLOSED

        async def asked() -> Message:
            nonlocal code
            message = await receive()
            if message["type"] == "websocket.disconnect" and code == _NEVER_CLOSED:
                code = message.get("code") or code
            return message

        async def answer(message: Message) -> None:
            nonlocal code
            if message["type"] == "websocket.accept":
                message["headers"] = [*message.get("headers", ()), (_HEADER, of.id.encode())]
            elif message["type"] == "websocket.close":
                code = message.get("code", 1000)
            await send(message)

        try:
            await self._app(scope, asked, answer)
        except Exception as error:
            logs.incident(log, "on a websocket", error, database.outage(error))
            if code == _NEVER_CLOSED:
                closing = _TRY_AGAIN_LATER if database.is_away(error) else _BROKEN
                await answer({"type": "websocket.close", "code": closing})
        finally:
            if log.isEnabledFor(logging.INFO):
                _line(logging.INFO, scope, "WEBSOCKET", code, started, None)

    def _trail(self, scope: Scope, transport: str) -> Trail:
        """A new trail. Its id is that of the request's header if it is safe to log, else a random one."""
        request_id = parent = None
        for name, value in scope["headers"]:
            if name == _HEADER and _VALID.fullmatch(value):
                request_id = str(value, "ascii")
            elif name == _PARENT:
                parent = str(value, "latin-1")
        request_id = request_id or f"{random.getrandbits(64):016x}"
        return Trail(request_id, transport, self._operation_began, self._operation_ended, parent)

    def _operation_began(self, of: Trail, operation: Operation) -> None:
        for observer in self._observers:
            observer.began(of, operation)

    def _operation_ended(self, of: Trail, operation: Operation) -> None:
        """Notify observers. An operation on a websocket also gets a log line of its own."""
        for observer in self._observers:
            observer.ended(of, operation)
        if of.transport == "websocket" and log.isEnabledFor(logging.INFO):
            _operation_line(operation)


def _failed(message: str, *, is_away: bool) -> Response:
    """The response to a request that failed outside its operation, such as during authentication, as a GraphQL error."""
    extensions: dict[str, Any] = {"code": "INTERNAL"}
    headers = {}
    if is_away:
        extensions["retryAfter"] = database.SECONDS_TO_RETRY
        headers["retry-after"] = str(database.SECONDS_TO_RETRY)
    content = {"errors": [{"message": message, "extensions": extensions}]}
    return JSONResponse(content, _UNAVAILABLE if is_away else _FAILED, headers)


def _line(level: int, scope: Scope, method: str, status: int, started: float, operation: Operation | None) -> None:
    fields: dict[str, Any] = {
        "method": method,
        # Undecoded: a decoded path may contain line breaks.
        "path": scope["raw_path"][:_LONGEST_PATH].decode("ascii", "replace"),
        "status": status,
        "ms": round((time.perf_counter() - started) * 1000, 1),
        **_operation_fields(operation),
    }
    log.log(level, "%s %s %s", method, fields["path"], status, extra={"fields": fields})


def _operation_line(operation: Operation) -> None:
    fields = {"transport": "websocket", "ms": round(operation.seconds * 1000, 1), **_operation_fields(operation)}
    log.info("%s ended", operation.kind, extra={"fields": fields})


def _operation_fields(operation: Operation | None) -> dict[str, Any]:
    if operation is None:
        return {}
    fields = {"operation": operation.name, "kind": operation.kind, "caller": operation.caller}
    if operation.errors:
        fields["errors"] = ",".join(sorted(operation.errors))
    if operation.refusals:
        fields["refusals"] = ",".join(sorted(operation.refusals))
    return {name: value for name, value in fields.items() if value is not None}
