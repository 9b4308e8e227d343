"""The dashboard's files, as browsers may have them: which page a shop's people open, and what its scripts may not do.

They hold no data and need no token; what the dashboard shows it asks for at /graphql, as any other client.
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
# Written out: what a machine takes a suffix for may be no script to a browser.
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
        # No text becomes markup, wherever it comes from.
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ),
    # A browser asks each time, and is answered 304: page and scripts are always of one version.
    "Cache-Control": "no-cache",
}


def routes() -> list[Route]:
    """The page at ``/``, and below ``/dashboard/`` each file that it is made of."""
    files = sorted(_FILES.iterdir())
    return [Route("/" if file.name == _PAGE else f"/dashboard/{file.name}", _serving(file)) for file in files]


def _serving(file: Path) -> Callable[[Request], Awaitable[Response]]:
    body, media_type = file.read_bytes(), _MEDIA_TYPES[file.suffix]
    # By what is in it: where all files of an installation have one date, theirs says nothing.
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = {**_HEADERS, "ETag": tag}

    async def serve(request: Request) -> Response:
        # Within: a proxy that compresses makes it a weak one.
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type=media_type)

    return serve
