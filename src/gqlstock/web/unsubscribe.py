"""The default unsubscribe page that mail links to, for shops without a page of their own: one button to confirm.

Opening it changes nothing, because mail scanners open links.
"""

from html import escape
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from gqlstock.rules.refusals import Refused
from gqlstock.services import back_in_stock
from gqlstock.web import pages

_LONGEST_BODY = 2_000
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="referrer" content="no-referrer">
<title>Unsubscribe</title>
<style>
  :root {{ color-scheme: light dark; }}
  body {{ font: 1.1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 20vh auto 0; padding: 0 1rem; }}
  button {{ font: inherit; padding: 0.5rem 1rem; }}
</style>
<main>
  <h1>Unsubscribe</h1>
  {said}
</main>
</html>
"""
_STYLES = " ".join(pages.source(style) for style in pages.inline(_PAGE.format(said=""), "style"))
_HEADERS = {**pages.headers(f"style-src {_STYLES}", "form-action 'self'"), "Cache-Control": "no-store"}
_ASK = """<p>You asked to be notified when a product is back in stock.</p>
  <form method="post"><input type="hidden" name="token" value="{token}"><button>Unsubscribe</button></form>"""
_DONE = "<p>You are unsubscribed. We will not email you about this product.</p>"
_UNKNOWN = "<p>This link is invalid: it is outdated or incomplete. Nothing was changed.</p>"


async def page(request: Request) -> Response:
    """GET asks for confirmation, POST unsubscribes. The token is in the URL or in the form."""
    if request.method != "POST":
        return _page(_ASK.format(token=escape(request.query_params.get("token", ""))))
    try:
        await back_in_stock.unsubscribe(await _token(request))
    except Refused:
        return _page(_UNKNOWN, 404)
    return _page(_DONE)


async def _token(request: Request) -> str:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LONGEST_BODY:
            return ""
    tokens = parse_qs(body.decode("utf-8", "replace")).get("token")
    return tokens[0] if tokens else request.query_params.get("token", "")


def _page(said: str, status: int = 200) -> Response:
    return HTMLResponse(_PAGE.format(said=said), status, headers=_HEADERS)
