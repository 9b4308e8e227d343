"""Parses GraphQL requests from a body, a query string or a websocket message, and refuses invalid ones."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.datastructures import QueryParams
from starlette.responses import Response
from starlette.types import Receive, Scope

from gqlstock.graphql.http import media_types
from gqlstock.rules.limits import Limits

NOT_STORED = {"cache-control": "no-store"}
"""For responses with errors, because some caches store every response that does not forbid it."""


class RequestError(Exception):
    """Ends a request with a status and one error, before its operation is read.

    ``retry_after``: the seconds after which the same request may succeed, for clients that read headers or the answer.
    """

    def __init__(
        self,
        status: int,
        message: str,
        code: str = "BAD_USER_INPUT",
        headers: Mapping[str, str] | None = None,
        *,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error: dict[str, Any] = {"message": message, "extensions": {"code": code}}
        self.headers = headers
        if retry_after is not None:
            self.error["extensions"]["retryAfter"] = retry_after
            self.headers = {**(headers or {}), "retry-after": str(retry_after)}

    def response(self, accept: str | None) -> Response:
        wanted = media_types.answer(accept)
        media_type = media_types.RESPONSE if wanted == media_types.RESPONSE else media_types.JSON
        content = orjson.dumps({"errors": [self.error]})
        headers = {**NOT_STORED, **(self.headers or {})}
        return Response(content, self.status, headers, f"{media_type}; charset=utf-8")


class HttpRequest:
    """A raw request. Starlette's own class would take a fifth of the time of a cached answer."""

    __slots__ = ("_headers", "host", "method", "query_string", "receive")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.method: str = scope["method"]
        self.query_string: bytes = scope["query_string"]
        client = scope.get("client")
        self.host: str | None = client[0] if client else None
        """The client's address."""
        self.receive = receive
        # Of headers with the same name, the first one counts.
        self._headers = dict(reversed(scope["headers"]))

    def header(self, name: bytes) -> str | None:
        """The value of a header. ``name`` is in lower case."""
        value: bytes | None = self._headers.get(name)
        return None if value is None else value.decode("latin-1")

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the query string."""
        return dict(QueryParams(self.query_string))


@dataclass(frozen=True, slots=True)
class OperationRequest:
    """One operation of a client. ``query`` None: the document is given by an id."""

    query: str | None
    variables: dict[str, Any] | None = None
    operation_name: str | None = None
    extensions: dict[str, Any] | None = None
    document_id: str | None = None


_JSON_IN_UTF_8 = {(media_types.JSON, "utf-8"), (media_types.JSON, "utf8")}
_CLOSE = {"connection": "close"}
"""The rest of a refused body is not read."""
_THROWN_AWAY = 4_000_000
"""Excess bytes that are read and dropped, because many clients read no response before they have sent everything."""


async def sent(request: HttpRequest, limits: Limits) -> bytes:
    """The raw parameters of a request: its body or its query string."""
    if request.method == "GET":
        return request.query_string
    # No other type, because browsers let other sites send those without a CORS preflight.
    if media_types.content(request.header(b"content-type")) not in _JSON_IN_UTF_8:
        raise RequestError(415, "The body must be application/json in UTF-8.", headers=_CLOSE)
    return await _body(request, limits)


def by_post(body: bytes) -> OperationRequest:
    return _operation(_json(body, "The body"))


def by_get(request: HttpRequest) -> OperationRequest:
    given: dict[str, Any] = {**request.query}
    for name in ("variables", "extensions"):
        if given.get(name):
            given[name] = _json(given[name], name)
        else:
            given.pop(name, None)
    return _operation(given)


def over_websocket(payload: dict[str, Any]) -> OperationRequest:
    return _operation(payload)


async def _body(request: HttpRequest, limits: Limits) -> bytes:
    announced = request.header(b"content-length") or ""
    if announced.isdigit() and int(announced[:19]) > limits.body_bytes + _THROWN_AWAY:
        raise _too_large(limits)
    try:
        async with asyncio.timeout(limits.body_seconds):
            return await _received(request.receive, limits)
    except TimeoutError:
        raise RequestError(
            408, f"The body did not arrive in {limits.body_seconds:g} seconds.", headers=_CLOSE
        ) from None


async def _received(receive: Receive, limits: Limits) -> bytes:
    chunks: list[bytes] = []
    length, more = 0, True
    while more and length <= limits.body_bytes + _THROWN_AWAY:
        message = await receive()
        if message["type"] != "http.request":
            raise RequestError(400, "The body did not arrive.", headers=_CLOSE)
        chunk: bytes = message.get("body", b"")
        length, more = length + len(chunk), message.get("more_body", False)
        if length <= limits.body_bytes:
            chunks.append(chunk)
    if length > limits.body_bytes:
        raise _too_large(limits)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(limits: Limits) -> RequestError:
    return RequestError(413, f"The body is too large. At most {limits.body_bytes} bytes are allowed.", headers=_CLOSE)


def _json(text: str | bytes, what: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise RequestError(400, f"{what} is not valid JSON: {error}.") from None


def _operation(given: Any) -> OperationRequest:
    if isinstance(given, list):
        raise RequestError(400, "Batches are not supported. Send one operation per request.")
    if not isinstance(given, dict):
        raise RequestError(400, "A request must be an object with a query.")
    request = OperationRequest(
        query=_of_kind(given, "query", str, "a string"),
        variables=_of_kind(given, "variables", dict, "an object"),
        operation_name=_of_kind(given, "operationName", str, "a string"),
        extensions=_of_kind(given, "extensions", dict, "an object"),
        document_id=_of_kind(given, "documentId", str, "a string") or _id(given),
    )
    if not request.query and request.document_id is None and _persisted(request.extensions) is None:
        raise RequestError(400, "The request has no query.")
    return request


def _of_kind(given: dict[str, Any], name: str, kind: type, expected: str) -> Any:
    value = given.get(name)
    if value is not None and not isinstance(value, kind):
        raise RequestError(400, f"{name} must be {expected} or null.")
    return value


def _id(given: dict[str, Any]) -> str | None:
    """The document's id under Relay's names. Over websockets, the operation's own id is outside of the payload."""
    value = given.get("id", given.get("doc_id"))
    return value if isinstance(value, str) else None


def _persisted(extensions: dict[str, Any] | None) -> str | None:
    told = (extensions or {}).get("persistedQuery")
    value = told.get("sha256Hash") if isinstance(told, dict) else None
    return value if isinstance(value, str) else None


def document_ids(request: OperationRequest) -> list[str]:
    """The ids that a request gives for its document."""
    return [one for one in (request.document_id, _persisted(request.extensions)) if one is not None]
