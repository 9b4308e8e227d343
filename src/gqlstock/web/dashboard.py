"""Serves the dashboard's static files, under a strict Content-Security-Policy.

They contain no data and need no token. The dashboard queries /graphql like any other client.
"""

from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gqlstock.web import pages

_FILES = Path(__file__).parent / "dashboard"
_PAGE = "index.html"
# Explicit, because the system's MIME table may map .js to a type that browsers refuse as a module.
_MEDIA_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_HEADERS = {
    **pages.headers(
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self'",
        "form-action 'none'",
        # Forbids turning any text into markup.
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ),
    # Browsers revalidate each time and get a 304, so that page and scripts always have the same version.
    "Cache-Control": "no-cache",
}


def routes() -> list[Route]:
    """The page at ``/``, and its other files below ``/dashboard/``."""
    files = sorted(_FILES.iterdir())
    return [Route("/" if file.name == _PAGE else f"/dashboard/{file.name}", _serving(file)) for file in files]


def _serving(file: Path) -> Callable[[Request], Awaitable[Response]]:
    body, media_type = file.read_bytes(), _MEDIA_TYPES[file.suffix]
    # A hash of the content: the files of an installation may all have the same modification time.
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = {**_HEADERS, "ETag": tag}

    async def serve(request: Request) -> Response:
        # A substring match, because proxies that compress turn it into a weak ETag.
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type=media_type)

    return serve
