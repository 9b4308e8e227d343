"""Exchanges the code of a sign-in link for its token. The stockroom calls it: the code is in the link's fragment.

It is a POST, so that whoever fetches links, such as a chat's preview, does not use one up.
"""

import json

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gqlstock.rules.refusals import Refused
from gqlstock.services import tokens

_LONGEST_BODY = 1_000
_HEADERS = {"Cache-Control": "no-store"}


async def exchange(request: Request) -> Response:
    """``{"code": …}`` becomes ``{"token": …}``, or 410 with a ``message`` if the link is unknown, used or expired."""
    code = await _code(request)
    if code is None:
        return JSONResponse({"message": 'Send {"code": "…"} as JSON.'}, 400, _HEADERS)
    try:
        token = await tokens.use_link(code)
    except Refused as refused:
        return JSONResponse({"message": str(refused)}, 410, _HEADERS)
    return JSONResponse({"token": token}, headers=_HEADERS)


async def _code(request: Request) -> str | None:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LONGEST_BODY:
            return None
    try:
        code = json.loads(body)["code"]
    except (ValueError, TypeError, KeyError, IndexError, RecursionError):
        return None
    return code if isinstance(code, str) and code.isascii() else None
