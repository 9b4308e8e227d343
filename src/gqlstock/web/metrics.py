"""The endpoint for Prometheus. It requires the configured token; without one, it is public."""

import hmac
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

_FORM = "text/plain; version=1.0.0; charset=utf-8"


def page(text: Callable[[], Awaitable[bytes]], token: str | None) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that returns ``text``."""
    wanted = f"Bearer {token}".encode() if token is not None else None

    async def respond(request: Request) -> Response:
        given = request.headers.get("authorization", "").encode("utf-8", "replace")
        if wanted is not None and not hmac.compare_digest(given, wanted):
            return PlainTextResponse(
                "The token is missing or wrong.\n", status_code=401, headers={"www-authenticate": "Bearer"}
            )
        return Response(await text(), media_type=_FORM)

    return respond
