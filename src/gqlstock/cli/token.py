"""``gqlstock token``: manages API tokens."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import urlsplit

import typer

from gqlstock.cli import session
from gqlstock.cli.failures import Failure
from gqlstock.cli.group import commands
from gqlstock.rules import refusals
from gqlstock.rules.scopes import Scope
from gqlstock.rules.tokens import TokenState
from gqlstock.services import order_tokens, tokens
from gqlstock.services.tokens import TokenInfo

app = commands("Manage API tokens.")

_SCOPES = ", ".join(scope.value for scope in Scope)
_SITE = "http://127.0.0.1:8000"
_HEAD = ("NAME", "STATE", "SCOPES", "WAREHOUSES", "CREATED", "EXPIRES", "REVOKED")


@app.callback()
def token() -> None:
    """Manage API tokens."""


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="The name of its owner, which the ledger records as actor.")],
    scope: Annotated[list[str] | None, typer.Option(help=f"A scope; repeatable. By default all of: {_SCOPES}.")] = None,
    warehouse: Annotated[
        list[str] | None,
        typer.Option(help="The code of a warehouse whose stock it may see and change; repeatable. By default all."),
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option(
            metavar="WHEN", help="12h, 90d, 8w, a date such as 2027-01-31 (UTC), or a date and time. By default never."
        ),
    ] = None,
    link: Annotated[
        bool, typer.Option("--link", help="Print a link that signs in once, within ten minutes, in place of the token.")
    ] = False,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help=f"Where people open the stockroom. By default {_SITE}.")
    ] = None,
) -> None:
    """Create a token and print it, or a link that signs in with it. It cannot be printed again."""
    if url is not None and not link:
        raise Failure("--url is where a link leads to: it needs --link.")
    page = _page(_SITE if url is None else url)

    async def work() -> str:
        if not link:
            return await tokens.create(name, scope or (), warehouse, expires)
        return f"{page}#code={await tokens.create_with_link(name, scope or (), warehouse, expires)}"

    typer.echo(session.run(work))
    if link:
        minutes = tokens.LINK_LASTS // timedelta(minutes=1)
        session.say(f"This link signs {name} in once, within {minutes} minutes. Who opens it has the token's scopes.")


def _page(url: str) -> str:
    """The stockroom below a URL, such as https://stock.shop.example, or that of the wall display."""
    try:
        parts = urlsplit(url)
        is_page = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_page = False
    if not is_page or "?" in url or "#" in url or not url.isprintable() or " " in url:
        raise Failure(
            f"{refusals.shown(url) or 'An empty text'} is not a URL that a link can lead to. --url is like https://stock.shop.example."
        )
    return url if url.endswith("/wall") else url.rstrip("/") + "/"


@app.command("list")
def list_() -> None:
    """List all tokens, oldest first. The tokens themselves are not stored."""
    rows = [_HEAD, *(_row(one) for one in session.run(tokens.listed))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    for row in rows:
        typer.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


@app.command("revoke")
def revoke(name: Annotated[str, typer.Argument(help="The token's name.")]) -> None:
    """Revoke a token."""

    async def work() -> None:
        await tokens.revoke(name)

    session.run(work)
    session.say(f"Revoked the token {name}.")


@app.command("renew-orders")
def renew_orders() -> None:
    """Invalidate the access tokens of all orders and give each order a new one."""
    session.run(order_tokens.renew)
    session.say("All orders have new access tokens. The old ones are invalid.")


def _row(token: TokenInfo) -> Sequence[str]:
    return (
        token.name,
        token.state.value,
        " ".join(token.scopes),
        "all" if token.warehouses is None else " ".join(token.warehouses),
        _moment(token.created_at),
        _moment(token.expires_at),
        _moment(token.revoked_at) if token.state is TokenState.REVOKED else "-",
    )


def _moment(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%dT%H:%MZ") if at is not None else "-"
