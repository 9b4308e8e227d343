"""``gqlstock verify``: checks ledger, levels and allocations against each other."""

import typer

from gqlstock.cli import session
from gqlstock.services import verification


def verify() -> None:
    """Check that ledger, levels and allocations agree. Prints the differences; exit code 1 if there are any."""
    found = session.run(verification.verify)
    for difference in found:
        typer.echo(str(difference))
    if found:
        session.say(f"{len(found)} figures disagree.")
        raise typer.Exit(1)
    typer.echo("Ledger, levels and allocations agree.")
