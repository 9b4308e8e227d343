"""``gqlstock verify``: hold ledger, levels and allocations against each other."""

import typer

from gqlstock.cli import session
from gqlstock.services import verification


def verify() -> None:
    """Check that ledger, levels and allocations agree; exit code 1 and the differences if they do not."""
    found = session.run(verification.verify)
    for difference in found:
        typer.echo(str(difference))
    if found:
        session.say(f"{len(found)} figures do not agree.")
        raise typer.Exit(1)
    typer.echo("Ledger, levels and allocations agree.")
