"""``gqlstock cache``: what servers keep in memory of the database."""

from gqlstock.cli import session
from gqlstock.cli.group import commands
from gqlstock.services import clear_cache

app = commands("What servers keep in memory of the database.")


@app.callback()
def cache() -> None:
    """What servers keep in memory of the database."""


@app.command("clear")
def clear() -> None:
    """Have all servers read the database anew: for after SQL by hand."""
    session.run(clear_cache.clear)
    session.say("Servers read the database anew.")
