"""``gqlstock token``: tokens for those who call the API."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer

from gqlstock.cli import session
from gqlstock.cli.group import commands
from gqlstock.rules.scopes import Scope
from gqlstock.rules.tokens import TokenState
from gqlstock.services import order_tokens, tokens
from gqlstock.services.tokens import TokenInfo

app = commands("Tokens for those who call the API.")

_SCOPES = ", ".join(scope.value for scope in Scope)
_HEAD = ("NAME", "STATE", "SCOPES", "WAREHOUSES", "CREATED", "EXPIRES", "REVOKED")


@app.callback()
def token() -> None:
    """Tokens for those who call the API."""


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="Who it is for; stands as the actor in the ledger.")],
    scope: Annotated[list[str] | None, typer.Option(help=f"What it may do, once for each of: {_SCOPES} (all).")] = None,
    warehouse: Annotated[
        list[str] | None,
        typer.Option(help="A warehouse's code, once for each whose stock it sees and moves; left out, all of them."),
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option(
            metavar="WHEN", help="12h, 90d, 8w, a day such as 2027-01-31 (UTC), or a moment; left out, it does not end."
        ),
    ] = None,
) -> None:
    """Make a token and print it, this once."""

    async def work() -> str:
        return await tokens.create(name, scope or (), warehouse, expires)

    typer.echo(session.run(work))


@app.command("list")
def list_() -> None:
    """Tell of every token, oldest first; the tokens themselves are kept nowhere."""
    rows = [_HEAD, *(_row(one) for one in session.run(tokens.listed))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    for row in rows:
        typer.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


@app.command("revoke")
def revoke(name: Annotated[str, typer.Argument(help="The token's name.")]) -> None:
    """Let a token stand for nobody from now on."""

    async def work() -> None:
        await tokens.revoke(name)

    session.run(work)
    session.say(f"The token {name} is revoked.")


@app.command("renew-orders")
def renew_orders() -> None:
    """Make the access tokens of all orders invalid; each order has another one from now on."""
    session.run(order_tokens.renew)
    session.say("All orders have another access token; the earlier ones read nothing any more.")


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
