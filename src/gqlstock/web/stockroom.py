"""Serves the stockroom and the wall display: static files, under a strict Content-Security-Policy.

They contain no data and need no token. The pages query /graphql like any other client.
"""

import functools
import posixpath
import re
from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gqlstock.web import pages

_FILES = Path(__file__).parent.resolve() / "stockroom"
_IMPORT = re.compile(r"^import [^;]*?from '([^']+)';", re.M)
PAGES = {
    "/": "index.html",
    "/stock": "index.html",
    "/item": "index.html",
    "/orders": "index.html",
    "/order": "index.html",
    "/incoming": "index.html",
    "/wall": "wall.html",
}
"""The document of each page. Paths have one part, so that a document's relative URLs work on each of its pages, below any
prefix of a proxy. What a page shows is in the query, which the document's scripts read."""
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
        # Pictures of products are wherever the shop keeps them.
        "img-src 'self' http: https:",
        "form-action 'none'",
        # Forbids turning any text into markup.
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ),
    # Browsers revalidate each time and get a 304, so that page and scripts always have the same version.
    "Cache-Control": "no-cache",
}


@functools.cache
def routes() -> tuple[Route, ...]:
    """The pages, and their other files below ``/stockroom/``."""
    served = {name: _serving(_FILES / name, _preloading) for name in dict.fromkeys(PAGES.values())}
    documents = {path: served[name] for path, name in PAGES.items()}
    files = [file for file in sorted(_FILES.rglob("*")) if file.suffix in _MEDIA_TYPES and file.suffix != ".html"]
    parts = {f"/stockroom/{file.relative_to(_FILES).as_posix()}": _serving(file) for file in files}
    return tuple(Route(path, serve) for path, serve in (documents | parts).items())


def _preloading(document: str) -> str:
    """The document with a link to each module that its script imports: browsers find them one level of imports at a time."""
    modules: list[str] = re.findall(r'<script type="module" src="([^"]+)"', document)
    # The list grows while it is read.
    for module in modules:
        modules += [other for other in _imported(module) if other not in modules]
    links = "".join(f'<link rel="modulepreload" href="{name}">\n' for name in modules)
    return document.replace("</head>", f"{links}</head>")


@functools.cache
def _imported(module: str) -> tuple[str, ...]:
    """The modules that a module imports, each once. Paths are those that a document uses."""
    text, folder = (_FILES.parent / module).read_text(), posixpath.dirname(module)
    return tuple(dict.fromkeys(posixpath.normpath(posixpath.join(folder, name)) for name in _IMPORT.findall(text)))


def _serving(file: Path, change: Callable[[str], str] = str) -> Callable[[Request], Awaitable[Response]]:
    body, media_type = change(file.read_text()).encode(), _MEDIA_TYPES[file.suffix]
    # A hash of the content: the files of an installation may all have the same modification time.
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = {**_HEADERS, "ETag": tag}

    async def serve(request: Request) -> Response:
        # A substring match, because proxies that compress turn it into a weak ETag.
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type=media_type)

    return serve
