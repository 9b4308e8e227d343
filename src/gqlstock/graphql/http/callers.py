"""Identifies callers by token, for every transport, and watches the tokens of open connections.

Every few seconds, one check covers the tokens of all open websockets and event streams of the process, each token once.
Connections are notified when their token was revoked or has expired.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from gqlstock import trail
from gqlstock.graphql.http.requests import RequestError
from gqlstock.rules.scopes import ANONYMOUS, Caller
from gqlstock.services import status

log = logging.getLogger(__name__)

Identify = Callable[[Collection[str]], Awaitable[Mapping[str, Caller]]]
"""The callers by token. Unknown tokens are left out."""

SECONDS_BETWEEN_CHECKS = 3.0
OVER = "The token was revoked or has expired."
_SCHEME = "bearer "
_NAME, _HEADERS = "authorization", "headers"


@dataclass(slots=True)
class _Lasting:
    connections: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Callers:
    """Identifies callers by ``identify``."""

    def __init__(self, identify: Identify, seconds_between_checks: float = SECONDS_BETWEEN_CHECKS) -> None:
        self._identify = identify
        self._seconds = seconds_between_checks
        self._lasting: dict[str, _Lasting] = {}
        self._checking: asyncio.Task[None] | None = None

    async def caller(self, authorization: str | None) -> Caller | None:
        """The caller of an Authorization header. Anonymous without a header, None for an unknown token."""
        if not authorization:
            return ANONYMOUS
        token = _token(authorization)
        return (await self._identify([token])).get(token) if token is not None else None

    @contextlib.asynccontextmanager
    async def lasting(self, authorization: str | None) -> AsyncIterator[asyncio.Event]:
        """Watch the token of an open connection. The event is set when the token ends; never without a token."""
        token = _token(authorization) if authorization else None
        if token is None:
            yield asyncio.Event()
            return
        found = self._lasting.setdefault(token, _Lasting())
        found.connections += 1
        if self._checking is None:
            # The task serves all connections, so it must not inherit the context of this request.
            self._checking = asyncio.create_task(self._check(), context=trail.left())
        try:
            yield found.over
        finally:
            found.connections -= 1
            if not found.connections and self._lasting.get(token) is found:
                del self._lasting[token]
            if not self._lasting and self._checking is not None:
                self._checking.cancel()
                self._checking = None

    async def _check(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            asked = list(self._lasting)
            try:
                known = await self._identify(asked)
            except Exception as error:
                status.log_failure(log, "token check failed; retrying", error)
                continue
            for token in asked:
                if token not in known and token in self._lasting:
                    self._lasting.pop(token).over.set()


def over_websocket(params: Mapping[str, Any] | None) -> str | None:
    """The Authorization in the payload of ``connection_init``, None without one.

    Names are case-insensitive; clients put it at the top level or below ``headers``. Raises ``RequestError`` for values that
    differ or have the wrong type. The message never includes the value, which may be a token.
    """
    given = params or {}
    found = [*_values(given, _NAME)]
    for headers in _values(given, _HEADERS):
        if not isinstance(headers, dict):
            raise RequestError(400, "headers in connection_init must be an object.")
        found += _values(headers, _NAME)
    if not all(isinstance(value, str) for value in found):
        raise RequestError(400, "Authorization in connection_init must be a string such as Bearer TOKEN.")
    if len({_token(value) or value for value in found}) > 1:
        raise RequestError(400, "connection_init has several values of Authorization that differ. Send one.")
    return found[0] if found else None


def _values(params: Mapping[str, Any], name: str) -> list[Any]:
    return [value for key, value in params.items() if key.lower() == name and value is not None]


def _token(authorization: str) -> str | None:
    if authorization[: len(_SCHEME)].lower() != _SCHEME:
        return None
    token = authorization[len(_SCHEME) :].strip()
    # A websocket's payload may contain text that cannot be encoded, such as half of a surrogate pair.
    return token if token.isascii() else None
