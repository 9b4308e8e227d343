"""What a request asks: the parameters of GraphQL over HTTP, out of a body or a query string, or a refusal with its status."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from gqlstock.graphql import media_types
from gqlstock.rules.limits import Limits


class Refusal(Exception):
    """A request that is answered with a status and one error, before any operation of it is looked at."""

    def __init__(
        self, status: int, message: str, code: str = "BAD_USER_INPUT", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"message": message, "extensions": {"code": code}}
        self.headers = headers

    def response(self, accept: str | None) -> Response:
        wanted = media_types.answer(accept)
        media_type = media_types.RESPONSE if wanted == media_types.RESPONSE else media_types.JSON
        content = orjson.dumps({"errors": [self.error]})
        return Response(content, self.status, self.headers, f"{media_type}; charset=utf-8")


@dataclass(frozen=True, slots=True)
class Asked:
    """``query`` None: the document is known by an id."""

    query: str | None
    variables: dict[str, Any] | None = None
    operation_name: str | None = None
    extensions: dict[str, Any] | None = None
    document_id: str | None = None


_CLOSE = {"connection": "close"}
"""What is left of a body that was refused is not read."""
_THROWN_AWAY = 4_000_000
"""Bytes too many that are read all the same: many clients hear nothing before they have sent all."""


async def by_post(request: Request, limits: Limits) -> Asked:
    name, charset = media_types.content(request.headers.get("content-type"))
    # No other type: a page of another site may send those without asking first.
    if name != media_types.JSON or charset not in ("utf-8", "utf8"):
        raise Refusal(415, "Send application/json in UTF-8.", headers=_CLOSE)
    return _asked(_json(await _body(request, limits), "The body"))


def by_get(request: Request) -> Asked:
    given: dict[str, Any] = dict(request.query_params)
    for name in ("variables", "extensions"):
        if given.get(name):
            given[name] = _json(given[name], name)
        else:
            given.pop(name, None)
    return _asked(given)


def over_websocket(payload: dict[str, Any]) -> Asked:
    return _asked(payload)


async def _body(request: Request, limits: Limits) -> bytes:
    most = limits.body_bytes
    too_large = Refusal(413, f"A request may have {most} bytes.", headers=_CLOSE)
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced[:19]) > most + _THROWN_AWAY:
        raise too_large
    body, length = bytearray(), 0
    try:
        async with asyncio.timeout(limits.body_seconds):
            async for chunk in request.stream():
                length += len(chunk)
                if length <= most:
                    body += chunk
                elif length > most + _THROWN_AWAY:
                    break
    except TimeoutError:
        raise Refusal(408, f"The body did not arrive in {limits.body_seconds:g} seconds.", headers=_CLOSE) from None
    except ClientDisconnect:
        raise Refusal(400, "The body did not arrive.", headers=_CLOSE) from None
    if length > most:
        raise too_large
    return bytes(body)


def _json(text: str | bytes, what: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Refusal(400, f"{what} cannot be read as JSON: {error}.") from None


def _asked(given: Any) -> Asked:
    if isinstance(given, list):
        raise Refusal(400, "One request has one operation: lists of them are not taken.")
    if not isinstance(given, dict):
        raise Refusal(400, "A request is an object with a query.")
    asked = Asked(
        query=_of_kind(given, "query", str, "a string"),
        variables=_of_kind(given, "variables", dict, "an object"),
        operation_name=_of_kind(given, "operationName", str, "a string"),
        extensions=_of_kind(given, "extensions", dict, "an object"),
        document_id=_of_kind(given, "documentId", str, "a string") or _id(given),
    )
    if not asked.query and asked.document_id is None and _persisted(asked.extensions) is None:
        raise Refusal(400, "There is no query in the request.")
    return asked


def _of_kind(given: dict[str, Any], name: str, kind: type, told: str) -> Any:
    value = given.get(name)
    if value is not None and not isinstance(value, kind):
        raise Refusal(400, f"{name} must be {told}, if it is there.")
    return value


def _id(given: dict[str, Any]) -> str | None:
    """As Relay calls it. Over websockets the id of the operation is beside the payload, not in it."""
    value = given.get("id", given.get("doc_id"))
    return value if isinstance(value, str) else None


def _persisted(extensions: dict[str, Any] | None) -> str | None:
    told = (extensions or {}).get("persistedQuery")
    value = told.get("sha256Hash") if isinstance(told, dict) else None
    return value if isinstance(value, str) else None


def document_ids(asked: Asked) -> list[str]:
    """What the request calls its document by."""
    return [one for one in (asked.document_id, _persisted(asked.extensions)) if one is not None]
