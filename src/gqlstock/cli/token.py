"""``gqlstock token``: tokens for those who call the API."""

from typing import Annotated

import typer

from gqlstock.cli import session
from gqlstock.rules.scopes import Scope
from gqlstock.services import tokens

app = session.commands("Tokens for those who call the API.")

_SCOPES = ", ".join(scope.value for scope in Scope)


@app.callback()
def token() -> None:
    """Tokens for those who call the API."""


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="Who it is for; stands as the actor in the ledger.")],
    scope: Annotated[list[str] | None, typer.Option(help=f"What it may do, once for each of: {_SCOPES} (all).")] = None,
) -> None:
    """Make a token and print it, this once."""

    async def work() -> str:
        return await tokens.create(name, scope or ())

    typer.echo(session.run(work))
