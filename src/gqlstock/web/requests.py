"""What every request and every websocket gets: an id, in its answer and in each of its lines of the log, and a last line.

The line says what was asked by the operation's name and by whom by the token's name: never a variable, a token or a
query string, in which there may be either.
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
from gqlstock.trail import Operation, Trail

log = logging.getLogger("gqlstock.access")

_HEADER = b"x-request-id"
_PARENT = b"traceparent"
_VALID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
# What is asked for every few seconds by programs that watch.
_QUIET = ("/healthz", "/readyz", "/metrics")

_LONGEST_PATH = 200
_FAILED = 500
_BROKEN = 1011
_NEVER_CLOSED = 1006


class Observer(Protocol):
    def began(self, of: Trail, operation: Operation) -> None:
        """It is known what an operation asks."""

    def ended(self, of: Trail, operation: Operation) -> None:
        """It was answered, or a subscription is over."""

    def answered(self, status: int) -> None:
        """A request over HTTP was."""


class Requests:
    """The observers are told of each GraphQL operation and of each answer over HTTP."""

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
            told = logs.incident(
                log, "before there was an answer" if not begun else "in the middle of an answer", error
            )
            if begun:
                raise
            await _failed(told)(scope, receive, answer)
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
            logs.incident(log, "over a websocket", error)
            if code == _NEVER_CLOSED:
                await answer({"type": "websocket.close", "code": _BROKEN})
        finally:
            if log.isEnabledFor(logging.INFO):
                _line(logging.INFO, scope, "WEBSOCKET", code, started, None)

    def _trail(self, scope: Scope, transport: str) -> Trail:
        """The id is that which a proxy or a client has given, if it can stand in a log."""
        given = parent = None
        for name, value in scope["headers"]:
            if name == _HEADER and _VALID.fullmatch(value):
                given = str(value, "ascii")
            elif name == _PARENT:
                parent = str(value, "latin-1")
        number = given or f"{random.getrandbits(64):016x}"
        return Trail(number, transport, self._operation_began, self._operation_ended, parent)

    def _operation_began(self, of: Trail, operation: Operation) -> None:
        for observer in self._observers:
            observer.began(of, operation)

    def _operation_ended(self, of: Trail, operation: Operation) -> None:
        """An operation over a websocket has a line of its own."""
        for observer in self._observers:
            observer.ended(of, operation)
        if of.transport == "websocket" and log.isEnabledFor(logging.INFO):
            _operation_line(operation)


def _failed(told: str) -> Response:
    """The answer to a request that failed outside of its operation, such as over who calls; in GraphQL's form."""
    return JSONResponse({"errors": [{"message": told, "extensions": {"code": "INTERNAL"}}]}, status_code=_FAILED)


def _line(level: int, scope: Scope, method: str, status: int, started: float, operation: Operation | None) -> None:
    told: dict[str, Any] = {
        "method": method,
        # As it was sent: decoded there might be a line break in it.
        "path": scope["raw_path"][:_LONGEST_PATH].decode("ascii", "replace"),
        "status": status,
        "ms": round((time.perf_counter() - started) * 1000, 1),
        **_told(operation),
    }
    log.log(level, "%s %s %s", method, told["path"], status, extra={"fields": told})


def _operation_line(operation: Operation) -> None:
    told = {"transport": "websocket", "ms": round(operation.seconds * 1000, 1), **_told(operation)}
    log.info("%s ended", operation.kind, extra={"fields": told})


def _told(operation: Operation | None) -> dict[str, Any]:
    if operation is None:
        return {}
    told = {"operation": operation.name, "kind": operation.kind, "caller": operation.caller}
    if operation.errors:
        told["errors"] = ",".join(sorted(operation.errors))
    if operation.refusals:
        told["refusals"] = ",".join(sorted(operation.refusals))
    return {name: value for name, value in told.items() if value is not None}
