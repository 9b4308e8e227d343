"""The GraphiQL page, which ``/graphql`` serves to browsers.

GraphiQL itself is loaded from a CDN with integrity hashes. Without internet access, the page is a console of its own, whose
scripts are in ``graphiql/`` and become part of the page: its path serves one document.
"""

import re
from importlib.resources import files

from starlette.responses import HTMLResponse, Response

from gqlstock.web import pages

_CDN = re.compile(r'const CDN = "([^"]+)"')
_SCRIPT = re.compile(r'<script src="(graphiql/\w+\.js)"></script>')
_PACKAGE = re.compile(r'\["((?:[\w-]+)@[\d.]+/)[^"]+\.(js|css)"')


def page() -> Response:
    folder = files("gqlstock.web")
    text = _SCRIPT.sub(
        lambda found: f"<script>\n{folder.joinpath(found[1]).read_text(encoding='utf-8')}</script>",
        folder.joinpath("graphiql.html").read_text(encoding="utf-8"),
    )
    return HTMLResponse(text, headers={**pages.headers(*_policy(text)), "Cache-Control": "no-cache"})


def _policy(text: str) -> list[str]:
    """Allow the page's own scripts and the packages it names, and any style, because the editor adds some at runtime."""
    found = _CDN.search(text)
    assert found is not None
    packages = {kind: [found[1] + path for path, k in _PACKAGE.findall(text) if k == kind] for kind in ("js", "css")}
    scripts = [*(pages.source(script) for script in pages.inline(text, "script")), *packages["js"]]
    return [
        f"script-src {' '.join(scripts)}",
        f"style-src 'unsafe-inline' {' '.join(packages['css'])}",
        "font-src data:",
        "img-src data:",
        "connect-src 'self'",
        "form-action 'none'",
    ]
